"""A random mix of held-out photos and faults: what is sent, and what must come of each."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from contract.decisions import NEITHER, Outcome
from contract.photos import StoredObject
from tests.faults.files import FILES
from tests.faults.sending import led_astray
from tests.faults.stack import FaultyStack, marked
from tests.faults.table import RUN, Fault
from tests.localcloud.processes import eventually

SOUND = 0.5
"""The share of photos to which nothing happens."""
AGAIN = 0.1
"""The share whose event comes more than once."""
LOST_EVENTS = 0.04
"""The share whose event can't be delivered."""
SLOW = ("sleep", "slow", "throttled", "failing", "unavailable", "endpoint-gone", "not-let-run")
"""Faults that take seconds each, and come less often."""
FAULTS = [
    fault
    for _, rows in RUN
    for fault in rows
    if not fault.proof and not fault.sent and fault.acts != {"serialize": "late"}
]


@dataclass
class Sent:
    """A photo of the mix, and what must come of it: an outcome, or `letter` for an event that gets nowhere."""

    photo: StoredObject
    expected: Outcome | str
    label: str | None
    fault: str
    again: int = 0


def send(stack: FaultyStack, count: int, seed: int) -> list[Sent]:
    """Upload them, several at once, in random order."""
    chance = random.Random(seed)
    files = sorted((stack.root / "build/dataset/test").glob("*/*.png"))
    plans = [_plan(chance, number, files) for number in range(count)]
    lost, others = plans[: round(count * LOST_EVENTS)], plans[round(count * LOST_EVENTS) :]
    with led_astray(stack, "uploads"):
        unheard = [_send(stack, plan) for plan in lost]
        assert eventually(lambda: stack.letters_of([each.photo for each in unheard]), 30)
    for each in unheard:
        each.expected, each.label = "letter", None
    heard: list[Sent] = []
    for plan in others:
        stack.make_room()
        heard.append(_send(stack, plan))
        for _ in range(plan.again):
            stack.start(heard[-1].photo)
    return [*unheard, *heard]


@dataclass(frozen=True)
class _Plan:
    key: str
    file: Path
    fault: Fault | None
    again: int


def _plan(chance: random.Random, number: int, files: Sequence[Path]) -> _Plan:
    weights = [0.2 if fault.name in SLOW else 1 for fault in FAULTS]
    fault = None if chance.random() < SOUND else chance.choices(FAULTS, weights)[0]
    name = fault.name if fault else "sound"
    again = chance.randint(1, 3) if chance.random() < AGAIN else 0
    return _Plan(f"incoming/mix/{number}/{name}.png", chance.choice(files), fault, again)


def _send(stack: FaultyStack, plan: _Plan) -> Sent:
    fault = plan.fault
    file = FILES[fault.file] if fault and fault.file else None
    data = file(stack, plan.key) if file else marked(Image.open(plan.file), plan.key)
    expected, label = _expected(stack, data, fault)
    if fault and fault.answers:
        stack.answers(data, fault.answers)
    return Sent(stack.put(plan.key, data), expected, label, fault.name if fault else "", plan.again)


def _expected(stack: FaultyStack, data: bytes, fault: Fault | None) -> tuple[Outcome | str, str | None]:
    """By the endpoint's own answer, and the fault."""
    stopped = fault and fault.found != "decided" and (fault.answers or fault.acts or fault.file not in ("", "unsure"))
    if stopped:
        return "fault", None
    outcome, label = _decided(stack, data)
    # of what is not accepted, no service's fault keeps a person from hearing
    return ("fault", None) if fault and fault.gone and outcome == "accepted" else (outcome, label)


def _decided(stack: FaultyStack, data: bytes) -> tuple[Outcome, str | None]:
    scores = stack.scores(stack.picture(data))
    label = stack.outputs["labels"][scores.index(max(scores))]
    if label == NEITHER:
        return "neither", label
    return ("accepted", label) if max(scores) >= float(stack.outputs["confidenceThreshold"]) else ("review", label)
