"""Reading a resource's inputs, which are whatever somebody's program says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import cast


def at(value: object, *path: str | int) -> object:
    """The value at a path of keys and indices; None where the path leads nowhere.

    Raises:
        UnknownValueError: the value is not known in a preview; the analyzer says so and goes on.
    """
    for step in path:
        if isinstance(value, Mapping):
            value = cast("Mapping[object, object]", value).get(step)
        elif isinstance(step, int) and step < len(items(value)):
            value = items(value)[step]
        else:
            return None
    return value


def items(value: object) -> Sequence[object]:
    """A list's items, the one value that stands for a list of one, or nothing for None."""
    if value is None:
        return ()
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return cast("Sequence[object]", value)
    return (value,)


def keys(value: object) -> list[str]:
    """A mapping's keys; none for anything else."""
    return [str(key) for key in cast("Mapping[object, object]", value)] if isinstance(value, Mapping) else []


def number(value: object) -> float | None:
    """A number, or None for anything else."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def statements(document: object) -> list[Mapping[str, object]]:
    """The statements of a policy document in JSON; none for what is no such document."""
    try:
        parsed: object = json.loads(document) if isinstance(document, str) else document
    except ValueError:
        return []
    found = items(at(parsed, "Statement"))
    return [cast("Mapping[str, object]", each) for each in found if isinstance(each, Mapping)]


def texts(value: object) -> Iterator[str]:
    """Every text in a value, at any depth; JSON in a text is a text."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key in keys(cast("object", value)):
            yield from texts(at(cast("object", value), key))
    elif isinstance(value, Sequence):
        for each in cast("Sequence[object]", value):
            yield from texts(each)


def strings(value: object) -> list[str]:
    """A text or a list of texts as a list of texts."""
    return [each for each in items(value) if isinstance(each, str)]
