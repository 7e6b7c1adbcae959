"""S3: the bucket, what is set on it, and its objects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pulumi

from contract.errors import UserError
from localcloud.engine import Created, Request, adapter, pascal, tag_list

NAMES = {"id": "ID"}


@adapter("aws:s3/bucket:Bucket", takes=("bucket", "tags"), ignores={"forceDestroy": "nothing here outlives `down`"})
def bucket(request: Request) -> Created:
    name = request.get("bucket", request.auto_name)
    request.cloud.client("s3").create_bucket(Bucket=name)
    request.cloud.client("s3").put_bucket_tagging(Bucket=name, Tagging={"TagSet": tag_list(request)})
    domain = f"{name}.s3.amazonaws.com"
    return name, {"id": name, "bucket": name, "arn": f"arn:aws:s3:::{name}", "bucketDomainName": domain}


@adapter(
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    takes=("bucket", "blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"),
)
def public_access_block(request: Request) -> Created:
    settings = {key: value for key, value in request.inputs.items() if key != "bucket"}
    request.cloud.client("s3").put_public_access_block(
        Bucket=request["bucket"], PublicAccessBlockConfiguration=pascal(settings)
    )
    return request["bucket"], {}


@adapter("aws:s3/bucketOwnershipControls:BucketOwnershipControls", takes=("bucket", "rule"))
def ownership(request: Request) -> Created:
    request.cloud.client("s3").put_bucket_ownership_controls(
        Bucket=request["bucket"], OwnershipControls={"Rules": [pascal(request["rule"])]}
    )
    return request["bucket"], {}


@adapter("aws:s3/bucketVersioning:BucketVersioning", takes=("bucket", "versioningConfiguration"))
def versioning(request: Request) -> Created:
    request.cloud.client("s3").put_bucket_versioning(
        Bucket=request["bucket"], VersioningConfiguration=pascal(request["versioningConfiguration"])
    )
    return request["bucket"], {}


@adapter(
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration", takes=("bucket", "rules")
)
def encryption(request: Request) -> Created:
    names = {"sseAlgorithm": "SSEAlgorithm", "kmsMasterKeyId": "KMSMasterKeyID"}
    request.cloud.client("s3").put_bucket_encryption(
        Bucket=request["bucket"], ServerSideEncryptionConfiguration={"Rules": pascal(request["rules"], names)}
    )
    return request["bucket"], {}


@adapter("aws:s3/bucketPolicy:BucketPolicy", takes=("bucket", "policy"))
def bucket_policy(request: Request) -> Created:
    document = json.loads(request["policy"])
    kept = [each for each in document["Statement"] if "aws:SecureTransport" not in json.dumps(each)]
    if len(kept) < len(document["Statement"]):
        request.cloud.say("bucket policy: requests without TLS are not refused, since the loopback interface has none")
    if kept:
        policy = json.dumps({**document, "Statement": kept})
        request.cloud.client("s3").put_bucket_policy(Bucket=request["bucket"], Policy=policy)
    return request["bucket"], {}


@adapter("aws:s3/bucketNotification:BucketNotification", takes=("bucket", "eventbridge"))
def notification(request: Request) -> Created:
    settings: Any = {"EventBridgeConfiguration": {}} if request.get("eventbridge") else {}
    request.cloud.client("s3").put_bucket_notification_configuration(
        Bucket=request["bucket"], NotificationConfiguration=settings
    )
    return request["bucket"], {}


@adapter("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", takes=("bucket", "rules"))
def lifecycle(request: Request) -> Created:
    request.cloud.client("s3").put_bucket_lifecycle_configuration(
        Bucket=request["bucket"], LifecycleConfiguration={"Rules": pascal(request["rules"], NAMES)}
    )
    return request["bucket"], {}


@adapter(
    "aws:s3/bucketObject:BucketObject",
    takes=("bucket", "key", "source", "contentType", "tags"),
    ignores={
        "sourceHash": "it tells the provider when to upload anew",
        "kmsKeyId": "emulated objects are not encrypted",
        "serverSideEncryption": "emulated objects are not encrypted",
    },
)
def bucket_object(request: Request) -> Created:
    source = request["source"]
    if not isinstance(source, pulumi.FileAsset):
        raise UserError(f"expected a FileAsset as an object's source, got {type(source).__name__}")
    answer = request.cloud.client("s3").put_object(
        Bucket=request["bucket"],
        Key=request["key"],
        Body=(request.cloud.root / Path(source.path)).read_bytes(),
        ContentType=request.get("contentType", "application/octet-stream"),
        Tagging=urlencode(request.get("tags", {})),
    )
    return request["key"], {"etag": answer["ETag"].strip('"'), "versionId": answer.get("VersionId", "")}
