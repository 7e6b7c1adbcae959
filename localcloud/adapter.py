"""An adapter: how the resources of one type are created, updated and deleted in the emulators."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypedDict, cast

from localcloud.cloud import Cloud


@dataclass(frozen=True, slots=True)
class Request:
    """A resource to create, update or delete.

    `auto_name` is the name that it gets when the program gives none. For an update or a deletion, `id`, `outputs` and
    `old` are those of what is there, `old` being its inputs.
    """

    cloud: Cloud
    name: str
    inputs: Mapping[str, Any]
    auto_name: str
    id: str = ""
    outputs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    old: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __getitem__(self, key: str) -> Any:
        return self.inputs[key]

    def get(self, key: str, default: Any = None) -> Any:
        """An input, or `default` when the program leaves it out."""
        value = self.inputs.get(key)
        return default if value is None else value

    def changed(self, *keys: str) -> bool:
        """Whether one of these inputs is another than what is there."""
        return any(self.inputs.get(key) != self.old.get(key) for key in keys)


Created = tuple[str, Mapping[str, Any]]
Create = Callable[[Request], Created]
Update = Callable[[Request], Mapping[str, Any]]
"""Makes what is there what the program wants, and returns its outputs; those that it leaves out stay."""
Act = Callable[[Request], object]


@dataclass(slots=True)
class Adapter:
    """All that the local cloud knows of a resource type.

    `takes` are the inputs that it hands on, `ignores` those that it leaves out, each with the reason; `replaces` are
    the inputs whose change makes another resource, and `moves` the outputs that an update changes. Without an
    `update`, any change makes another one; `put` says that one call creates and updates. `holds` says what a deletion
    would lose, "" for nothing. `read` tells what there is under the request's id, for programs that only look
    (`Resource.get`). `foretold` tells the id that a creation gives, where that is not the name that the request gives,
    so that one that was killed can be undone; "" for none.
    """

    create: Create
    takes: frozenset[str]
    ignores: Mapping[str, str]
    replaces: frozenset[str]
    moves: frozenset[str]
    put: bool = False
    update: Update | None = None
    delete: Act | None = None
    holds: Callable[[Request], str] | None = None
    read: Update | None = None
    foretold: Callable[[Request], str] | None = None

    def updates(self, function: Update) -> Update:
        """Register how a resource is updated."""
        self.update = function
        return function

    def deletes(self, function: Act) -> Act:
        """Register how a resource is deleted."""
        self.delete = function
        return function

    def foretells(self, function: Callable[[Request], str]) -> Callable[[Request], str]:
        """Register what knows a creation's id beforehand."""
        self.foretold = function
        return function

    def reads(self, function: Update) -> Update:
        """Register how a resource is looked at."""
        self.read = function
        return function

    def counts(self, function: Callable[[Request], str]) -> Callable[[Request], str]:
        """Register what says which data a resource holds."""
        self.holds = function
        return function


ADAPTERS: dict[str, Adapter] = {}


def adapter(
    type_: str,
    takes: Iterable[str],
    ignores: Mapping[str, str] | None = None,
    *,
    replaces: Iterable[str] = (),
    moves: Iterable[str] = (),
    put: bool = False,
) -> Callable[[Create], Adapter]:
    """Register a function that creates resources of a type.

    Args:
        type_: the type's token.
        takes: the inputs that the function hands to the emulator.
        ignores: the inputs that it leaves out, each with the reason; any other input is refused.
        replaces: the inputs that can't be changed in place.
        moves: the outputs that an update changes.
        put: whether the same call creates and updates.
    """

    def register(function: Create) -> Adapter:
        made = Adapter(function, frozenset(takes), dict(ignores or {}), frozenset(replaces), frozenset(moves), put)
        if put:
            made.update = lambda request: function(request)[1]
        ADAPTERS[type_] = made
        return made

    return register


def pascal(value: Any, names: Mapping[str, str] = {}) -> Any:
    """A provider's structure as the AWS API spells it; `names` are those that are not just capitalized."""
    if isinstance(value, Mapping):
        structure = cast("Mapping[str, Any]", value)
        return {
            names.get(key, key[:1].upper() + key[1:]): pascal(item, names)
            for key, item in structure.items()
            if item is not None
        }
    if isinstance(value, list):
        return [pascal(item, names) for item in cast("list[Any]", value)]
    return whole(value)


def whole(value: Any) -> Any:
    """Pulumi hands every number over as a float; the API wants whole ones as integers."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class Tag(TypedDict):
    """A tag, as most of the API takes it."""

    Key: str
    Value: str


def pairs(tags: Mapping[str, str]) -> list[Tag]:
    """Tags as most of the API takes them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def tag_list(request: Request) -> list[Tag]:
    """A resource's tags as most of the API takes them."""
    return pairs(request.get("tags", {}))


def retag(request: Request, add: Callable[[dict[str, str]], object], remove: Callable[[list[str]], object]) -> None:
    """Make a resource's tags those that the program wants."""
    before, after = (
        cast("dict[str, str]", request.old.get("tags") or {}),
        cast("dict[str, str]", request.get("tags", {})),
    )
    if gone := sorted(before.keys() - after.keys()):
        remove(gone)
    if new := {key: value for key, value in after.items() if before.get(key) != value}:
        add(new)
