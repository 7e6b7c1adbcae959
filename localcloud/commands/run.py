"""`run`: a command whose boto3 talks to the emulators."""

from __future__ import annotations

import argparse
from pathlib import Path

from contract.errors import UserError
from localcloud.commands.options import add_chosen_stack

HELP = "run a command with boto3 pointed at the emulators"
MORE = "The stack's outputs are in the file that SCONES_OUTPUTS names."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `run` takes."""
    add_chosen_stack(parser)
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND …")


def run(arguments: argparse.Namespace) -> int:
    """Run it, and return its exit code."""
    import subprocess
    import sys

    from contract.invocation import command
    from localcloud.deployment import connect, environment_of

    words = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    if not words:
        raise UserError(
            f"give a command, such as: {command('localcloud', 'run', '--', 'python', '-m', 'training', 'evaluate')}"
        )
    cloud, _ = connect(Path.cwd(), arguments.stack)
    if words[0] == "python":
        words = [sys.executable, *words[1:]]
    try:
        return subprocess.run(words, env=environment_of(cloud), check=False).returncode
    except OSError as error:
        raise UserError(f"{words[0]!r} can't be run: {error.strerror}") from error
