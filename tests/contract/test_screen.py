"""Tables: whole in a pipe, and what matters whole in a narrow terminal."""

import io
import os
import subprocess
import sys

import pytest

from contract.screen import Column, LastingConsole, counted, write_line, write_table
from tests.localcloud.local_stack import REPOSITORY

COLUMNS = (Column("photo"), Column("truth", more=True), Column("decision"), Column("time", right=True, more=True))
ROWS = [("00747_trail_bike_s_000747_and_more.png", "motorcycle", ("for a person", "yellow"), "1.10 s")]


def written(width, *, terminal, rows=ROWS):
    console = LastingConsole(file=io.StringIO(), width=width, force_terminal=terminal, color_system=None)
    write_table(COLUMNS, rows, console)
    return console.file.getvalue()


def test_in_a_pipe_nothing_is_padded_wrapped_or_cut():
    long = "x" * 500
    text = written(20, terminal=False, rows=[(long, "", ("for a person", "red"), "a\tb\nc")])
    assert text == f"photo\ttruth\tdecision\ttime\n{long}\t\tfor a person\ta b c\n"


def test_at_45_columns_the_decision_stays_whole_and_the_rest_gives_way():
    lines = written(45, terminal=True).splitlines()
    assert max(map(len, lines)) <= 45
    assert ("for a person" in lines[1] and "truth" not in lines[0]) or "motorcycle" in lines[1]
    assert "".join(line.split(" ")[0] for line in lines[1:]).startswith("00747_trail_bike_s_000747")


def test_a_wide_terminal_shows_every_column_in_one_line_a_row():
    lines = written(120, terminal=True).splitlines()
    assert len(lines) == 2 and "motorcycle" in lines[1] and "1.10 s" in lines[1]


@pytest.mark.parametrize("terminal", [True, False])
def test_what_a_key_commands_the_terminal_is_shown_and_not_obeyed(terminal):
    key = "incoming/\x1b[2J\x9b1m\x07\r\u202egpj.\ud800"
    console = LastingConsole(file=io.StringIO(), width=200, force_terminal=terminal, color_system=None)
    write_table(COLUMNS, [(key, key, (key, "red"), key)], console)
    write_line(key, console)
    said = console.file.getvalue()
    assert said.count("incoming/\ufffd[2J") == 5 and not {"\x1b", "\x9b", "\x07", "\r", "\u202e", "\ud800"} & {*said}


@pytest.mark.parametrize(("number", "text"), [(0, "0 photos"), (1, "1 photo"), (1234, "1,234 photos")])
def test_one_is_not_many(number, text):
    assert counted(number, "photo") == text


def test_a_reader_that_leaves_stops_nothing():
    code = (
        "import os, sys; from contract.screen import ERRORS, write_line\n"
        "for number in range(20_000): write_line('line', ERRORS)\n"
        "print('done')"
    )
    read, write = os.pipe()
    process = subprocess.Popen([sys.executable, "-c", code], cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=write)
    os.close(write)
    os.read(read, 4)
    os.close(read)
    assert process.communicate(timeout=60)[0] == b"done\n" and process.returncode == 0
