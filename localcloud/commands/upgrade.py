"""`graph --diff` and `graph --release`: a stack's graph beside the last one that was released."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from contract.screen import Column, counted, write_json, write_line, write_table
from localcloud.releases.comparing import Upgrade, called, compare, unnamed
from localcloud.releases.released import read_release, released, write_release

CHANGELOG = "CHANGELOG.md"


def release(root: Path, stack: str, graph: Sequence[Mapping[str, Any]], as_json: bool) -> int:
    """Keep the graph as the last release, under the version of pyproject.toml."""
    version = str(tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])
    kept = released(graph)
    path = write_release(root, stack, version, kept).relative_to(root)
    if as_json:
        write_json({"file": str(path), "version": version, "resources": len(kept)})
    else:
        write_line(f"{path}: {version}, {counted(len(kept), 'resource')} with the components")
    return 0


def show(root: Path, stack: str, graph: Sequence[Mapping[str, Any]], as_json: bool) -> int:
    """Print what an upgrade from the last release would create, replace and lose."""
    upgrade = compare(read_release(root, stack), graph)
    changelog = root / CHANGELOG
    missing = unnamed(upgrade, changelog.read_text(encoding="utf-8") if changelog.is_file() else "")
    if as_json:
        write_json(as_plain(upgrade, missing))
        return 0
    counts = f"{len(upgrade.created)} to create, {len(upgrade.replaced)} to replace, {len(upgrade.lost)} to lose"
    write_line(f"{stack}: {counts}, {upgrade.unchanged} stay (updated in place, if at all)")
    rows = [
        *(("lose", urn, f"{called(new)} comes instead" if new else "") for urn, new in upgrade.lost.items()),
        *(("replace", urn, ", ".join(keys)) for urn, keys in upgrade.replaced.items()),
        *(("create", urn, "") for urn in upgrade.created),
        *(("keep", new, f"was {called(old)}") for old, new in upgrade.renamed.items()),
    ]
    if rows:
        write_table(
            [Column("resource"), Column("what"), Column("type", more=True), Column("why", more=True)],
            [(called(urn), what, urn.split("::")[2].split("$")[-1], why) for what, urn, why in rows],
        )
    if missing:
        write_line(f"not named in {CHANGELOG}: {', '.join(missing)}")
    return 0


def as_plain(upgrade: Upgrade, missing: Sequence[str]) -> dict[str, Any]:
    """An upgrade for scripts."""
    return {
        "created": list(upgrade.created),
        "replaced": {urn: list(keys) for urn, keys in upgrade.replaced.items()},
        "lost": dict(upgrade.lost),
        "renamed": dict(upgrade.renamed),
        "unchanged": upgrade.unchanged,
        "unnamed": list(missing),
    }
