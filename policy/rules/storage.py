"""Where photos, models, captures and decisions lie: buckets and tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pulumi_policy import ResourceValidationArgs

from policy.rule import Complaints, Registered, on, on_stack
from policy.values import at, items, statements, strings

BUCKET = "aws:s3/bucket:Bucket"
GUARDS = {
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": "a public access block",
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": "ownership controls",
    "aws:s3/bucketVersioning:BucketVersioning": "versioning",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": "default encryption",
    "aws:s3/bucketPolicy:BucketPolicy": "a policy",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": "a lifecycle",
}
"""What a bucket needs beside itself, by type."""


@on_stack()
def bucket_guarded(resources: Sequence[Registered]) -> Iterable[tuple[Registered, str]]:
    """A bucket is closed, owned, versioned, encrypted and tidied by resources of its own, and each must be there."""
    for bucket in resources:
        if bucket.resource_type != BUCKET:
            continue
        there = {each.resource_type for each in resources if bucket in each.dependencies}
        for kind, what in GUARDS.items():
            if kind not in there:
                yield bucket, f"{bucket.name} has no {what.removeprefix('a ')} of its own"


@on("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock")
def bucket_closed(args: ResourceValidationArgs) -> Complaints:
    """Photos show number plates and faces: nothing may make an object public, by list or by policy."""
    for flag in ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"):
        if at(args.props, flag) is not True:
            yield f"{flag} must be true"


@on("aws:s3/bucketOwnershipControls:BucketOwnershipControls")
def bucket_owns_its_objects(args: ResourceValidationArgs) -> Complaints:
    """Whoever uploads, the account owns the object, and access lists say nothing."""
    given = at(args.props, "rule", "objectOwnership")
    if given != "BucketOwnerEnforced":
        yield f"rule.objectOwnership must be BucketOwnerEnforced, got {given}"


@on("aws:s3/bucketVersioning:BucketVersioning")
def bucket_versioned(args: ResourceValidationArgs) -> Complaints:
    """A decision names the version of its photo, and what was overwritten by mistake can be had back."""
    given = at(args.props, "versioningConfiguration", "status")
    if given != "Enabled":
        yield f"versioningConfiguration.status must be Enabled, got {given}"


@on("aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration")
def bucket_encrypted(args: ResourceValidationArgs) -> Complaints:
    """Objects are encrypted by default; with a KMS key, by a bucket key, or every object would be a request to KMS."""
    rules = items(at(args.props, "rules"))
    if not rules:
        yield "rules must name an algorithm"
    for each in rules:
        algorithm = at(each, "applyServerSideEncryptionByDefault", "sseAlgorithm")
        if algorithm not in ("AES256", "aws:kms", "aws:kms:dsse"):
            yield f"sseAlgorithm must be AES256 or aws:kms, got {algorithm}"
        elif algorithm == "aws:kms" and at(each, "bucketKeyEnabled") is not True:
            yield "bucketKeyEnabled must be true where a KMS key encrypts"


@on("aws:s3/bucketPolicy:BucketPolicy")
def bucket_refuses_plain_http(args: ResourceValidationArgs) -> Complaints:
    """A photo travels encrypted: the policy denies every request that is not, on the bucket and on its objects."""
    for each in statements(at(args.props, "policy")):
        insecure = at(each, "Condition", "Bool", "aws:SecureTransport")
        everything = "s3:*" in strings(at(each, "Action"))
        resources = strings(at(each, "Resource"))
        objects = any(name.endswith("/*") for name in resources) and any(not name.endswith("/*") for name in resources)
        if at(each, "Effect") == "Deny" and str(insecure).lower() == "false" and everything and objects:
            return
    yield "no statement denies s3:* on bucket and objects where aws:SecureTransport is false"


@on("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration")
def bucket_tidied(args: ResourceValidationArgs) -> Complaints:
    """Old versions and uploads that broke off are paid for until something deletes them."""
    active = [each for each in items(at(args.props, "rules")) if at(each, "status") == "Enabled"]
    if not any(at(each, "noncurrentVersionExpiration") for each in active):
        yield "no rule expires old versions"
    if not any(at(each, "abortIncompleteMultipartUpload") for each in active):
        yield "no rule aborts uploads that broke off"
    if not any(at(each, "expiration", "expiredObjectDeleteMarker") is True for each in active):
        yield "no rule removes the markers of objects that are gone"


@on("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration")
def bucket_forgets_photos(args: ResourceValidationArgs) -> Complaints:
    """Drivers are people: their photos expire, and so do the old versions that objects leave when they expire."""
    active = [each for each in items(at(args.props, "rules")) if at(each, "status") == "Enabled"]
    expiring = [each for each in active if at(each, "expiration", "days")]
    if not expiring:
        yield "no rule expires objects"
    for each in expiring:
        if not at(each, "noncurrentVersionExpiration", "noncurrentDays"):
            yield f"{at(each, 'id')}: what expires stays as an old version, without noncurrentVersionExpiration"


@on("aws:dynamodb/table:Table")
def table_recoverable(args: ResourceValidationArgs) -> Complaints:
    """Decisions are the record of who was sent where: a mistake in them can be undone to the second."""
    if at(args.props, "pointInTimeRecovery", "enabled") is not True:
        yield "pointInTimeRecovery.enabled must be true"


@on("aws:dynamodb/table:Table")
def table_encrypted(args: ResourceValidationArgs) -> Complaints:
    """A table's key is one that the account can see and audit."""
    if at(args.props, "serverSideEncryption", "enabled") is not True:
        yield "serverSideEncryption.enabled must be true"


@on("aws:dynamodb/table:Table")
def table_forgets(args: ResourceValidationArgs) -> Complaints:
    """What names a person's photo is not kept for ever."""
    if at(args.props, "ttl", "enabled") is not True or not at(args.props, "ttl", "attributeName"):
        yield "ttl must be enabled on an attribute"
