"""`destroy`: the end of one stack."""

from __future__ import annotations

import argparse
from pathlib import Path

from localcloud.commands.options import add_yes

HELP = "delete a stack's resources; others stay"
MORE = "As `pulumi destroy`: what depends on others goes first, and what the stack protects is refused (protectData)."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `destroy` takes."""
    parser.add_argument("--stack", default="dev", help="dev, prod, … (%(default)s)")
    add_yes(parser)


def run(arguments: argparse.Namespace) -> int:
    """Delete them."""
    from contract.screen import ERRORS, agreed, counted, write_line
    from localcloud.deployment import Listener, destroy

    listener = Listener(
        say=lambda line: write_line(f"  {line}", ERRORS), confirm=lambda losses: arguments.yes or agreed(losses)
    )
    count = destroy(Path.cwd(), arguments.stack, listener)
    write_line(f"the stack {arguments.stack} is gone: {counted(count, 'resource')} deleted")
    return 0
