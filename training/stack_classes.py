"""The classes of a stack, so that a dataset is made of those that the stack will route."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import yaml

from contract.errors import UserError
from contract.names import setting

KEY = setting("classes")


def stack_classes(stack: str, root: Path = Path()) -> list[str]:
    """The stack's classes: its own setting, or the default of Pulumi.yaml.

    Args:
        stack: its name, such as dev.
        root: the folder of Pulumi.yaml.

    Raises:
        UserError: there is no such stack, or what it says is not a list of names.
    """
    path = root / f"Pulumi.{stack}.yaml"
    if not path.is_file():
        known = sorted(each.name.split(".")[1] for each in root.glob("Pulumi.*.yaml"))
        raise UserError(f"there is no stack {stack!r}: the stacks are {', '.join(known) or 'none here'}")
    configured = _mapping(_read(path), "config")
    if KEY in configured:
        value = configured[KEY]
    else:
        path = root / "Pulumi.yaml"
        value = _mapping(_mapping(_read(path), "config"), "classes").get("default")
    if not isinstance(value, list) or not all(isinstance(name, str) for name in cast("list[object]", value)):
        raise UserError(f"{path}: {KEY} must be a list of names, got {value!r}")
    return cast("list[str]", value)


def _read(path: Path) -> object:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"there is no {path}") from error
    except yaml.YAMLError as error:
        raise UserError(f"{path} is not YAML: {error}") from error


def _mapping(value: object, key: str) -> dict[str, object]:
    found = cast("dict[str, object]", value).get(key) if isinstance(value, dict) else None
    return cast("dict[str, object]", found) if isinstance(found, dict) else {}
