"""Arguments that several commands take."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from contract.errors import UserError


def add_json(parser: argparse.ArgumentParser) -> None:
    """`--json`."""
    parser.add_argument("--json", action="store_true", help="print JSON, for scripts")


def add_settings(parser: argparse.ArgumentParser) -> None:
    """`--stack` and `--config`."""
    parser.add_argument("--stack", default="dev", help="dev, prod, … (%(default)s)")
    parser.add_argument(
        "--config", action="append", default=[], metavar="KEY=VALUE", help="a setting beyond the stack's file"
    )


def add_chosen_stack(parser: argparse.ArgumentParser) -> None:
    """`--stack`, where the only one that is up need not be named."""
    parser.add_argument("--stack", help="the stack, when several are up")


def add_yes(parser: argparse.ArgumentParser) -> None:
    """`--yes`."""
    parser.add_argument("--yes", action="store_true", help="lose data without being asked")


def overrides_of(pairs: Sequence[str]) -> dict[str, str]:
    """What `--config KEY=VALUE` gives.

    Raises:
        UserError: one of them has no `=`.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise UserError(f"--config takes KEY=VALUE, got {pair!r}")
        found[key] = value
    return found


def count(text: str) -> int:
    """A number of things, as argparse's `type`."""
    try:
        number = int(text)
    except ValueError:
        number = -1
    if number < 0:
        raise argparse.ArgumentTypeError(f"must be a whole number from 0 on, got {text!r}")
    return number
