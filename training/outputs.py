"""The stack's outputs, as `pulumi stack output --json` and `python -m localcloud outputs --json` print."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from contract.errors import UserError

VARIABLE = "SCONES_OUTPUTS"


@dataclass(frozen=True, slots=True)
class StackOutputs:
    """The outputs that training reads; empty or None where the stack has none."""

    endpoint_name: str = ""
    training_job_name: str = ""
    baseline_uri: str = ""
    classes: tuple[str, ...] = ()
    threshold: float | None = None
    """The configured one."""
    image_size: int | None = None
    """Pixels a side of the photos that the endpoint gets."""


def read_outputs(path: Path | None) -> StackOutputs:
    """The outputs in the file at `path`, or in the one that SCONES_OUTPUTS names; empty without either.

    Raises UserError when the file can't be read or holds something else.
    """
    name = path or os.environ.get(VARIABLE)
    if not name:
        return StackOutputs()
    try:
        document: object = json.loads(Path(name).read_bytes())
    except OSError as error:
        raise UserError(f"the outputs file {name} can't be read: {error.strerror}") from error
    except ValueError as error:
        raise UserError(f"the outputs file {name} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise UserError(f"the outputs file {name} must hold a JSON object, got {type(document).__name__}")
    values = cast("dict[str, object]", document)

    def text(key: str) -> str:
        value = values.get(key, "")
        if not isinstance(value, str):
            raise UserError(f"{name}: {key} must be a string, got {value!r}")
        return value

    def number(key: str) -> float | None:
        value = values.get(key)
        if value is None:
            return None
        # pulumi's CLI and config keep some numbers as text
        try:
            return float(str(value))
        except ValueError:
            raise UserError(f"{name}: {key} must be a number, got {value!r}") from None

    classes = values.get("classes", [])
    if not isinstance(classes, list):
        raise UserError(f"{name}: classes must be a list of names, got {classes!r}")
    size = number("imageSize")
    return StackOutputs(
        endpoint_name=text("endpointName"),
        training_job_name=text("trainingJobName"),
        baseline_uri=text("baselineUri"),
        classes=tuple(str(label) for label in cast("list[object]", classes)),
        threshold=number("confidenceThreshold"),
        image_size=None if size is None else int(size),
    )
