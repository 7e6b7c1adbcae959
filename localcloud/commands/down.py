"""`down`: the end of the emulators."""

from __future__ import annotations

import argparse
import functools
from pathlib import Path

HELP = "stop the emulators and forget what they held"
MORE = "All stacks, with their photos, decisions and models."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `down` takes: nothing."""


def run(arguments: argparse.Namespace) -> int:
    """Stop them."""
    from contract.screen import ERRORS, write_line
    from localcloud.deployment import shut_down

    say = functools.partial(write_line, console=ERRORS)
    write_line("stopped" if shut_down(Path.cwd(), say) else "nothing was up")
    return 0
