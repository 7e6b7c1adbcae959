"""DataBucket: the one bucket, closed, encrypted, versioned, tidied, and telling EventBridge what arrives."""

from __future__ import annotations

from typing import NotRequired, TypedDict

import pulumi
from pulumi_aws import s3

from components.parts import bounds, iam
from components.parts.arguments import Arguments
from components.parts.tags import tagged
from contract import prefixes
from contract.names import component_type

KEEP_OLD_VERSIONS_DAYS = 30
"""A dataset or a model that was overwritten by mistake can be had back for a month."""
KEEP_OLD_CAPTURES_DAYS = 1
"""S3's least: nothing overwrites a capture, and one that has expired is not wanted back."""
PHOTO_DAYS, CORRECTION_DAYS = 90, 730
"""Unless an argument says otherwise."""
ABORT_UPLOADS_DAYS = 3


class DataBucketArgs(TypedDict):
    """What a DataBucket takes."""

    capture_retention_days: pulumi.Input[int]
    """Days that captured inferences are kept, from 1 to 3650."""
    photo_retention_days: NotRequired[int]
    """Days after which nothing is left of a photo in `incoming/` or `batch/`, and of a batch's results, from 30 to
    3650; 90 without it. It expires 15 days before, and can be had back meanwhile."""
    correction_retention_days: NotRequired[int]
    """Days after which nothing is left of a sample in `corrections/`, from 30 to 3650; 730 without it. It expires 15
    days before, and can be had back meanwhile."""
    protect: NotRequired[bool]
    """Whether to refuse to delete the bucket, as without this argument; else it goes with all its objects."""
    kms_key_arn: NotRequired[pulumi.Input[str] | None]
    """ARN of a customer's KMS key for the objects; S3's own keys encrypt without it."""


class DataBucket(pulumi.ComponentResource):
    """A bucket and everything that is set on it."""

    bucket: pulumi.Output[str]
    """Its name, known when it is closed, encrypted and versioned."""
    arn: pulumi.Output[str]
    capture_uri: pulumi.Output[str]
    """`s3://` address of the folder that captures lie in."""
    baseline_uri: pulumi.Output[str]
    """`s3://` address of baseline.json."""

    def __init__(self, name: str, args: DataBucketArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        given = Arguments("DataBucket", name, args)
        given.required("capture_retention_days", bounds.RETENTION_DAYS)
        given.optional("photo_retention_days", bounds.PHOTO_RETENTION_DAYS)
        given.optional("correction_retention_days", bounds.PHOTO_RETENTION_DAYS)
        given.optional("protect", bounds.YES_OR_NO)
        given.optional("kms_key_arn", bounds.KMS_KEY)
        given.refuse()
        super().__init__(component_type("DataBucket"), name, None, tagged("DataBucket", opts))
        child = pulumi.ResourceOptions(parent=self)
        protect = args.get("protect", True)
        bucket = s3.Bucket(
            f"{name}-bucket",
            force_destroy=not protect,
            opts=pulumi.ResourceOptions(parent=self, protect=protect),
        )
        block = s3.BucketPublicAccessBlock(
            f"{name}-public-access",
            bucket=bucket.bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=child,
        )
        ownership = s3.BucketOwnershipControls(
            f"{name}-ownership",
            bucket=bucket.bucket,
            rule={"object_ownership": "BucketOwnerEnforced"},
            opts=child,
        )
        versioning = s3.BucketVersioning(
            f"{name}-versioning",
            bucket=bucket.bucket,
            versioning_configuration={"status": "Enabled"},
            opts=child,
        )
        old = bounds.OLD_PHOTO_DAYS
        key = args.get("kms_key_arn")
        encryption = s3.BucketServerSideEncryptionConfiguration(
            f"{name}-encryption",
            bucket=bucket.bucket,
            rules=[
                {
                    "apply_server_side_encryption_by_default": (
                        {"sse_algorithm": "aws:kms", "kms_master_key_id": key} if key else {"sse_algorithm": "AES256"}
                    ),
                    "bucket_key_enabled": bool(key),
                }
            ],
            opts=child,
        )
        photo_days = args.get("photo_retention_days", PHOTO_DAYS)
        # S3 refuses a policy while a public access block is being changed
        policy = s3.BucketPolicy(
            f"{name}-policy",
            bucket=bucket.bucket,
            policy=bucket.arn.apply(lambda arn: iam.document(iam.tls_only("s3:*", arn, f"{arn}/*"))),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[block]),
        )
        s3.BucketLifecycleConfiguration(
            f"{name}-lifecycle",
            bucket=bucket.bucket,
            rules=[
                _expiry("photos", prefixes.INCOMING, photo_days - old, old),
                # of a batch's results each line names a photo
                _expiry("batch-photos", prefixes.BATCH, photo_days - old, old),
                _expiry("batch-results", prefixes.BATCH_RESULTS, photo_days - old, old),
                _expiry(
                    *("corrections", prefixes.CORRECTIONS),
                    *(args.get("correction_retention_days", CORRECTION_DAYS) - old, old),
                ),
                _expiry("captures", prefixes.CAPTURE, args["capture_retention_days"], KEEP_OLD_CAPTURES_DAYS),
                {
                    "id": "old-versions-expire",
                    "status": "Enabled",
                    "filter": {"prefix": ""},
                    # of two rules for an old version the shorter one counts (S3 User Guide, "Conflicting lifecycle
                    # configurations"); what is left of an object all of whose versions are gone goes too
                    "noncurrent_version_expiration": {"noncurrent_days": KEEP_OLD_VERSIONS_DAYS},
                    "expiration": {"expired_object_delete_marker": True},
                    "abort_incomplete_multipart_upload": {"days_after_initiation": ABORT_UPLOADS_DAYS},
                },
            ],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[versioning]),
        )
        notification = s3.BucketNotification(f"{name}-events", bucket=bucket.bucket, eventbridge=True, opts=child)
        # whoever writes into the bucket writes after it is closed, versioned and encrypted
        ready = [block, ownership, versioning, encryption, policy, notification]
        self.bucket = pulumi.Output.all(bucket.bucket, *(each.id for each in ready)).apply(lambda known: str(known[0]))
        self.arn = bucket.arn
        self.capture_uri = pulumi.Output.concat("s3://", self.bucket, "/", prefixes.CAPTURE)
        self.baseline_uri = pulumi.Output.concat("s3://", self.bucket, "/", prefixes.BASELINE_FILE)
        self.register_outputs({"bucket": self.bucket, "arn": self.arn})


def _expiry(
    what: str, prefix: str, days: pulumi.Input[int], old_days: int
) -> s3.BucketLifecycleConfigurationRuleArgsDict:
    """A rule: after `days` an object becomes an old version, and `old_days` later it is gone."""
    return {
        "id": f"{what}-expire",
        "status": "Enabled",
        "filter": {"prefix": prefix},
        "expiration": {"days": days},
        "noncurrent_version_expiration": {"noncurrent_days": old_days},
    }
