"""`python -m training`: one subcommand a file in `training/commands/`.

What a command needs beyond its arguments is imported when it runs, so that `--help` answers at once.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from contract.aws_errors import explained
from contract.errors import UserError
from contract.invocation import command
from training.commands import evaluate, prepare, synthesize, watch

COMMANDS = (synthesize, prepare, watch, evaluate)


def main(words: Sequence[str]) -> int:
    """Run one subcommand.

    Returns:
        The exit code: 0 done, 1 the answer is no (a job failed), 2 the user's mistake, 130 interrupted.
    """
    arguments = parser().parse_args(words)
    try:
        code = int(arguments.run(arguments))
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # whoever read the output has seen enough; nothing more may be written at exit either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except UserError as error:
        message = str(error)
    except OSError as error:
        # such as a folder that may not be written, or a full disk
        message = f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}"
    except Exception as error:
        message = explained(error)
        if message is None:
            raise
    print(f"error: {message}", file=sys.stderr)
    return 2


def parser() -> argparse.ArgumentParser:
    """The parser of all subcommands; each sets `run`."""
    whole = argparse.ArgumentParser(
        prog=command("training"),
        description="From a CIFAR-100 archive to a dataset, and from a model's answers to a threshold.",
    )
    commands = whole.add_subparsers(required=True, metavar="COMMAND")
    for module in COMMANDS:
        name = module.__name__.rpartition(".")[2]
        child = commands.add_parser(name, help=module.HELP, description=module.MORE)
        child.set_defaults(run=module.run)
        module.add_arguments(child)
    return whole
