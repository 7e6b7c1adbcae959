"""Every fault a function can end in, each a class named after what happened; and a user's mistake.

Lambda reports an exception to Step Functions under its class name, so the state machine's `Retry` and
`Catch` match these very names (AWS, "Handling errors in Step Functions workflows").
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import cast


class UserError(Exception):
    """A mistake that the person at the keyboard can put right; the message is one clear sentence."""


class SconesError(Exception):
    """What all our faults have in common."""


class PermanentError(SconesError):
    """Trying again cannot help: never retried."""


class TransientError(SconesError):
    """Trying again later may help: retried with backoff."""


class InvalidEvent(PermanentError):
    """The event is not of a form that the function takes."""


class ConfigurationError(PermanentError):
    """An environment variable of the function is missing or wrong."""


class BucketNotFound(PermanentError):
    """There is no such bucket."""


class ObjectNotFound(PermanentError):
    """The bucket has no such object (or no such version of it)."""


class AccessDenied(PermanentError):
    """The function's role may not read the object or invoke the endpoint."""


class EncryptionKeyUnavailable(PermanentError):
    """The KMS key of an object is disabled, deleted or waiting for its deletion."""


class ImageTooLarge(PermanentError):
    """More bytes or more pixels than the stack allows."""


class InvalidImage(PermanentError):
    """Not a photo that we can read."""


class ImageHasNoContent(PermanentError):
    """A whole photo on which nothing is to be seen: one colour, a lens cap's noise, a handful of pixels."""


class ModelRejectedImage(PermanentError):
    """The model's container answered with a client error."""


class InvalidInference(PermanentError):
    """The model's answer is not a distribution over the classes."""


class ForAPerson(PermanentError):
    """The model has answered and a person decides: no fault, but an execution that fails by design.

    The message is `CODE`, a space and a JSON object with the figures, so that the state machine can take them
    apart again.
    """

    CODE = ""

    def __init__(
        self, *, label: str, confidence: float, margin: float, threshold: float, inferences: Sequence[float]
    ) -> None:
        self.figures: dict[str, object] = {
            "label": label,
            "confidence": confidence,
            "margin": margin,
            "threshold": threshold,
            "inferences": list(inferences),
        }
        super().__init__(f"{self.CODE} {json.dumps(self.figures, separators=(',', ':'))}")


def figures_in(message: str) -> dict[str, object]:
    """The figures that the message of a `ForAPerson` carries; empty for the message of any other error."""
    code, _, text = message.partition(" ")
    if code not in {error.CODE for error in ForAPerson.__subclasses__()}:
        return {}
    try:
        figures = cast("object", json.loads(text))
    except (ValueError, RecursionError):  # cut off by a limit, or nobody's figures
        return {}
    return cast("dict[str, object]", figures) if isinstance(figures, dict) else {}


class ThresholdNotMet(ForAPerson):
    """The model is not sure enough."""

    CODE = "THRESHOLD_CONFIDENCE_NOT_MET"


class NoneOfTheClasses(ForAPerson):
    """The best label is the one for pictures of none of the classes."""

    CODE = "NONE_OF_THE_CLASSES"


class ModelNotReady(TransientError):
    """The endpoint does not exist yet, or is being created."""


class ModelUnavailable(TransientError):
    """The model's container failed or took too long."""


class Throttled(TransientError):
    """AWS asked us to slow down."""


class StorageUnavailable(TransientError):
    """S3 failed or could not be reached."""


PERMANENT: tuple[type[PermanentError], ...] = (
    InvalidEvent,
    ConfigurationError,
    BucketNotFound,
    ObjectNotFound,
    AccessDenied,
    EncryptionKeyUnavailable,
    ImageTooLarge,
    InvalidImage,
    ImageHasNoContent,
    ModelRejectedImage,
    InvalidInference,
    ThresholdNotMet,
    NoneOfTheClasses,
)
TRANSIENT: tuple[type[TransientError], ...] = (ModelNotReady, ModelUnavailable, Throttled, StorageUnavailable)
