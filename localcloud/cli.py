"""`python -m localcloud`: one subcommand a file in `localcloud/commands/`.

What a command needs beyond its arguments is imported when it runs, so that `--help` answers at once.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from contract.errors import UserError
from localcloud.commands import (
    classify,
    demo,
    destroy,
    down,
    graph,
    logs,
    outputs,
    rehearse,
    review,
    run,
    start,
    status,
    up,
)

COMMANDS = (up, classify, review, outputs, logs, run, graph, status, rehearse, destroy, start, down, demo)


def main(words: Sequence[str]) -> int:
    """Run one subcommand.

    Returns:
        The exit code: 0 done, 1 a photo's execution ended in a fault, 2 the user's mistake or a failed `up`.
    """
    arguments = parser().parse_args(words)
    try:
        return int(arguments.run(arguments))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # whoever read the output has seen enough; nothing more may be written at exit either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        if not error.strerror:
            raise
        print(f"error: {error.strerror}{f': {error.filename}' if error.filename else ''}", file=sys.stderr)
        return 2


def parser() -> argparse.ArgumentParser:
    """The parser of all subcommands; each sets `run`."""
    whole = argparse.ArgumentParser(
        prog="python -m localcloud",
        description="Runs the whole system on this machine: the unmodified Pulumi program on emulators of AWS, a "
        "training that trains, an endpoint that answers. No AWS account; everything listens on 127.0.0.1 only.",
    )
    commands = whole.add_subparsers(required=True, metavar="COMMAND")
    for module in COMMANDS:
        name, line = module.__name__.rpartition(".")[2], module.HELP
        child = commands.add_parser(name, help=line, description=f"{line[0].upper()}{line[1:]}. {module.MORE}".strip())
        child.set_defaults(run=module.run)
        module.add_arguments(child)
    return whole
