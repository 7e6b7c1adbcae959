"""Capture files in S3: the inferences in one, and which files came before it.

Their keys are `{prefix}/{endpoint}/{variant}/yyyy/mm/dd/hh/MM-SS-mmm-uuid.jsonl`: a variant's sort by time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from contract.captures import DamagedRecord, Inference, read_line

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SUFFIX = ".jsonl"
LOOK_BACK_HOURS = 24
"""How many hours before a file's own hour `earlier_files` looks."""
_LAYOUT = re.compile(r"(?P<root>(?:.*/)?)(?P<hour>[12]\d{3}/\d\d/\d\d/\d\d)/[^/]+\.jsonl", re.DOTALL)
_CHUNK = 1 << 20

Damaged = Callable[[int, str], None]
"""Hears the number of a damaged line, from 1, and what is wrong with it."""


def inferences(s3: S3Client, bucket: str, key: str, classes: int, damaged: Damaged) -> Iterator[Inference]:
    """Every inference in a capture file, streamed, but for those of an evaluation.

    One with another number of scores than there are classes counts as damaged.

    Raises:
        ClientError: the object can't be read.
    """
    body = s3.get_object(Bucket=bucket, Key=key)["Body"]
    for number, line in enumerate(body.iter_lines(_CHUNK), start=1):
        try:
            inference = read_line(line)
            if inference is None or inference.is_evaluation:
                continue
            if len(inference.scores) != classes:
                raise DamagedRecord(f"expected the scores of {classes} classes, got {len(inference.scores)}")
        except DamagedRecord as problem:
            damaged(number, str(problem))
        else:
            yield inference


def earlier_files(s3: S3Client, bucket: str, key: str) -> Iterator[str]:
    """The keys of the same variant's files of the LOOK_BACK_HOURS before this one, the latest first.

    None for a key of another layout.

    Raises:
        ClientError: the bucket can't be listed.
    """
    place = _LAYOUT.fullmatch(key)
    if place is None:
        return
    try:
        hour = datetime.strptime(place["hour"], "%Y/%m/%d/%H").replace(tzinfo=UTC)
    except ValueError:  # a thirteenth month, say
        return
    pages = s3.get_paginator("list_objects_v2")
    for back in range(LOOK_BACK_HOURS + 1):
        prefix = f"{place['root']}{hour - timedelta(hours=back):%Y/%m/%d/%H}/"
        found = [
            item.get("Key", "")
            for page in pages.paginate(Bucket=bucket, Prefix=prefix)
            for item in page.get("Contents", ())
        ]
        yield from (name for name in sorted(found, reverse=True) if name < key and name.endswith(SUFFIX))
