"""An archive in CIFAR-100's very format, with drawn pictures in it."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from contract.errors import UserError
from training.dataset.archive import ARCHIVE_FOLDER
from training.dataset.names import COARSE_NAMES, FINE_NAMES, SUPERCLASS_OF
from training.dataset.pickles import Content, dump
from training.synthetic.drawings import AMBIGUOUS, DRAWINGS, VEHICLES, moped
from training.synthetic.scene import picture

FILE_NAMES: dict[str, tuple[str, ...]] = {
    "bicycle": ("bicycle_s", "bike_s", "cycle_s", "ordinary_bicycle_s", "safety_bicycle_s"),
    "motorcycle": ("motorcycle_s", "motorbike_s", "minibike_s", "trail_bike_s"),
}
"""As in CIFAR-100, where a file is named after the word it was found by, which is not its label."""


def write_archive(
    path: Path,
    *,
    classes: Sequence[str],
    train_per_class: int,
    test_per_class: int,
    others_per_kind: int = 0,
    seed: int = 0,
) -> Path:
    """Draw pictures and write them as CIFAR-100's `cifar-100-python.tar.gz` is written.

    The same arguments, with the same versions of numpy, Pillow and zlib, give the same bytes.

    Args:
        path: where to; replaced as a whole.
        classes: names that have a drawing (`DRAWINGS`).
        train_per_class: pictures of each class in the part `train`.
        test_per_class: pictures of each class in the part `test`.
        others_per_kind: pictures of every other kind that can be drawn, in each part.
        seed: which pictures.

    Raises:
        UserError: a class that has no drawing.
    """
    check_drawings(classes)
    meta: Content = {
        b"fine_label_names": [name.encode() for name in FINE_NAMES],
        b"coarse_label_names": [name.encode() for name in COARSE_NAMES],
    }
    members: dict[str, Content] = {"meta": meta}
    for number, (part, count) in enumerate((("test", test_per_class), ("train", train_per_class))):
        others = [name for name in DRAWINGS if name not in classes] * others_per_kind
        names = [*list(classes) * count, *others]
        members[part] = _part(part, names, np.random.default_rng([seed, number]))
    return pack(path, members)


def check_drawings(classes: Sequence[str]) -> None:
    """Refuse classes that can't be drawn.

    Raises:
        UserError: there is no drawing of one.
    """
    unknown = [name for name in classes if name not in DRAWINGS]
    if unknown:
        raise UserError(f"there is no drawing of {', '.join(unknown)}; there are {', '.join(DRAWINGS)}")


def draw(name: str, rng: np.random.Generator) -> Image.Image:
    """A picture of a kind (a key of `DRAWINGS`); of a two-wheeler, now and then one that could be either."""
    return picture(moped if name in VEHICLES and rng.random() < AMBIGUOUS else DRAWINGS[name], rng)


def pack(path: Path, members: Mapping[str, Content]) -> Path:
    """Write pickles as `cifar-100-python.tar.gz`, whole or not at all.

    Args:
        path: where to.
        members: the content of `meta`, `train` and `test`, in the order in which they are written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    try:
        # a file name or a time in gzip's header would differ from run to run
        with (
            partial.open("wb") as raw,
            gzip.GzipFile("", "wb", compresslevel=1, fileobj=raw, mtime=0) as zipped,
            tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as tar,
        ):
            for name, content in members.items():
                data = dump(content)
                info = tarfile.TarInfo(f"{ARCHIVE_FOLDER}/{name}")
                info.size, info.mode = len(data), 0o644
                tar.addfile(info, io.BytesIO(data))
        return partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _part(part: str, drawn: Sequence[str], rng: np.random.Generator) -> Content:
    rows = np.empty((len(drawn), 3072), np.uint8)
    labels: list[int] = []
    names: list[bytes] = []
    for position, index in enumerate(rng.permutation(len(drawn))):
        name = drawn[int(index)]
        pixels = np.asarray(draw(name, rng), np.uint8)
        rows[position] = pixels.transpose(2, 0, 1).reshape(-1)
        labels.append(FINE_NAMES.index(name))
        words = FILE_NAMES.get(name, (f"{name}_s",))
        names.append(f"{words[int(rng.integers(len(words)))]}_{position:06d}.png".encode())
    return {
        b"batch_label": f"{part}ing batch 1 of 1".encode(),
        b"coarse_labels": [COARSE_NAMES.index(SUPERCLASS_OF[FINE_NAMES[label]]) for label in labels],
        b"data": rows,
        b"filenames": names,
        b"fine_labels": labels,
    }
