"""YAML files that hold settings, read as Pulumi's own reader does: with lines, and `yes` and dates as strings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml

from contract.errors import UserError


@dataclass(frozen=True, slots=True)
class Entry:
    """A value and where it stands."""

    value: object
    """As JSON has it."""
    line: int
    """Of its key, counted from 1."""
    below: Mapping[str, Entry] | None
    """Its own entries, when it is a mapping whose keys are strings."""


class _Loader(yaml.SafeLoader):
    """YAML 1.2's scalars: PyYAML's own are those of 1.1, where `on` is true and 1:30 is ninety."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", "~nN\0"),
    ("int", r"[-+]?(0|[1-9][0-9]*)", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
):
    _Loader.add_implicit_resolver(  # pyright: ignore[reportUnknownMemberType]
        f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), ["" if c == "\0" else c for c in _first]
    )


def one_line(text: str) -> str:
    """A text with line breaks, and whatever else can't be printed, written as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def read_entries(path: Path) -> Mapping[str, Entry]:
    """The entries of a YAML file that holds a mapping, or nothing.

    Raises:
        UserError: it can't be read, is no YAML, or holds something else; one line with the file and the line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise UserError(f"there is no {path.name} in {path.parent.resolve()}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path.name} can't be read: {error}") from error
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return {}
        entry = _entry(loader, node, 1)
    except yaml.YAMLError as error:
        mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
        line = f":{mark.line + 1}" if mark else ""
        reason = error.problem if isinstance(error, yaml.MarkedYAMLError) else str(error).splitlines()[0]
        raise UserError(f"{path.name}{line}: not YAML: {reason}") from error
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        # a value that is not what its tag says, or ten thousand brackets
        raise UserError(f"{path.name}: not YAML that can be read: {error}") from error
    if entry.value is None:
        return {}
    if entry.below is None:
        raise UserError(f"{path.name}:1: must be a mapping of strings to values, got {entry.value!r:.60}")
    return entry.below


def _entry(loader: _Loader, node: yaml.Node, line: int) -> Entry:
    construct = cast("Any", loader).construct_object
    below: dict[str, Entry] | None = None
    if isinstance(node, yaml.MappingNode):
        below = {}
        pairs = cast("list[tuple[yaml.Node, yaml.Node]]", node.value)
        for key_node, value_node in pairs:
            key: object = construct(key_node, deep=True)
            if not isinstance(key, str):
                return Entry(_plain(construct(node, deep=True)), line, None)
            if key in below:
                problem = f"{one_line(key)} is there twice, first in line {below[key].line}"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key_node.start_mark)
            below[key] = _entry(loader, value_node, key_node.start_mark.line + 1)
        return Entry({key: entry.value for key, entry in below.items()}, line, below)
    return Entry(_plain(construct(node, deep=True)), line, None)


def _plain(value: object) -> object:
    """A value as JSON has it: keys and what JSON does not know become strings."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in cast("dict[object, object]", value).items()}
    if isinstance(value, list | tuple | set):
        return [_plain(item) for item in cast("list[object]", value)]
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)
