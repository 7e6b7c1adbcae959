"""What lies under a prefix: how many photos, and which, so that the same ones are the same batch."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contract import prefixes
from contract.errors import UserError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LONGEST_SLUG = 48
"""Of the 80 characters of an execution's name; a digest and an attempt follow."""
DIGEST = 16
Say = Callable[[str, int, int | None], None]
"""Hears what is being done, how much of it is done, and of how much, where that is known."""


@dataclass(frozen=True, slots=True)
class UnderPrefix:
    """What was found."""

    prefix: str
    photos: int
    folders: int
    """Empty objects that only show a folder; a batch passes over them."""
    size: int
    """Bytes of all photos."""
    digest: str
    """Of every key, content and time: the same one for the same photos."""


def check_prefix(prefix: str) -> str:
    """A prefix under which there may be photos.

    Raises:
        UserError: it is anywhere else.
    """
    if not prefix.startswith(prefixes.PHOTOS):
        allowed = f"{', '.join(prefixes.PHOTOS[:-1])} or {prefixes.PHOTOS[-1]}"
        raise UserError(f"PREFIX must begin with {allowed}, where photos may lie, got {prefix!r}")
    return prefix


def look_under(s3: S3Client, bucket: str, prefix: str, say: Say) -> UnderPrefix:
    """List everything under a prefix, as the state machine will."""
    photos = folders = size = 0
    digest = hashlib.sha256(prefix.encode())
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for each in page.get("Contents", []):
            key, length = each.get("Key", ""), each.get("Size", 0)
            if key.endswith("/") and not length:
                folders += 1
                continue
            photos, size = photos + 1, size + length
            written = each["LastModified"].isoformat() if "LastModified" in each else ""
            digest.update(f"\n{key}\n{each.get('ETag', '')}\n{written}".encode())
        say("objects", photos + folders, None)
    return UnderPrefix(prefix, photos, folders, size, digest.hexdigest()[:DIGEST])


def name_of(found: UnderPrefix, attempt: int) -> str:
    """The execution's name: the same for whoever starts the same photos, and another once there is one more.

    Step Functions takes a name once in 90 days, so that nobody starts a batch twice.
    """
    slug = re.sub(r"[^A-Za-z0-9]+", "-", found.prefix).strip("-")[:LONGEST_SLUG]
    return f"{slug}-{found.digest}" + (f"-{attempt}" if attempt > 1 else "")
