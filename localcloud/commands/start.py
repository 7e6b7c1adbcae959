"""`start`: the emulators alone, for the pulumi command."""

from __future__ import annotations

import argparse
from pathlib import Path

from localcloud.commands.options import add_json

HELP = "start the emulators alone, for `pulumi up -s local`"
MORE = "They listen where Pulumi.local.yaml says, until `down`."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `start` takes."""
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Start them, and say what to do next."""
    from contract.invocation import command
    from contract.screen import ERRORS, write_json, write_line
    from localcloud.places import FOLDER
    from localcloud.provider import ENVIRONMENT, STACK, start

    state, started = start(Path.cwd(), lambda line: write_line(f"  {line}", ERRORS))
    if arguments.json:
        write_json({"started": started, "aws": state.aws_url, "sagemaker": state.sagemaker_url})
        return 0
    write_line(f"{'started' if started else 'running already'}: AWS at {state.aws_url}, "
               f"SageMaker at {state.sagemaker_url}")  # fmt: skip
    write_line(f"deploy: pulumi up -s {STACK}")
    write_line(f"have boto3 and aws talk to them: . {FOLDER / ENVIRONMENT}")
    write_line(f"end them, with what they hold: {command('localcloud', 'down')}")
    return 0
