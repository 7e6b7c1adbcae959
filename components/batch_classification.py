"""BatchClassification: everything under a prefix is classified at once, as if each photo had been uploaded.

A state machine with a Distributed Map, whose children go through a ClassificationWorkflow's functions, table, queue and
bus. Nothing starts it by itself: `python -m operations batch` does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NotRequired, TypedDict

import pulumi
from pulumi_aws import iam as aws_iam
from pulumi_aws import sfn

from components.parts import bounds, iam
from components.parts.alarms import FIVE_MINUTES, AlarmSpec
from components.parts.arguments import Arguments
from components.parts.batch_machine import batch_definition
from components.parts.decision_places import STEPS, DecisionPlacesArgs, check_places
from components.parts.encryption import key_grant
from components.parts.metric_alarm import metric_alarm
from components.parts.state_machine import Resources
from components.parts.tags import tagged
from contract import prefixes
from contract.names import component_type

CONCURRENCY = 10
"""So few that drivers who wait meanwhile are hardly slowed down; docs/scale.md says what more takes."""
TOLERATED_FAILURE_PERCENT = 5


class BatchClassificationArgs(TypedDict):
    """What a BatchClassification takes: a bucket, and what a ClassificationWorkflow has made."""

    bucket: pulumi.Input[str]
    """Name of the bucket that the photos lie in, and that takes the results."""
    bucket_arn: pulumi.Input[str]
    """ARN of that bucket."""
    account_id: pulumi.Input[str]
    """The account's 12 digits; only its state machines may take the role."""
    places: DecisionPlacesArgs
    """A ClassificationWorkflow's functions, and where its decisions go: its property `places`."""
    concurrency: NotRequired[int]
    """How many photos are classified at a time, from 1 to 10000; 10 without it."""
    tolerated_failure_percent: NotRequired[float]
    """The share of faults above which a batch stops, in percent; 5 without it. A photo for a person is no fault."""
    kms_key_arn: NotRequired[str | None]
    """ARN of a customer's KMS key for bucket, table, queue, topic and bus; AWS's own encrypt without it."""


class BatchClassification(pulumi.ComponentResource):
    """The batch's state machine, its role, and an alarm for a batch that failed."""

    state_machine_arn: pulumi.Output[str]
    """Known when it may run."""

    def __init__(self, name: str, args: BatchClassificationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        _check(name, args)
        super().__init__(component_type("BatchClassification"), name, None, tagged("BatchClassification", opts))
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        role = aws_iam.Role(
            f"{name}-machine-role",
            assume_role_policy=pulumi.Output.from_input(args["account_id"]).apply(
                lambda account: iam.trust("states.amazonaws.com", account)
            ),
            opts=self._child,
        )
        policy = self._policy("machine", role, self._effects())
        machine = sfn.StateMachine(
            f"{name}-machine",
            # its children are Express; what starts them takes hours, and keeps its history
            type="STANDARD",
            role_arn=role.arn,
            definition=self._definition(),
            publish=True,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        # names the state machine, which names the role
        own = self._policy("run", role, machine.arn.apply(iam.run_map))
        metric_alarm(name, _failed(machine.arn), actions=[args["places"]["alert_topic_arn"]], opts=self._child)
        self.state_machine_arn = pulumi.Output.all(machine.arn, own.id).apply(lambda known: str(known[0]))
        self.register_outputs({"stateMachineArn": self.state_machine_arn})

    def _policy(
        self, what: str, role: aws_iam.Role, statements: pulumi.Output[list[iam.Statement]]
    ) -> aws_iam.RolePolicy:
        return aws_iam.RolePolicy(
            f"{self._name}-{what}-policy",
            role=role.name,
            policy=statements.apply(lambda known: iam.document(*known)),
            opts=self._child,
        )

    def _effects(self) -> pulumi.Output[list[iam.Statement]]:
        places = self._args["places"]
        key = self._args.get("kms_key_arn") or None
        return pulumi.Output.all(
            functions=[places["function_arns"][step] for step in STEPS],
            bucket=self._args["bucket_arn"],
            table=places["decisions_table_arn"],
            bus=places["event_bus_arn"],
            queue=places["review_queue_arn"],
            topic=places["alert_topic_arn"],
        ).apply(
            lambda known: [
                # every version, since a batch that is under way goes on with those it began with
                iam.invoke_functions([f"{arn}:*" for arn in known["functions"]]),
                iam.list_under(known["bucket"], prefixes.PHOTOS),
                iam.write_results(known["bucket"], prefixes.BATCH_RESULTS),
                iam.put_items(known["table"]),
                iam.put_events(known["bus"]),
                iam.send_messages(known["queue"]),
                iam.publish_alerts(known["topic"]),
                *key_grant(key, writes=True),
            ]
        )

    def _definition(self) -> pulumi.Output[str]:
        args, places = self._args, self._args["places"]
        concurrency = args.get("concurrency", CONCURRENCY)
        tolerated = args.get("tolerated_failure_percent", TOLERATED_FAILURE_PERCENT)

        def text(known: Mapping[str, str]) -> str:
            resources = Resources(
                **{key: value for key, value in known.items() if key != "bucket"},
                retention_days=places["decision_retention_days"],
                partition=known["alert_topic"].split(":")[1],
            )
            return json.dumps(
                batch_definition(resources, known["bucket"], concurrency=concurrency, tolerated_percent=tolerated)
            )

        return pulumi.Output.all(
            **{step: places["function_versions"][step] for step in STEPS},
            bucket=args["bucket"],
            decisions_table=places["decisions_table"],
            event_bus=places["event_bus_name"],
            review_queue_url=places["review_queue_url"],
            alert_topic=places["alert_topic_arn"],
        ).apply(text)


def _check(name: str, args: BatchClassificationArgs) -> None:
    given = Arguments("BatchClassification", name, args)
    given.required("bucket", bounds.BUCKET_NAME)
    given.required("bucket_arn", bounds.BUCKET_ARN)
    given.required("account_id", bounds.ACCOUNT_ID)
    given.given("places")
    given.optional("concurrency", bounds.BATCH_CONCURRENCY)
    given.optional("tolerated_failure_percent", bounds.TOLERATED_FAILURE_PERCENT)
    given.optional("kms_key_arn", bounds.KMS_KEY)
    given.refuse()
    check_places("BatchClassification", name, args["places"])


def _failed(state_machine_arn: pulumi.Input[str]) -> AlarmSpec:
    return AlarmSpec(
        key="failed",
        chapter="batch-failed",
        what="A batch failed: too many of its photos ended in a fault, or its prefix could not be read.",
        runbook=(
            "python -m operations batch --follow NAME says what became of the photos, with the faults by name; each is"
            " in the review queue; once the cause is gone, start the batch again with --attempt (docs/operations.md)."
        ),
        namespace="AWS/States",
        metric="ExecutionsFailed",
        dimensions={"StateMachineArn": state_machine_arn},
        statistic="Sum",
        threshold=0,
        period=FIVE_MINUTES,
        notify_on_recovery=False,  # the next five minutes without a failed batch repair nothing
    )
