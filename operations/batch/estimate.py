"""What a batch takes: hours and dollars, and which limit binds first. Pure, for `--dry-run` and docs/scale.md alike."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from contract.limits import FUNCTION_MEMORY_MB
from contract.prices import Price, Table

EXPRESS_GB = 64 / 1024
"""What an execution of our size is charged for: memory in steps of 64 MB (aws.amazon.com/step-functions/pricing)."""
EXPRESS_STEP = 0.1
"""Seconds to which its duration is rounded up."""
KEYS_A_LIST = 1000
"""Objects a LIST request answers (S3 API reference, ListObjectsV2)."""
CALLS_OF_A_REVIEW = 3
"""Requests to SQS for a message: send, receive, delete."""
STANDARD_TRANSITIONS = 7
"""State transitions of an accepted photo, IsPhoto to Routed; a Standard child would be charged for each."""
Scope = Literal["setting", "account", "service", "endpoint"]


@dataclass(frozen=True, slots=True)
class ModelCapacity:
    """What answers: instances, or a serverless endpoint's invocations at once."""

    instances: int
    answers_at_once: int
    """Of one instance: its processors; of a serverless endpoint 1 each."""
    instance_type: str = ""
    """Empty for a serverless endpoint."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A limit, as photos a second."""

    name: str
    a_second: float
    scope: Scope
    source: str
    raised_by: str


@dataclass(frozen=True, slots=True)
class BatchCost:
    """One line of the bill."""

    what: str
    quantity: float
    price: Price

    @property
    def usd(self) -> float | None:
        """None where no price was found."""
        return None if self.price.usd is None else self.quantity / self.price.per * self.price.usd


@dataclass(frozen=True, slots=True)
class BatchEstimate:
    """A batch on paper."""

    photos: int
    rates: Sequence[Rate]
    """Slowest first."""
    costs: Sequence[BatchCost]
    reviews: float
    """Photos for a person."""
    answering_seconds: float
    """What people take for those."""
    standard_usd: float
    """What the state transitions would cost were the children Standard."""

    @property
    def binds(self) -> Rate:
        """The limit that is reached first."""
        return self.rates[0]

    @property
    def seconds(self) -> float:
        """How long the batch takes at that rate."""
        return self.photos / self.binds.a_second

    @property
    def usd(self) -> float:
        """All that has a price."""
        return sum(cost.usd or 0 for cost in self.costs)


def seconds_of_steps(table: Table, model_seconds: float) -> dict[str, float]:
    """How long each function takes for a photo; Classify waits for the model."""
    assumed = table.assumptions
    return {
        "serialize": assumed["seconds_of_serialize"],
        "classify": assumed["seconds_of_waiting"] + model_seconds,
        "filter": assumed["seconds_of_filter"],
    }


def instances_for(photos: int, hours: float, model_seconds: float, answers_at_once: int) -> int:
    """How many instances answer so many photos in so many hours."""
    return max(1, math.ceil(photos * model_seconds / (hours * 3600 * answers_at_once)))


def estimate_batch(
    photos: int,
    table: Table,
    endpoint: ModelCapacity,
    *,
    concurrency: int,
    model_seconds: float,
    lambda_concurrency: int = 1000,
) -> BatchEstimate:
    """Estimate a batch.

    Args:
        photos: how many.
        table: prices and assumptions.
        endpoint: what answers.
        concurrency: the setting `batchConcurrency`.
        model_seconds: what the model computes for a picture.
        lambda_concurrency: of the account, for all its functions.
    """
    steps = seconds_of_steps(table, model_seconds)
    child = sum(steps.values()) + table.assumptions["seconds_between_steps"]
    reviews = photos * table.assumptions["review_share"]
    rates = _rates(table, endpoint, concurrency, model_seconds, lambda_concurrency, steps, child)
    costs = _costs(photos, reviews, table, steps, child)
    slowest = sorted(rates, key=lambda rate: rate.a_second)
    seconds = photos / slowest[0].a_second
    if endpoint.instance_type:
        hosting = table.price(f"sagemaker.hosting.{endpoint.instance_type}", "hours")
        costs.append(BatchCost("the endpoint meanwhile, paid anyway", seconds / 3600 * endpoint.instances, hosting))
    transitions = BatchCost("", photos * STANDARD_TRANSITIONS, table.price("states.transitions", "transitions"))
    answering = reviews * table.assumptions["seconds_of_an_answer"]
    return BatchEstimate(photos, slowest, costs, reviews, answering, transitions.usd or 0)


def _rates(
    table: Table,
    endpoint: ModelCapacity,
    concurrency: int,
    model_seconds: float,
    lambda_concurrency: int,
    steps: dict[str, float],
    child: float,
) -> list[Rate]:
    quotas = "AWS Service Quotas"
    return [
        Rate("batchConcurrency", concurrency / child, "setting", "Pulumi.yaml", "the setting"),
        Rate(
            "the endpoint's instances",
            endpoint.instances * endpoint.answers_at_once / model_seconds,
            "endpoint",
            "an answer at a time and processor is assumed",
            "endpointMinInstances, endpointInstanceType; the quota `<type> for endpoint usage`",
        ),
        Rate(
            "Lambda's concurrency",
            lambda_concurrency / sum(steps.values()),
            "account",
            f"{quotas}, lambda: Concurrent executions (L-B99A9384), 1,000; a new account may have less",
            "an increase of the quota",
        ),
        Rate(
            "a Map Run's children at a time",
            10_000 / child,
            "service",
            "Step Functions Developer Guide, Map state in Distributed mode: 10,000",
            "a second batch beside it",
        ),
        Rate(
            "S3's reads of a prefix",
            5500 / table.assumptions["reads_a_photo"],
            "service",
            "AWS re:Post knowledge center: 5,500 GET and HEAD a second and partitioned prefix",
            "S3 divides a busy prefix by itself; more prefixes",
        ),
        Rate(
            "the decisions table's writes",
            40_000 / table.assumptions["item_kilobytes"],
            "account",
            f"{quotas}, dynamodb: Table-level write throughput limit (L-AB614373), 40,000",
            "an increase of the quota; a table that was idle takes a while to get there",
        ),
        Rate(
            "EventBridge's PutEvents",
            10_000,
            "account",
            f"{quotas}, events: PutEvents throttle limit (L-9B653E91), 10,000 a second in us-east-1",
            "an increase of the quota",
        ),
    ]


def _costs(photos: int, reviews: float, table: Table, steps: dict[str, float], child: float) -> list[BatchCost]:
    assumed = table.assumptions

    def line(what: str, quantity: float, key: str, unit: str) -> BatchCost:
        return BatchCost(what, quantity, table.price(key, unit))

    charged = math.ceil(round(child / EXPRESS_STEP, 6)) * EXPRESS_STEP
    kilobytes = assumed["log_kilobytes_an_invocation"]

    def busy(step: str, seconds: float) -> BatchCost:
        gigabytes = FUNCTION_MEMORY_MB[step] / 1024
        return line(f"{step}'s time", photos * seconds * gigabytes, "lambda.gb_seconds.arm64", "GB-s")

    return [
        line("children started", photos, "states.express.requests", "requests"),
        line("children's time", photos * charged * EXPRESS_GB, "states.express.gb_seconds", "GB-s"),
        line("functions invoked", photos * len(steps), "lambda.requests", "requests"),
        *(busy(step, seconds) for step, seconds in steps.items()),
        line("functions' logs", photos * len(steps) * kilobytes / 1_000_000, "logs.ingested", "GB"),
        line("objects listed, twice", 2 * math.ceil(photos / KEYS_A_LIST), "s3.put", "requests"),
        line("photos read", photos * assumed["reads_a_photo"], "s3.get", "requests"),
        line("decisions written", photos * assumed["item_kilobytes"], "dynamodb.writes", "write request units"),
        line("decisions published", photos - reviews, "events.custom", "events"),
        line("photos for a person", reviews * CALLS_OF_A_REVIEW, "sqs.requests", "requests"),
    ]
