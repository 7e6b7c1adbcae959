"""The stack's outputs, as `pulumi stack output --json` or the local cloud prints them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from contract.errors import UserError

VARIABLE = "SCONES_OUTPUTS"


@dataclass(frozen=True, slots=True)
class StackOutputs:
    """The outputs that monitoring reads; an empty string or tuple where the stack has none."""

    capture_uri: str = ""
    baseline_uri: str = ""
    decisions_table: str = ""
    review_queue_url: str = ""
    state_machine_arn: str = ""
    endpoint_mode: str = ""
    classes: tuple[str, ...] = ()
    threshold: float | None = None


def read_outputs(path: str | None) -> StackOutputs | None:
    """The outputs in the file at `path`, or in the one that `SCONES_OUTPUTS` names, or None without either.

    Raises UserError when the file can't be read or is not a JSON object of outputs.
    """
    name = path or os.environ.get(VARIABLE)
    if not name:
        return None
    try:
        document: object = json.loads(Path(name).read_bytes())
    except OSError as error:
        raise UserError(f"the outputs file {name} can't be read: {error.strerror}") from error
    except ValueError as error:
        raise UserError(f"the outputs file {name} is not JSON: {error}") from error
    return parse_outputs(document, name)


def parse_outputs(document: object, name: str = "outputs") -> StackOutputs:
    """The outputs in a parsed JSON `document`; `name` says in errors where it came from."""
    if not isinstance(document, Mapping):
        raise UserError(f"{name} must be a JSON object of stack outputs")
    values: dict[str, object] = {str(key): value for key, value in document.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]

    def text(key: str) -> str:
        value = values.get(key, "")
        if not isinstance(value, str):
            raise UserError(f"{name}: {key} must be a string, got {value!r}")
        return value

    classes = values.get("classes", [])
    if not isinstance(classes, list):
        raise UserError(f"{name}: classes must be a list of names, got {classes!r}")
    threshold = values.get("confidenceThreshold")
    if threshold is not None:
        try:
            threshold = float(str(threshold))
        except ValueError:
            raise UserError(f"{name}: confidenceThreshold must be a number, got {threshold!r}") from None
    return StackOutputs(
        capture_uri=text("captureUri"),
        baseline_uri=text("baselineUri"),
        decisions_table=text("decisionsTable"),
        review_queue_url=text("reviewQueueUrl"),
        state_machine_arn=text("stateMachineArn"),
        endpoint_mode=text("endpointMode"),
        classes=tuple(str(label) for label in classes),  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        threshold=threshold,
    )
