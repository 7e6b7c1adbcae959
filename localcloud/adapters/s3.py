"""S3: the bucket, what is set on it, and its objects."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pulumi

from contract.errors import UserError
from contract.screen import counted
from localcloud.adapter import Created, Request, adapter, pascal, tag_list
from localcloud.archives import archive_files, zipped

NAMES = {"id": "ID"}
BUCKET = ("bucket",)


@adapter("aws:s3/bucket:Bucket", takes=("forceDestroy", "tags"))
def bucket(request: Request) -> Created:
    name = request.auto_name
    request.cloud.client("s3").create_bucket(Bucket=name)
    request.cloud.client("s3").put_bucket_tagging(Bucket=name, Tagging={"TagSet": tag_list(request)})
    domain = f"{name}.s3.amazonaws.com"
    return name, {"id": name, "bucket": name, "arn": f"arn:aws:s3:::{name}", "bucketDomainName": domain}


@bucket.updates
def update_bucket(request: Request) -> Mapping[str, Any]:
    request.cloud.client("s3").put_bucket_tagging(Bucket=request.id, Tagging={"TagSet": tag_list(request)})
    return {}


@bucket.deletes
def delete_bucket(request: Request) -> None:
    client = request.cloud.client("s3")
    if request.get("forceDestroy"):
        for page in client.get_paginator("list_object_versions").paginate(Bucket=request.id):
            for version in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                client.delete_object(
                    Bucket=request.id, Key=version.get("Key", ""), VersionId=version.get("VersionId", "")
                )
    client.delete_bucket(Bucket=request.id)


@bucket.counts
def objects_in(request: Request) -> str:
    pages = request.cloud.client("s3").get_paginator("list_objects_v2").paginate(Bucket=request.id)
    count = sum(page["KeyCount"] for page in pages)
    return counted(count, "object") if count else ""


@adapter(
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    takes=("bucket", "blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"),
    replaces=BUCKET,
    put=True,
)
def public_access_block(request: Request) -> Created:
    settings = {key: value for key, value in request.inputs.items() if key != "bucket"}
    request.cloud.client("s3").put_public_access_block(
        Bucket=request["bucket"], PublicAccessBlockConfiguration=pascal(settings)
    )
    return request["bucket"], {}


@public_access_block.deletes
def delete_public_access_block(request: Request) -> None:
    request.cloud.client("s3").delete_public_access_block(Bucket=request.id)


@adapter("aws:s3/bucketOwnershipControls:BucketOwnershipControls", takes=("bucket", "rule"), replaces=BUCKET, put=True)
def ownership(request: Request) -> Created:
    request.cloud.client("s3").put_bucket_ownership_controls(
        Bucket=request["bucket"], OwnershipControls={"Rules": [pascal(request["rule"])]}
    )
    return request["bucket"], {}


@ownership.deletes
def delete_ownership(request: Request) -> None:
    request.cloud.client("s3").delete_bucket_ownership_controls(Bucket=request.id)


@adapter(
    "aws:s3/bucketVersioning:BucketVersioning",
    takes=("bucket", "versioningConfiguration"),
    replaces=BUCKET,
    put=True,
)
def versioning(request: Request) -> Created:
    request.cloud.client("s3").put_bucket_versioning(
        Bucket=request["bucket"], VersioningConfiguration=pascal(request["versioningConfiguration"])
    )
    return request["bucket"], {}


@adapter(
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    takes=("bucket", "rules"),
    replaces=BUCKET,
    put=True,
)
def encryption(request: Request) -> Created:
    names = {"sseAlgorithm": "SSEAlgorithm", "kmsMasterKeyId": "KMSMasterKeyID"}
    request.cloud.client("s3").put_bucket_encryption(
        Bucket=request["bucket"], ServerSideEncryptionConfiguration={"Rules": pascal(request["rules"], names)}
    )
    return request["bucket"], {}


@encryption.deletes
def delete_encryption(request: Request) -> None:
    request.cloud.client("s3").delete_bucket_encryption(Bucket=request.id)


@adapter("aws:s3/bucketPolicy:BucketPolicy", takes=("bucket", "policy"), replaces=BUCKET, put=True)
def bucket_policy(request: Request) -> Created:
    request.cloud.client("s3").put_bucket_policy(Bucket=request["bucket"], Policy=request["policy"])
    return request["bucket"], {}


@bucket_policy.deletes
def delete_bucket_policy(request: Request) -> None:
    request.cloud.client("s3").delete_bucket_policy(Bucket=request.id)


@adapter("aws:s3/bucketNotification:BucketNotification", takes=("bucket", "eventbridge"), replaces=BUCKET, put=True)
def notification(request: Request) -> Created:
    settings: Any = {"EventBridgeConfiguration": {}} if request.get("eventbridge") else {}
    request.cloud.client("s3").put_bucket_notification_configuration(
        Bucket=request["bucket"], NotificationConfiguration=settings
    )
    return request["bucket"], {}


@notification.deletes
def delete_notification(request: Request) -> None:
    client = request.cloud.client("s3")
    client.put_bucket_notification_configuration(Bucket=request.id, NotificationConfiguration={})


@adapter(
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    takes=("bucket", "rules"),
    replaces=BUCKET,
    put=True,
)
def lifecycle(request: Request) -> Created:
    request.cloud.client("s3").put_bucket_lifecycle_configuration(
        Bucket=request["bucket"], LifecycleConfiguration={"Rules": pascal(request["rules"], NAMES)}
    )
    return request["bucket"], {}


@lifecycle.deletes
def delete_lifecycle(request: Request) -> None:
    request.cloud.client("s3").delete_bucket_lifecycle(Bucket=request.id)


@adapter(
    "aws:s3/bucketObject:BucketObject",
    takes=("bucket", "key", "source", "content", "contentType", "tags"),
    replaces=("bucket", "key"),
    moves=("etag", "versionId"),
    put=True,
    ignores={
        "sourceHash": "it tells the provider when to upload anew",
    },
)
def bucket_object(request: Request) -> Created:
    answer = request.cloud.client("s3").put_object(
        Bucket=request["bucket"],
        Key=request["key"],
        Body=_content(request),
        ContentType=request.get("contentType", "application/octet-stream"),
        Tagging=urlencode(request.get("tags", {})),
    )
    return request["key"], {"etag": answer["ETag"].strip('"'), "versionId": answer.get("VersionId", "")}


def _content(request: Request) -> bytes:
    source, content = request.get("source"), request.get("content")
    if isinstance(content, str):
        return content.encode()
    if isinstance(source, pulumi.FileAsset):
        return (request.cloud.root / Path(source.path)).read_bytes()
    if isinstance(source, pulumi.AssetArchive):
        return zipped(archive_files(source, request.cloud.root))
    if source is None:
        return str(request["content"]).encode()
    raise UserError(f"expected a FileAsset or an AssetArchive as an object's source, got {type(source).__name__}")


@bucket_object.deletes
def delete_bucket_object(request: Request) -> None:
    request.cloud.client("s3").delete_object(Bucket=request["bucket"], Key=request.id)


@adapter(
    "aws:s3/objectCopy:ObjectCopy",
    takes=("bucket", "key", "source", "copyIfMatch", "taggingDirective", "tags"),
    replaces=("bucket", "key", "source"),
    moves=("etag", "versionId", "sourceVersionId", "lastModified"),
    put=True,
)
def object_copy(request: Request) -> Created:
    condition = {"CopySourceIfMatch": request["copyIfMatch"]} if request.get("copyIfMatch") else {}
    answer = request.cloud.client("s3").copy_object(
        Bucket=request["bucket"],
        Key=request["key"],
        CopySource=request["source"],
        TaggingDirective=request.get("taggingDirective", "COPY"),
        Tagging=urlencode(request.get("tags", {})),
        **condition,
    )
    etag = answer["CopyObjectResult"].get("ETag", "").strip('"')
    return request["key"], {"etag": etag, "versionId": answer.get("VersionId", "")}


@object_copy.deletes
def delete_object_copy(request: Request) -> None:
    request.cloud.client("s3").delete_object(Bucket=request["bucket"], Key=request.id)
