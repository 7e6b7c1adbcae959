"""Where every photo is: a pure function from what the stack's places hold to exactly one state for each version."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from contract.photos import StoredObject
from operations.review.rows import Recorded

State = Literal["decided", "answered", "waiting", "dead letter", "in flight", "held or lost", "lost"]
"""held or lost: its message is not to be seen, and the queue holds messages that are hidden at the moment."""
STATES: tuple[State, ...] = get_args(State)


@dataclass(frozen=True, slots=True)
class Arrived:
    """A version of an object in `incoming/`."""

    photo: StoredObject
    at: datetime


@dataclass(frozen=True, slots=True)
class LastRun:
    """The latest execution that named a photo and did not succeed."""

    execution: str
    status: str
    """RUNNING, or how it ended."""
    ended: datetime | None
    error: str = ""
    sent: bool | None = None
    """Whether it put the photo into the review queue; None where the rule on ended executions may have done so."""


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of one photo."""

    row: Recorded | None = None
    """In the decisions table."""
    run: LastRun | None = None
    """Looked up only where nothing else accounts for the photo."""
    in_review: bool = False
    """A message of the review queue that nobody holds names it."""
    in_dead_letters: bool = False


@dataclass(frozen=True, slots=True)
class Census:
    """When the queues were looked at, and what could not be seen there."""

    at: datetime
    grace: timedelta
    """What happened later than so long before the census may be under way still."""
    hidden_reviews: int = 0
    """About how many messages the review queue holds that were not to be seen."""
    hidden_letters: int = 0
    """The same of the dead-letter queue."""

    def is_fresh(self, moment: datetime | None) -> bool:
        """Whether what happened then may be under way still."""
        return moment is not None and moment > self.at - self.grace


@dataclass(frozen=True, slots=True)
class Account:
    """A photo and its state."""

    arrived: Arrived
    state: State
    why: str = ""
    """What is known of one that is lost, or may be."""
    found: Found = Found()


def account_for(arrived: Arrived, found: Found, census: Census) -> Account:
    """The state of one photo."""
    state, why = _state(arrived, found, census)
    return Account(arrived, state, why, found)


def _state(arrived: Arrived, found: Found, census: Census) -> tuple[State, str]:
    row, run = found.row, found.run
    if row and row.answered:
        return "answered", ""
    if row and row.decision == "accepted" and not run:
        return "decided", ""
    if found.in_review:
        return "waiting", ""
    if found.in_dead_letters:
        return "dead letter", ""
    ended = run.ended if run else None
    running = run is not None and run.status == "RUNNING"
    if running or any(census.is_fresh(moment) for moment in (arrived.at, row.at if row else None, ended)):
        return "in flight", ""
    if run and run.sent is False:
        return "lost", _why(row, run)
    hidden = census.hidden_reviews if row or run else census.hidden_letters
    return ("held or lost" if hidden else "lost"), _why(row, run)


def _why(row: Recorded | None, run: LastRun | None) -> str:
    if row and row.decision == "accepted" and run:
        return f"recorded, and its event was not published: its execution ended as {_end(run)}"
    if row:
        return f"its decision is {row.decision}, and its message is not in the review queue any more"
    if run is None:
        return "no execution that failed or runs names it, and no dead letter"
    if run.sent:
        return f"its execution ended as {_end(run)} and sent it to the review queue, where it is not any more"
    return f"its execution ended as {_end(run)}, and nothing of it is in the review queue"


def _end(run: LastRun) -> str:
    return f"{run.status} ({run.error})" if run.error and run.error != run.status else run.status


@dataclass(frozen=True, slots=True)
class Balance:
    """All photos of a period."""

    counts: Mapping[State, int]
    """By state; they add up to all of the period's photos."""
    lost: Sequence[Account]
    """Those that are lost, or may be, oldest first."""
    surely_lost: int
    """Those that are lost, and those that may be beyond as many as the queues hold hidden."""


def balance(accounts: Iterable[Account], census: Census) -> Balance:
    """The sums over all photos."""
    counts: Counter[State] = Counter(dict.fromkeys(STATES, 0))
    doubtful: list[Account] = []
    for each in accounts:
        counts[each.state] += 1
        if each.state in ("lost", "held or lost"):
            doubtful.append(each)
    doubtful.sort(key=lambda each: (each.arrived.at, each.arrived.photo.key))
    maybe = [each.found for each in doubtful if each.state == "held or lost"]
    reviews = sum(1 for found in maybe if found.row or found.run)
    beyond = max(0, reviews - census.hidden_reviews) + max(0, len(maybe) - reviews - census.hidden_letters)
    return Balance(counts, doubtful, counts["lost"] + beyond)
