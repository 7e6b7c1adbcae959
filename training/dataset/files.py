"""The files of a dataset, in the two layouts that the built-in algorithm takes, each hashed as it is written."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from training.dataset.manifest import Format
from training.dataset.png import encode_pngs
from training.dataset.recordio import Record, write_record
from training.dataset.splits import Split, Splits


def write_files(folder: Path, splits: Splits, classes: Sequence[str], format: Format) -> dict[str, str]:
    """Write train and validation in a format, and the held-out test as PNG files below `test/CLASS/`.

    Args:
        folder: exists and is empty.
        splits: which images.
        classes: the names, in label order.
        format: `recordio`: `train/train.rec`, `train.lst`; `image`: `train/*.png`, `train_lst/train.lst`; the same
            for validation.

    Returns:
        The SHA-256 of each file, by its path relative to `folder`.
    """
    files = _Files(folder)
    for name, split in (("train", splits.train), ("validation", splits.validation)):
        names = _unique_names(split)
        if format == "recordio":
            with files.open(f"{name}/{name}.rec") as file:
                for index, (label, image) in enumerate(zip(_labels(split), _images(split), strict=True)):
                    write_record(file, Record(label, index, image))
            files.write(f"{name}.lst", _lst(split, names))
        else:
            for path, image in zip(names, _images(split), strict=True):
                files.write(f"{name}/{path}", image)
            files.write(f"{name}_lst/{name}.lst", _lst(split, names))
    names = _unique_names(splits.test)
    test = [f"{classes[label]}/{name}" for label, name in zip(_labels(splits.test), names, strict=True)]
    for path, image in zip(test, _images(splits.test), strict=True):
        files.write(f"test/{path}", image)
    files.write("test.lst", _lst(splits.test, test))
    return files.digests


def _labels(split: Split) -> list[int]:
    return cast("list[int]", split.labels.tolist())


def _images(split: Split) -> Iterator[bytes]:
    return encode_pngs(split.part.pixels, split.rows)


def _unique_names(split: Split) -> list[str]:
    """The archive's own file names behind a number; nothing in them can lead out of the folder or break a list."""
    stems = (re.sub(r"[^A-Za-z0-9._-]", "_", name.rpartition("/")[2]) for name in split.filenames())
    return [f"{index:05d}_{stem.removesuffix('.png')}.png" for index, stem in enumerate(stems)]


def _lst(split: Split, paths: Sequence[str]) -> bytes:
    rows = enumerate(zip(_labels(split), paths, strict=True))
    return "".join(f"{index}\t{label}\t{path}\n" for index, (label, path) in rows).encode()


class _Files:
    """Writes files below a folder and remembers the SHA-256 of each."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.digests: dict[str, str] = {}
        self._made: set[str] = set()

    def write(self, path: str, data: bytes) -> None:
        with self._new(path) as file:
            file.write(data)
        self.digests[path] = hashlib.sha256(data).hexdigest()

    @contextmanager
    def open(self, path: str) -> Generator[BinaryIO]:
        with self._new(path) as file:
            hashed = _Hashed(file)
            yield cast("BinaryIO", hashed)
        self.digests[path] = hashed.digest.hexdigest()

    def _new(self, path: str) -> BinaryIO:
        folder = path.rpartition("/")[0]
        if folder not in self._made:
            (self.root / folder).mkdir(parents=True, exist_ok=True)
            self._made.add(folder)
        return open(f"{self.root}/{path}", "xb")  # noqa: PTH123 - a third of the time of 10,000 Path objects


class _Hashed:
    """A file that hashes what is written to it."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> None:
        self.digest.update(data)
        self.file.write(data)
