"""`review`: what waits for a person."""

from __future__ import annotations

import argparse
from pathlib import Path

from contract.invocation import command
from localcloud.commands.options import add_chosen_stack, add_json

HELP = "list what waits for a person"
MORE = "The messages stay in the queue. People answer on a page: " + command(
    "localcloud", "run", "--", "python", "-m", "operations", "review", "--serve"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `review` takes."""
    add_chosen_stack(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """List the review queue."""
    from localcloud.deployment import connect
    from localcloud.photos import waiting_in
    from operations.review.command import tell

    tell(waiting_in(*connect(Path.cwd(), arguments.stack)), as_json=arguments.json)
    return 0
