"""Retraining: the drift event starts a build that trains another model, compares it, and proposes it to people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import pulumi
from pulumi_aws import cloudwatch, codebuild, s3
from pulumi_aws import iam as aws_iam

from components.parts import bounds, iam
from components.parts.arguments import Arguments
from components.parts.build_rights import build_statements
from components.parts.tags import tagged
from contract import prefixes
from contract.drift import DRIFT_DETECTED, DRIFT_EVENT_SOURCE
from contract.names import component_type

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("contract", "training", "operations")
"""What the command is made of."""
REQUIREMENTS = "requirements.txt"
IMAGE = "aws/codebuild/amazonlinux-x86_64-standard:5.0"
PYTHON = "3.12"
"""Of the image's runtimes (AWS CodeBuild User Guide, "Available runtimes")."""
BESIDE_TRAINING_MINUTES = 180
"""What a build may take beside a training: spot capacity, instances, packages, a batch transform."""
QUEUED_MINUTES = 480
"""That a build may wait for one that runs."""
BECAUSE = "BECAUSE"
"""The build's variable that says why it was started."""


class RetrainingArgs(TypedDict):
    """What a Retraining takes."""

    bucket: pulumi.Input[str]
    """Name of the bucket with the corrections and the models."""
    bucket_arn: pulumi.Input[str]
    """ARN of that bucket."""
    account_id: pulumi.Input[str]
    """The account's 12 digits; only its services may take the roles."""
    region: str
    """The region of all that is made, such as us-east-1."""
    event_bus_name: pulumi.Input[str]
    """Name of the bus on which a drift is announced."""
    endpoint_arn: pulumi.Input[str]
    """ARN of the endpoint whose model is compared with."""
    alert_topic_arn: pulumi.Input[str]
    """ARN of the topic that proposals and failures are published to."""
    model_package_group_arn: pulumi.Input[str]
    """ARN of the register that takes the candidates."""
    training_role_arn: pulumi.Input[str]
    """ARN of the role that a training and a batch transform take."""
    max_minutes: int
    """After how many minutes a training is stopped, from 5 to 1980: a build lasts 36 hours at most."""
    outputs: Mapping[str, Any]
    """The stack's outputs, `retraining` among them, which the command runs from; each a value or an Input."""
    log_retention_days: pulumi.Input[int]
    """Days after which the builds' log is deleted: one of the values that CloudWatch Logs takes."""
    kms_key_arn: NotRequired[str | None]
    """ARN of a customer's KMS key for bucket, topic and log; AWS's own keys encrypt without it."""


class Retraining(pulumi.ComponentResource):
    """A build of `python -m operations retrain`, and the rule that starts it when a drift is announced.

    It deploys nothing and may deploy nothing: what it leaves is a trained model, its evidence, and a message.
    """

    project_name: pulumi.Output[str]

    def __init__(self, name: str, args: RetrainingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        _check(name, args)
        super().__init__(component_type("Retraining"), name, None, tagged("Retraining", opts))
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        full_name = f"{pulumi.get_project()}-{pulumi.get_stack()}-{name}"
        logs = cloudwatch.LogGroup(
            f"{name}-logs",
            name=f"/aws/codebuild/{full_name}",
            retention_in_days=args["log_retention_days"],
            kms_key_id=args.get("kms_key_arn"),
            opts=self._child,
        )
        source = s3.BucketObject(
            f"{name}-source",
            bucket=args["bucket"],
            key=f"{prefixes.RETRAINING}source.zip",
            source=source_archive(),
            content_type="application/zip",
            opts=self._child,
        )
        outputs = s3.BucketObject(
            f"{name}-outputs",
            bucket=args["bucket"],
            key=f"{prefixes.RETRAINING}outputs.json",
            content=pulumi.Output.json_dumps(dict(args["outputs"]), sort_keys=True),
            content_type="application/json",
            opts=self._child,
        )
        project = codebuild.Project(
            f"{name}-project",
            name=full_name,
            description="Trains another model on what people answered, compares it with what serves, and proposes it",
            service_role=self._build_role(logs.arn),
            source={
                "type": "S3",
                "location": pulumi.Output.concat(args["bucket"], "/", source.key),
                "buildspec": buildspec(),
            },
            artifacts={"type": "NO_ARTIFACTS"},
            environment={
                "type": "LINUX_CONTAINER",
                "compute_type": "BUILD_GENERAL1_SMALL",
                "image": IMAGE,
                "privileged_mode": False,
                "environment_variables": [
                    {"name": "OUTPUTS", "value": pulumi.Output.concat("s3://", args["bucket"], "/", outputs.key)},
                    {"name": "TOPIC", "value": args["alert_topic_arn"]},
                    {"name": BECAUSE, "value": "somebody started the build"},
                ],
            },
            logs_config={"cloudwatch_logs": {"group_name": logs.name}},
            build_timeout=args["max_minutes"] + BESIDE_TRAINING_MINUTES,
            queued_timeout=QUEUED_MINUTES,
            # one at a time: of the same corrections there is one proposal
            concurrent_build_limit=1,
            encryption_key=args.get("kms_key_arn"),
            opts=self._child,
        )
        self._start_on_drift(project)
        self.project_name = project.name
        self.register_outputs({"projectName": self.project_name})

    def _build_role(self, log_group_arn: pulumi.Output[str]) -> pulumi.Output[str]:
        args, prefix = self._args, f"{pulumi.get_project()}-{pulumi.get_stack()}-"
        statements = pulumi.Output.all(
            bucket=args["bucket_arn"],
            account=args["account_id"],
            endpoint=args["endpoint_arn"],
            topic=args["alert_topic_arn"],
            group=args["model_package_group_arn"],
            role=args["training_role_arn"],
            logs=log_group_arn,
        ).apply(
            lambda known: iam.document(
                *build_statements(
                    bucket_arn=known["bucket"],
                    endpoint_arn=known["endpoint"],
                    topic_arn=known["topic"],
                    group_arn=known["group"],
                    training_role_arn=known["role"],
                    log_group_arn=known["logs"],
                    region=args["region"],
                    account_id=known["account"],
                    prefix=prefix,
                    kms_key_arn=args.get("kms_key_arn"),
                )
            )
        )
        return self._role("build", "codebuild.amazonaws.com", statements)

    def _role(self, what: str, service: str, policy: pulumi.Output[str]) -> pulumi.Output[str]:
        role = aws_iam.Role(
            f"{self._name}-{what}-role",
            assume_role_policy=pulumi.Output.from_input(self._args["account_id"]).apply(
                lambda account: iam.trust(service, account)
            ),
            opts=self._child,
        )
        granted = aws_iam.RolePolicy(
            f"{self._name}-{what}-role-policy", role=role.name, policy=policy, opts=self._child
        )
        # whoever takes the role from here takes it with its rights
        return pulumi.Output.all(role.arn, granted.id).apply(lambda known: str(known[0]))

    def _start_on_drift(self, project: codebuild.Project) -> None:
        bus = self._args["event_bus_name"]
        rule = cloudwatch.EventRule(
            f"{self._name}-drift",
            description="A drift was announced: train another model",
            event_bus_name=bus,
            event_pattern=json.dumps({"source": [DRIFT_EVENT_SOURCE], "detail-type": [DRIFT_DETECTED]}),
            opts=self._child,
        )
        starts = project.arn.apply(lambda arn: iam.document(iam.start_builds(arn)))
        variable = {"name": BECAUSE, "value": "the model drifted (<time>, event <id>)", "type": "PLAINTEXT"}
        cloudwatch.EventTarget(
            f"{self._name}-drift-target",
            rule=rule.name,
            event_bus_name=bus,
            arn=project.arn,
            role_arn=self._role("start", "events.amazonaws.com", starts),
            input_transformer={
                "input_paths": {"time": "$.detail.time", "id": "$.id"},
                # what StartBuild takes
                "input_template": json.dumps({"environmentVariablesOverride": [variable]}),
            },
            opts=self._child,
        )


def _check(name: str, args: RetrainingArgs) -> None:
    given = Arguments("Retraining", name, args)
    given.required("bucket", bounds.BUCKET_NAME)
    given.required("bucket_arn", bounds.BUCKET_ARN)
    given.required("account_id", bounds.ACCOUNT_ID)
    given.required("region", bounds.REGION)
    given.required("event_bus_name", bounds.EVENT_BUS_NAME)
    given.required("endpoint_arn", bounds.ENDPOINT_ARN)
    given.required("alert_topic_arn", bounds.TOPIC_ARN)
    given.required("model_package_group_arn", bounds.REGISTER_ARN)
    given.required("training_role_arn", bounds.ROLE_ARN)
    given.required("max_minutes", bounds.RETRAINING_MINUTES)
    given.given("outputs")
    given.required("log_retention_days", bounds.LOG_RETENTION_DAYS)
    given.optional("kms_key_arn", bounds.KMS_KEY)
    given.refuse()


def source_archive() -> pulumi.AssetArchive:
    """The command and what it needs of this repository; hashed by content, so that it is the same on every machine."""
    files = [
        path
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    ]
    assets = {path.relative_to(ROOT).as_posix(): pulumi.FileAsset(str(path)) for path in files}
    return pulumi.AssetArchive({**assets, REQUIREMENTS: pulumi.FileAsset(str(ROOT / REQUIREMENTS))})


def buildspec() -> str:
    """What a build does. When packages can't be installed the command can't say so, and the build does."""
    failed = (
        'test "$CODEBUILD_BUILD_SUCCEEDING" = 1 || aws sns publish --topic-arn "$TOPIC" '
        '--subject "Scones: a retraining could not begin" '
        '--message "The packages of the build $CODEBUILD_BUILD_ID could not be installed; its log says why."'
    )
    return json.dumps(
        {
            "version": "0.2",
            "phases": {
                "install": {
                    "runtime-versions": {"python": PYTHON},
                    "on-failure": "ABORT",
                    "commands": [f"python -m pip install --require-hashes -r {REQUIREMENTS}"],
                    "finally": [failed],
                },
                "build": {"commands": [f'python -m operations retrain --outputs "$OUTPUTS" --because "${BECAUSE}"']},
            },
        },
        indent=1,
    )
