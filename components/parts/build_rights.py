"""What a retraining's build may do: read and train, ask and tell; nothing that deploys."""

from __future__ import annotations

from components.parts import iam
from components.parts.encryption import sagemaker_key_grant
from contract import prefixes
from contract.names import TRAINING_LOG_GROUP
from contract.retraining import ANSWERED, ASKED, TRANSFORM_INSTANCE


def build_statements(
    *,
    bucket_arn: str,
    endpoint_arn: str,
    topic_arn: str,
    group_arn: str,
    training_role_arn: str,
    log_group_arn: str,
    region: str,
    account_id: str,
    prefix: str,
    kms_key_arn: str | None,
) -> list[iam.Statement]:
    """The statements of the build's role.

    Args:
        bucket_arn: the stack's bucket.
        endpoint_arn: what serves.
        topic_arn: who is told.
        group_arn: the register.
        training_role_arn: what a job takes.
        log_group_arn: the build's own log.
        region: of all.
        account_id: of all.
        prefix: what the names of the stack's jobs begin with.
        kms_key_arn: a customer's key, if there is one.
    """
    here = f"arn:{iam.partition(region)}:sagemaker:{region}:{account_id}"
    named = prefix.lower()
    jobs, models, transforms = (f"{here}:{kind}/{named}*" for kind in ("training-job", "model", "transform-job"))
    versions = group_arn.replace(":model-package-group/", ":model-package/") + "/*"
    training_log = f"arn:{iam.partition(region)}:logs:{region}:{account_id}:log-group:{TRAINING_LOG_GROUP}"
    asked = [f"{bucket_arn}/{prefixes.MODELS}*/{folder}*" for folder in (ASKED, ANSWERED)]
    return [
        iam.read_objects(bucket_arn, [prefixes.RETRAINING, prefixes.CORRECTIONS, prefixes.MODELS]),
        iam.write_objects(bucket_arn, [prefixes.DATASET, prefixes.MODELS]),
        iam.allow(
            "DeleteWhatWasAsked",
            ["s3:DeleteObject"],
            [*asked, f"{bucket_arn}/{prefixes.MODELS}*/{prefixes.PROPOSAL_FILE}"],
        ),
        iam.list_bucket(bucket_arn),
        iam.allow("Train", ["sagemaker:CreateTrainingJob", "sagemaker:DescribeTrainingJob"], [jobs]),
        iam.allow("MakeModels", ["sagemaker:CreateModel", "sagemaker:DeleteModel"], [models]),
        iam.allow("Transform", ["sagemaker:CreateTransformJob", "sagemaker:DescribeTransformJob"], [transforms]),
        iam.allow("Tag", ["sagemaker:AddTags"], [jobs, models, transforms]),
        iam.allow(
            "PassRole",
            ["iam:PassRole"],
            [training_role_arn],
            {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        ),
        iam.list_versions(region),
        iam.allow("Register", ["sagemaker:CreateModelPackage"], [group_arn, versions]),
        iam.allow("Versions", ["sagemaker:DescribeModelPackage", "sagemaker:UpdateModelPackage"], [versions]),
        iam.invoke_endpoint(endpoint_arn),
        iam.allow(
            "ReadTrainingLogs", ["logs:DescribeLogStreams", "logs:GetLogEvents"], [training_log, f"{training_log}:*"]
        ),
        iam.write_logs(log_group_arn),
        iam.publish_alerts(topic_arn),
        *sagemaker_key_grant(kms_key_arn, writes=True, volumes=[TRANSFORM_INSTANCE]),
    ]
