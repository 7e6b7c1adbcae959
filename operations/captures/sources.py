"""Where capture files lie: an S3 prefix or a folder of the same layout, pruned by the hour in the key.

The layout is `{prefix}/{endpoint}/{variant}/yyyy/mm/dd/hh/MM-SS-mmm-uuid.jsonl`; files that lie otherwise
are read as well, because there is no hour to prune them by.
"""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from contract.errors import UserError
from operations.captures.period import Period

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BLOCK = 4 << 20
"""Bytes read at once."""
PREFETCH_FILES = 64
PREFETCH_BYTES = 64 << 20
"""The most that is downloaded and not yet read; a file larger than this is streamed instead."""
DOWNLOADS = 16
_HOUR = re.compile(r"(?:^|/)(\d{4})/(\d\d)/(\d\d)/(\d\d)/[^/]*$")
_YEAR = re.compile(r"\d{4}/$")


@dataclass(frozen=True, slots=True)
class CaptureFile:
    """One file: its name as a person would look it up, and its bytes in blocks."""

    name: str
    blocks: Callable[[], Iterator[bytes]]


class Source(Protocol):
    """A place that capture files are read from."""

    @property
    def name(self) -> str:
        """The place as a person would type it."""
        ...

    def files(self, period: Period) -> Iterator[CaptureFile]:
        """Its capture files that may hold records of the period, ordered by name."""
        ...


def open_source(place: str, s3: S3Client | None = None) -> Source:
    """The source that `place` names: `s3://bucket/prefix`, a folder or a file.

    Raises:
        UserError: it names no bucket, or nothing that exists.
    """
    if place.startswith("s3://"):
        bucket, _, prefix = place[5:].partition("/")
        if not bucket:
            raise UserError(f"--capture must be s3://bucket/prefix or a folder, got {place!r}")
        if s3 is None:
            import boto3

            s3 = boto3.client("s3")
        return S3Source(s3, bucket, prefix if not prefix or prefix.endswith("/") else prefix + "/")
    path = Path(place)
    if not path.exists():
        raise UserError(f"--capture {place}: there is no such folder or file")
    return FolderSource(path)


def may_hold(key: str, period: Period) -> bool:
    """Whether the file at `key` may hold records of the period; True when its name has no hour."""
    match = _HOUR.search(key)
    if match is None:
        return True
    year, month, day, hour = (int(part) for part in match.groups())
    try:
        return period.holds_hour(datetime(year, month, day, hour, tzinfo=UTC))
    except (ValueError, OverflowError):
        return True


@dataclass(frozen=True, slots=True)
class FolderSource:
    """A folder of capture files, or a single file."""

    path: Path

    @property
    def name(self) -> str:
        """The folder's path."""
        return str(self.path)

    def files(self, period: Period) -> Iterator[CaptureFile]:
        """The `.jsonl` files below the folder, in order of their path."""
        if self.path.is_file():
            yield CaptureFile(str(self.path), lambda: _file_blocks(str(self.path)))
            return
        root = str(self.path)
        for path in _walk(root):
            if may_hold(path[len(root) :], period):
                yield CaptureFile(path, lambda path=path: _file_blocks(path))


def _walk(folder: str) -> Iterator[str]:
    """The `.jsonl` files below, in order of their path (as text: there may be a hundred thousand)."""
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        if entry.is_dir():
            yield from _walk(entry.path)
        elif entry.name.endswith(".jsonl"):
            yield entry.path


def _file_blocks(path: str) -> Iterator[bytes]:
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123
        while block := file.read(BLOCK):
            yield block


@dataclass(frozen=True, slots=True)
class _Listed:
    key: str
    size: int


class S3Source:
    """The capture files below a prefix of a bucket, downloaded several at a time with bounded memory."""

    def __init__(self, s3: S3Client, bucket: str, prefix: str) -> None:
        self._s3, self._bucket, self._prefix = s3, bucket, prefix

    @property
    def name(self) -> str:
        """The prefix as an `s3://` address."""
        return f"s3://{self._bucket}/{self._prefix}"

    def files(self, period: Period) -> Iterator[CaptureFile]:
        """The files of the period's hours; the next ones are on their way while one is read."""
        with ThreadPoolExecutor(DOWNLOADS) as pool:
            waiting: deque[tuple[_Listed, Future[bytes] | None]] = deque()
            ahead = 0
            for listed in self._listed(period):
                small = listed.size <= PREFETCH_BYTES
                while waiting and (
                    len(waiting) >= PREFETCH_FILES or ahead + (listed.size if small else 0) > PREFETCH_BYTES
                ):
                    ahead -= waiting[0][0].size if waiting[0][1] else 0
                    yield self._file(*waiting.popleft())
                waiting.append((listed, pool.submit(self._download, listed.key) if small else None))
                ahead += listed.size if small else 0
            while waiting:
                yield self._file(*waiting.popleft())

    def _file(self, listed: _Listed, download: Future[bytes] | None) -> CaptureFile:
        name = f"s3://{self._bucket}/{listed.key}"
        if download is None:
            return CaptureFile(name, lambda: self._stream(listed.key))
        return CaptureFile(name, lambda: iter((download.result(),)))

    def _download(self, key: str) -> bytes:
        return self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()

    def _stream(self, key: str) -> Iterator[bytes]:
        yield from self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].iter_chunks(BLOCK)

    def _listed(self, period: Period) -> Iterator[_Listed]:
        partitions = period.partitions(datetime.now(UTC))
        roots = self._roots() if partitions is not None else None
        if partitions is None or roots is None:
            yield from self._list(self._prefix, period)
            return
        for root in roots:
            for partition in partitions:
                yield from self._list(root + partition, period)

    def _list(self, prefix: str, period: Period) -> Iterator[_Listed]:
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
            for item in page.get("Contents", ()):
                key = item.get("Key", "")
                if key.endswith(".jsonl") and may_hold(key, period):
                    yield _Listed(key, item.get("Size", 0))

    def _roots(self) -> list[str] | None:
        """The prefixes below which the years lie (one per endpoint and variant); None for another layout."""
        level = [self._prefix]
        for _ in range(3):
            below = [(root, self._children(root)) for root in level]
            dated = [root for root, children in below if any(_YEAR.search(child) for child in children)]
            if dated:
                return dated
            level = [child for _, children in below for child in children]
        return None

    def _children(self, prefix: str) -> list[str]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix, Delimiter="/")
        return [item.get("Prefix", "") for page in pages for item in page.get("CommonPrefixes", ())]
