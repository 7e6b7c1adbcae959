"""`python -m operations`: look at what the model did, afterwards (report) or as it happens (watch)."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from botocore.exceptions import BotoCoreError, ClientError

from contract.errors import UserError
from operations import watch
from operations.report import command as report


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it did its work, 2 after a mistake that its one sentence on stderr names."""
    parser = argparse.ArgumentParser(prog="python -m operations", description=__doc__)
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (report, watch):
        command.add_parser(subparsers)
    args = parser.parse_args(arguments)
    try:
        return args.run(args)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
    except ClientError as error:
        print(f"error: AWS refused {error.operation_name}: {_message(error)}", file=sys.stderr)
    except BotoCoreError as error:
        print(f"error: AWS can't be reached: {error}", file=sys.stderr)
    return 2


def _message(error: ClientError) -> str:
    described = error.response.get("Error", {})
    return f"{described.get('Message', error)} ({described.get('Code', 'unknown')})"


if __name__ == "__main__":
    sys.exit(main())
