"""`outputs`: what the program exports."""

from __future__ import annotations

import argparse
from pathlib import Path

from localcloud.commands.options import add_chosen_stack, add_json

HELP = "print the stack's outputs"
MORE = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `outputs` takes."""
    add_chosen_stack(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the outputs."""
    import json

    from contract.screen import Column, write_json, write_table
    from localcloud.deployment import read_deployment

    outputs = read_deployment(Path.cwd(), arguments.stack).outputs
    if arguments.json:
        write_json(outputs)
        return 0
    rows = [(key, value if isinstance(value, str) else json.dumps(value)) for key, value in outputs.items()]
    write_table((Column("output"), Column("value")), rows, header=False)
    return 0
