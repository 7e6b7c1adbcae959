"""docs/faults.md says what the table of faults says, and each fault has the test that proves it."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.faults.around import AROUND
from tests.faults.page import PAGE, page
from tests.faults.sending import SENT
from tests.faults.table import RUN, Fault

ROOT = Path(__file__).parents[2]
ALL = [fault for _, faults in RUN + AROUND for fault in faults]
PROVEN = [fault for fault in ALL if fault.proof]


def test_the_page_is_the_table() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m tests.faults.page"


def test_there_are_as_many_faults_as_were_asked_for_each_once() -> None:
    assert len(ALL) >= 40
    assert [name for name, count in Counter(fault.name for fault in ALL).items() if count > 1] == []


@pytest.mark.parametrize("fault", PROVEN, ids=[fault.name for fault in PROVEN])
def test_the_test_that_proves_a_fault_is_there(fault: Fault) -> None:
    path, _, name = fault.proof.partition("::")
    assert re.search(rf"^def {name}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)


def test_what_is_done_to_a_photo_is_either_done_here_or_proven_elsewhere() -> None:
    for fault in ALL:
        done = bool(fault.acts or fault.answers or fault.gone or fault.file or fault.sent)
        assert not (fault.proof and done) and fault.sent in SENT, fault.name
    assert {name for name in SENT if name} == {fault.sent for fault in ALL if fault.sent}
