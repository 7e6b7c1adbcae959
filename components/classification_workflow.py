"""ClassificationWorkflow: from an object that arrives to a decision that is recorded and told.

Three functions, the state machine that joins them, what starts it, and where its decisions go.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, NotRequired, TypedDict

import pulumi
from pulumi_aws import cloudwatch, dynamodb, lambda_, sfn, sns, sqs
from pulumi_aws import iam as aws_iam

from components.parts import bounds, iam
from components.parts.arguments import Arguments
from components.parts.decision_places import DecisionPlacesArgs
from components.parts.encryption import key_grant
from components.parts.function import lambda_function
from components.parts.layer import LayerError, require_layer
from components.parts.runtime import ARCHITECTURE, RUNTIME
from components.parts.state_machine import FUNCTION_TIMEOUTS, Resources, definition
from components.parts.tags import tagged
from contract import prefixes
from contract.decisions import NOT_QUEUED, STATUS_CHANGE
from contract.limits import FUNCTION_MEMORY_MB
from contract.names import component_type

TWO_WEEKS = 14 * 24 * 60 * 60
"""Seconds: the longest that SQS keeps a message."""
A_DAY = 24 * 60 * 60

Role = Literal["serialize", "classify", "filter"]
ROLES: tuple[Role, ...] = ("serialize", "classify", "filter")


class ClassificationWorkflowArgs(TypedDict):
    """What a ClassificationWorkflow takes."""

    bucket: pulumi.Input[str]
    """Name of the bucket that photos arrive in; it sends its events to EventBridge."""
    bucket_arn: pulumi.Input[str]
    """ARN of that bucket."""
    account_id: pulumi.Input[str]
    """The account's 12 digits; only its services may take the roles."""
    endpoint_name: pulumi.Input[str]
    """Name of the endpoint that answers with a probability per label."""
    endpoint_arn: pulumi.Input[str]
    """ARN of that endpoint: the one that may be invoked and described."""
    endpoint_configuration: pulumi.Input[str]
    """Name of the endpoint configuration that serves the model. Decisions name the model while the endpoint has this
    one and is not about to get another; else their model is `unknown`."""
    model_name: pulumi.Input[str]
    """What decisions name as their model: the training job."""
    classes: Sequence[str]
    """The labels that the model answers, in label order; `neither` last, where the model has it."""
    loading_bays: Mapping[str, str]
    """Class -> bay, for every class."""
    confidence_threshold: float
    """The least probability that is accepted, above 1 / labels and at most 1."""
    image_size: int
    """Pixels a side of what the model takes, from 1 to 250: its picture must fit into what a state passes on."""
    max_image_bytes: int
    """The largest photo, in bytes up to 100 million; a larger one is refused before it is downloaded."""
    max_image_pixels: int
    """The largest photo, in pixels (width times height) up to 120 million; a larger one is refused undecoded."""
    layer_path: str
    """The zip that `make layer` wrote."""
    decision_retention_days: int
    """Days after which recorded decisions are deleted, from 1 to 3650."""
    log_retention_days: int
    """Days after which logs are deleted: one of the values that CloudWatch Logs takes."""
    alert_email: NotRequired[str | None]
    """Who is told of unsure photos, faults and alarms; nobody without it."""
    budgets_may_publish: NotRequired[bool]
    """Whether this account's budgets may publish to the alert topic; they may not without it."""
    kms_key_arn: NotRequired[str | None]
    """ARN of a customer's KMS key for table, queues, topic, event bus and logs; AWS's own encrypt without it."""


class ClassificationWorkflow(pulumi.ComponentResource):
    """Functions, state machine, rule, table, queues, topic and event bus."""

    state_machine_arn: pulumi.Output[str]
    decisions_table: pulumi.Output[str]
    review_queue_url: pulumi.Output[str]
    review_queue_name: pulumi.Output[str]
    dead_letter_queue_url: pulumi.Output[str]
    dead_letter_queue_name: pulumi.Output[str]
    alert_topic_arn: pulumi.Output[str]
    event_bus_name: pulumi.Output[str]
    event_bus_arn: pulumi.Output[str]
    layer_arn: pulumi.Output[str]
    functions: Mapping[str, pulumi.Output[str]]
    """Names of the functions by what they do."""
    places: DecisionPlacesArgs
    """What another state machine decides photos with."""

    def __init__(self, name: str, args: ClassificationWorkflowArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        _check(name, args)
        super().__init__(component_type("ClassificationWorkflow"), name, None, tagged("ClassificationWorkflow", opts))
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self._key = args.get("kms_key_arn") or None
        try:
            layer_file = require_layer(Path(args["layer_path"]))
        except LayerError as error:
            # a RunError is printed without a traceback
            raise pulumi.RunError(str(error)) from error
        layer = lambda_.LayerVersion(
            f"{name}-layer",
            layer_name=f"{pulumi.get_project()}-{pulumi.get_stack()}",
            description="What handlers/requirements.txt pins",
            code=pulumi.FileArchive(str(layer_file)),
            compatible_runtimes=[RUNTIME],
            compatible_architectures=[ARCHITECTURE],
            opts=self._child,
        )
        self.layer_arn = layer.arn
        functions: dict[Role, lambda_.Function] = {role: self._function(role) for role in ROLES}
        self.functions = {role: function.name for role, function in functions.items()}
        table = self._table()
        review = self._queue("review")
        topic = self._topic()
        bus = cloudwatch.EventBus(
            f"{name}-decisions",
            description="Decisions, for whoever assigns orders",
            kms_key_identifier=self._key,
            opts=self._child,
        )
        machine = self._state_machine(functions, table, review, topic, bus)
        ended = self._rule_on_ended(machine)
        dead_letters = self._start_on_upload(machine, ended)
        self._send_ended_to_people(ended, review, dead_letters)
        self.state_machine_arn = machine.arn
        self.decisions_table = table.name
        self.review_queue_url, self.review_queue_name = review.url, review.name
        self.dead_letter_queue_url, self.dead_letter_queue_name = dead_letters.url, dead_letters.name
        self.event_bus_name, self.event_bus_arn = bus.name, bus.arn
        self.places = {
            "function_arns": {role: function.arn for role, function in functions.items()},
            "function_versions": {role: function.qualified_arn for role, function in functions.items()},
            "decisions_table": table.name,
            "decisions_table_arn": table.arn,
            "event_bus_name": bus.name,
            "event_bus_arn": bus.arn,
            "review_queue_url": review.url,
            "review_queue_arn": review.arn,
            "alert_topic_arn": topic.arn,
            "decision_retention_days": args["decision_retention_days"],
        }
        self.register_outputs(
            {
                "stateMachineArn": self.state_machine_arn,
                "decisionsTable": self.decisions_table,
                "reviewQueueUrl": self.review_queue_url,
                "alertTopicArn": self.alert_topic_arn,
                "eventBusName": self.event_bus_name,
                "functions": self.functions,
            }
        )

    def _function(self, role: Role) -> lambda_.Function:
        return lambda_function(
            f"{self._name}-{role}",
            f"handlers.{role}",
            service=role,
            statements=self._grants(role),
            environment=self._environment(role),
            layer_arn=self.layer_arn,
            memory_mb=FUNCTION_MEMORY_MB[role],
            timeout_seconds=FUNCTION_TIMEOUTS[role],
            log_retention_days=self._args["log_retention_days"],
            parent=self,
            # the state machine pins the version
            publish=True,
            kms_key_arn=self._key,
        ).function

    def _grants(self, role: Role) -> pulumi.Input[Sequence[iam.Statement]]:
        if role == "serialize":
            return pulumi.Output.from_input(self._args["bucket_arn"]).apply(
                lambda arn: [iam.read_objects(arn, prefixes.PHOTOS, versions=True), iam.list_bucket(arn)]
            )
        if role == "classify":
            return pulumi.Output.from_input(self._args["endpoint_arn"]).apply(
                lambda arn: [iam.invoke_endpoint(arn), iam.describe_endpoint(arn)]
            )
        return []

    def _environment(self, role: Role) -> dict[str, pulumi.Input[str]]:
        args = self._args
        classes = json.dumps(list(args["classes"]))
        own: dict[Role, dict[str, pulumi.Input[str]]] = {
            "serialize": {
                "IMAGE_SIZE": str(args["image_size"]),
                "MAX_IMAGE_BYTES": str(args["max_image_bytes"]),
                "MAX_IMAGE_PIXELS": str(args["max_image_pixels"]),
            },
            "classify": {
                "ENDPOINT_NAME": args["endpoint_name"],
                "ENDPOINT_CONFIGURATION": args["endpoint_configuration"],
                "MODEL_NAME": args["model_name"],
                "CLASSES": classes,
            },
            "filter": {
                "CLASSES": classes,
                "LOADING_BAYS": json.dumps(dict(args["loading_bays"])),
                "CONFIDENCE_THRESHOLD": str(args["confidence_threshold"]),
            },
        }
        return own[role]

    def _role(
        self,
        role: str,
        trust: pulumi.Input[str],
        arns: Mapping[str, pulumi.Input[str]],
        grants: Callable[[Mapping[str, str]], list[iam.Statement]],
    ) -> tuple[aws_iam.Role, aws_iam.RolePolicy]:
        identity = aws_iam.Role(f"{self._name}-{role}-role", assume_role_policy=trust, opts=self._child)
        policy = aws_iam.RolePolicy(
            f"{self._name}-{role}-policy",
            role=identity.name,
            policy=pulumi.Output.all(**arns).apply(lambda known: iam.document(*grants(known))),
            opts=self._child,
        )
        return identity, policy

    def _table(self) -> dynamodb.Table:
        return dynamodb.Table(
            f"{self._name}-decisions",
            billing_mode="PAY_PER_REQUEST",
            hash_key="object",
            range_key="version",
            attributes=[{"name": "object", "type": "S"}, {"name": "version", "type": "S"}],
            ttl={"attribute_name": "expires_at", "enabled": True},
            point_in_time_recovery={"enabled": True},
            server_side_encryption={"enabled": True, "kms_key_arn": self._key},
            opts=self._child,
        )

    def _queue(self, role: str) -> sqs.Queue:
        return sqs.Queue(
            f"{self._name}-{role}",
            message_retention_seconds=TWO_WEEKS,
            kms_master_key_id=self._key,
            sqs_managed_sse_enabled=None if self._key else True,
            opts=self._child,
        )

    def _topic(self) -> sns.Topic:
        # Without a key of the customer's the topic is not encrypted: alarms can't publish through
        # alias/aws/sns (SNS Developer Guide, "Key management"), and its messages only name a photo.
        topic = sns.Topic(f"{self._name}-alerts", kms_master_key_id=self._key, opts=self._child)
        budgets = self._args.get("budgets_may_publish", False)
        policy = sns.TopicPolicy(
            f"{self._name}-alerts-policy",
            arn=topic.arn,
            policy=pulumi.Output.all(topic.arn, self._args["account_id"]).apply(
                lambda known: iam.document(
                    iam.topic_for_alarms(known[0], known[1]),
                    *([iam.topic_for_budgets(known[0], known[1])] if budgets else []),
                    iam.tls_only("sns:Publish", known[0]),
                )
            ),
            opts=self._child,
        )
        # a budget is refused whose topic does not let it publish
        self.alert_topic_arn = pulumi.Output.all(topic.arn, policy.id).apply(lambda known: str(known[0]))
        email = self._args.get("alert_email")
        if email:
            sns.TopicSubscription(
                f"{self._name}-alerts-email",
                topic=topic.arn,
                protocol="email",
                endpoint=email,
                opts=self._child,
            )
        return topic

    def _state_machine(
        self,
        functions: Mapping[Role, lambda_.Function],
        table: dynamodb.Table,
        review: sqs.Queue,
        topic: sns.Topic,
        bus: cloudwatch.EventBus,
    ) -> sfn.StateMachine:
        identity, policy = self._role(
            "machine",
            _trust("states.amazonaws.com", self._args["account_id"]),
            {
                **{role: functions[role].arn for role in ROLES},
                **{"table": table.arn, "review": review.arn, "topic": topic.arn, "bus": bus.arn},
            },
            lambda arns: [
                # every version, since executions that are under way go on with the one they began with
                iam.invoke_functions([f"{arns[role]}:*" for role in ROLES]),
                iam.put_items(arns["table"]),
                iam.put_events(arns["bus"]),
                iam.send_messages(arns["review"]),
                iam.publish_alerts(arns["topic"]),
                *key_grant(self._key, writes=True),
            ],
        )
        text = pulumi.Output.all(
            **{role: functions[role].qualified_arn for role in ROLES},
            decisions_table=table.name,
            event_bus=bus.name,
            review_queue_url=review.url,
            alert_topic=topic.arn,
        ).apply(
            lambda known: json.dumps(
                definition(
                    Resources(
                        **known,
                        retention_days=self._args["decision_retention_days"],
                        partition=known["alert_topic"].split(":")[1],
                    )
                )
            )
        )
        return sfn.StateMachine(
            f"{self._name}-machine",
            # Standard: each execution once, and its history kept for 90 days
            type="STANDARD",
            role_arn=identity.arn,
            definition=text,
            publish=True,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )

    def _rule_on_ended(self, machine: sfn.StateMachine) -> cloudwatch.EventRule:
        return cloudwatch.EventRule(
            f"{self._name}-ended",
            description="An execution ended without having left its photo in the review queue",
            event_pattern=machine.arn.apply(_ended),
            opts=self._child,
        )

    def _send_ended_to_people(self, rule: cloudwatch.EventRule, review: sqs.Queue, dead_letters: sqs.Queue) -> None:
        allowed = sqs.QueuePolicy(
            f"{self._name}-review-policy",
            queue_url=review.url,
            policy=pulumi.Output.all(review.arn, rule.arn).apply(
                lambda arns: iam.document(iam.queue_for_rules(arns[0], arns[1:]), iam.tls_only("sqs:*", arns[0]))
            ),
            opts=self._child,
        )
        # The whole event: a path leads to no key, since the execution's input is a text in it. Whoever reads the
        # queue reads the photo out of that text.
        cloudwatch.EventTarget(
            f"{self._name}-ended-target",
            rule=rule.name,
            arn=review.arn,
            dead_letter_config={"arn": dead_letters.arn},
            retry_policy={"maximum_event_age_in_seconds": A_DAY, "maximum_retry_attempts": 185},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[allowed]),
        )

    def _start_on_upload(self, machine: sfn.StateMachine, ended: cloudwatch.EventRule) -> sqs.Queue:
        rule = cloudwatch.EventRule(
            f"{self._name}-uploads",
            description=f"A photo arrived in {prefixes.INCOMING}",
            event_pattern=pulumi.Output.from_input(self._args["bucket"]).apply(_uploads),
            opts=self._child,
        )
        dead_letters = self._queue("dead-letters")
        allowed = sqs.QueuePolicy(
            f"{self._name}-dead-letters-policy",
            queue_url=dead_letters.url,
            policy=pulumi.Output.all(dead_letters.arn, rule.arn, ended.arn).apply(
                lambda arns: iam.document(iam.queue_for_rules(arns[0], arns[1:]), iam.tls_only("sqs:*", arns[0]))
            ),
            opts=self._child,
        )
        identity, policy = self._role(
            "uploads",
            _trust("events.amazonaws.com", self._args["account_id"], rule.arn),
            {"machine": machine.arn},
            lambda arns: [iam.start_executions(arns["machine"])],
        )
        cloudwatch.EventTarget(
            f"{self._name}-uploads-target",
            rule=rule.name,
            arn=machine.arn,
            role_arn=identity.arn,
            input_transformer={
                "input_paths": {
                    "bucket": "$.detail.bucket.name",
                    "key": "$.detail.object.key",
                    "version": "$.detail.object.version-id",
                },
                "input_template": (
                    '{"s3_bucket": <bucket>, "s3_key": <key>, "s3_version": <version>, "image_data": ""}'
                ),
            },
            dead_letter_config={"arn": dead_letters.arn},
            retry_policy={"maximum_event_age_in_seconds": A_DAY, "maximum_retry_attempts": 185},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy, allowed]),
        )
        return dead_letters


def _check(name: str, args: ClassificationWorkflowArgs) -> None:
    given = Arguments("ClassificationWorkflow", name, args)
    given.required("bucket", bounds.BUCKET_NAME)
    given.required("bucket_arn", bounds.BUCKET_ARN)
    given.required("account_id", bounds.ACCOUNT_ID)
    given.required("endpoint_name", bounds.ENDPOINT_NAME)
    given.required("endpoint_arn", bounds.ENDPOINT_ARN)
    given.required("endpoint_configuration", bounds.ENDPOINT_NAME)
    given.required("model_name", bounds.MODEL_NAME)
    given.labels()
    given.required("image_size", bounds.IMAGE_SIZE)
    given.required("max_image_bytes", bounds.IMAGE_BYTES)
    given.required("max_image_pixels", bounds.IMAGE_PIXELS)
    given.required("layer_path", bounds.PATH)
    given.required("decision_retention_days", bounds.RETENTION_DAYS)
    given.required("log_retention_days", bounds.LOG_RETENTION_DAYS)
    given.optional("alert_email", bounds.EMAIL)
    given.optional("budgets_may_publish", bounds.YES_OR_NO)
    given.optional("kms_key_arn", bounds.KMS_KEY)
    given.refuse()


def _trust(
    service: str, account_id: pulumi.Input[str], source_arn: pulumi.Input[str] | None = None
) -> pulumi.Output[str]:
    return pulumi.Output.all(account_id, source_arn).apply(lambda known: iam.trust(service, known[0], known[1]))


def _ended(state_machine_arn: str) -> str:
    """Executions that ended without having left their photo in the review queue, as far as their end tells.

    The state machine's own end never has an error that begins with `States.`: one that has ended in the midst of a
    state, by a fault of the definition.
    """
    ways = [
        {"status": ["ABORTED", "TIMED_OUT"]},
        {"status": ["FAILED"], "error": [{"prefix": "States."}]},
        {"status": ["FAILED"], "cause": [{"wildcard": f"*{NOT_QUEUED}*"}]},
    ]
    return json.dumps(
        {
            "source": ["aws.states"],
            "detail-type": [STATUS_CHANGE],
            "detail": {"stateMachineArn": [state_machine_arn], "$or": ways},
        }
    )


def _uploads(bucket: str) -> str:
    """Objects that are created in incoming/, but for the empty ones that consoles make to show a folder.

    A pattern can't ask two things of one field, so that "in incoming/ and no folder" is put, for empty objects, as
    "no folder and in none of the others" (Amazon EventBridge User Guide, "Comparison operators"). Left over is an empty
    object in no known place, which starts an execution too.
    """
    with_content = {"key": [{"prefix": prefixes.INCOMING}], "size": [{"numeric": [">", 0]}]}
    other_places = [f"{prefix}*" for prefix in prefixes.OTHERS]
    empty = {"key": [{"anything-but": {"wildcard": ["*/", *other_places]}}], "size": [0]}
    return json.dumps(
        {
            "source": ["aws.s3"],
            "detail-type": ["Object Created"],
            "detail": {"bucket": {"name": [bucket]}, "$or": [{"object": with_content}, {"object": empty}]},
        }
    )
