"""`graph`: what the program registers."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from localcloud.commands.options import add_json, add_settings, count, overrides_of

HELP = "print the resources that the program registers, creating none"
MORE = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `graph` takes."""
    add_settings(parser)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--preview", action="store_true", help="as in a preview: every output unknown")
    what.add_argument("--diff", action="store_true", help="what an upgrade from the last release would do instead")
    what.add_argument("--release", action="store_true", help="keep the graph as the last release, in releases/")
    what.add_argument(
        "--cost", action="store_true", help="what a month of it costs instead, by a dated table of prices"
    )
    parser.add_argument("--photos", type=count, default=30_000, help="photos a month, for --cost (%(default)s)")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the tree of resources."""
    from contract.screen import counted, write_json, write_line
    from localcloud.graph import graph

    root, overrides = Path.cwd(), overrides_of(arguments.config)
    if arguments.diff or arguments.release:
        from localcloud.commands import upgrade

        # in a preview nothing depends on made-up names
        entries = graph(root, arguments.stack, overrides, preview=True)
        return (upgrade.release if arguments.release else upgrade.show)(root, arguments.stack, entries, arguments.json)
    entries = graph(root, arguments.stack, overrides, preview=arguments.preview)
    if arguments.cost:
        from localcloud.commands import cost

        return cost.show(root, arguments.stack, overrides, entries, arguments.photos, arguments.json)
    if arguments.json:
        write_json(entries)
        return 0
    write_line(f"{arguments.stack}: {counted(sum(entry['custom'] for entry in entries), 'resource')}")
    _write_below("", entries, 1)
    return 0


def _write_below(parent: str, entries: Sequence[Mapping[str, Any]], depth: int) -> None:
    from contract.screen import write_line

    urns = {entry["urn"] for entry in entries}
    here = [entry for entry in entries if (entry["parent"] if entry["parent"] in urns else "") == parent]
    for entry in sorted(here, key=lambda entry: (entry["custom"], entry["type"], entry["name"])):
        write_line(f"{'  ' * depth}{entry['name']}  {entry['type']}")
        _write_below(entry["urn"], entries, depth + 1)
