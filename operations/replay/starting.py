"""Starting what was chosen, no faster than asked, and following it to its end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from contract.decisions import Outcome, outcome_of
from operations.executions import arn_of, name_of, start_again
from operations.replay.choice import Candidate
from operations.review.queue import HOLD_SECONDS, ReviewQueue, parse

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef
    from mypy_boto3_stepfunctions import SFNClient

LOOK_SECONDS = 2.0
"""Between two looks at the executions that were started."""
CLOCKS = timedelta(minutes=15)
"""By how much the clocks of this machine and of AWS may differ."""
Say = Callable[[str, int, int | None], None]


class Pace:
    """Lets so many through a second.

    Args:
        per_second: how many.
        clock: seconds that only grow.
        sleep: waits for so many of them.
    """

    def __init__(
        self,
        per_second: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._between, self._clock, self._sleep = 1 / per_second, clock, sleep
        self._next = clock()

    def wait(self) -> None:
        """Wait for the next one's turn; a turn that was missed is not made up for."""
        now = self._clock()
        if now < self._next:
            self._sleep(self._next - now)
        self._next = max(now, self._next) + self._between


@dataclass(slots=True)
class Shelf:
    """A queue, and those of its messages that are held at the moment."""

    queue: ReviewQueue
    messages: list[MessageTypeDef]

    def give_back(self, keep: Sequence[Candidate]) -> None:
        """Show every message again but these."""
        kept = {id(each.message) for each in keep}
        for message in [each for each in self.messages if id(each) not in kept]:
            self.queue.hide(parse(message), 0)
        self.messages[:] = [each for each in self.messages if id(each) in kept]

    def hide(self, message: MessageTypeDef) -> None:
        """Ask nobody about it while its execution is under way."""
        self.queue.hide(parse(message), HOLD_SECONDS)
        self.messages.remove(message)

    def remove(self, message: MessageTypeDef) -> None:
        """Delete it."""
        self.queue.remove(parse(message))
        self.messages.remove(message)


@dataclass(slots=True)
class Begun:
    """What was done."""

    executions: list[str] = field(default_factory=list[str])
    """ARNs of those that run now, whoever started them."""
    before: int = 0
    """Of these, how many somebody else had started."""
    to_people: int = 0
    """Dead letters that were put into the review queue."""
    letters: int = 0
    """Dead letters that were deleted."""
    hidden: list[MessageTypeDef] = field(default_factory=list["MessageTypeDef"])
    """Messages of the review queue that ask nobody for HOLD_SECONDS."""


def begin(
    states: SFNClient,
    machine: str,
    replay: Sequence[Candidate],
    obsolete: Sequence[Candidate],
    reviews: Shelf,
    letters: Shelf,
    pace: Pace,
    say: Say,
) -> Begun:
    """Start what is to be replayed.

    A dead letter goes once its execution is there. A message of the review queue stays until its photo is decided, and
    asks nobody meanwhile: if the execution ended without a trace, the photo would still be before a person.
    """
    begun = Begun()
    for number, each in enumerate(replay):
        say("started", number, len(replay))
        pace.wait()
        if each.photo is None:
            continue
        if each.is_for_people:
            reviews.queue.forward(each.message)
            begun.to_people += 1
        else:
            begun.before += not start_again(states, machine, each.photo, each.last)
            begun.executions.append(arn_of(machine, name_of(each.photo, each.last)))
        if each.source == "execution":
            reviews.hide(each.message)
            begun.hidden.append(each.message)
        else:
            letters.remove(each.message)
            begun.letters += 1
    for each in obsolete:
        letters.remove(each.message)
        begun.letters += 1
    return begun


@dataclass(slots=True)
class Ends:
    """How the executions ended."""

    outcomes: Counter[Outcome] = field(default_factory=Counter[Outcome])
    faults: Counter[str] = field(default_factory=Counter[str])
    """Faults by error."""


def follow(
    states: SFNClient, machine: str, executions: Sequence[str], say: Say, sleep: Callable[[float], None] = time.sleep
) -> Ends:
    """Wait until all of them have ended."""
    since = datetime.now(UTC) - CLOCKS
    running, ends = set(executions), Ends()
    while running:
        listed: dict[str, str] = {}
        for page in states.get_paginator("list_executions").paginate(stateMachineArn=machine):
            listed |= {each["executionArn"]: each["status"] for each in page["executions"]}
            if running <= listed.keys() or any(each["startDate"] < since for each in page["executions"]):
                break
        for arn in sorted(running):
            status, error = listed.get(arn), ""
            if status != "RUNNING" and status != "SUCCEEDED":
                # the list names no errors, and what somebody else started long ago is not in it
                execution = states.describe_execution(executionArn=arn)
                status, error = execution["status"], execution.get("error") or execution["status"]
            if status != "RUNNING":
                running.discard(arn)
                outcome = outcome_of(status, error)
                ends.outcomes[outcome] += 1
                if outcome == "fault":
                    ends.faults[error] += 1
                say("ended", len(executions) - len(running), len(executions))
        if running:
            sleep(LOOK_SECONDS)
    return ends
