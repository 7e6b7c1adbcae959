"""The functions' settings: environment variables, each parsed once and refused when it is wrong."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from typing import cast

from contract.errors import ConfigurationError
from contract.thresholds import allowed_thresholds, is_threshold

Environment = Mapping[str, str]


def text(name: str, environment: Environment = os.environ) -> str:
    """A variable that must be there and must not be empty.

    Raises:
        ConfigurationError: it is missing or empty.
    """
    value = environment.get(name, "")
    if not value.strip():
        raise ConfigurationError(f"the environment variable {name} must be set, got {value!r}")
    return value


def whole_number(name: str, environment: Environment = os.environ, default: int | None = None) -> int:
    """A whole number of at least 1; a missing one is the default, where there is one.

    Raises:
        ConfigurationError: it is missing without a default, or something else.
    """
    if default is not None and name not in environment:
        return default
    value = text(name, environment)
    if not (value.isascii() and value.isdigit() and int(value) >= 1):
        raise ConfigurationError(f"{name} must be a whole number of at least 1, got {value!r}")
    return int(value)


def threshold(name: str, labels: int, environment: Environment = os.environ) -> float:
    """A threshold for a model of so many labels (contract.thresholds).

    Raises:
        ConfigurationError: it is missing or something else.
    """
    value = text(name, environment)
    try:
        # Python's own notation goes further: 0.8_0, or the digits of other scripts
        number = float(value) if value.isascii() and "_" not in value else math.nan
    except ValueError:
        number = math.nan
    if not is_threshold(number, labels):
        raise ConfigurationError(f"{name} must be {allowed_thresholds(labels)}, got {value!r}")
    return number


def names(name: str, environment: Environment = os.environ) -> tuple[str, ...]:
    """A JSON list of at least two different, non-empty names, such as the classes in label order.

    Raises:
        ConfigurationError: it is missing or something else.
    """
    value = text(name, environment)
    parsed = _json(value)
    if isinstance(parsed, list):
        items = cast("list[object]", parsed)
        words = tuple(item for item in items if isinstance(item, str) and item)
        if len(words) == len(items) == len(set(words)) and len(words) >= 2:
            return words
    raise ConfigurationError(f"{name} must be a JSON list of at least two different names, got {value!r}")


def name_of_each(name: str, keys: tuple[str, ...], environment: Environment = os.environ) -> dict[str, str]:
    """A JSON object that gives each of `keys` (and nothing else) a non-empty text.

    Raises:
        ConfigurationError: it is missing or something else.
    """
    value = text(name, environment)
    parsed = _json(value)
    if isinstance(parsed, dict):
        items = cast("dict[str, object]", parsed)
        words = {key: item for key, item in items.items() if isinstance(item, str) and item}
        if set(words) == set(items) == set(keys):
            return words
    raise ConfigurationError(f"{name} must be a JSON object with a non-empty string for each of {keys}, got {value!r}")


def _json(value: str) -> object:
    try:
        return cast("object", json.loads(value))
    except (ValueError, RecursionError):
        return None
