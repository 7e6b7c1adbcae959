"""`graph`: what the program registers."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from localcloud.commands.options import add_json, add_settings, overrides_of

HELP = "print the resources that the program registers, creating none"
MORE = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `graph` takes."""
    add_settings(parser)
    parser.add_argument("--preview", action="store_true", help="as in a preview: every output unknown")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the tree of resources."""
    from contract.screen import counted, write_json, write_line
    from localcloud.graph import graph

    entries = graph(Path.cwd(), arguments.stack, overrides_of(arguments.config), preview=arguments.preview)
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
