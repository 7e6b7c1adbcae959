"""The resources that the program registers, without creating any: what `graph` prints."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

import pulumi
from pulumi.output import Unknown

from contract.names import setting
from contract.stacks import read_stack
from localcloud.planning import REGION, Planned
from localcloud.program import run_program
from localcloud.registration import Run
from localcloud.releases.aliases import Aliased, earlier_urns

OF_A_PROMOTION = ("modelFrom", "modelJob", "requireEvidence")
"""Settings of a stack that takes a model, which are not those of the stack that makes it."""
TRAINS_ITSELF: Mapping[str, str] = {"modelFrom": "", "modelJob": "", "requireEvidence": "false"}


def graph(
    root: Path, stack: str, overrides: Mapping[str, str] | None = None, *, preview: bool = False
) -> list[dict[str, Any]]:
    """Every resource of a stack, sorted by URN: the same program and configuration give the same list.

    Raises:
        UserError: the program refuses its configuration, or can't be run.
    """
    run = plan(root, stack, overrides, preview=preview)
    aliased = [Aliased(each.urn, each.parent, each.aliases) for each in run.registrations]
    before = earlier_urns(aliased)
    entries = [
        {
            "urn": registration.urn,
            "type": registration.type,
            "name": registration.name,
            "parent": registration.parent,
            "custom": registration.custom,
            "inputs": plain(registration.inputs, root),
            "dependencies": list(registration.dependencies),
            "aliases": list(before[registration.urn]),
        }
        for registration in run.registrations
    ]
    return sorted(entries, key=lambda entry: str(entry["urn"]))


def plan(root: Path, stack: str, overrides: Mapping[str, str] | None = None, *, preview: bool = False) -> Run:
    """Run the program with nothing being made; a model of another stack is what that one's program would make.

    Raises:
        UserError: the program refuses its configuration, or can't be run.
    """
    given = dict(overrides or {})
    settings = read_stack(root, stack, given).delivered()
    region, source = settings.get("aws:region", REGION), settings.get(setting("modelFrom"), "")
    stacks: dict[str, Mapping[str, Any]] = {}
    if settings.get(setting("modelJob")):
        # as it was before, when it trained
        before = {setting(key): default for key, default in TRAINS_ITSELF.items()}
        stacks[stack] = plan(root, stack, given | before).outputs
    elif source and source != stack:
        alike = {key: value for key, value in given.items() if key.rpartition(":")[2] not in OF_A_PROMOTION}
        stacks[source] = plan(root, source.rpartition("/")[2], alike).outputs
    engine = Planned(preview=preview, region=region, stacks=stacks)
    return run_program(root, stack, engine, overrides=given, preview=preview)


def plain(value: Any, root: Path) -> Any:
    """A registered input as JSON has it: assets by their hash, whole numbers as such, the unknown by name."""
    if isinstance(value, pulumi.FileAsset | pulumi.FileArchive):
        path = (root / Path(value.path)).absolute()
        now = path.stat()
        return {"asset": _name(path, root), "sha256": _digest(path, now.st_mtime_ns, now.st_size)}
    if isinstance(value, pulumi.StringAsset):
        return {"asset": "text", "sha256": hashlib.sha256(value.text.encode()).hexdigest()}
    if isinstance(value, pulumi.AssetArchive):
        return {"archive": {path: plain(asset, root) for path, asset in sorted(value.assets.items())}}
    if isinstance(value, Mapping):
        return {key: plain(item, root) for key, item in sorted(cast("Mapping[str, Any]", value).items())}
    if isinstance(value, list):
        return [plain(item, root) for item in cast("list[Any]", value)]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    return "unknown"


@cache
def _name(path: Path, root: Path) -> str:
    whole, above = path.resolve(), root.resolve()
    return str(whole.relative_to(above)) if whole.is_relative_to(above) else whole.name


# a module of contract is in the archive of each function, and each `up` reads all of them twice
@cache
def _digest(path: Path, changed_ns: int, size: int) -> str:
    """The SHA-256 of a file as it was when it was changed last."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def is_known(value: Any) -> bool:
    """Whether nothing in a registered input is unknown, as it may be in a preview."""
    if isinstance(value, Mapping):
        return all(map(is_known, cast("Mapping[str, Any]", value).values()))
    if isinstance(value, list):
        return all(map(is_known, cast("list[Any]", value)))
    return not isinstance(value, Unknown)
