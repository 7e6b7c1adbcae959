"""The faults, as data: what is done, how it ends, where a person finds it, and what that person reads.

Those that name no `proof` are done by `test_faults.py` on one stack of the local cloud; the others are proven by the
test that they name. `around.py` holds what happens
around photos; `docs/faults.md` is written from both (`python -m tests.faults.page`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from tests.faults.endpoint import FINE, Answer, container, refused

Found = Literal["decided", "review", "recorded", "ended", "letter", "nothing", "elsewhere"]
"""decided: one row and one event, nothing for a person. review: one message in the review queue, and an alert.
recorded: the same, with a row of an accepted decision whose event nobody heard. ended: the rule on ended executions put
it into the review queue. letter: the dead-letter queue. nothing: no photo, no execution. elsewhere: see `seen`."""

WHERE: Mapping[Found, str] = {
    "decided": "decided, as without the fault",
    "review": "review queue, alert",
    "recorded": "review queue, alert",
    "ended": "review queue (rule on ended executions)",
    "letter": "dead-letter queue, alarm",
    "nothing": "nowhere: there is nothing to find",
}


@dataclass(frozen=True)
class Fault:
    """One row."""

    name: str
    what: str
    end: str
    """The error of the execution, `accepted`, or what a command says."""
    found: Found
    seen: str = ""
    """What the message says, as far as it is always the same; for those found elsewhere, where and what."""
    proof: str = ""
    file: str = ""
    """Which file is sent, as `files.py` calls it; a photo that would be accepted without one."""
    acts: Mapping[str, str] = field(default_factory=dict)
    """What functions do to it, as `misbehaving.py` knows it."""
    gone: Sequence[str] = ()
    """Services that fail for it."""
    answers: Sequence[Answer] = ()
    """Of the endpoint, one a request, the last one for ever."""
    sent: str = ""
    """How it is sent, as `sending.py` calls it; uploaded once without one."""

    @property
    def quoted(self) -> bool:
        """Whether `seen` is what the message says."""
        return self.found in ("review", "recorded", "ended") and bool(self.seen)


PHOTOS = (
    Fault("missing", "An event names an object that is not there", "ObjectNotFound", "review",
          "there is no object s3://", sent="started"),
    Fault("deleted", "A version is deleted between event and fetch", "ObjectNotFound", "review",
          "there is no object s3://", acts={"serialize": "late"}, sent="deleted"),
    Fault("hidden", "An object is deleted meanwhile, and its version kept", "accepted", "decided",
          acts={"serialize": "late"}, sent="hidden"),
    Fault("overwritten", "A photo is overwritten between event and fetch", "accepted", "decided",
          "each version is decided for itself", acts={"serialize": "late"}, sent="overwritten"),
    Fault("empty", "A file of no bytes", "InvalidImage", "review", "is empty", file="empty"),
    Fault("truncated", "A photo whose upload was cut off", "InvalidImage", "review", "the photo is damaged or cut off",
          file="truncated"),
    Fault("no-image", "A text under a photo's name", "InvalidImage", "review",
          "the file is text, which is not read; send a JPEG", file="text"),
    Fault("bomb", "A few bytes that say 100,000 x 100,000 pixels", "ImageTooLarge", "review",
          "at most 50,000,000 pixels are allowed", file="bomb"),
    Fault("hundred-megabytes", "A file of 100 MB", "ImageTooLarge", "review", "at most 20,000,000 are allowed",
          sent="100 MB"),
    Fault("nothing-to-see", "A photo of one colour", "ImageHasNoContent", "review",
          "the photo shows nothing", file="grey"),
    Fault("folder", "A console makes a folder", "no execution", "nothing", sent="folder"),
    Fault("odd +%2F é 🚲", "A key with spaces, signs and letters of all kinds", "accepted", "decided"),
    Fault("key-disabled", "The KMS key of the photo is disabled", "EncryptionKeyUnavailable", "review",
          proof="tests/handlers/test_serialize.py::test_what_s3_answers_becomes_a_fault_with_its_name"),
    Fault("archived", "The photo was moved to an archive", "ObjectNotFound", "review",
          proof="tests/handlers/test_serialize.py::test_what_s3_answers_becomes_a_fault_with_its_name"),
    Fault("storage-down", "S3 fails or breaks off", "StorageUnavailable, after 6 attempts", "review",
          proof="tests/handlers/test_serialize.py::test_a_download_that_breaks_off_can_be_tried_again"),
)  # fmt: skip
EVENTS = (
    Fault("duplicate", "The event of an accepted photo comes again", "accepted", "decided",
          "the first decision stands, and is told once", sent="twice"),
    Fault("at-once", "Five events of one photo at once", "accepted", "decided",
          "the first decision stands, and is told once", sent="five at once"),
    Fault("duplicate-unsure", "The event of a photo for a person comes again", "ThresholdNotMet", "review",
          "THRESHOLD_CONFIDENCE_NOT_MET", file="unsure", sent="twice"),
    Fault("out-of-order", "The event of a newer version comes first", "accepted", "decided",
          "each version is decided for itself", sent="out of order"),
    Fault("no-version", "An event names no version", "accepted", "decided", "the newest version is decided",
          sent="without version"),
    Fault("no-photo", "An event names no photo", "InvalidEvent", "review",
          "s3_bucket must be a non-empty string", sent="without photo"),
    Fault("undelivered", "The state machine is gone when the event comes", "no execution", "letter",
          sent="undelivered"),
)  # fmt: skip
ENDPOINT = (
    Fault("throttled-twice", "The endpoint throttles twice", "accepted", "decided",
          answers=(*[refused(429, "ThrottlingException")] * 2, FINE)),
    Fault("throttled", "The endpoint throttles for ever", "Throttled", "review", "asks to slow down",
          answers=(refused(429, "ThrottlingException"),)),
    Fault("failing-twice", "The model answers two server errors", "accepted", "decided",
          answers=(*[container(500)] * 2, FINE)),
    Fault("failing", "The model answers server errors for ever", "ModelUnavailable", "review", "answered 500",
          answers=(container(500),)),
    Fault("unavailable", "SageMaker is unavailable for ever", "ModelUnavailable", "review", "SageMaker answered 503",
          answers=(refused(503, "ServiceUnavailable"),)),
    Fault("slow-once", "One answer comes after the time-out", "accepted", "decided",
          answers=(Answer(-1, seconds=2.6), FINE)),
    Fault("slow", "Every answer comes after the time-out", "ModelUnavailable", "review",
          "could not be reached in time", answers=(Answer(-1, seconds=2.6),)),
    Fault("hung-up", "The connection is closed without an answer", "accepted", "decided", answers=(Answer(0), FINE)),
    Fault("endpoint-gone", "There is no endpoint", "ModelNotReady", "review", "not found",
          answers=(refused(400, "ValidationError", "Endpoint scones-dev of account 000000000000 not found."),)),
    Fault("endpoint-new", "The endpoint is still being made", "accepted", "decided",
          answers=(*[refused(429, "ModelNotReadyException")] * 2, FINE)),
    Fault("endpoint-updating", "The endpoint is being updated", "accepted", "decided",
          proof="tests/localcloud/sagemaker/test_rollouts.py::"
          "test_a_canary_of_one_in_two_instances_gets_every_other_photo_and_then_all_follow"),
    Fault("endpoint-denied", "The function may not invoke the endpoint", "AccessDenied", "review",
          "may not be invoked", answers=(refused(403, "AccessDeniedException"),)),
    Fault("endpoint-refuses", "The model refuses the picture", "ModelRejectedImage", "review", "answered 400",
          answers=(container(400),)),
    Fault("says-text", "The endpoint answers text", "InvalidInference", "review", "must be a JSON list of numbers",
          answers=(Answer(200, b"a bicycle, I think"),)),
    Fault("says-nan", "The endpoint answers NaN", "InvalidInference", "review", "must be a number from 0 to 1",
          answers=(Answer(200, b"[NaN, 0.5, 0.5]"),)),
    Fault("says-less", "The endpoint answers too few numbers", "InvalidInference", "review", "must hold 3 numbers",
          answers=(Answer(200, b"[0.9, 0.1]"),)),
    Fault("says-too-much", "The endpoint's numbers are no distribution", "InvalidInference", "review", "must sum to 1",
          answers=(Answer(200, b"[1.0, 1.0, 1.0]"),)),
    Fault("says-nothing", "The endpoint answers nothing", "InvalidInference", "review",
          "must be a JSON list of numbers", answers=(Answer(200, b""),)),
    Fault("says-empty", "The endpoint answers an empty list", "InvalidInference", "review", "must hold 3 numbers",
          answers=(Answer(200, b"[]"),)),
)  # fmt: skip
FUNCTIONS = (
    Fault("crash-serialize", "Serialize's process ends hard", "Runtime.ExitError", "review", "Runtime exited",
          acts={"serialize": "crash"}),
    Fault("crash-filter", "Filter's process ends hard", "Runtime.ExitError", "review", "Runtime exited",
          acts={"filter": "crash"}),
    Fault("memory", "Serialize runs out of memory, and is killed", "Runtime.ExitError", "review", "Runtime exited",
          acts={"serialize": "out of memory"}),
    Fault("sleep", "Filter takes longer than it may", "Sandbox.Timedout", "review", "timed out",
          acts={"filter": "sleep"}),
    Fault("six-megabytes", "Classify answers 6.5 MB", "Function.ResponseSizeTooLarge", "review",
          "exceeded maximum allowed payload size", acts={"classify": "6 MB"}),
    Fault("too-much", "Classify answers 300 kB, which no state may pass on", "States.DataLimitExceeded", "ended",
          "exceeding the maximum number of bytes", acts={"classify": "300 kB"}),
    Fault("no-json", "Filter answers what is no JSON", "Runtime.MarshalError", "review", "Unable to marshal response",
          acts={"filter": "no JSON"}),
    Fault("answers-nothing", "Serialize answers nothing", "InvalidEvent", "review", "the event must be an object",
          acts={"serialize": "nothing"}),
    Fault("answers-text", "Filter answers a text", "QueryEvaluationError", "review", "", acts={"filter": "text"}),
    Fault("answers-less", "Filter answers an object that lacks what is recorded", "QueryEvaluationError", "review", "",
          acts={"filter": "less"}),
    Fault("bug", "Classify raises what nobody thought of", "ZeroDivisionError", "review", "division by zero",
          acts={"classify": "bug"}),
    Fault("unable-to-start", "Filter's layer lacks a package", "Runtime.ImportModuleError", "review",
          "a_package_that_the_layer_lacks", acts={"filter": "unable to start"}),
    Fault("not-let-run", "Lambda lets Classify run no more at once", "Lambda.TooManyRequestsException", "review", "",
          acts={"classify": "not let run"}),
    Fault("function-gone", "Classify was deleted", "Lambda.ResourceNotFoundException", "review", "",
          acts={"classify": "gone"}),
    Fault("setting-wrong", "A function's environment is wrong", "ConfigurationError", "review",
          proof="tests/handlers/test_filter.py::test_a_threshold_that_is_no_probability_is_the_stacks_fault"),
)  # fmt: skip
SERVICES = (
    Fault("no-table", "The decisions table is gone", "DynamoDB.ResourceNotFoundException", "review", "",
          gone=("table",)),
    Fault("no-table-unsure", "The table is gone, and the photo for a person", "ThresholdNotMet", "review",
          "THRESHOLD_CONFIDENCE_NOT_MET", file="unsure", gone=("table",)),
    Fault("table-throttles", "The table throttles for ever", "DynamoDB.ThrottlingException, after 4 attempts",
          "review", proof="tests/judges/test_paths.py::test_a_decision_that_cannot_be_kept_or_told_goes_to_a_person"),
    Fault("no-bus", "The bus refuses the event of an accepted photo", "EventBridge.FailedEntry", "recorded", "",
          gone=("bus",)),
    Fault("no-topic", "The alert topic is gone, and the photo is broken", "InvalidImage", "review",
          "the file is text, which is not read; send a JPEG",
          file="text", gone=("topic",)),
    Fault("no-queue", "The review queue is gone, and the photo is broken", "InvalidImage", "ended",
          "(not in the review queue: ", file="text", gone=("queue",)),
    Fault("no-queue-no-topic", "Queue and topic are gone, and the photo is broken", "InvalidImage", "ended",
          "(not in the review queue: ", file="text", gone=("queue", "topic")),
    Fault("no-queue-at-all", "Nor can the rule on ended executions deliver", "InvalidImage", "letter", file="text",
          gone=("queue",), sent="queue gone"),
)  # fmt: skip
EXECUTIONS = (
    Fault("aborted", "Somebody aborts the execution", "ABORTED", "ended", "", acts={"serialize": "nap"},
          sent="aborted"),
    Fault("replaced", "The definition is replaced while the execution runs", "accepted", "decided",
          "the execution goes on with the definition that it began with", acts={"serialize": "late"}, sent="replaced"),
    Fault("new-threshold", "`up` changes the threshold between two photos", "each by its own threshold", "decided",
          proof="tests/localcloud/test_stack.py::"
          "test_a_changed_setting_changes_what_it_must_and_photos_and_reviews_survive"),
)  # fmt: skip
RUN: tuple[tuple[str, Sequence[Fault]], ...] = (
    ("The photo", PHOTOS),
    ("The event", EVENTS),
    ("The endpoint", ENDPOINT),
    ("The functions", FUNCTIONS),
    ("The services around them", SERVICES),
    ("The execution", EXECUTIONS),
)
"""What happens to a photo."""
