"""Small archives and datasets: drawn ones by the product's own generator, and any other, pickled by Python itself."""

import io
import pickle
import tarfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.dataset.archive import Archive
from training.dataset.manifest import Format, Manifest
from training.dataset.prepare import prepare
from training.synthetic.synthesize import write_archive

CLASSES = ("bicycle", "motorcycle")


def build_archive(
    path: Path, classes: Sequence[str] = CLASSES, train_per_class: int = 20, test_per_class: int = 10
) -> Path:
    return write_archive(path, classes=classes, train_per_class=train_per_class, test_per_class=test_per_class)


def build_dataset(
    folder: Path,
    classes: Sequence[str] = CLASSES,
    train_per_class: int = 20,
    test_per_class: int = 10,
    format: Format = "recordio",
) -> Manifest:
    archive = build_archive(folder.parent / f"{folder.name}.tar.gz", classes, train_per_class, test_per_class)
    return prepare(Archive(archive), classes, folder, format=format)


def rows(count: int, seed: int = 0) -> NDArray[np.uint8]:
    """Images of noise, each different from every other."""
    return np.random.default_rng(seed).integers(0, 256, (count, 3072), np.uint8)


def part(pixels: object, labels: object, filenames: object | None = None) -> dict[object, object]:
    """A part of the archive as the authors' dictionary."""
    if filenames is None:
        filenames = [b"image_%05d.png" % index for index in range(len(pixels))]  # type: ignore[arg-type]
    return {b"data": pixels, b"fine_labels": labels, b"filenames": filenames, b"batch_label": b"1 of 1"}


def meta(*names: str) -> dict[object, object]:
    return {b"fine_label_names": [name.encode() for name in names], b"coarse_label_names": []}


def pack(path: Path, **members: object) -> Path:
    """A tar.gz of these members: bytes as they are, anything else pickled by Python."""
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        for name, content in members.items():
            data = content if isinstance(content, bytes) else pickle.dumps(content, protocol=2)
            info = tarfile.TarInfo(f"cifar-100-python/{name}")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def noise_archive(path: Path, names: Sequence[str], train_per_class: int, test_per_class: int) -> Path:
    """Classes of noise, their labels mixed."""
    train, test = ([index % len(names) for index in range(n * len(names))] for n in (train_per_class, test_per_class))
    return pack(path, meta=meta(*names), test=part(rows(len(test), 1), test), train=part(rows(len(train), 2), train))
