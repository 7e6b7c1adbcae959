"""The functions that read what is in the cloud: another stack's outputs, an object."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from contract.names import PROJECT
from localcloud.cloud import Cloud
from localcloud.places import outputs_file

READ_OUTPUTS = "pulumi:pulumi:readStackOutputs"
GET_OBJECT = "aws:s3/getObject:getObject"


class Refused(Exception):
    """A function's refusal, which the program hears as an exception: the argument at fault, and why."""

    def __init__(self, argument: str, reason: str) -> None:
        self.argument, self.reason = argument, reason
        super().__init__(reason)


def read(cloud: Cloud, token: str, arguments: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The answer of a function that reads what is in the cloud; None when it is no such function.

    Raises:
        Refused: it does not take these arguments.
    """
    if token == READ_OUTPUTS:
        return _stack_outputs(cloud, arguments["name"])
    if token == GET_OBJECT:
        return _object(cloud, arguments)
    return None


def _stack_outputs(cloud: Cloud, name: str) -> Mapping[str, Any]:
    """A stack's outputs, as its last `up` left them; none for the stack itself before its first."""
    *above, stack = name.split("/")
    if len(above) == 2 and above[1] != PROJECT:
        raise Refused("name", f"only stacks of the project {PROJECT} are known here, got {name!r}")
    file = outputs_file(cloud.root, stack)
    if file.is_file():
        return {"name": name, "outputs": json.loads(file.read_text()), "secretOutputNames": []}
    if stack != cloud.stack:
        raise Refused("name", f"unknown stack {name!r}: it is not up here")
    return {"name": name, "outputs": {}, "secretOutputNames": []}


def _object(cloud: Cloud, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """An object, and its content when that is text, as the provider gives it."""
    bucket, key = arguments["bucket"], arguments["key"]
    try:
        found = cloud.client("s3").get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        missing = code in ("NoSuchKey", "NoSuchBucket", "404")
        reason = "couldn't find resource" if missing else str(error)
        raise Refused("key", f"reading S3 Bucket ({bucket}) Object ({key}): {reason}") from error
    kind = found["ContentType"]
    body = found["Body"].read().decode() if kind == "application/json" or kind.startswith("text/") else ""
    etag = found["ETag"].strip('"')
    return {"bucket": bucket, "key": key, "id": f"{bucket}/{key}", "body": body, "contentType": kind, "etag": etag}
