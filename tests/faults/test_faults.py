"""Every fault of the table, all at once on one stack: each photo is decided once, or failed and found by a person."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import pytest

from contract.decisions import outcome_of
from contract.errors import NoneOfTheClasses, ThresholdNotMet, UserError
from contract.photos import StoredObject
from localcloud.deployment import Listener, deploy, shut_down
from localcloud.places import stack_folder
from localcloud.state import FILE
from tests.faults.accounting import answer_some, counted, found_outcome, in_incoming, reconciled
from tests.faults.mix import SLOW, send
from tests.faults.seeing import Seen, messages_of, runs_of
from tests.faults.sending import ALONE, SENT
from tests.faults.stack import FaultyStack, Plan
from tests.faults.table import RUN, Fault

pytestmark = pytest.mark.long

HERE = [fault for _, rows in RUN for fault in rows if not fault.proof]
PHOTOS = int(os.environ.get("FAULTS_PHOTOS", "60"))
"""Of the random mix."""
NO_EXECUTION = "no execution"
BY_DESIGN = (ThresholdNotMet.__name__, NoneOfTheClasses.__name__)


@dataclass
class Told:
    """What was sent under each name, and what there was to see in the end."""

    stack: FaultyStack
    photos: Mapping[str, list[StoredObject]]
    seen: Seen


def plan() -> Plan:
    found = Plan()
    for fault in HERE:
        for function, act in fault.acts.items():
            found.acts[function][fault.name] = act
        for service in fault.gone:
            found.services.setdefault(service, []).append(fault.name)
    return found


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    root = tmp_path_factory.mktemp("faults")
    try:
        stack = FaultyStack(root, plan())
        photos = {fault.name: SENT[fault.sent](stack, fault) for fault in HERE if fault.sent in ALONE}
        for fault in sorted(HERE, key=lambda fault: fault.name not in SLOW):
            if fault.sent not in ALONE:
                stack.make_room()
                photos[fault.name] = SENT[fault.sent](stack, fault)
        stack.wait(120)
        for fault in HERE:
            if fault.sent == "twice":
                stack.start(photos[fault.name][0])
        stack.wait(60)
        yield Told(stack, photos, stack.look())
        stack.stop()
    finally:
        shut_down(root)


def test_a_bad_setting_changes_nothing_of_what_runs(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(told.stack.root)
    file = stack_folder(told.stack.root, "dev") / FILE
    before = file.read_bytes()
    with pytest.raises(UserError, match=r"2 problems.*confidenceThreshold.*imageMegapixels|2 problems"):
        deploy(told.stack.root, "dev", {"confidenceThreshold": "2", "maxImageMegapixels": "0"}, Listener())
    assert file.read_bytes() == before


@pytest.mark.parametrize("fault", HERE, ids=[fault.name for fault in HERE])
def test_a_fault_ends_as_the_table_says_and_is_found_where_it_says(told: Told, fault: Fault) -> None:
    photos = told.photos[fault.name]
    assert photos
    for photo in photos:
        check(told.seen, fault, photo)


def check(seen: Seen, fault: Fault, photo: StoredObject) -> None:
    runs, messages = runs_of(seen, photo), messages_of(seen, photo)
    row = seen.rows.get((f"{photo.bucket}/{photo.key}", photo.version))
    events = [each for each in seen.published if (each["key"], each["version"]) == (photo.key, photo.version)]
    alerts = [each for each in seen.alerts if f"/{photo.key} needs a person" in each or not photo.key]
    there = f"{[(each.status, each.error, each.cause) for each in runs]}, {messages}, {row}"
    assert (photo in seen.letters) == (fault.found == "letter"), seen.letters
    if fault.found in ("nothing", "letter"):
        ends = set() if fault.end == NO_EXECUTION else {fault.end}
        assert {each.error for each in runs} == ends and not messages and row is None, there
        return
    assert runs, "it started nothing"
    if fault.found == "decided":
        assert {each.status for each in runs} == {"SUCCEEDED"}, there
        assert row and row["decision"]["S"] == "accepted" and len(events) == 1, (there, events)
        assert not messages and not alerts, there
        return
    statuses = {"ABORTED"} if fault.end == "ABORTED" else {"FAILED"}
    assert {each.status for each in runs} == statuses and not events, there
    (message,) = messages
    assert fault.seen in message.message, message
    if fault.end != "ABORTED":
        assert {each.error for each in runs} == {fault.end}, there
    assert message.error in (fault.end, f"States.{fault.end}") and message.execution in {each.arn for each in runs}
    assert bool(alerts) == (fault.found != "ended" and "topic" not in fault.gone) or "queue" in fault.gone, alerts
    if fault.found == "recorded":
        assert row and row["decision"]["S"] == "accepted", there
    elif fault.end in BY_DESIGN and "table" not in fault.gone:
        assert row and row["decision"]["S"] == outcome_of("FAILED", fault.end), there
    else:
        assert row is None, there


def test_the_accounts_of_a_random_mix_add_up(
    told: Told, capsys: pytest.CaptureFixture[str], record_property: Callable[[str, object], None]
) -> None:
    stack, seed = told.stack, random.randrange(1_000_000)
    sent = send(stack, PHOTOS, seed)
    stack.wait(60 + PHOTOS)
    seen = stack.look()
    wrong = {
        each.photo.key: f"{found} where {each.expected} was expected"
        for each in sent
        if (found := found_outcome(seen, each)) != each.expected
    }
    assert not wrong, f"seed {seed}: {wrong}"
    # a green execution is one of an accepted photo, and each accepted photo has one event
    ours = {(each.photo.key, each.photo.version): each for each in sent}
    green = {(each.photo.key, each.photo.version) for each in seen.ended if each.status == "SUCCEEDED" and each.photo}
    assert {ours[each].expected for each in green & ours.keys()} <= {"accepted", "fault"}

    answered = answer_some(stack, PHOTOS // 6)
    code, said = reconciled(stack, capsys)
    states = said["states"]
    figures = f"seed {seed}, {PHOTOS} photos, expected {dict(counted(sent))}, {answered} answers, reconciled {states}"
    record_property("accounts", figures)
    print(figures)
    assert (code, said["lost"], states["lost"], states["held or lost"], states["in flight"]) == (0, [], 0, 0, 0), said
    assert answered == PHOTOS // 6 and states["answered"] > 0
    accounted = states["decided"] + states["waiting"] + states["answered"] + states["dead letter"]
    assert in_incoming(stack) == said["photos"] == accounted, figures
