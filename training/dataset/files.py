"""The files of a dataset, in the two layouts that the built-in algorithm takes, each hashed as it is written."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from training.dataset.manifest import CORRECTED, Format
from training.dataset.png import encode_pngs
from training.dataset.recordio import Record, write_record
from training.dataset.selection import Split
from training.dataset.splits import Splits

if TYPE_CHECKING:
    from training.dataset.corrections import Grown


def write_files(
    folder: Path, splits: Splits, names: Sequence[str], labels: Sequence[str], format: Format
) -> dict[str, str]:
    """Write train and validation in a format, and what is held out as PNG files.

    The held-out test goes to `test/CLASS/`, strangers to `strangers/seen/KIND/` and `strangers/unseen/KIND/`, held-out
    corrections to `corrected/LABEL/`.

    Args:
        folder: exists and is empty.
        splits: which images.
        names: of the archive's classes, in the order of its labels.
        labels: the dataset's.
        format: `recordio`: `train/train.rec`, `train.lst`; `image`: `train/*.png`, `train_lst/train.lst`; the same
            for validation.

    Returns:
        The SHA-256 of each file, by its path relative to `folder`.
    """
    files = _Files(folder)
    _write_learning(files, splits.train, splits.validation, format)
    test = files.write_folders("test", splits.test, names)
    files.write("test.lst", _lst(splits.test, test))
    for name, split in (splits.strangers.held_out if splits.strangers else {}).items():
        files.write_folders(f"strangers/{name}", split, names)
    if splits.corrected:
        files.write_folders(CORRECTED, splits.corrected, labels)
    return files.digests


def write_grown(folder: Path, grown: Grown, labels: Sequence[str], format: Format) -> dict[str, str]:
    """Write what a model learns from, and the corrections that are held out, as `write_files` does.

    Returns:
        The SHA-256 of each file, by its path relative to `folder`.
    """
    files = _Files(folder)
    _write_learning(files, grown.train, grown.validation, format)
    files.write_folders(CORRECTED, grown.held_out, labels)
    return files.digests


def _write_learning(files: _Files, train: Split, validation: Split, format: Format) -> None:
    for name, split in (("train", train), ("validation", validation)):
        paths = _unique_names(split)
        if format == "recordio":
            with files.open(f"{name}/{name}.rec") as file:
                for index, (label, image) in enumerate(zip(_labels(split), _images(split), strict=True)):
                    write_record(file, Record(label, index, image))
            files.write(f"{name}.lst", _lst(split, paths))
        else:
            for path, image in zip(paths, _images(split), strict=True):
                files.write(f"{name}/{path}", image)
            files.write(f"{name}_lst/{name}.lst", _lst(split, paths))


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

    def write_folders(self, folder: str, split: Split, names: Sequence[str]) -> list[str]:
        """Write each image below a folder named as its class in its part; their paths relative to `folder`."""
        classes = (names[label] for label in cast("list[int]", split.part.labels[split.rows].tolist()))
        paths = [f"{name}/{file}" for name, file in zip(classes, _unique_names(split), strict=True)]
        for path, image in zip(paths, _images(split), strict=True):
            self.write(f"{folder}/{path}", image)
        return paths

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
