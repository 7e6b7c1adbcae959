"""What the commands write: tables for a terminal, tab-separated lines for a pipe, JSON for scripts."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

_OBEYED = (range(32), range(127, 160), range(0x202A, 0x202F), range(0x2066, 0x206A), range(0xD800, 0xE000))
_HARMLESS = {code: "\ufffd" for block in _OBEYED for code in block if chr(code) not in "\t\n"}
"""What stands for a character that is not shown but obeyed: an object's key may hold a terminal's commands, or turn the
direction of what follows; and for half of a surrogate pair, which no terminal takes."""


def harmless(text: str) -> str:
    """A text from outside, as it may be written to a terminal."""
    return text.translate(_HARMLESS)


class LastingConsole(Console):
    """A console whose reader may leave: what is still to be said is dropped, and what runs goes on."""

    def on_broken_pipe(self) -> None:
        """Write to nowhere from now on, also at exit."""
        self.quiet = True
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), self.file.fileno())


ERRORS = LastingConsole(stderr=True, highlight=False)
SCREEN = LastingConsole(highlight=False)


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `more` ones are left out of a terminal that is too narrow for all, the last first."""

    name: str
    right: bool = False
    more: bool = False


Cell = str | tuple[str, str]
"""A text, or a text and its style."""


def write_table(
    columns: Sequence[Column], rows: Sequence[Sequence[Cell]], console: Console = SCREEN, *, header: bool = True
) -> None:
    """Write rows: columns for a terminal; a line of texts between tabs for anything else, nothing cut or padded."""
    rows = [[harmless(cell) if isinstance(cell, str) else (harmless(cell[0]), cell[1]) for cell in row] for row in rows]
    texts = [[cell if isinstance(cell, str) else cell[0] for cell in row] for row in rows]
    if not console.is_terminal:
        if header:
            texts.insert(0, [column.name for column in columns])
        for line in texts:
            write_line("\t".join(_one_line(text) for text in line), console)
        return
    shown = _fitting(columns, texts, console.width, header)
    table = Table(box=None, pad_edge=False, header_style="bold", show_header=header)
    for index in shown:
        # the first column names the row, and may go on in a next line; the others stay whole
        table.add_column(
            columns[index].name,
            justify="right" if columns[index].right else "left",
            overflow="fold",
            no_wrap=index != shown[0],
        )
    for row in rows:
        cells = [row[index] for index in shown]
        table.add_row(*(Text(cell) if isinstance(cell, str) else Text(cell[0], style=cell[1]) for cell in cells))
    console.print(table)


def _fitting(columns: Sequence[Column], texts: Sequence[Sequence[str]], width: int, header: bool) -> list[int]:
    shown = list(range(len(columns)))
    wide = [
        max([len(columns[index].name) if header else 0, *(Text(line[index]).cell_len for line in texts)])
        for index in shown
    ]
    least = min(wide[0], 12) if wide else 0
    for index in reversed(range(1, len(columns))):
        if least + sum(wide[each] + 1 for each in shown if each) <= width:
            break
        if columns[index].more:
            shown.remove(index)
    return shown


def _one_line(text: str) -> str:
    return " ".join(text.split()) if any(mark in text for mark in "\t\r\n") else text


def write_line(text: str, console: Console = SCREEN) -> None:
    """Write one line as it is: no markup, no wrapping of our own, tabs left alone in a pipe; but `harmless`."""
    text = harmless(text)
    if console.is_terminal:
        console.print(text, markup=False, soft_wrap=True)
    elif not console.quiet:
        try:
            console.file.write(f"{text}\n")
            console.file.flush()
        except BrokenPipeError:
            console.on_broken_pipe()


def write_json(value: object) -> None:
    """Write JSON to standard output."""
    sys.stdout.write(json.dumps(value, indent=2, default=str) + "\n")


def agreed(losses: Sequence[str]) -> bool:
    """Ask whether these data may be lost; who can't be asked has not agreed."""
    if not (sys.stdin.isatty() and ERRORS.is_terminal):
        return False
    for loss in losses:
        write_line(f"  would be lost: {loss}", ERRORS)
    return ERRORS.input("lose them? [y/N] ").strip().lower() in ("y", "yes")


def counted(number: int, noun: str) -> str:
    """`1 photo`, `2 photos`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
