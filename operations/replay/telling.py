"""What a replay says: the counts before anything starts, and what came of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass

from contract.decisions import OUTCOMES, word_for
from contract.screen import ERRORS, Column, counted, write_json, write_line, write_table
from operations.replay.choice import WHY_LEFT, Plan, Wanted, counts
from operations.replay.starting import Begun, Ends
from operations.review.stale import Reason


@dataclass(frozen=True, slots=True)
class Survey:
    """What the queues held."""

    plan: Plan
    hidden_reviews: int
    """About how many messages of the review queue could not be seen."""
    hidden_letters: int
    removed: Counter[Reason]
    """Messages that needed to ask nobody any more."""


@dataclass(frozen=True, slots=True)
class Done:
    """What was done, and what came of it."""

    begun: Begun
    ends: Ends | None


def write_plan(found: Survey) -> None:
    """Write what would be started, and what is left alone and why."""
    columns = (Column("error"), Column("from"), Column("key"), Column("photos", right=True))
    rows = [(each.error, each.source, f"{each.place}*", f"{each.photos:,}") for each in counts(found.plan.replay)]
    write_table(columns, [*rows, ("all", "", "", f"{len(found.plan.replay):,}")])
    for why, count in found.plan.left.items():
        write_line(f"left alone: {count:,} {WHY_LEFT[why]}", ERRORS)
    for each in found.plan.unreadable:
        body = each.message.get("Body", "")
        write_line(f"can't be read: {each.source} {each.message.get('MessageId')}, {each.error}: {body!r:.100}", ERRORS)
    for queue, hidden in (("review queue", found.hidden_reviews), ("dead-letter queue", found.hidden_letters)):
        if hidden:
            write_line(f"about {counted(hidden, 'message')} of the {queue} can't be seen: somebody holds them", ERRORS)


def write_done(done: Done | None) -> None:
    """Write what was started, and how it ended where somebody waited for that."""
    if done is None:
        write_line("nothing was started: --start sends them through again", ERRORS)
        return
    begun, ends = done.begun, done.ends
    before = f", {begun.before:,} of them by somebody else before" if begun.before else ""
    write_line(f"{counted(len(begun.executions), 'execution')} started{before}", ERRORS)
    if begun.to_people:
        write_line(f"{counted(begun.to_people, 'photo')} put into the review queue", ERRORS)
    if begun.letters:
        write_line(f"{counted(begun.letters, 'dead letter')} deleted", ERRORS)
    if ends is None:
        if begun.executions:
            write_line("--follow waits for their ends; operations reconcile says where each photo is", ERRORS)
        return
    parts = [f"{ends.outcomes[each]:,} {word_for(each, ends.outcomes[each])}" for each in OUTCOMES]
    write_line(f"they ended as: {', '.join(parts)}")
    for error, count in ends.faults.most_common():
        write_line(f"a fault again: {count:,} {error}")


def write_replay_json(wanted: Wanted, found: Survey, done: Done | None) -> None:
    """Write all of it for a script."""
    start, end = wanted.period.start, wanted.period.end
    begun, ends = (done.begun, done.ends) if done else (None, None)
    write_json({
        "since": start and start.isoformat(), "until": end and end.isoformat(),
        "photos": len(found.plan.replay), "replay": [asdict(each) for each in counts(found.plan.replay)],
        "left": found.plan.left,
        "unreadable": [
            {"from": each.source, "message": each.message.get("MessageId"), "error": each.error,
             "at": each.at.isoformat(), "body": each.message.get("Body", "")}
            for each in found.plan.unreadable
        ],
        "hidden_about": {"reviews": found.hidden_reviews, "dead_letters": found.hidden_letters},
        "removed": found.removed,
        "started": begun and {
            "executions": begun.executions, "by_somebody_before": begun.before, "to_people": begun.to_people,
            "dead_letters_deleted": begun.letters,
        },
        "ended": ends and {"outcomes": ends.outcomes, "faults": ends.faults},
    })  # fmt: skip
