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
    from localcloud.deployment import connect
    from localcloud.screen import write_json, write_line

    try:
        cloud, deployment = connect(Path.cwd())
    except UserError as nothing:
        if arguments.json:
            write_json(None)
        else:
            write_line(str(nothing))
        return 0
    facts = {"stack": deployment.stack, "aws": cloud.aws_url, "sagemaker": cloud.sagemaker_url}
    if arguments.json:
        write_json(facts)
    else:
        write_line(f"The stack {facts['stack']} is up: AWS at {facts['aws']}, SageMaker at {facts['sagemaker']}")
    return 0
