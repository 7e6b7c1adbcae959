"""CIFAR-100's python archive: a tar.gz of three pickles, or the folder it unpacks to, read in one pass.

The layout is the authors' (https://www.cs.toronto.edu/~kriz/cifar.html): `cifar-100-python/meta` with the
names, `train` and `test` with one row of 3072 bytes an image: 1024 of red, of green, of blue, row by row.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from contract.errors import UserError
from training.dataset.pickles import PickleError, load, text

SIDE = 32
PLANE = SIDE * SIDE
ROW = 3 * PLANE
ARCHIVE_FOLDER = "cifar-100-python"
MEMBERS = ("meta", "train", "test")
LARGEST_MEMBER = 1 << 30
"""Bytes of a member: six times the real `train`. A larger one is refused before it fills the memory."""
BLOCK = 1 << 20


class ArchiveError(UserError):
    """An archive that is missing, damaged, or not CIFAR-100's format."""


@dataclass(frozen=True, slots=True)
class Part:
    """The train or the test part: for each image a row of pixels, a fine label and a file name."""

    pixels: NDArray[np.uint8]
    """(n, 3072)"""
    labels: NDArray[np.int64]
    """(n,), each an index into the class names"""
    filenames: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Contents:
    """All that an archive holds of fine labels."""

    class_names: tuple[str, ...]
    """In the order of their labels."""
    train: Part
    test: Part
    sha256: Mapping[str, str]
    """Of each member's bytes: the same for the tar.gz, however compressed, and for the folder."""


@dataclass(frozen=True, slots=True)
class Archive:
    """Where an archive is."""

    path: Path

    def read(self) -> Contents:
        """Read the whole archive, member by member as they pass; nothing is unpacked onto the disk.

        Holds the pixels of both parts once (185 MB for the real archive).

        Raises:
            ArchiveError: the archive is missing, damaged or of another format.
        """
        contents: dict[str, dict[str, object]] = {}
        digests: dict[str, str] = {}
        try:
            for name, file in self._members():
                hashing = _Hashing(file)
                try:
                    contents[name] = load(io.BufferedReader(hashing, BLOCK))
                except PickleError as error:
                    raise self._broken(f"{name} can't be read: {error}") from error
                digests[name] = hashing.digest.hexdigest()
        except FileNotFoundError as error:
            raise ArchiveError(f"there is no file {error.filename}") from error
        except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
            raise self._broken(f"it is damaged or cut off ({error})") from error
        if missing := [name for name in MEMBERS if name not in contents]:
            raise self._broken(f"it has no {ARCHIVE_FOLDER}/{missing[0]}")
        names = self._names(contents["meta"])
        train, test = (self._part(name, contents[name], len(names)) for name in ("train", "test"))
        return Contents(names, train, test, digests)

    def _members(self) -> Iterator[tuple[str, IO[bytes]]]:
        if self.path.is_dir():
            for name in MEMBERS:
                with (self.path / name).open("rb") as file:
                    yield name, file
            return
        with gzip.open(self.path) as unzipped:
            with tarfile.open(fileobj=unzipped, mode="r|") as tar:
                for member in tar:
                    name = PurePosixPath(member.name).name
                    if name in MEMBERS and (file := tar.extractfile(member)):
                        if member.size > LARGEST_MEMBER:
                            raise self._broken(f"{name} must hold at most {LARGEST_MEMBER} bytes, got {member.size}")
                        yield name, file
            while unzipped.read(BLOCK):
                pass  # gzip's checksum stands at the very end

    def _names(self, meta: Mapping[str, object]) -> tuple[str, ...]:
        names = _list(meta.get("fine_label_names"))
        if not names or not all(isinstance(name, bytes | str) and name for name in names):
            raise self._broken("meta: fine_label_names must be a list of names")
        return tuple(map(text, names))

    def _part(self, name: str, content: Mapping[str, object], classes: int) -> Part:
        data = content.get("data")
        if not isinstance(data, np.ndarray):
            raise self._broken(f"{name}: data must be an array of bytes")
        pixels = cast("NDArray[np.uint8]", data)
        if pixels.ndim != 2 or pixels.shape[1] != ROW:
            raise self._broken(f"{name}: data must have {ROW} bytes a row, got the shape {pixels.shape}")
        labels, filenames = (_list(content.get(key)) for key in ("fine_labels", "filenames"))
        for key, values in (("fine_labels", labels), ("filenames", filenames)):
            if values is None or len(values) != len(pixels):
                raise self._broken(f"{name}: {key} must be a list of {len(pixels)}, one a row")
        assert labels is not None and filenames is not None
        if not all(isinstance(label, int) and 0 <= label < classes for label in labels):
            raise self._broken(f"{name}: fine_labels must be whole numbers from 0 to {classes - 1}")
        if not all(isinstance(filename, bytes | str) for filename in filenames):
            raise self._broken(f"{name}: filenames must be strings")
        return Part(pixels, np.array(labels, dtype=np.int64), tuple(map(text, filenames)))

    def _broken(self, reason: str) -> ArchiveError:
        return ArchiveError(f"{self.path} is not a CIFAR-100 python archive: {reason}")


def _list(value: object) -> list[object] | None:
    return cast("list[object]", value) if isinstance(value, list) else None


class _Hashing(io.RawIOBase):
    """A file that hashes what is read of it, in blocks: tarfile needs three times the memory of one read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        view = memoryview(buffer)
        block = self._file.read(min(len(view), BLOCK))
        self.digest.update(block)
        view[: len(block)] = block
        return len(block)
