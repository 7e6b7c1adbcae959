"""`down`: the end of the emulators."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "stop the emulators and forget what they held"
MORE = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `down` takes: nothing."""


def run(arguments: argparse.Namespace) -> int:
    """Stop them."""
    from localcloud.deployment import shut_down

    print("stopped" if shut_down(Path.cwd()) else "nothing was up")
    return 0
