"""The desk at which people answer: it takes photos from the queue, records answers, and settles them.

An answer is recorded at once, and settled when its time for undoing is over, or the next one is given, or the desk
closes: then its event is published, its sample written, and last its message deleted. Whoever is stopped in between
loses nothing: the message comes back, and the desk that takes it finds the answer and settles it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from contract import prefixes
from contract.decisions import BY_A_PERSON, EVENT_SOURCE, EVENT_TYPE, NEITHER, UNCLEAR, classes_of
from contract.errors import UserError
from operations.review.answers import AlreadyAnswered, Answer, AnswerBook, DecidedMeanwhile, new_answer
from operations.review.photos import GONE
from operations.review.queue import HOLD_SECONDS, UNKNOWN_VERSION, Counts, ReviewQueue, Waiting

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_s3 import S3Client

UNDO_SECONDS = 15
"""How long the last answer can be taken back: no driver is told of it before."""
AT_HAND = 2
"""Photos that a window holds: the one that is shown, and the next, so that it comes at once."""


@dataclass(frozen=True, slots=True)
class StackNames:
    """What a desk has to know of its stack."""

    bucket: str
    bus: str
    labels: tuple[str, ...]
    """What the model answers, in label order."""
    loading_bays: Mapping[str, str]
    """Class -> bay."""

    @property
    def answers(self) -> tuple[str, ...]:
        """What a person can say: each class, *neither* also where the model has no label for it, and UNCLEAR."""
        return (*classes_of(self.labels), NEITHER, UNCLEAR)


@dataclass(slots=True)
class OnScreen:
    """A photo at a window."""

    waiting: Waiting
    until: datetime
    answer: Answer | None = None


@dataclass(slots=True)
class Page:
    """One page of one person."""

    held: list[OnScreen] = field(default_factory=list[OnScreen])
    last: OnScreen | None = None
    """The answer that can still be taken back."""


class Desk:
    """Everybody's answers on this machine; safe to be called from several threads.

    Args:
        queue: what waits.
        book: where answers are written down.
        s3: for samples.
        events: for decisions.
        stack: names of the stack.
        now: the time in UTC.
        say: takes what went wrong behind the scenes, a line at a time.
    """

    def __init__(
        self,
        queue: ReviewQueue,
        book: AnswerBook,
        s3: S3Client,
        events: EventBridgeClient,
        stack: StackNames,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._queue, self._book, self._s3, self._events = queue, book, s3, events
        self.stack, self._now, self._say = stack, now, say
        self._windows: dict[str, Page] = {}
        self._lock = threading.RLock()

    def counts(self) -> Counts:
        """How many photos wait, and how many are being looked at."""
        return self._queue.counts()

    def at_hand(self, window: str) -> list[Waiting]:
        """What a window shows now, and what comes next; fewer, or nothing, when no more waits."""
        with self._lock:
            mine = self._windows.setdefault(window, Page())
            mine.held = [held for held in mine.held if held.until > self._now()]
            while len(mine.held) < AT_HAND and (held := self._take()):
                mine.held.append(held)
            return [held.waiting for held in mine.held]

    def find(self, receipt: str) -> Waiting | None:
        """The photo that some window holds under a receipt."""
        with self._lock:
            holders = (held for window in self._windows.values() for held in [*window.held, window.last] if held)
            return next((held.waiting for held in holders if held.waiting.receipt == receipt), None)

    def answer(self, window: str, receipt: str, said: str, by: str, seconds: float) -> Answer:
        """Record what a person says of the photo that a window holds.

        Raises:
            AlreadyAnswered: somebody was first; the photo is put away.
            DecidedMeanwhile: another execution has accepted the photo; it is put away.
            UserError: the answer can't be, or the window holds no such photo any more.
        """
        answer = new_answer(said, by, self._now(), seconds, self.stack.answers)
        with self._lock:
            mine = self._windows.setdefault(window, Page())
            held = next((held for held in mine.held if held.waiting.receipt == receipt), None)
            if held is None:
                raise UserError("this page was open for too long, and the photo went back into the queue")
            try:
                self._book.record(held.waiting, answer)
            except AlreadyAnswered as first:
                mine.held.remove(held)
                self._settle(held.waiting, first.answer)
                raise
            except DecidedMeanwhile as decided:
                mine.held.remove(held)
                self._put_away(held.waiting, decided)
                raise
            mine.held.remove(held)
            before, mine.last = mine.last, held
            held.answer, held.until = answer, self._now() + timedelta(seconds=UNDO_SECONDS)
            if before is not None:
                self._settle_held(before)
            return answer

    def undo(self, window: str) -> Waiting:
        """Take a window's last answer back; its photo is the one that the window shows again.

        Raises:
            UserError: there is none, or it is too late.
        """
        with self._lock:
            mine = self._windows.setdefault(window, Page())
            last, mine.last = mine.last, None
            if last is None or last.answer is None:
                raise UserError(f"there is no answer to take back: that is possible for {UNDO_SECONDS} seconds")
            if not self._book.withdraw(last.waiting, last.answer):
                raise UserError("that answer has been published, and can't be taken back any more")
            self._queue.hide(last.waiting, HOLD_SECONDS)
            last.answer, last.until = None, self._now() + timedelta(seconds=HOLD_SECONDS)
            mine.held.insert(0, last)
            return last.waiting

    def settle_due(self) -> None:
        """Settle the answers whose time for undoing is over."""
        with self._lock:
            for window in self._windows.values():
                if window.last is not None and window.last.until <= self._now():
                    last, window.last = window.last, None
                    self._settle_held(last)

    def close(self) -> None:
        """Settle every answer, and give back every photo that has none."""
        with self._lock:
            for window in self._windows.values():
                if window.last is not None:
                    self._settle_held(window.last)
                for held in window.held:
                    self._queue.hide(held.waiting, 0)
            self._windows.clear()

    def _take(self) -> OnScreen | None:
        while waiting := self._queue.take():
            try:
                answer = self._book.find(waiting)
            except DecidedMeanwhile as decided:
                self._put_away(waiting, decided)
                continue
            if answer is None:
                if not self._is_at_a_window(waiting):
                    return OnScreen(waiting, self._now() + timedelta(seconds=HOLD_SECONDS))
                # the same photo's second message: it stays hidden, and is found answered later
            elif self._can_be_undone(answer):
                self._queue.hide(waiting, 2 * UNDO_SECONDS)
            else:
                self._settle(waiting, answer)
        return None

    def _put_away(self, waiting: Waiting, decided: DecidedMeanwhile) -> None:
        self._queue.remove(waiting)
        self._say(f"{decided}: its message goes")

    def _is_at_a_window(self, waiting: Waiting) -> bool:
        return any(
            (held.waiting.object, held.waiting.version) == (waiting.object, waiting.version)
            for window in self._windows.values()
            for held in window.held
        )

    def _can_be_undone(self, answer: Answer) -> bool:
        """Whether it is too fresh for another desk to settle it."""
        return not answer.settled and self._now() < answer.at + timedelta(seconds=2 * UNDO_SECONDS)

    def _settle_held(self, held: OnScreen) -> None:
        if held.answer is not None:
            self._settle(held.waiting, held.answer)

    def _settle(self, waiting: Waiting, answer: Answer) -> None:
        """Publish, keep the sample, note it, delete the message: what fails is tried again by whoever takes it next.

        What is known of the answer may be old, as on a machine that slept: another desk, or this one under another
        receipt, may have settled it since, and then its driver has been told.
        """
        try:
            now = self._book.find(waiting)
            if now is None or now.id != answer.id:
                self._say(f"{waiting.object}: the answer of {answer.by} is not recorded any more")
                return
            if not now.settled:
                if answer.said in self.stack.loading_bays:
                    self._publish(waiting, answer)
                if answer.said != UNCLEAR:
                    self._keep_sample(waiting, answer)
                self._book.settle(waiting, answer, self._now())
            self._queue.remove(waiting)
        except (ClientError, BotoCoreError, UserError) as error:
            self._say(f"{waiting.object}: the answer is recorded, and not settled yet: {error}")

    def _publish(self, waiting: Waiting, answer: Answer) -> None:
        labels, scores = self.stack.labels, waiting.inferences
        figures = {"confidence": scores[labels.index(answer.said)]} if len(scores) == len(labels) else {}
        detail = {
            "bucket": waiting.bucket, "key": waiting.key, "version": waiting.version,
            "inference_id": waiting.inference_id, "label": answer.said, **figures,
            "loading_bay": self.stack.loading_bays[answer.said], "model": waiting.model,
            "execution": waiting.execution, "decided_by": BY_A_PERSON, "answer_id": answer.id,
        }  # fmt: skip
        entry = {
            "EventBusName": self.stack.bus,
            "Source": EVENT_SOURCE,
            "DetailType": EVENT_TYPE,
            "Detail": json.dumps(detail),
        }
        answered = self._events.put_events(Entries=[entry])  # pyright: ignore[reportArgumentType]
        if answered["FailedEntryCount"]:
            failed = answered["Entries"][0]
            raise UserError(f"the event bus refused the event: {failed.get('ErrorMessage', 'no reason given')}")

    def _keep_sample(self, waiting: Waiting, answer: Answer) -> None:
        """Copy the photo to corrections/LABEL/, and beside it what is known of it; a photo that is gone gives none."""
        if not waiting.key:
            return
        name = f"{prefixes.CORRECTIONS}{answer.said}/{answer.id}"
        version = {} if waiting.version == UNKNOWN_VERSION else {"VersionId": waiting.version}
        try:
            self._s3.copy_object(
                Bucket=self.stack.bucket,
                Key=name + PurePosixPath(waiting.key).suffix,
                CopySource={"Bucket": waiting.bucket, "Key": waiting.key, **version},  # pyright: ignore[reportArgumentType]
            )
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in GONE:
                return
            raise
        about = {
            "bucket": waiting.bucket, "key": waiting.key, "version": waiting.version, "label": answer.said,
            "answered_by": answer.by, "answered_at": answer.at.isoformat(), "seconds": answer.seconds,
            "model": waiting.model, "model_label": waiting.label, "inferences": list(waiting.inferences),
            "error": waiting.error,
        }  # fmt: skip
        self._s3.put_object(
            Bucket=self.stack.bucket,
            Key=name + prefixes.ABOUT_CORRECTION,
            Body=json.dumps(about, indent=1).encode(),
            ContentType="application/json",
        )
