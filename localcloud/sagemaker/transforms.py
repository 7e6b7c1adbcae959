"""Batch transforms: a model is asked about every object below a prefix, and leaves `NAME.out` for each.

As the built-in algorithm does: an answer is `{"prediction": [a probability a label]}`; a single picture that it can't
read fails the job, whose other answers are there all the same.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from localcloud.sagemaker.algorithm import fetch_prefix
from localcloud.sagemaker.endpoint import ContainerError, Endpoint
from localcloud.sagemaker.model import unpack


def begin_transform(request: Mapping[str, Any], records: Any, s3: Any) -> threading.Thread:
    """Begin a job that moto has noted, and keep its record up to date.

    Args:
        request: as CreateTransformJob takes it.
        records: moto's.
        s3: boto3's client.
    """
    record = records.transform_jobs[request["TransformJobName"]]
    record.transform_job_status, record.transform_end_time = "InProgress", None
    thread = threading.Thread(target=_run, args=(request, record, records, s3), daemon=True)
    thread.start()
    return thread


def _run(request: Mapping[str, Any], record: Any, records: Any, s3: Any) -> None:
    try:
        failed = _transform(request, records, s3)
    except Exception as error:
        failed = f"InternalServerError: {error}"
    record.failure_reason = failed
    record.transform_end_time = record.last_modified_time = datetime.now(UTC).replace(tzinfo=None)
    record.transform_job_status = "Failed" if failed else "Completed"


def _transform(request: Mapping[str, Any], records: Any, s3: Any) -> str:
    """Why it failed; "" when it did not."""
    bucket, _, key = records._models[request["ModelName"]].primary_container["ModelDataUrl"][5:].partition("/")
    network = unpack(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    model, given = Endpoint("", network, None), request["TransformInput"]
    objects = fetch_prefix(s3, given["DataSource"]["S3DataSource"]["S3Uri"])
    if not objects:
        return "ClientError: NoSuchKey: no objects found below the S3 prefix"
    place, _, folder = request["TransformOutput"]["S3OutputPath"].removeprefix("s3://").partition("/")
    failed = ""
    for name, data in sorted(objects.items()):
        try:
            answer = json.loads(model.invoke(given.get("ContentType", ""), data, None))
        except ContainerError as error:
            failed = failed or f"ClientError: {name}: {error} ({error.status})"
            continue
        out = "/".join(part for part in (folder.strip("/"), f"{name}.out") if part)
        s3.put_object(Bucket=place, Key=out, Body=json.dumps({"prediction": answer}).encode())
    return failed
