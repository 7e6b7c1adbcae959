"""A dataset's identity: what is in it, and a hash of all of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal, cast

from contract.errors import UserError
from contract.invocation import command

VERSION = 1
FILE = "manifest.json"
Format = Literal["recordio", "image"]
SPLITS = ("train", "validation", "test")
CORRECTED = "corrected"
"""The folder of held-out corrections, in one folder for each label."""

CHANNELS: Mapping[str, Mapping[str, str]] = {
    "recordio": {"train": "application/x-recordio", "validation": "application/x-recordio"},
    "image": {
        "train": "application/x-image",
        "validation": "application/x-image",
        "train_lst": "application/x-image",
        "validation_lst": "application/x-image",
    },
}
"""The channels of a training job for each format, and their content types (SageMaker, "Image Classification -
MXNet", input/output interface)."""


class DatasetError(UserError):
    """A dataset folder that is missing or not what `prepare` writes."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A prepared dataset; `identity` is a SHA-256 (64 hexadecimal digits) over all that it holds."""

    format: Format
    classes: tuple[str, ...]
    image_size: int
    splits: Mapping[str, int]
    files: Mapping[str, str]
    identity: str
    model_said: Mapping[str, str] = field(default_factory=dict[str, str])
    """Of each held-out correction, by its picture's name, what the model that was asked had said; "" for no answer."""

    @property
    def channels(self) -> Mapping[str, str]:
        """The training job's channels, with their content types."""
        return CHANNELS[self.format]

    def images(self, split: str) -> int:
        """How many images `train`, `validation` or `test` has."""
        return self.splits[split]

    def channel_files(self, channel: str) -> list[str]:
        """The files of a channel, as sorted paths relative to the dataset's folder."""
        return sorted(path for path in self.files if path.startswith(f"{channel}/"))


def identity_of(content: Mapping[str, object]) -> str:
    """The SHA-256 of a manifest's content (without `identity`) as canonical JSON."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def read_manifest(folder: Path) -> Manifest:
    """Read a dataset's manifest, and check it and the files that it lists.

    Raises:
        DatasetError: there is none, or it or a file was changed since it was written.
    """
    path = folder / FILE
    try:
        parsed: object = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DatasetError(
            f"there is no dataset in {folder}; run: "
            f"{command('training', 'prepare', '--stack', 'dev', '--output', str(folder))}"
        ) from error
    except ValueError as error:
        raise DatasetError(f"{path} is not JSON: {error}") from error
    content = cast("dict[str, object]", parsed) if isinstance(parsed, dict) else {}
    identity = content.pop("identity", None)
    if content.get("version") != VERSION or identity != identity_of(content):
        raise DatasetError(f"{path} was not written by this version of prepare, or changed since; prepare again")
    manifest = manifest_of(content)
    for name, digest in manifest.files.items():
        try:
            found = (folder / name).stat()
            unchanged = _digest(folder / name, found.st_size, found.st_ino, found.st_ctime_ns) == digest
        except FileNotFoundError as error:
            raise DatasetError(f"{folder / name} is missing; prepare again") from error
        if not unchanged:
            # its name in the bucket and the training job's are made of the manifest
            raise DatasetError(f"{folder / name} was changed since it was prepared; prepare again")
    return manifest


@cache
def _digest(path: Path, size: int, inode: int, changed: int) -> str:
    """The SHA-256 of a file that still is as it was: a run reads its dataset for the settings and for the endpoint."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def manifest_of(content: Mapping[str, object]) -> Manifest:
    """The manifest with this content, whose identity is taken of it."""
    splits = cast("Mapping[str, Mapping[str, int]]", content["splits"])
    corrections = cast("Mapping[str, object]", content.get("corrections", {}))
    return Manifest(
        format=cast("Format", content["format"]),
        classes=tuple(cast("list[str]", content["classes"])),
        image_size=cast("int", content["image_size"]),
        splits={name: splits[name]["images"] for name in SPLITS},
        files=cast("Mapping[str, str]", content["files"]),
        identity=identity_of(content),
        model_said=cast("Mapping[str, str]", corrections.get("model_said", {})),
    )
