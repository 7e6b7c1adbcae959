"""Messages of the review queue that need not ask anybody any more, and their removal.

A photo may be decided while its message waits: another execution of the same version accepted it, as a replay's may.
Two messages may ask about one version, as after a second execution failed like the first. Either is found by looking
at the queue and at the decisions table together, so whoever lists the queue removes them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from contract.photos import StoredObject
from operations.review.queue import ReviewQueue, Waiting, parse
from operations.review.rows import Recorded

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef

Reason = Literal["decided meanwhile", "answered", "asked twice"]
"""decided meanwhile: by another execution. answered: by a person, and settled. asked twice: the other one stays."""
Recall = Callable[[Sequence[StoredObject]], Mapping[StoredObject, Recorded]]
"""What the decisions table holds of photos."""


def photo_of(waiting: Waiting) -> StoredObject | None:
    """The version that a message is about; None when it names no photo."""
    return StoredObject(waiting.bucket, waiting.key, waiting.version) if waiting.key else None


def why_stale(waiting: Sequence[Waiting], rows: Mapping[StoredObject, Recorded]) -> dict[int, Reason]:
    """Which of these messages need not ask any more, by their place in the list.

    A message that may still be answered is never among them, nor is the last one about a photo that nobody decided.
    """
    found: dict[int, Reason] = {}
    best: dict[StoredObject, int] = {}
    for index, each in enumerate(waiting):
        photo = photo_of(each)
        if photo is None:
            continue
        row = rows.get(photo)
        if row and row.is_accepted_by_another(each.execution):
            found[index] = "decided meanwhile"
        elif row and row.answered and row.settled:
            found[index] = "answered"
        elif (other := best.get(photo)) is None:
            best[photo] = index
        else:
            # the model's figures help whoever answers, and the later message says what the latest execution met
            kept = max(index, other, key=lambda which: (waiting[which].label is not None, waiting[which].sent))
            best[photo] = kept
            found[index if kept == other else other] = "asked twice"
    return found


@dataclass(frozen=True, slots=True)
class Asking:
    """The messages that nobody holds, and what was removed from among them."""

    messages: list[MessageTypeDef]
    """Those that ask; hidden meanwhile. One that is taken out of the list is not shown again at the end."""
    removed: Counter[Reason]


@contextmanager
def still_asking(
    queue: ReviewQueue, recall: Recall, say: Callable[[str], None], *, a_second: float | None = None
) -> Generator[Asking]:
    """List a review queue, and remove what need not ask any more.

    Args:
        queue: the review queue.
        recall: reads the decisions table.
        say: takes a line about each message that is removed.
        a_second: as `ReviewQueue.listing` takes it.
    """
    with queue.listing(a_second) as messages:
        waiting = [parse(message) for message in messages]
        photos = [photo for each in waiting if (photo := photo_of(each))]
        stale = why_stale(waiting, recall(photos))
        for index in sorted(stale, reverse=True):
            queue.remove(waiting[index])
            del messages[index]
            say(f"{waiting[index].object}: {stale[index]}, so its message goes")
        yield Asking(messages, Counter(stale.values()))


def waiting_now(queue: ReviewQueue, recall: Recall, say: Callable[[str], None]) -> list[Waiting]:
    """What waits for a person, oldest first; what need not wait any more is removed."""
    with still_asking(queue, recall, say) as asking:
        return sorted((parse(message) for message in asking.messages), key=lambda each: each.sent)
