"""Writes docs/faults.md from the table: `python -m tests.faults.page`."""

from __future__ import annotations

from pathlib import Path

from tests.faults.around import AROUND
from tests.faults.table import RUN, WHERE, Fault

PAGE = Path(__file__).parents[2] / "docs/faults.md"

ABOVE = """# Faults

What goes wrong, how it ends, and what somebody sees of it. Every photo that is sent is decided exactly once, or its
execution fails **and** a person finds it: in the review queue (`operations review`), in the alert, in the dead-letter
queue, or by `operations reconcile`. Nothing is green that should not be.

This page is written from the tests' own table (`tests/faults/table.py`; `python -m tests.faults.page`). The faults
above are done to photos all at once on one stack of the local cloud by `tests/faults/test_faults.py`, which holds each
to its row: the end of its execution, the one row in the decisions table and the one event of an accepted photo, the
one message and the alert of any other. Those below have a test of their own.

The names are those that AWS gives. A function that ends hard or is killed for its memory is `Runtime.ExitError`, one
that takes too long is `Sandbox.Timedout`, an answer of more than 6 MB `Function.ResponseSizeTooLarge`; the state
machine catches whatever can be caught (`States.ALL`). What can't be caught, `States.DataLimitExceeded` above all, and
executions that are aborted, are sent to the review queue by a rule on ended executions, without an alert.
"""
BELOW = """
## Adding up

`test_the_accounts_of_a_random_mix_add_up` sends photos and faults in a random mix, some with their event several times
over, some whose event gets nowhere, has a person answer some of them, and asks `operations reconcile`: what was sent is
accepted, waiting, answered or in the dead-letter queue, each photo as the endpoint's own answer and its fault have it.
It sends 60 photos; `FAULTS_PHOTOS=500 python -m pytest tests/faults/test_faults.py` sends more.
"""


def page() -> str:
    """The whole page."""
    parts = [ABOVE]
    for title, faults in RUN:
        parts += [f"\n## {title}\n", "| what goes wrong | how it ends | found | what is seen |", "|---|---|---|---|"]
        parts += [_row(fault) for fault in faults]
    for title, faults in AROUND:
        parts += [f"\n## {title}\n", "| what goes wrong | how it ends | what is seen |", "|---|---|---|"]
        parts += [f"| {fault.what} | {fault.end} | {fault.seen} |" for fault in faults]
    return "\n".join(parts) + "\n" + BELOW


def _row(fault: Fault) -> str:
    name, comma, rest = fault.end.partition(",")
    end = f"`{name}`{comma}{rest}" if name[0].isupper() else fault.end
    seen = f"*… {fault.seen.strip()} …*" if fault.quoted else fault.seen
    where = WHERE[fault.found].removesuffix(", alert") if "topic" in fault.gone else WHERE[fault.found]
    return f"| {fault.what} | {end} | {where} | {seen} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
