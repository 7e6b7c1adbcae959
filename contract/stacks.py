"""A stack's configuration: Pulumi.yaml's defaults and its own file, put together as the `pulumi` command does it."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import yaml

from contract.errors import UserError

TYPES: Mapping[str, type] = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict}
"""The types that a setting's schema may have (Pulumi, "Project file reference")."""
COMMAND_LINE = "--config"


@dataclass(frozen=True, slots=True)
class Stack:
    """One stack of the project in a folder."""

    project: str
    """The project's name: the namespace of its settings."""
    schema: Mapping[str, Mapping[str, object]]
    """What Pulumi.yaml declares of each setting, by key without namespace."""
    values: Mapping[str, object]
    """Every configured value by full key, such as `scones:classes`, the defaults included."""
    sources: Mapping[str, str]
    """Where each value was read: a file's name, or `--config`."""

    def setting(self, key: str) -> object:
        """A setting of the project, or None."""
        return self.values.get(f"{self.project}:{key}")

    def delivered(self) -> dict[str, str]:
        """All of it as Pulumi's runtime gets it: strings, everything else as JSON.

        Raises:
            UserError: with every key that is not declared and every value of another type than its schema's.
        """
        problems = [problem for key in self.values if (problem := self._problem(key))]
        if problems:
            raise UserError("\n".join(problems))
        return {key: value if isinstance(value, str) else json.dumps(value) for key, value in self.values.items()}

    def _problem(self, key: str) -> str | None:
        namespace, _, short = key.partition(":")
        if namespace != self.project:
            return None
        place = f"{self.sources[key]}: {key}"
        if short not in self.schema:
            near = difflib.get_close_matches(short, self.schema, n=2)
            hint = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(self.schema)}"
            return f"{place} is not declared in Pulumi.yaml: {hint}"
        kind, value = self.schema[short].get("type"), self.values[key]
        if kind in ("integer", "boolean") and isinstance(value, str):
            # `pulumi config set` writes every value as a string; the command takes those that parse
            value = _parsed(value)
        # a boolean is an integer to Python
        wrong = isinstance(kind, str) and (
            not isinstance(value, TYPES[kind]) or (kind == "integer" and isinstance(value, bool))
        )
        quote = " (quote it)" if wrong and kind == "string" and isinstance(value, int | float) else ""
        return f"{place} must be of type {kind}, got {json.dumps(value, default=str)}{quote}" if wrong else None


def stack_names(root: Path) -> list[str]:
    """The stacks that have a file."""
    return sorted(path.name.split(".")[1] for path in root.glob("Pulumi.*.yaml"))


def read_stack(root: Path, stack: str | None, overrides: Mapping[str, str] | None = None) -> Stack:
    """Read a stack.

    Args:
        root: the folder of Pulumi.yaml.
        stack: its name, such as dev; None for the project's defaults alone.
        overrides: what `--config key=value` gives, by key with or without namespace.

    Raises:
        UserError: no such stack, or a file that is no YAML or of another shape.
    """
    file = f"Pulumi.{stack}.yaml"
    if stack is not None and not (root / file).is_file():
        known = ", ".join(stack_names(root)) or "none here"
        raise UserError(f"there is no stack {stack!r}: the stacks are {known}")
    declared = _read(root / "Pulumi.yaml", ())
    project = declared.get("name")
    if not isinstance(project, str) or not project:
        raise UserError(f"Pulumi.yaml: name must be a non-empty string, got {project!r}")
    schema = {key: _schema(key, value) for key, value in _mapping("Pulumi.yaml", declared, "config").items()}
    values: dict[str, object] = {}
    sources: dict[str, str] = {}

    def put(key: str, value: object, source: str) -> None:
        # a key without namespace is the project's
        full = key if ":" in key else f"{project}:{key}"
        values[full], sources[full] = value, source

    for key, entry in schema.items():
        if "default" in entry:
            put(key, entry["default"], "Pulumi.yaml")
    if stack is not None:
        for key, value in _mapping(file, _read(root / file, ("environment",)), "config").items():
            if isinstance(value, dict) and list(cast("dict[str, object]", value)) == ["secure"]:
                raise UserError(f"{file}: {key} is encrypted (secure:), and only the pulumi command has the key to it")
            put(key, cast("object", value), file)
    for key, text in (overrides or {}).items():
        kind = schema.get(key.rpartition(":")[2], {}).get("type", "string")
        put(key, text if kind == "string" else _parsed(text), COMMAND_LINE)
    return Stack(project, schema, values, sources)


def _read(path: Path, refused: Sequence[str]) -> Mapping[str, object]:
    """A YAML file that holds a mapping, or nothing."""
    try:
        document: object = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"there is no {path.name} in {path.parent.resolve()}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path.name} can't be read: {error}") from error
    except yaml.YAMLError as error:
        mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
        line = f", line {mark.line + 1}" if mark else ""
        reason = error.problem if isinstance(error, yaml.MarkedYAMLError) else str(error).splitlines()[0]
        raise UserError(f"{path.name}{line} is not YAML: {reason}") from error
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise UserError(f"{path.name} must be a mapping, got {document!r:.60}")
    fields = cast("dict[str, object]", document)
    for key in refused:
        if key in fields:
            raise UserError(f"{path.name}: {key}: is read by the pulumi command alone; write its values below config:")
    return fields


def _mapping(file: str, document: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = document.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in cast("dict[object, object]", value)):
        raise UserError(f"{file}: {key}: must be a mapping of settings by name, got {value!r:.60}")
    return cast("dict[str, object]", value)


def _schema(key: str, value: object) -> Mapping[str, object]:
    """A setting's declaration, which may also be its default alone."""
    if not isinstance(value, dict):
        return {"default": value}
    schema = cast("dict[str, object]", value)
    kind = schema.get("type")
    if kind is not None and kind not in TYPES:
        raise UserError(f"Pulumi.yaml: config.{key}.type must be one of {', '.join(TYPES)}, got {kind!r}")
    return schema


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text
