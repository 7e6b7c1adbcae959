"""The commands of `python -m operations`, each imported when it is asked for."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from contract.errors import UserError

COMMANDS: Mapping[str, tuple[str, str]] = MappingProxyType({
    "report": ("operations.report.command", "one page with pictures of what the model did, and its numbers"),
    "watch": ("operations.watch.command", "decisions as they come, one line each"),
})  # fmt: skip
"""Command -> the module whose `add_parser(subparsers)` declares it, and what it does, for the list in --help."""
ABSENT = frozenset({"NoSuchBucket", "ResourceNotFoundException", "StateMachineDoesNotExist"})
"""AWS's codes for a resource that is not there."""
REFUSED = frozenset({"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"})
"""AWS's codes for credentials that it does not take."""


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
        message = _of_aws(error)
        if message is None:
            raise
    print(f"error: {message}", file=sys.stderr)
    return 2


def _of_aws(error: Exception) -> str | None:
    """What a person can do about an error of the AWS client; None for any other error."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

    match error:
        case NoRegionError():
            return "which region? set AWS_DEFAULT_REGION, or a profile that has one (AWS_PROFILE)"
        case NoCredentialsError():
            return "there are no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        case ClientError():
            described = error.response.get("Error", {})
            code = described.get("Code", "unknown")
            said = f"AWS refused {error.operation_name}: {described.get('Message', error)} ({code})"
            if code in ABSENT:
                return f"{said}; is the stack up, and are these its outputs?"
            return f"{said}; log in again" if code in REFUSED else said
        case BotoCoreError():
            return f"AWS can't be reached: {error}"
        case _:
            return None
