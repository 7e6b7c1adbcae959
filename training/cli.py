"""What the subcommands share."""

from __future__ import annotations

import argparse
from typing import Protocol


class Subparsers(Protocol):
    """What argparse's `add_subparsers` returns, of which a subcommand needs one method."""

    def add_parser(self, name: str, *, help: str, description: str) -> argparse.ArgumentParser:
        """A parser for one subcommand."""
        ...
