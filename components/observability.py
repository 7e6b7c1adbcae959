"""Observability: what the model does, as metrics, a dashboard and alarms."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components.parts import bounds, dashboard, iam
from components.parts.alarms import DRIFT, Alarmed, AlarmSpec, alarm_specs
from components.parts.arguments import Arguments
from components.parts.function import lambda_function
from components.parts.metric_alarm import metric_alarm
from components.parts.tags import tagged
from contract import prefixes
from contract.decisions import ENDED_EXECUTION, NEITHER, STATUS_CHANGE
from contract.names import component_type

METRIC_NAMESPACE = "Scones"
FORECAST_PERCENT = 80
"""Of the budget: somebody is told when the month is expected to cost more."""


class ObservabilityArgs(TypedDict):
    """What is watched, and who is told."""

    bucket: pulumi.Input[str]
    """Name of the bucket with the captures and the baseline; it sends its events to EventBridge."""
    bucket_arn: pulumi.Input[str]
    """ARN of that bucket."""
    endpoint_name: pulumi.Input[str]
    """Name of the endpoint whose answers are captured."""
    variant_name: pulumi.Input[str]
    """Name of its production variant."""
    state_machine_arn: pulumi.Input[str]
    """ARN of the state machine whose executions are counted."""
    functions: Mapping[str, pulumi.Input[str]]
    """Step -> name of its function, in the order of the steps."""
    review_queue_name: pulumi.Input[str]
    """Name of the queue of photos that wait for a person."""
    dead_letter_queue_name: pulumi.Input[str]
    """Name of the queue of events that started no execution."""
    alert_topic_arn: pulumi.Input[str]
    """ARN of the topic that alarms are published to; alarms of this account may publish there."""
    layer_arn: pulumi.Input[str]
    """ARN of the version of the layer with the third-party packages."""
    classes: Sequence[str]
    """The labels that the model answers, in label order; `neither` last, where the model has it."""
    loading_bays: Mapping[str, str]
    """Class -> bay, for every class."""
    confidence_threshold: float
    """The least probability that is accepted, above 1 / labels and at most 1."""
    review_rate_alarm_percent: float
    """The share of an hour's photos for a person above which an alarm goes off, in percent from 1 to 100."""
    monthly_budget_dollars: NotRequired[int]
    """US dollars that the stack may cost in a month before the topic is told, which must let budgets publish; 0, and
    without it, there is no budget. It counts what bears the stack's tag `stack`, once that tag is activated for cost
    allocation, in this account or its organization's."""
    log_retention_days: int
    """Days after which logs are deleted: one of the values that CloudWatch Logs takes."""
    retrain_event_bus_arn: NotRequired[pulumi.Input[str] | None]
    """ARN of the bus that the drift alarm's event goes to; without it there is no such event."""
    kms_key_arn: NotRequired[str | None]
    """ARN of the customer's KMS key that bucket and bus are encrypted with, if there is one."""


class Observability(pulumi.ComponentResource):
    """The observe function with what calls it, the alarms and the dashboard.

    AWS's own metrics can't tell an execution that ended in a review from one that ended in a fault, and know nothing
    of confidence: the function makes these metrics from the captures and from the executions' ends.
    """

    function_name: pulumi.Output[str]
    dashboard_name: pulumi.Output[str]

    def __init__(self, name: str, args: ObservabilityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        _check(name, args)
        super().__init__(component_type("Observability"), name, None, tagged("Observability", opts))
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self._bus = args.get("retrain_event_bus_arn")
        self._function = self._make_function()
        self._call("captures", self._capture_events())
        self._call("executions", self._execution_events())
        alarms = self._make_alarms()
        if dollars := args.get("monthly_budget_dollars", 0):
            self._make_budget(dollars)
        board = aws.cloudwatch.Dashboard(
            f"{name}-dashboard",
            dashboard_name=f"{pulumi.get_project()}-{pulumi.get_stack()}",
            dashboard_body=self._dashboard_body(alarms),
            opts=self._child,
        )
        self.function_name = self._function.name
        self.dashboard_name = board.dashboard_name
        self.register_outputs({"functionName": self.function_name, "dashboardName": self.dashboard_name})

    def _make_function(self) -> aws.lambda_.Function:
        args = self._args
        return lambda_function(
            f"{self._name}-observe",
            "handlers.observe.handler",
            service="observe",
            statements=pulumi.Output.all(args["bucket_arn"], self._bus).apply(
                lambda arns: observe_statements(arns[0], arns[1])
            ),
            environment={
                "METRIC_NAMESPACE": METRIC_NAMESPACE,
                "STACK": pulumi.get_stack(),
                "ENDPOINT_NAME": args["endpoint_name"],
                "CLASSES": json.dumps(list(args["classes"])),
                "CONFIDENCE_THRESHOLD": str(args["confidence_threshold"]),
                "BASELINE_BUCKET": args["bucket"],
                "BASELINE_KEY": prefixes.BASELINE_FILE,
                "RETRAIN_EVENT_BUS": "" if self._bus is None else self._bus,
            },
            layer_arn=args["layer_arn"],
            # a capture file is streamed: its longest line is a few megabytes
            memory_mb=512,
            timeout_seconds=120,
            log_retention_days=args["log_retention_days"],
            parent=self,
            kms_key_arn=args.get("kms_key_arn") or None,
            writes_encrypted=self._bus is not None,
        ).function

    def _capture_events(self) -> pulumi.Output[str]:
        return pulumi.Output.json_dumps(
            {
                "source": ["aws.s3"],
                "detail-type": ["Object Created"],
                "detail": {
                    "bucket": {"name": [self._args["bucket"]]},
                    "object": {"key": [{"prefix": prefixes.CAPTURE}]},
                },
            }
        )

    def _execution_events(self) -> pulumi.Output[str]:
        return pulumi.Output.json_dumps(
            {
                "source": ["aws.states"],
                "detail-type": [STATUS_CHANGE],
                "detail": {"stateMachineArn": [self._args["state_machine_arn"]], "status": list(ENDED_EXECUTION)},
            }
        )

    def _call(self, what: str, pattern: pulumi.Output[str]) -> None:
        """Invoke the function with the default bus's events of that pattern."""
        rule = aws.cloudwatch.EventRule(f"{self._name}-{what}", event_pattern=pattern, opts=self._child)
        self._permit(what, "events.amazonaws.com", rule.arn)
        aws.cloudwatch.EventTarget(
            f"{self._name}-{what}-target", rule=rule.name, arn=self._function.arn, opts=self._child
        )

    def _permit(self, what: str, service: str, source_arn: pulumi.Output[str]) -> None:
        aws.lambda_.Permission(
            f"{self._name}-{what}-permission",
            action="lambda:InvokeFunction",
            function=self._function.name,
            principal=service,
            source_arn=source_arn,
            opts=self._child,
        )

    def _make_alarms(self) -> list[aws.cloudwatch.MetricAlarm]:
        args = self._args
        watched = Alarmed(
            namespace=METRIC_NAMESPACE,
            stack=pulumi.get_stack(),
            endpoint=args["endpoint_name"],
            variant=args["variant_name"],
            review_queue=args["review_queue_name"],
            dead_letter_queue=args["dead_letter_queue_name"],
            observe_function=self._function.name,
        )
        specs = alarm_specs(watched, args["review_rate_alarm_percent"], neither=NEITHER in args["classes"])
        return [self._make_alarm(spec) for spec in specs]

    def _make_alarm(self, spec: AlarmSpec) -> aws.cloudwatch.MetricAlarm:
        topic = self._args["alert_topic_arn"]
        announces = spec.key == DRIFT and self._bus is not None
        alarm = metric_alarm(
            self._name,
            spec,
            actions=[topic, self._function.arn] if announces else [topic],
            recovery_actions=[topic] if spec.notify_on_recovery else [],
            opts=self._child,
        )
        if announces:
            # CloudWatch calls the function once for each change of state: one event a drift, not one a file
            self._permit(spec.key, "lambda.alarms.cloudwatch.amazonaws.com", alarm.arn)
        return alarm

    def _make_budget(self, dollars: int) -> None:
        def told(kind: str, percent: int) -> aws.budgets.BudgetNotificationArgsDict:
            return {
                "notification_type": kind,
                "comparison_operator": "GREATER_THAN",
                "threshold": percent,
                "threshold_type": "PERCENTAGE",
                "subscriber_sns_topic_arns": [self._args["alert_topic_arn"]],
            }

        aws.budgets.Budget(
            f"{self._name}-budget",
            budget_type="COST",
            limit_amount=str(dollars),
            limit_unit="USD",
            time_unit="MONTHLY",
            # Tags that people give begin with `user:` here (Cost Management User Guide, "Budget filters"). Several are
            # joined by or, so that one has to do: what another project's stack of this name costs counts too.
            cost_filters=[{"name": "TagKeyValue", "values": [f"user:stack${pulumi.get_stack()}"]}],
            notifications=[told("FORECASTED", FORECAST_PERCENT), told("ACTUAL", 100)],
            opts=self._child,
        )

    def _dashboard_body(self, alarms: Sequence[aws.cloudwatch.MetricAlarm]) -> pulumi.Output[str]:
        args, stack = self._args, pulumi.get_stack()
        return pulumi.Output.all(
            endpoint=args["endpoint_name"],
            variant=args["variant_name"],
            state_machine_arn=args["state_machine_arn"],
            functions=args["functions"],
            review_queue=args["review_queue_name"],
            dead_letter_queue=args["dead_letter_queue_name"],
            alarm_arns=[alarm.arn for alarm in alarms],
        ).apply(
            lambda known: json.dumps(
                dashboard.dashboard_body(
                    dashboard.OnDashboard(
                        **known,
                        region=known["state_machine_arn"].split(":")[3],
                        namespace=METRIC_NAMESPACE,
                        stack=stack,
                        classes=args["classes"],
                        loading_bays=args["loading_bays"],
                        threshold=args["confidence_threshold"],
                        review_rate_percent=args["review_rate_alarm_percent"],
                    )
                )
            )
        )


def _check(name: str, args: ObservabilityArgs) -> None:
    given = Arguments("Observability", name, args)
    given.required("bucket", bounds.BUCKET_NAME)
    given.required("bucket_arn", bounds.BUCKET_ARN)
    given.required("endpoint_name", bounds.ENDPOINT_NAME)
    given.required("variant_name", bounds.ENDPOINT_NAME)
    given.required("state_machine_arn", bounds.STATE_MACHINE_ARN)
    given.each("functions", bounds.FUNCTION_NAME)
    given.required("review_queue_name", bounds.QUEUE_NAME)
    given.required("dead_letter_queue_name", bounds.QUEUE_NAME)
    given.required("alert_topic_arn", bounds.TOPIC_ARN)
    given.required("layer_arn", bounds.LAYER_ARN)
    given.labels()
    given.required("review_rate_alarm_percent", bounds.REVIEW_RATE_PERCENT)
    given.required("log_retention_days", bounds.LOG_RETENTION_DAYS)
    given.optional("monthly_budget_dollars", bounds.BUDGET_DOLLARS)
    given.optional("retrain_event_bus_arn", bounds.EVENT_BUS_ARN)
    given.optional("kms_key_arn", bounds.KMS_KEY)
    given.refuse()


def observe_statements(bucket_arn: str, retrain_event_bus_arn: str | None) -> list[iam.Statement]:
    """What the observe function may do: read captures and the baseline, publish metrics, announce a drift."""
    statements = [
        iam.read_objects(bucket_arn, [prefixes.CAPTURE, prefixes.BASELINE]),
        iam.list_bucket(bucket_arn),
        # PutMetricData has no resource-level permissions: the namespace is what can be limited. Every such request
        # names one, so IfExists gives nothing away; emulators that don't know the condition's key accept it.
        iam.allow_anywhere(
            "PutMetrics",
            ["cloudwatch:PutMetricData"],
            {"StringEqualsIfExists": {"cloudwatch:namespace": METRIC_NAMESPACE}},
        ),
    ]
    if retrain_event_bus_arn:
        statements.append(iam.put_events(retrain_event_bus_arn))
    return statements
