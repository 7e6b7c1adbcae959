"""`status`: what is up."""

from __future__ import annotations

import argparse
from pathlib import Path

from contract.errors import UserError
from localcloud.commands.options import add_json

HELP = "say what is up"
MORE = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `status` takes."""
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Say it."""
    from contract.screen import ERRORS, write_json, write_line
    from localcloud.deployment import connect, stacks_up

    root = Path.cwd()
    try:
        clouds = [connect(root, stack)[0] for stack in stacks_up(root)]
    except UserError as died:
        clouds = []
        write_line(str(died), ERRORS)
    facts = [{"stack": each.stack, "aws": each.aws_url, "sagemaker": each.sagemaker_url} for each in clouds]
    if arguments.json:
        write_json(facts)
    elif not facts:
        write_line("nothing is up")
    for each in facts if not arguments.json else ():
        write_line(f"The stack {each['stack']} is up: AWS at {each['aws']}, SageMaker at {each['sagemaker']}")
    return 0
