"""A stack's bucket, as a retraining uses it."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from contract import prefixes
from contract.errors import UserError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

AT_ONCE = 16
"""Small objects that are written, read or deleted at a time."""
MISSING = frozenset({"NoSuchKey", "404"})
TAKEN = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})
"""S3's codes for an object that is there already, or is being written by somebody else."""


def code_of(error: ClientError) -> str:
    """AWS's code of an error."""
    return str(error.response.get("Error", {}).get("Code", ""))


@dataclass(frozen=True, slots=True)
class StackBucket:
    """A bucket and who reads and writes it."""

    s3: S3Client
    name: str

    def uri(self, key: str) -> str:
        """An object's address."""
        return f"s3://{self.name}/{key}"

    def read(self, key: str) -> bytes | None:
        """An object's bytes; None when there is none."""
        try:
            return self.s3.get_object(Bucket=self.name, Key=key)["Body"].read()
        except ClientError as error:
            if code_of(error) in MISSING:
                return None
            raise

    def write(self, key: str, data: bytes, content_type: str = "application/octet-stream") -> None:
        """Put an object."""
        self.s3.put_object(Bucket=self.name, Key=key, Body=data, ContentType=content_type)

    def write_first(self, key: str, document: Mapping[str, Any]) -> bool:
        """Put a JSON document where none is; False when somebody was first."""
        body = json.dumps(document, indent=1).encode() + b"\n"
        try:
            self.s3.put_object(Bucket=self.name, Key=key, Body=body, ContentType="application/json", IfNoneMatch="*")
        except ClientError as error:
            if code_of(error) in TAKEN:
                return False
            raise
        return True

    def write_all(self, objects: Mapping[str, bytes]) -> None:
        """Put many small objects, by key."""

        def write(key: str) -> None:
            self.write(key, objects[key])

        with ThreadPoolExecutor(AT_ONCE) as pool:
            for _ in pool.map(write, objects):
                pass

    def read_all(self, keys: Iterable[str]) -> dict[str, bytes]:
        """The bytes of many small objects, by key."""
        wanted = list(keys)

        def read(key: str) -> bytes:
            return self.s3.get_object(Bucket=self.name, Key=key)["Body"].read()

        with ThreadPoolExecutor(AT_ONCE) as pool:
            return dict(zip(wanted, pool.map(read, wanted), strict=True))

    def keys_below(self, prefix: str) -> list[str]:
        """The keys that begin with a prefix."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        return [each.get("Key", "") for page in pages for each in page.get("Contents", [])]

    def delete_below(self, prefix: str) -> None:
        """Delete the objects whose keys begin with a prefix."""

        def delete(key: str) -> None:
            self.s3.delete_object(Bucket=self.name, Key=key)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            for _ in pool.map(delete, self.keys_below(prefix)):
                pass


def unpack_materials(data: bytes, folder: Path) -> dict[str, str]:
    """Unpack what a model was made of: its dataset into a folder, and the hyperparameters, which are returned.

    Raises:
        UserError: it is no such archive.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                path = PurePosixPath(name)
                if name.startswith(prefixes.MATERIALS_DATASET) and ".." not in path.parts and not name.endswith("/"):
                    place = folder / path.relative_to(prefixes.MATERIALS_DATASET)
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.write_bytes(archive.read(name))
            found: object = json.loads(archive.read(prefixes.MATERIALS_HYPERPARAMETERS))
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise UserError(f"{prefixes.MATERIALS_FILE} can't be read: {error}") from error
    if not isinstance(found, dict):
        raise UserError(f"{prefixes.MATERIALS_HYPERPARAMETERS} must hold an object, got {found!r:.60}")
    return {str(key): str(value) for key, value in found.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def pack_materials(folder: Path, files: Iterable[str], hyperparameters: Mapping[str, str]) -> bytes:
    """What a model is made of, as the program uploads it.

    Args:
        folder: the dataset's.
        files: its files, relative to the folder.
        hyperparameters: all of them.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            archive.write(folder / path, prefixes.MATERIALS_DATASET + path)
        archive.writestr(prefixes.MATERIALS_HYPERPARAMETERS, json.dumps(dict(hyperparameters), sort_keys=True))
    return buffer.getvalue()
