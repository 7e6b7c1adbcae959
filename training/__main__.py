"""`python -m training`: prepare data, evaluate a model, choose a threshold."""

from __future__ import annotations

import argparse
import importlib
import sys

from contract.errors import UserError

COMMANDS = {
    "synthesize": "training.synthetic.synthesize",
    "prepare": "training.dataset.prepare",
    "evaluate": "training.evaluation.evaluate",
    "watch": "training.job.watch",
}


def main(words: list[str]) -> int:
    """Run one subcommand.

    Returns:
        The exit code: 0 done, 1 the answer is no (a job failed), 2 the user's mistake.
    """
    parser = argparse.ArgumentParser(
        prog="python -m training",
        description="From a CIFAR-100 archive to a dataset, and from a model's answers to a threshold.",
    )
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    # the asked-for one only: evaluate's libraries take a second to import
    for name in [word for word in words[:1] if word in COMMANDS] or COMMANDS:
        importlib.import_module(COMMANDS[name]).add_parser(subparsers)
    arguments = parser.parse_args(words)
    try:
        return arguments.run(arguments)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        # such as a folder that may not be written, or a full disk
        print(f"error: {error.strerror or error}{f': {error.filename}' if error.filename else ''}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
