"""One Lambda function with what belongs to it: a role of its own, and a log group with a retention period."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.parts import iam
from components.parts.code_package import code_archive
from components.parts.encryption import key_grant
from components.parts.runtime import ARCHITECTURE, RUNTIME


@dataclass(frozen=True, slots=True)
class LambdaFunction:
    """The resources that were made."""

    function: aws.lambda_.Function
    role: aws.iam.Role
    log_group: aws.cloudwatch.LogGroup


def lambda_function(
    name: str,
    entry: str,
    *,
    service: str,
    statements: pulumi.Input[Sequence[iam.Statement]],
    environment: Mapping[str, pulumi.Input[str]],
    layer_arn: pulumi.Input[str] | None = None,
    memory_mb: int,
    timeout_seconds: int,
    log_retention_days: pulumi.Input[int],
    parent: pulumi.Resource,
    publish: bool = False,
    kms_key_arn: str | None = None,
    writes_encrypted: bool = False,
) -> LambdaFunction:
    """Make a function of a module's `handler`.

    Args:
        name: the function's resource name; the others get a suffix.
        entry: the module, such as `handlers.serialize`; it and what it imports are uploaded.
        service: what the function is called in its log lines.
        statements: what the function may do besides writing its log.
        environment: its settings; Powertools' own are added.
        layer_arn: version of the layer with the third-party packages; none without it.
        memory_mb: megabytes; the processor's share grows with them.
        timeout_seconds: after which Lambda ends an invocation.
        log_retention_days: one of CloudWatch's allowed values.
        parent: the component.
        publish: whether each change publishes a version, for callers that pin one.
        kms_key_arn: a customer's key for the log and the settings; AWS's own encrypt without one.
        writes_encrypted: whether it also leaves something elsewhere that the key encrypts, such as an event.
    """
    opts = pulumi.ResourceOptions(parent=parent)
    log_group = aws.cloudwatch.LogGroup(
        f"{name}-logs",
        retention_in_days=log_retention_days,
        kms_key_id=kms_key_arn,
        opts=opts,
    )
    role = aws.iam.Role(f"{name}-role", assume_role_policy=iam.trust_lambda(), opts=opts)

    policy = aws.iam.RolePolicy(
        f"{name}-policy",
        role=role.id,
        policy=pulumi.Output.all(log_group.arn, statements).apply(
            lambda parts: iam.document(
                iam.write_logs(parts[0]), *parts[1], *key_grant(kms_key_arn, writes=writes_encrypted)
            )
        ),
        opts=opts,
    )
    function = aws.lambda_.Function(
        name,
        handler=f"{entry}.handler",
        code=code_archive(entry),
        runtime=RUNTIME,
        architectures=[ARCHITECTURE],
        role=role.arn,
        layers=[layer_arn] if layer_arn is not None else None,
        memory_size=memory_mb,
        timeout=timeout_seconds,
        publish=publish,
        environment={
            "variables": {
                "POWERTOOLS_SERVICE_NAME": service,
                "POWERTOOLS_LOG_LEVEL": "INFO",
                **environment,
            }
        },
        kms_key_arn=kms_key_arn,
        logging_config={"log_format": "Text", "log_group": log_group.name},
        # the first invocation needs the rights as much as the second
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[policy]),
    )
    return LambdaFunction(function, role, log_group)
