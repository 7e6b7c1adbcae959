"""The commands of `python -m operations`, each imported when it is asked for."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from contract.aws_errors import explained
from contract.errors import UserError

COMMANDS: Mapping[str, tuple[str, str]] = MappingProxyType({
    "batch": ("operations.batch.command", "everything under a prefix, classified; --dry-run: what it costs"),
    "forget": ("operations.forget.command", "what is kept of a photo; --yes removes it"),
    "models": ("operations.models.command", "the register's models, two compared; --retained: what is kept"),
    "reconcile": ("operations.reconcile.command", "where every photo is; --repair: what is lost"),
    "report": ("operations.report.command", "one page with pictures of what the model did, and its numbers"),
    "restore": ("operations.restore.command", "lost decisions, from a table that was restored"),
    "replay": ("operations.replay.command", "what ended in a fault or never began, through the workflow again"),
    "retrain": ("operations.retrain.command", "another model, trained on corrections, compared and proposed"),
    "review": ("operations.review.command", "what waits for a person, and a page to answer it on"),
    "watch": ("operations.watch.command", "decisions as they come, one line each"),
})  # fmt: skip
"""Command -> the module whose `add_parser(subparsers)` declares it, and what it does, for the list in --help."""


def main(words: Sequence[str]) -> int:
    """Run one command.

    Returns:
        The exit code: 0 when it did its work, 2 after a mistake, which one sentence on the error stream names.
    """
    parser = argparse.ArgumentParser(prog="python -m operations", description="What the deployed model does.")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    if words and words[0] in COMMANDS:
        importlib.import_module(COMMANDS[words[0]][0]).add_parser(subparsers)
    else:
        for name, (_, text) in COMMANDS.items():
            subparsers.add_parser(name, help=text)
    args = parser.parse_args(words)
    try:
        code = args.run(args)
        sys.stdout.flush()
        return code
    except UserError as error:
        message = str(error)
    except BrokenPipeError:
        # whoever read has left: what is still buffered must not be written at exit either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        message = f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}"
    except Exception as error:
        message = explained(error)
        if message is None:
            raise
    print(f"error: {message}", file=sys.stderr)
    return 2
