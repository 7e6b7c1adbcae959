"""What a ClassificationWorkflow has made that another state machine decides photos with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

import pulumi

from components.parts import bounds
from components.parts.arguments import Arguments

STEPS = ("serialize", "classify", "filter")


class DecisionPlacesArgs(TypedDict):
    """A ClassificationWorkflow's functions, and where its decisions go: its property `places`."""

    function_arns: Mapping[str, pulumi.Input[str]]
    """ARNs of the functions `serialize`, `classify` and `filter`, any version of which may be invoked."""
    function_versions: Mapping[str, pulumi.Input[str]]
    """ARNs of the versions of these functions that are invoked."""
    decisions_table: pulumi.Input[str]
    """Name of the table that decisions are recorded in."""
    decisions_table_arn: pulumi.Input[str]
    """ARN of that table."""
    event_bus_name: pulumi.Input[str]
    """Name of the event bus that decisions are published on."""
    event_bus_arn: pulumi.Input[str]
    """ARN of that bus."""
    review_queue_url: pulumi.Input[str]
    """URL of the queue for photos that a person decides."""
    review_queue_arn: pulumi.Input[str]
    """ARN of that queue."""
    alert_topic_arn: pulumi.Input[str]
    """ARN of the topic that is told of a photo that no queue took."""
    decision_retention_days: int
    """Days after which recorded decisions are deleted, from 1 to 3650."""


def check_places(component: str, name: str, places: DecisionPlacesArgs) -> None:
    """Refuse what can't be.

    Raises:
        ArgumentError: with every mistake.
    """
    given = Arguments(component, name, places)
    for argument, bound in (
        ("function_arns", bounds.FUNCTION_ARN),
        ("function_versions", bounds.FUNCTION_VERSION_ARN),
    ):
        given.each(argument, bound)
        given.names(argument, STEPS)
    given.required("decisions_table", bounds.TABLE_NAME)
    given.required("decisions_table_arn", bounds.TABLE_ARN)
    given.required("event_bus_name", bounds.EVENT_BUS_NAME)
    given.required("event_bus_arn", bounds.EVENT_BUS_ARN)
    given.required("review_queue_url", bounds.QUEUE_URL)
    given.required("review_queue_arn", bounds.QUEUE_ARN)
    given.required("alert_topic_arn", bounds.TOPIC_ARN)
    given.required("decision_retention_days", bounds.RETENTION_DAYS)
    given.refuse()
