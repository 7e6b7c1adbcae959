"""The stack's outputs: their names, written once, and how tools read them.

`__main__.py` exports them, `pulumi stack output --json` and `python -m localcloud outputs --json` print them.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast, get_type_hints

from contract.errors import UserError
from contract.thresholds import allowed_thresholds, is_threshold

VARIABLE = "SCONES_OUTPUTS"
"""The environment variable that names a file of outputs, for every tool that is given no other."""


@dataclass(frozen=True, slots=True)
class StackOutputs:
    """What a stack exports, as `endpointName` for `endpoint_name`; empty or None where a stack has none."""

    bucket: str = ""
    endpoint_name: str = ""
    endpoint_mode: str = ""
    """`realtime` or `serverless`."""
    training_job_name: str = ""
    model_artifact: str = ""
    """`s3://` address of the model.tar.gz."""
    evidence_uri: str = ""
    """`s3://` address of the model's evidence.json, once it was evaluated."""
    model_package_group: str = ""
    """ARN of the model register."""
    state_machine_arn: str = ""
    decisions_table: str = ""
    review_queue_url: str = ""
    dead_letter_queue_url: str = ""
    """Of the queue that keeps uploads which started no execution."""
    alert_topic_arn: str = ""
    event_bus_name: str = ""
    capture_uri: str = ""
    """`s3://` address of the folder that captures lie in."""
    baseline_uri: str = ""
    """`s3://` address of baseline.json."""
    classes: tuple[str, ...] = ()
    """Those that have a loading bay, in the configured order."""
    labels: tuple[str, ...] = ()
    """What the model answers, in label order; a stack that does not say has its classes."""
    confidence_threshold: float | None = None
    target_risk_percent: float | None = None
    """The share of accepted photos that may be wrong, in percent."""
    loading_bays: Mapping[str, str] = field(default_factory=dict[str, str])
    """Class -> bay."""
    image_size: int | None = None
    """Pixels a side of the pictures that the model gets."""
    functions: Mapping[str, str] = field(default_factory=dict[str, str])
    """Step -> name of its function."""
    decision_retention_days: int | None = None
    photo_retention_days: int | None = None
    batch_state_machine_arn: str = ""
    batch_concurrency: int | None = None
    """How many photos of a batch are classified at a time."""
    dashboard_name: str = ""
    metric_namespace: str = ""
    region: str = ""
    retraining: Mapping[str, str] = field(default_factory=dict[str, str])
    """How the stack retrains, as `contract.retraining.parse_plan` reads it; empty when it does not."""


def exports(**values: object) -> dict[str, object]:
    """What a program exports, by the outputs' own names.

    Args:
        values: one for each field of StackOutputs.

    Raises:
        TypeError: a field without a value, or a value without a field.
    """
    missing, unknown = OUTPUT_NAMES.keys() - values.keys(), values.keys() - OUTPUT_NAMES.keys()
    if missing or unknown:
        raise TypeError(f"the stack's outputs are those of StackOutputs: missing {missing}, unknown {unknown}")
    return {name: values[key] for key, name in OUTPUT_NAMES.items()}


def read_outputs(path: str | Path | None) -> StackOutputs | None:
    """The outputs in the file at `path`, or in the one that VARIABLE names; None without either.

    Raises:
        UserError: the file can't be read or holds something else.
    """
    name = path or os.environ.get(VARIABLE)
    if not name:
        return None
    try:
        document = cast("object", json.loads(Path(name).read_bytes()))
    except OSError as error:
        raise UserError(f"the outputs file {name} can't be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"the outputs file {name} is not JSON: {error}") from error
    return parse_outputs(document, str(name))


def require_outputs(path: str | Path | None, *needed: str) -> StackOutputs:
    """The outputs, for a command that can do nothing without a stack.

    Args:
        path: as `read_outputs` takes it.
        needed: fields of StackOutputs that must have a value.

    Raises:
        UserError: no file is named, it can't be read or holds something else, or it lacks one of `needed`.
    """
    outputs = read_outputs(path)
    if outputs is None:
        raise UserError(f"which stack? give --outputs FILE or set {VARIABLE}")
    if missing := [OUTPUT_NAMES[name] for name in needed if not getattr(outputs, name)]:
        raise UserError(f"the outputs name no {' and no '.join(missing)}: is the stack up, and of this version?")
    return outputs


def parse_outputs(document: object, name: str = "outputs") -> StackOutputs:
    """The outputs in a parsed JSON document; outputs that are unknown here mean nothing.

    Args:
        document: what was parsed.
        name: where it came from, for messages.

    Raises:
        UserError: it is not an object, or an output is not what it must be.
    """
    if not isinstance(document, dict):
        raise UserError(f"{name} must hold a JSON object of stack outputs, got {document!r:.80}")
    given = cast("dict[str, object]", document)
    values: dict[str, object] = {}
    for key, kind in get_type_hints(StackOutputs).items():
        value = given.get(OUTPUT_NAMES[key])
        if value is None:
            continue
        parse, allowed = PARSERS[kind]
        try:
            values[key] = parse(value)
        except ValueError:
            raise UserError(f"{name}: {OUTPUT_NAMES[key]} must be {allowed}, got {value!r:.80}") from None
    outputs = StackOutputs(**values)  # pyright: ignore[reportArgumentType]
    outputs = dataclasses.replace(outputs, labels=outputs.labels or outputs.classes)
    threshold, labels = outputs.confidence_threshold, len(outputs.labels) or None
    if threshold is not None and not is_threshold(threshold, labels):
        key = OUTPUT_NAMES["confidence_threshold"]
        raise UserError(f"{name}: {key} must be {allowed_thresholds(labels)}, got {threshold:g}")
    return outputs


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value


def _number(value: object) -> float:
    # pulumi's CLI and configuration keep some numbers as strings
    number = float(str(value))
    if not math.isfinite(number):
        raise ValueError
    return number


def _integer(value: object) -> int:
    number = _number(value)
    if not number.is_integer():
        raise ValueError
    return int(number)


def _names(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError
    return tuple(_string(item) for item in cast("list[object]", value))


def _strings(value: object) -> Mapping[str, str]:
    if not isinstance(value, dict):
        raise ValueError
    return {key: _string(item) for key, item in cast("dict[str, object]", value).items()}


PARSERS: Mapping[object, tuple[Callable[[object], object], str]] = {
    str: (_string, "a string"),
    float | None: (_number, "a number"),
    int | None: (_integer, "a whole number"),
    tuple[str, ...]: (_names, "a list of names"),
    Mapping[str, str]: (_strings, "a mapping of names to strings"),
}
"""How a field of each type is parsed, and what its message says is allowed."""


def _camel_case(name: str) -> str:
    return re.sub("_([a-z])", lambda match: match[1].upper(), name)


OUTPUT_NAMES: Mapping[str, str] = {each.name: _camel_case(each.name) for each in dataclasses.fields(StackOutputs)}
"""Field -> name of the output."""
