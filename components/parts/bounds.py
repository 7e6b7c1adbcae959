"""What a value may be, with the words for it: the bounds that settings and components share."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from contract.limits import MEGA, MOST_IMAGE_MEGABYTES, MOST_IMAGE_MEGAPIXELS
from contract.loading_bays import dimension_of, problem_with_bay


def shown(value: object) -> str:
    """A value as a person would have written it."""
    text = "nothing" if value is None else json.dumps(value, ensure_ascii=False, default=str)
    # half a character (a lone surrogate) can't be printed
    return text.encode("utf-8", "backslashreplace").decode()


def near(name: str, known: Sequence[str]) -> str:
    """A question that names what is spelled like `name`, or nothing."""
    matches = difflib.get_close_matches(name, known, n=2)
    return f"did you mean {' or '.join(matches)}?" if matches else ""


class Bound(Protocol):
    """Which values are taken; `allowed` says it, to be read after "must"."""

    @property
    def allowed(self) -> str:
        """Such as "be a whole number from 1 to 100"."""
        ...

    def takes(self, value: object) -> bool:
        """Whether the value is one of them."""
        ...


class WholeNumber(NamedTuple):
    """A whole number between two bounds, both allowed."""

    least: int
    most: int

    @property
    def allowed(self) -> str:
        """The bounds."""
        return f"be a whole number from {self.least} to {self.most}"

    def takes(self, value: object) -> bool:
        """Whether it is whole and within the bounds; true and false are no numbers."""
        return isinstance(value, int) and not isinstance(value, bool) and self.least <= value <= self.most


class Number(NamedTuple):
    """A number between two bounds, both allowed."""

    least: int
    most: int

    @property
    def allowed(self) -> str:
        """The bounds."""
        return f"be a number from {self.least} to {self.most}"

    def takes(self, value: object) -> bool:
        """Whether it is within the bounds; NaN is not."""
        return isinstance(value, int | float) and not isinstance(value, bool) and self.least <= value <= self.most


class OneOf(NamedTuple):
    """One of a few whole numbers."""

    numbers: tuple[int, ...]

    @property
    def allowed(self) -> str:
        """All of them."""
        return f"be one of {', '.join(str(number) for number in self.numbers)}"

    def takes(self, value: object) -> bool:
        """Whether it is one; true is not 1."""
        return isinstance(value, int) and not isinstance(value, bool) and value in self.numbers


class Boolean(NamedTuple):
    """True or false."""

    allowed: str = "be true or false"

    def takes(self, value: object) -> bool:
        """Whether it is one of the two; 0 and 1 are numbers."""
        return isinstance(value, bool)


class Text(NamedTuple):
    """A text that matches a pattern as a whole."""

    pattern: str
    what: str
    """What such a text is, as "the ARN of a KMS key"."""

    @property
    def allowed(self) -> str:
        """What it is."""
        return f"be {self.what}"

    def takes(self, value: object) -> bool:
        """Whether it is a text, and matches."""
        return isinstance(value, str) and re.fullmatch(self.pattern, value) is not None


def arn(service: str, resource: str, what: str) -> Text:
    """The ARN of something.

    Args:
        service: as ARNs have it, such as `s3`.
        resource: a pattern for what follows the account.
        what: what it is.
    """
    return Text(rf"arn:aws[a-z-]*:{service}:[a-z0-9-]*:([0-9]{{12}})?:{resource}", f"the ARN of {what}")


YES_OR_NO = Boolean()
RETENTION_DAYS = WholeNumber(1, 3650)
OLD_PHOTO_DAYS = 15
"""Days that the old version of a photo is kept: a day more than SQS keeps the message of one that waits for a person
(SQS API reference, MessageRetentionPeriod)."""
PHOTO_RETENTION_DAYS = WholeNumber(2 * OLD_PHOTO_DAYS, 3650)
"""Old versions included: what nobody touches is there for as long as it may wait for a person."""
LOG_RETENTION_DAYS = OneOf(
    (
        *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
        *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
    )
)
"""What CloudWatch Logs takes (API reference, PutRetentionPolicy)."""
TRAINING_MINUTES = WholeNumber(5, 5 * 24 * 60)
RETRAINING_MINUTES = WholeNumber(5, 1980)
"""A build may last 36 hours (CodeBuild API reference, CreateProject), three of which are for what is no training."""
SERVERLESS_MEMORY_MB = OneOf((1024, 2048, 3072, 4096, 5120, 6144))
"""What serverless endpoints take (SageMaker API reference, ProductionVariantServerlessConfig)."""
SERVERLESS_CONCURRENCY = WholeNumber(1, 200)
INSTANCES = WholeNumber(1, 20)
CAPTURE_PERCENT = WholeNumber(0, 100)
BUDGET_DOLLARS = WholeNumber(0, 10_000_000)
"""US dollars a month; 0 for no budget."""
REVIEW_RATE_PERCENT = Number(1, 100)
IMAGE_MEGABYTES = WholeNumber(1, MOST_IMAGE_MEGABYTES)
IMAGE_MEGAPIXELS = WholeNumber(1, MOST_IMAGE_MEGAPIXELS)
IMAGE_BYTES = WholeNumber(1, MOST_IMAGE_MEGABYTES * MEGA)
IMAGE_PIXELS = WholeNumber(1, MOST_IMAGE_MEGAPIXELS * MEGA)
IMAGE_SIZE = WholeNumber(1, 250)
"""Pixels a side of what the model takes: a PNG has up to three bytes a pixel, base64 adds a third, and a state passes
on at most 256 KiB (Step Functions, "Quotas")."""
BATCH_CONCURRENCY = WholeNumber(1, 10_000)
"""What a Map Run takes (Step Functions, "Quotas"); a Lambda account begins with 1,000 for all functions together."""
TOLERATED_FAILURE_PERCENT = Number(0, 100)
EMAIL = Text(r"[!-?A-~]+@[!-?A-~]+\.[!-?A-~]+", "an e-mail address in ASCII")
"""ASCII without blanks, as SNS takes endpoints of the protocol email."""
KMS_KEY = Text(r"(?a)arn:aws[\w-]*:kms:[\w-]+:\d{12}:key/[\w-]+", "the ARN of a KMS key")
ENDPOINT_NAME = Text(r"(?!.{64})[a-zA-Z0-9](-*[a-zA-Z0-9])*", "1 to 63 letters and digits with hyphens between them")
"""SageMaker API reference, CreateEndpoint and ProductionVariant."""
REGISTER_NAME = ENDPOINT_NAME
"""SageMaker API reference, CreateModelPackageGroup."""
BUCKET_NAME = Text(
    r"(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
    "the name of a bucket, 3 to 63 small letters, digits, dots and hyphens",
)
"""S3 User Guide, "General purpose bucket naming rules"."""
QUEUE_NAME = Text(r"[A-Za-z0-9_-]{1,80}", "the name of a queue, 1 to 80 letters, digits, - and _")
"""SQS API reference, CreateQueue; one that keeps no order."""
FUNCTION_NAME = Text(r"[A-Za-z0-9_-]{1,64}", "the name of a function, 1 to 64 letters, digits, - and _")
"""Lambda API reference, CreateFunction."""
REGION = Text(r"[a-z]{2,4}(-[a-z]+)+-[0-9]", "a region such as us-east-1")
ACCOUNT_ID = Text(r"[0-9]{12}", "an account's 12 digits")
MODEL_NAME = Text(r"(?s)(?=.*\S).{1,256}", "a text of 1 to 256 characters")
PATH = Text(r"(?s).*\S.*", "a path")
BUCKET_ARN = arn("s3", r"[a-z0-9.-]{3,63}", "a bucket")
ENDPOINT_ARN = arn("sagemaker", r"endpoint/[A-Za-z0-9-]{1,63}", "an endpoint")
REGISTER_ARN = arn("sagemaker", r"model-package-group/[A-Za-z0-9-]{1,63}", "a group of model packages")
ROLE_ARN = arn("iam", r"role/(?a:[\w+=,.@/-]{1,512})", "a role")
STATE_MACHINE_ARN = arn("states", r"stateMachine:[^:]{1,80}", "a state machine")
FUNCTION_ARN = arn("lambda", r"function:[A-Za-z0-9_-]{1,64}", "a function, without a version")
FUNCTION_VERSION_ARN = arn("lambda", r"function:[A-Za-z0-9_-]{1,64}:[0-9]+", "a function's version")
TABLE_NAME = Text(r"[A-Za-z0-9_.-]{3,255}", "the name of a table, 3 to 255 letters, digits, _, . and -")
"""DynamoDB API reference, CreateTable."""
TABLE_ARN = arn("dynamodb", r"table/[A-Za-z0-9_.-]{3,255}", "a table")
QUEUE_URL = Text(r"https?://\S+/[A-Za-z0-9_-]{1,80}", "the URL of a queue")
QUEUE_ARN = arn("sqs", r"[A-Za-z0-9_-]{1,80}", "a queue")
EVENT_BUS_NAME = Text(r"[/.A-Za-z0-9_-]{1,256}", "the name of an event bus")
TOPIC_ARN = arn("sns", r"[A-Za-z0-9_-]{1,256}", "a topic")
LAYER_ARN = arn("lambda", r"layer:[A-Za-z0-9_-]{1,140}:[0-9]+", "a layer's version")
EVENT_BUS_ARN = arn("events", r"event-bus/[/.A-Za-z0-9_-]{1,256}", "an event bus")
MOST_LABEL_BYTES = 3072
"""Of the 4 KB that all environment variables of a function may take (AWS, "Lambda quotas"); the rest is names."""


class Problem(NamedTuple):
    """What is wrong below an argument or a setting."""

    below: str
    """Which part of it, such as `.bicycle`; empty for the whole."""
    allowed: str
    got: str


def problems_with_bays(
    bays: Mapping[str, object], classes: Sequence[str], *, classes_are_good: bool
) -> Iterator[Problem]:
    """What is wrong with the bays of a stack's classes.

    Args:
        bays: class -> bay.
        classes: those that need one.
        classes_are_good: whether to compare the two; false when `classes` itself is wrong.
    """
    named = named_bays(bays)
    wrong = False
    for name, bay in named.items():
        if problem := problem_with_bay(bay):
            wrong = True
            yield Problem(f".{name}", problem, shown(bay))
    by_dimension: dict[str, str] = {}
    for bay in named.values():
        other = by_dimension.setdefault(dimension_of(bay), bay)
        if other != bay:
            wrong = True
            allowed = "name bays that metrics can tell apart, which write them in ASCII"
            yield Problem("", allowed, f"{shown(other)} and {shown(bay)}")
    size = len(json.dumps(named)) + len(json.dumps(list(classes)))
    if size > MOST_LABEL_BYTES:
        wrong = True
        yield Problem("", f"take at most {MOST_LABEL_BYTES} bytes as JSON together with classes", str(size))
    if wrong or not classes_are_good:
        return
    for name in classes:
        if name not in named:
            yield Problem("", f"name a bay for {name}", shown(bays.get(name)))
    for name in bays:
        if name not in classes:
            hint = near(name, classes) or f"the classes are {', '.join(classes)}"
            yield Problem("", "name bays of the classes alone", f"one for {name} ({hint})")


def named_bays(bays: Mapping[str, object]) -> dict[str, str]:
    """Those that are texts and not empty, without blanks around them."""
    return {name: bay.strip() for name, bay in bays.items() if isinstance(bay, str) and bay.strip()}
