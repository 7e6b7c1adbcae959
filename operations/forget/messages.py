"""Messages that name a photo, in the review queue and in the dead-letter queue."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from contract.photos import StoredObject
from operations.forget.trace import Trace
from operations.reconcile.places import reviewed_photo, undelivered_photo
from operations.review.queue import ReviewQueue, parse

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef

PhotoOf = Callable[["MessageTypeDef"], StoredObject | None]


def in_review(queue: ReviewQueue, bucket: str, key: str) -> Iterator[Trace]:
    """What asks a person about the photo."""
    return _about(queue, "review queue", reviewed_photo, bucket, key)


def in_dead_letters(queue: ReviewQueue, bucket: str, key: str) -> Iterator[Trace]:
    """Events about the photo that could not be delivered: its upload's, or its execution's."""
    return _about(queue, "dead letters", undelivered_photo, bucket, key)


def _about(queue: ReviewQueue, place: str, photo_of: PhotoOf, bucket: str, key: str) -> Iterator[Trace]:
    with queue.listing() as messages:
        found = [message for message in messages if _is_about(photo_of(message), bucket, key)]
    for message in found:
        waiting, identity = parse(message), message.get("MessageId", "")
        name = waiting.execution or waiting.error or f"message {identity}"
        yield Trace(place, name, lambda identity=identity: _remove(queue, identity))


def _is_about(photo: StoredObject | None, bucket: str, key: str) -> bool:
    return photo is not None and (photo.bucket, photo.key) == (bucket, key)


def _remove(queue: ReviewQueue, identity: str) -> None:
    """A receipt lasts only while its message is hidden, so that the message is taken anew."""
    with queue.listing() as messages:
        for message in messages:
            if message.get("MessageId") == identity:
                queue.remove(parse(message))
