"""Photos that people answered, in a folder or in a bucket, read as the pictures that a model would be sent of them."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol, cast

import boto3
import numpy as np
from botocore.exceptions import ClientError
from PIL import Image

from contract.errors import SconesError, UserError
from contract.limits import MEGA, MOST_IMAGE_MEGABYTES, MOST_IMAGE_MEGAPIXELS
from contract.pictures import to_model_image
from contract.prefixes import ABOUT_CORRECTION
from contract.promotion import s3_place
from training.dataset.archive import SIDE

READERS = 8
"""Photos that are fetched and decoded at once."""
GONE = frozenset({"NoSuchKey", "404"})
"""S3's codes for an object that went between the listing and the reading."""


@dataclass(frozen=True, slots=True)
class AnsweredPhoto:
    """A photo and what a person said of it."""

    name: str
    """`label/file`, as it lies in its place."""
    label: str
    pixels: bytes
    """In the archive's order: `SIDE` x `SIDE` of red, of green, of blue."""
    model_said: str
    """The best label of the model that was asked at the time; empty where it did not answer."""


@dataclass(frozen=True, slots=True)
class Answers:
    """All that a place holds."""

    photos: tuple[AnsweredPhoto, ...]
    """By name."""
    damaged: Mapping[str, str]
    """What can't be used, and why, by name."""


class AnswersPlace(Protocol):
    """Where answered photos lie, in one folder for each label."""

    def sizes(self) -> Mapping[str, int]:
        """The bytes of each file, by its name relative to the place."""
        ...

    def read(self, name: str) -> bytes:
        """A file's bytes. Raises FileNotFoundError when it went in the meantime."""
        ...


@dataclass(frozen=True, slots=True)
class FolderPlace:
    """A folder on this machine."""

    path: Path

    def sizes(self) -> Mapping[str, int]:
        """The bytes of each file below the folder."""
        if not self.path.is_dir():
            raise UserError(f"--corrections must be a folder or s3://bucket/prefix/, got {self.path}")
        files = (path for path in self.path.rglob("*") if path.is_file())
        return {path.relative_to(self.path).as_posix(): path.stat().st_size for path in files}

    def read(self, name: str) -> bytes:
        """A file's bytes."""
        return (self.path / name).read_bytes()


class BucketPlace:
    """A prefix of a bucket.

    Args:
        uri: `s3://bucket/prefix/`.
    """

    def __init__(self, uri: str) -> None:
        bucket, _, prefix = uri.removeprefix("s3://").partition("/")
        if not bucket or not prefix.strip("/"):
            raise UserError(f"--corrections must be a folder or s3://bucket/prefix/, got {uri}")
        self._bucket, self._prefix = s3_place(f"s3://{bucket}/{prefix.rstrip('/')}/")
        self._s3 = boto3.client("s3")

    def sizes(self) -> Mapping[str, int]:
        """The bytes of each object below the prefix."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix)
        objects = (each for page in pages for each in page.get("Contents", []))
        sizes = {each.get("Key", "").removeprefix(self._prefix): each.get("Size", 0) for each in objects}
        return {name: size for name, size in sizes.items() if name and not name.endswith("/")}

    def read(self, name: str) -> bytes:
        """An object's bytes."""
        try:
            return self._s3.get_object(Bucket=self._bucket, Key=self._prefix + name)["Body"].read()
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in GONE:
                raise FileNotFoundError(2, "it is gone", name) from error
            raise


def place_of(text: str) -> AnswersPlace:
    """The place that a user names: a folder, or `s3://bucket/prefix/`.

    Raises:
        UserError: it can be neither.
    """
    return BucketPlace(text) if text.startswith("s3://") else FolderPlace(Path(text))


def read_answers(place: AnswersPlace, on_read: Callable[[int, int], object] = lambda done, total: None) -> Answers:
    """Everything in a place; a file that can't be used is named, and stops nothing.

    Args:
        place: where.
        on_read: told how many photos of how many were read.

    Raises:
        UserError: there is no such place.
    """
    sizes = {name: size for name, size in place.sizes().items() if not PurePosixPath(name).name.startswith(".")}
    names = sorted(name for name in sizes if not name.endswith(ABOUT_CORRECTION))
    photos: list[AnsweredPhoto] = []
    described = {_about(name) for name in names}
    damaged = dict.fromkeys(sorted(sizes.keys() - {*names} - described), "there is no photo beside it")

    def read(name: str) -> AnsweredPhoto | str:
        try:
            return _read(place, name, sizes)
        except _Unusable as error:
            return str(error)

    pool = ThreadPoolExecutor(READERS)
    try:
        for done, (name, found) in enumerate(zip(names, pool.map(read, names), strict=True), start=1):
            if isinstance(found, str):
                damaged[name] = found
            else:
                photos.append(found)
            on_read(done, len(names))
    finally:
        pool.shutdown(cancel_futures=True)
    return Answers(tuple(photos), dict(sorted(damaged.items())))


class _Unusable(Exception):
    """Why a file can't be used."""


def _about(name: str) -> str:
    return PurePosixPath(name).with_suffix("").as_posix() + ABOUT_CORRECTION


def _read(place: AnswersPlace, name: str, sizes: Mapping[str, int]) -> AnsweredPhoto:
    label, _, file = name.partition("/")
    if not file or "/" in file:
        raise _Unusable("it lies in no label's folder")
    if sizes[name] > MOST_IMAGE_MEGABYTES * MEGA:
        raise _Unusable(f"it has {sizes[name]:,} bytes; at most {MOST_IMAGE_MEGABYTES} MB are read")
    if _about(name) not in sizes:
        raise _Unusable(f"there is no {ABOUT_CORRECTION} beside it")
    try:
        about = _described(place.read(_about(name)), label)
        data = place.read(name)
        png = to_model_image(data, size=SIDE, max_pixels=MOST_IMAGE_MEGAPIXELS * MEGA)
    except OSError as error:
        raise _Unusable(error.strerror or str(error)) from error
    except SconesError as error:
        raise _Unusable(str(error)) from error
    with Image.open(io.BytesIO(png)) as image:
        planes = np.asarray(image).transpose(2, 0, 1)
    said = about.get("model_label")
    return AnsweredPhoto(name, label, planes.tobytes(), said if isinstance(said, str) else "")


def _described(data: bytes, label: str) -> dict[str, object]:
    try:
        parsed: object = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _Unusable(f"its description is not JSON: {error}") from error
    about = cast("dict[str, object]", parsed) if isinstance(parsed, dict) else {}
    if about.get("label") != label:
        raise _Unusable(f"its description must say the label {label}, got {about.get('label')!r:.60}")
    return about
