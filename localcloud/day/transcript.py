"""What is written of the day: chapters, sentences, and the commands with what they said, as Markdown."""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby

from contract.invocation import command
from contract.screen import counted

MOST_LINES = 16
"""Of what a command says; the rest is counted."""


class Transcript:
    """Writes as the day goes.

    Args:
        write: takes a line.
        environment: of the commands.
    """

    def __init__(self, write: Callable[[str], None], environment: Mapping[str, str]) -> None:
        self._write, self._environment = write, environment
        self._began, self._chapters = time.monotonic(), 0
        self.problems: list[str] = []

    def title(self, text: str) -> None:
        """The first line."""
        self._write(f"# {text}")

    def chapter(self, text: str) -> None:
        """What happens next, and when."""
        self._chapters += 1
        self._write(f"\n## {self._chapters}. {text}\n\nAfter {time.monotonic() - self._began:.0f} s.\n")

    def say(self, text: str) -> None:
        """A sentence."""
        self._write(f"{text}\n")

    def table(self, rows: Sequence[Sequence[str]]) -> None:
        """Rows, the first of which names the columns."""
        self._write("```")
        for line in aligned("\n".join("\t".join(row) for row in rows)):
            self._write(line)
        self._write("```\n")

    def quote(self, text: str) -> None:
        """What somebody else wrote, as it is."""
        self._write(f"```\n{text.strip()}\n```\n")

    def run(self, *words: str, code: int = 0) -> str:
        """Run a command of `python -m operations`, and write what it said.

        Args:
            words: its arguments.
            code: the exit code that is expected.

        Returns:
            What it said.
        """
        finished = subprocess.run(
            [sys.executable, "-m", "operations", *words],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self._write(f"```\n$ python -m operations {shlex.join(words)}")
        # the same on every machine
        lines = aligned(finished.stdout.replace(command("operations"), "python -m operations"))
        for line in lines[:MOST_LINES]:
            self._write(line)
        if len(lines) > MOST_LINES:
            self._write(f"… and {counted(len(lines) - MOST_LINES, 'line')} more")
        self._write(f"(exit code {finished.returncode})\n```\n")
        self.expect(finished.returncode == code, f"{command('operations', *words)} should end with {code}")
        return finished.stdout

    def expect(self, true: bool, otherwise: str) -> None:
        """Note what is not as it should be."""
        if not true:
            self.problems.append(otherwise)


def aligned(text: str) -> list[str]:
    """Lines whose texts between tabs are one below the other, where neighbours have as many of them."""
    found: list[str] = []
    split = [line.split("\t") for line in text.splitlines()]
    for _, group in groupby(split, key=len):
        rows = list(group)
        widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
        found += [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
        ]
    return found
