"""What an upgrade from the last release would create, replace and lose."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from localcloud.releases.released import THE_JOB, UNKNOWN, Release, job_of, lasting, released
from localcloud.releases.replacing import REPLACING


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What would happen to the resources of a stack, by URN; whatever is in none of them stays or is updated."""

    created: tuple[str, ...]
    replaced: Mapping[str, tuple[str, ...]]
    """With the inputs that force it."""
    lost: Mapping[str, str | None]
    """With the resource of the same kind that comes instead, if there is one: a name that was changed without an
    alias looks like that."""
    unchanged: int = 0
    renamed: Mapping[str, str] = field(default_factory=dict[str, str])
    """URN of the release -> URN now, where an alias says that they are the same."""

    def harmed(self) -> dict[str, str]:
        """What would be replaced or lost, by what it is called in the program."""
        return {called(urn): urn for urn in (*self.replaced, *self.lost)}


def compare(before: Release, graph: Sequence[Mapping[str, Any]]) -> Upgrade:
    """Compare the last release with a graph that was made as in a preview."""
    now, job = released(graph), job_of(graph)
    urns = {str(entry["urn"]): lasting(str(entry["urn"]), job) for entry in graph}
    entries = {urns[str(entry["urn"])]: entry for entry in graph}
    renamed = {
        old: urn
        for urn, entry in entries.items()
        for old in entry.get("aliases", ())
        if urn not in before and old in before and old not in now
    }
    known = {urn: before[urn] for urn in now if urn in before} | {new: before[old] for old, new in renamed.items()}
    created = tuple(urn for urn in now if urn not in known)
    replaced: dict[str, tuple[str, ...]] = {}
    for urn, old in known.items():
        was, inputs = old["inputs"], now[urn]["inputs"]
        # another type is another resource, whatever an alias says
        keys = [key for key in sorted({*was, *inputs}) if not _same(was.get(key), inputs.get(key))]
        if keys or old["type"] != now[urn]["type"]:
            replaced[urn] = tuple(keys or ["type"])
    _follow(replaced, created, known, {urn: _needed(entry, urns) for urn, entry in entries.items()}, now)
    lost = {
        urn: next((new for new in created if _alike(before[urn]["type"], before[urn]["parent"], now, new)), None)
        for urn in before
        if urn not in known and urn not in renamed
    }
    unchanged = len(known) - len(replaced)
    return Upgrade(created, dict(sorted(replaced.items())), lost, unchanged, renamed)


def _same(was: Any, now: Any) -> bool:
    """Whether two inputs are the same; what is not known in a preview may be anything."""
    if UNKNOWN in (was, now):
        return None not in (was, now)
    if isinstance(was, Mapping) and isinstance(now, Mapping):
        old, new = cast("Mapping[str, Any]", was), cast("Mapping[str, Any]", now)
        return all(_same(old.get(key), new.get(key)) for key in {*old, *new})
    if isinstance(was, list) and isinstance(now, list):
        olds, news = cast("list[Any]", was), cast("list[Any]", now)
        return len(olds) == len(news) and all(map(_same, olds, news))
    return was == now


def _needed(entry: Mapping[str, Any], urns: Mapping[str, str]) -> list[str]:
    return [urns[urn] for urn in entry["dependencies"] if urn in urns]


def _follow(
    replaced: dict[str, tuple[str, ...]],
    created: Collection[str],
    known: Collection[str],
    needed: Mapping[str, Sequence[str]],
    now: Release,
) -> None:
    """Add what is replaced because a resource that it names is."""
    gone = {*replaced, *created}
    while True:
        found = {
            urn: keys
            for urn in known
            if urn not in replaced
            if (
                keys := tuple(
                    key
                    for key, types in REPLACING.get(now[urn]["type"], {}).items()
                    if key in now[urn]["inputs"]
                    and any(other in gone and now[other]["type"] in types for other in needed[urn])
                )
            )
        }
        if not found:
            return
        replaced.update(found)
        gone.update(found)


def _alike(kind: str, parent: str, now: Release, urn: str) -> bool:
    return (now[urn]["type"], now[urn]["parent"]) == (kind, parent)


def called(urn: str) -> str:
    """What a resource is called in the program, such as `model-endpoint`; a training job without its job's name."""
    return urn.rsplit("::", 1)[1].removesuffix(f"-{THE_JOB}")


def unnamed(upgrade: Upgrade, changelog: str) -> list[str]:
    """What would be replaced or lost and is not named, in backquotes, in the changelog's unreleased section."""
    section = re.search(r"^## Unreleased$(.*?)(?=^## |\Z)", changelog, re.M | re.S)
    named = set(re.findall(r"`([^`]+)`", section[1])) if section else set[str]()
    return sorted(name for name in upgrade.harmed() if name not in named)
