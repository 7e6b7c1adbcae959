"""The project's and the stack's configuration, put together and checked as the `pulumi` command does it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from contract.errors import UserError

PYTHON_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "boolean": bool,
    "array": list,
    "object": dict,
}


def stack_names(root: Path) -> list[str]:
    """The stacks that have a file."""
    return sorted(path.name.split(".")[1] for path in root.glob("Pulumi.*.yaml"))


def stack_configuration(root: Path, stack: str, overrides: Mapping[str, str]) -> dict[str, str]:
    """All configuration of a stack, by full key, as the texts that Pulumi's runtime takes.

    Args:
        root: the folder of Pulumi.yaml.
        stack: the stack's name.
        overrides: what `--config key=value` gives, by key with or without namespace.

    Raises:
        UserError: no such stack, a key that the schema does not have, or a value of another type.
    """
    path = root / f"Pulumi.{stack}.yaml"
    if not path.is_file():
        raise UserError(f"there is no stack {stack!r} here: the stacks are {', '.join(stack_names(root))}")
    project: dict[str, Any] = yaml.safe_load((root / "Pulumi.yaml").read_text(encoding="utf-8"))
    name: str = project["name"]
    schema: dict[str, Any] = project.get("config", {})
    values: dict[str, Any] = {f"{name}:{key}": entry["default"] for key, entry in schema.items() if "default" in entry}
    document: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    values |= document.get("config", {})
    for key, text in overrides.items():
        full = key if ":" in key else f"{name}:{key}"
        kind = schema.get(full.partition(":")[2], {}).get("type", "string")
        values[full] = text if kind == "string" else _parsed(text)
    for key, value in values.items():
        namespace, _, short = key.partition(":")
        if namespace == name:
            _check(path, key, value, schema, short)
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _check(path: Path, key: str, value: object, schema: Mapping[str, Any], short: str) -> None:
    if short not in schema:
        raise UserError(f"{path.name}: {key} is not declared in Pulumi.yaml: known are {', '.join(schema)}")
    kind = schema[short].get("type")
    wrong = kind and not isinstance(value, PYTHON_TYPES[kind])
    if wrong or (kind == "integer" and isinstance(value, bool)):
        raise UserError(f"{path.name}: {key} must be of type {kind}, got {json.dumps(value)}")
