"""`python -m training synthesize`: an archive in CIFAR-100's very format, with drawn pictures in it."""

from __future__ import annotations

import argparse
import gzip
import io
import sys
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from contract.errors import UserError
from training.cli import Subparsers
from training.dataset.archive import ARCHIVE_FOLDER
from training.dataset.names import COARSE_NAMES, FINE_NAMES
from training.dataset.pickles import Content, dump
from training.synthetic.drawings import AMBIGUOUS, DRAWINGS, NEITHER, VEHICLES, moped, picture

FILE_NAMES: dict[str, tuple[str, ...]] = {
    "bicycle": ("bicycle_s", "bike_s", "cycle_s", "ordinary_bicycle_s", "safety_bicycle_s"),
    "motorcycle": ("motorcycle_s", "motorbike_s", "minibike_s", "trail_bike_s"),
}
"""As in CIFAR-100, where a file is named after the word it was found by, which is not its label."""
COARSE_OF = {
    "bicycle": "vehicles_1",
    "motorcycle": "vehicles_1",
    "poppy": "flowers",
    "tulip": "flowers",
    "willow_tree": "trees",
}


def write_archive(
    path: Path, *, classes: Sequence[str], train_per_class: int, test_per_class: int, seed: int = 0
) -> Path:
    """Draw pictures and write them as CIFAR-100's `cifar-100-python.tar.gz` is written.

    The same arguments, with the same versions of numpy, Pillow and zlib, give the same bytes.

    Args:
        path: where to; replaced as a whole.
        classes: names that have a drawing (`DRAWINGS`).
        train_per_class: pictures of each class in the part `train`.
        test_per_class: pictures of each class in the part `test`.
        seed: which pictures.

    Raises:
        UserError: a class that has no drawing.
    """
    unknown = [name for name in classes if name not in DRAWINGS]
    if unknown:
        raise UserError(f"there is no drawing of {', '.join(unknown)}; there are {', '.join(DRAWINGS)}")
    meta: Content = {
        b"fine_label_names": [name.encode() for name in FINE_NAMES],
        b"coarse_label_names": [name.encode() for name in COARSE_NAMES],
    }
    members: dict[str, Content] = {"meta": meta}
    for number, (part, count) in enumerate((("test", test_per_class), ("train", train_per_class))):
        members[part] = _part(part, classes, count, np.random.default_rng([seed, number]))
    return pack(path, members)


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


def _part(part: str, classes: Sequence[str], count: int, rng: np.random.Generator) -> Content:
    rows = np.empty((count * len(classes), 3072), np.uint8)
    labels: list[int] = []
    names: list[bytes] = []
    for position, index in enumerate(rng.permutation(count * len(classes))):
        name = classes[int(index) % len(classes)]
        drawing = moped if name in VEHICLES and rng.random() < AMBIGUOUS else DRAWINGS[name]
        pixels = np.asarray(picture(drawing, rng), np.uint8)
        rows[position] = pixels.transpose(2, 0, 1).reshape(-1)
        labels.append(FINE_NAMES.index(name))
        words = FILE_NAMES.get(name, (f"{name}_s",))
        names.append(f"{words[int(rng.integers(len(words)))]}_{position:06d}.png".encode())
    return {
        b"batch_label": f"{part}ing batch 1 of 1".encode(),
        b"coarse_labels": [COARSE_NAMES.index(COARSE_OF[FINE_NAMES[label]]) for label in labels],
        b"data": rows,
        b"filenames": names,
        b"fine_labels": labels,
    }


def write_neither(folder: Path, count: int, seed: int = 0) -> list[Path]:
    """Draw `count` pictures of none of the classes (houses, dogs, parcels, cars) as PNG files."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([seed, 2])
    paths: list[Path] = []
    for number in range(count):
        drawing = NEITHER[number % len(NEITHER)]
        paths.append(folder / f"{drawing.__name__}_{number:04d}.png")
        picture(drawing, rng).save(paths[-1])
    return paths


def add_parser(subparsers: Subparsers) -> None:
    """The subcommand and its options."""
    parser = subparsers.add_parser(
        "synthesize",
        help="draw an archive in CIFAR-100's format, to try things without the real one",
        description="Draws pictures of vehicles, flowers and trees in clutter, noise, occlusion and blur, and "
        "writes them in the very format of CIFAR-100's python archive. The same options give the same bytes.",
    )
    parser.add_argument("--output", type=Path, default=Path("build/cifar-100-like.tar.gz"), help="(%(default)s)")
    parser.add_argument(
        "--classes",
        nargs="+",
        default=["bicycle", "motorcycle"],
        metavar="NAME",
        help=f"of {', '.join(DRAWINGS)} (bicycle motorcycle)",
    )
    parser.add_argument("--train-per-class", type=_positive, default=500, metavar="N", help="(%(default)s)")
    parser.add_argument("--test-per-class", type=_positive, default=200, metavar="N", help="(%(default)s)")
    parser.add_argument("--neither", type=_positive, metavar="N", help="also draw N pictures of none of the classes")
    parser.add_argument(
        "--neither-output", type=Path, default=Path("build/neither"), metavar="DIR", help="(%(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="which pictures (%(default)s)")
    parser.set_defaults(run=_run)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {number}")
    return number


def _run(arguments: argparse.Namespace) -> int:
    path = write_archive(
        arguments.output,
        classes=arguments.classes,
        train_per_class=arguments.train_per_class,
        test_per_class=arguments.test_per_class,
        seed=arguments.seed,
    )
    print(
        f"{path}: {arguments.train_per_class} + {arguments.test_per_class} pictures each of "
        f"{', '.join(arguments.classes)}",
    )
    if arguments.neither:
        write_neither(arguments.neither_output, arguments.neither, arguments.seed)
        print(f"{arguments.neither_output}: {arguments.neither} pictures of none of them", file=sys.stdout)
    return 0
