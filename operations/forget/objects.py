"""What the bucket holds of a photo: whole objects, and lines of files that hold other photos' too.

Every version is looked at: an object that was deleted, or has expired, is there as an old version for a while.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from contract import prefixes
from contract.captures import DamagedRecord, read_line
from contract.photos import photo_in
from operations.captures.period import Period
from operations.captures.sources import may_hold
from operations.forget.trace import Trace

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

AT_ONCE = 1000
"""The most objects that S3 deletes in one request (Amazon S3 API reference, DeleteObjects)."""
LINES = ".jsonl"
"""What files of lines end with."""
Say = Callable[[str], None]
Belongs = Callable[[bytes], bool]


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket, and a client for it."""

    s3: S3Client
    name: str

    def versions(self, prefix: str) -> Iterator[Any]:
        """All versions and delete markers of the objects under a prefix."""
        for page in self.s3.get_paginator("list_object_versions").paginate(Bucket=self.name, Prefix=prefix):
            yield from (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))

    def read(self, key: str, version: str) -> bytes:
        """The bytes of one version."""
        return self.s3.get_object(Bucket=self.name, Key=key, VersionId=version)["Body"].read()

    def delete(self, which: list[ObjectIdentifierTypeDef]) -> None:
        """Delete versions for good.

        Raises:
            OSError: one of them was not deleted.
        """
        for start in range(0, len(which), AT_ONCE):
            part = which[start : start + AT_ONCE]
            answer = self.s3.delete_objects(Bucket=self.name, Delete={"Objects": part, "Quiet": True})
            for error in answer.get("Errors", ()):
                raise OSError(f"{error.get('Key')} was not deleted: {error.get('Message')} ({error.get('Code')})")


def corrections(bucket: Bucket, key: str, answers: set[str]) -> Iterator[Trace]:
    """Samples that people made of the photo: what is said beside them names it, or the decisions table names them.

    Args:
        bucket: where they lie.
        key: the photo's.
        answers: ids of the answers to the photo, which samples are called after.
    """
    stems: dict[str, list[ObjectIdentifierTypeDef]] = {}
    its: set[str] = set()
    for each in bucket.versions(prefixes.CORRECTIONS):
        name = str(each["Key"])
        stem = name.partition(".")[0]
        stems.setdefault(stem, []).append(_identifier(each))
        described = name.endswith(prefixes.ABOUT_CORRECTION) and "ETag" in each
        if stem.rpartition("/")[2] in answers or (
            described and _names(bucket.read(name, each["VersionId"]), bucket.name, key)
        ):
            its.add(stem)
    for stem in sorted(its):
        yield Trace("corrections", stem, partial(bucket.delete, stems[stem]))


def captures(bucket: Bucket, prefix: str, ids: set[str], period: Period, say: Say) -> Iterator[Trace]:
    """Captured inferences with one of these ids, which may lie in files with those of other photos."""
    wanted = tuple(each.encode() for each in ids)

    def its(line: bytes) -> bool:
        # searched before it is parsed: nearly no line is the photo's
        return any(each in line for each in wanted) and _id_of(line) in ids

    if ids:
        yield from _lines(bucket, "captures", prefix, its, lambda each: may_hold(str(each["Key"]), period), say)


def batch_results(bucket: Bucket, key: str, since: datetime | None, say: Say) -> Iterator[Trace]:
    """What batches wrote of the photo, in files with other photos' results; none is older than the photo."""

    def may(each: Any) -> bool:
        return since is None or each["LastModified"] >= since

    yield from _lines(
        bucket, "batch results", prefixes.BATCH_RESULTS, partial(_is_result_of, bucket.name, key), may, say
    )


def photos(bucket: Bucket, versions: list[Any]) -> Iterator[Trace]:
    """The photo itself."""
    for each in versions:
        yield Trace("photos", f"version {each['VersionId']}", partial(bucket.delete, [_identifier(each)]))


def _lines(
    bucket: Bucket, place: str, prefix: str, its: Belongs, may: Callable[[Any], bool], say: Say
) -> Iterator[Trace]:
    for each in bucket.versions(prefix):
        name, version = str(each["Key"]), str(each["VersionId"])
        if "ETag" not in each or not name.endswith(LINES) or not may(each):
            continue
        say(name)
        lines = bucket.read(name, version).splitlines(keepends=True)
        kept = [line for line in lines if not its(line)]
        if len(kept) == len(lines):
            continue
        latest = bool(each.get("IsLatest"))
        left = b"".join(kept) if latest else b""
        yield Trace(
            place, name if latest else f"{name}, an older version", partial(_rewrite, bucket, name, version, left)
        )


def _rewrite(bucket: Bucket, name: str, version: str, kept: bytes) -> None:
    """Write what is kept, where there is something, and delete the version that held more."""
    if kept:
        bucket.s3.put_object(Bucket=bucket.name, Key=name, Body=kept)
    bucket.delete([{"Key": name, "VersionId": version}])


def _identifier(each: Any) -> ObjectIdentifierTypeDef:
    return {"Key": each["Key"], "VersionId": each["VersionId"]}


def _names(described: bytes, bucket: str, key: str) -> bool:
    try:
        about: Any = json.loads(described)
        return (about["bucket"], about["key"]) == (bucket, key)
    except (ValueError, KeyError, TypeError):
        return False


def _id_of(line: bytes) -> str | None:
    try:
        inference = read_line(line)
    except DamagedRecord:
        return None
    return inference.inference_id if inference else None


def _is_result_of(bucket: str, key: str, line: bytes) -> bool:
    """Whether a line tells of the child that classified the photo."""
    try:
        child: object = json.loads(line)
    except (ValueError, RecursionError):
        return False
    photo = photo_in(cast("Mapping[str, object]", child).get("Input")) if isinstance(child, dict) else None
    return photo is not None and (photo.bucket, photo.key) == (bucket, key)
