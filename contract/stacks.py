"""A stack's configuration: Pulumi.yaml's defaults and its own file, put together as the `pulumi` command does it.

A key without namespace is the project's. Mistakes in a value are kept in `Stack.problems`, so that they can be told
together with those that the program finds; only a file that can't be read is refused at once.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from contract.errors import UserError
from contract.yaml_files import Entry, one_line, read_entries

TYPES: Mapping[str, type] = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict}
"""The types that a setting's schema may have (Pulumi, "Project file reference")."""
COMMAND_LINE = "--config"


@dataclass(frozen=True, slots=True)
class Stack:
    """One stack of the project in a folder."""

    name: str
    """Such as dev; empty for the project's defaults alone."""
    project: str
    """The project's name: the namespace of its settings."""
    schema: Mapping[str, Mapping[str, object]]
    """What Pulumi.yaml declares of each setting, by key without namespace."""
    values: Mapping[str, object]
    """Every configured value by full key, such as `scones:classes`, the defaults included."""
    sources: Mapping[str, str]
    """Where each value was read: a file's name and line, or `--config`."""
    refused: Mapping[str, str]
    """What only the `pulumi` command can read, by key: a whole sentence each."""

    def setting(self, key: str) -> object:
        """A setting of the project, or None."""
        return self.values.get(f"{self.project}:{key}")

    def delivered(self) -> dict[str, str]:
        """All of it as Pulumi's runtime gets it: strings, everything else as JSON."""
        return {key: value if isinstance(value, str) else json.dumps(value) for key, value in self.values.items()}

    def problems(self, found: Sequence[str] = ()) -> list[str]:
        """Everything that is wrong, each with the place where it was written.

        Args:
            found: what the program says; each begins with the full key that it is about.
        """
        about = {sentence: sentence.split()[0].split(".")[0].rstrip(":") for sentence in found}
        told = [
            f"{self.sources[key]}: {sentence}" if key in self.sources else sentence
            for sentence, key in about.items()
            if key not in self.refused
        ]
        # the program knows its settings better than their types do
        mistyped = [self._problem(key) for key in self.values if key not in about.values()]
        return [*self.refused.values(), *told, *(problem for problem in mistyped if problem)]

    def require(self, found: Sequence[str] = ()) -> None:
        """Refuse a configuration with mistakes.

        Raises:
            UserError: with all of `problems`.
        """
        if problems := self.problems(found):
            raise UserError(told_together(problems, self.name))

    def _problem(self, key: str) -> str | None:
        namespace, _, short = key.partition(":")
        if namespace != self.project:
            return None
        place = f"{self.sources[key]}: {one_line(key)}"
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
        return f"{place} must be of type {kind}, got {json.dumps(value)}{quote}" if wrong else None


def told_together(problems: Sequence[str], stack: str) -> str:
    """The message of all that is wrong with a stack's configuration, one line each."""
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    lines = "\n".join(f"  - {problem}" for problem in problems)
    return f"{count} in the configuration of stack {stack}:\n{lines}"


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
    declared = read_entries(root / "Pulumi.yaml")
    name = declared.get("name")
    if name is None or not isinstance(name.value, str) or not name.value:
        raise UserError(f"Pulumi.yaml: name must be a non-empty string, got {name.value if name else None!r}")
    project = name.value
    settings = _settings("Pulumi.yaml", declared)
    schema = {key: _schema(key, entry) for key, entry in settings.items()}
    values: dict[str, object] = {}
    sources: dict[str, str] = {}
    refused: dict[str, str] = {}

    def full(key: str) -> str:
        return key if ":" in key else f"{project}:{key}"

    for key, entry in settings.items():
        if "default" in schema[key]:
            values[full(key)], sources[full(key)] = schema[key]["default"], f"Pulumi.yaml:{entry.line}"
    if stack is not None:
        own = read_entries(root / file)
        if "environment" in own:
            refused["environment"] = (
                f"{file}:{own['environment'].line}: environment: is read by the pulumi command alone; "
                "write its values below config:"
            )
        for key, entry in _settings(file, own).items():
            place = f"{file}:{entry.line}"
            if sources.get(full(key), "").startswith(f"{file}:"):
                raise UserError(f"{place}: {one_line(full(key))} is there twice, first at {sources[full(key)]}")
            values[full(key)], sources[full(key)] = entry.value, place
            if _encrypted(entry.value):
                refused[full(key)] = (
                    f"{place}: {one_line(full(key))} is encrypted (secure:), and only the pulumi command has the "
                    f"key to it; give it with {COMMAND_LINE}"
                )
                del values[full(key)]
    for key, text in (overrides or {}).items():
        namespace, _, short = full(key).partition(":")
        kind = schema.get(short, {}).get("type", "string") if namespace == project else "string"
        values[full(key)], sources[full(key)] = (text if kind == "string" else _parsed(text)), COMMAND_LINE
        refused.pop(full(key), None)
    return Stack(stack or "", project, schema, values, sources, refused)


def _settings(file: str, document: Mapping[str, Entry]) -> Mapping[str, Entry]:
    entry = document.get("config")
    if entry is None or entry.value is None:
        return {}
    if entry.below is None:
        raise UserError(f"{file}:{entry.line}: config: must be a mapping of settings by name, got {entry.value!r:.60}")
    return entry.below


def _schema(key: str, entry: Entry) -> Mapping[str, object]:
    """A setting's declaration, which may also be its default alone."""
    if entry.below is None:
        return {"default": entry.value}
    schema = {name: field.value for name, field in entry.below.items()}
    kind = schema.get("type")
    if kind is not None and kind not in TYPES:
        raise UserError(
            f"Pulumi.yaml:{entry.line}: config.{one_line(key)}.type must be one of {', '.join(TYPES)}, got {kind!r:.60}"
        )
    return schema


def _encrypted(value: object) -> bool:
    """Whether a value is, or holds, one that `pulumi config set --secret` wrote."""
    if isinstance(value, dict):
        fields = cast("dict[str, object]", value)
        return (list(fields) == ["secure"] and isinstance(fields["secure"], str)) or _encrypted([*fields.values()])
    return isinstance(value, list) and any(_encrypted(item) for item in cast("list[object]", value))


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
