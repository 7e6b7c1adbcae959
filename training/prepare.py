"""`python -m training prepare`: from an archive to a dataset, the same bytes on every machine."""

import argparse
import difflib
import hashlib
import io
import json
import shutil
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.archive import SIDE, Archive, Part, download
from training.cli import Subparsers
from training.errors import TrainingError
from training.manifest import FILE, SPLITS, VERSION, Manifest, identity_of, read_manifest
from training.recordio import Record, write_record

DOWNLOADED = Path("build/cifar-100-python.tar.gz")
BATCH_MULTIPLE = 100
"""Sizes that 20, 25, 50 and 100 divide: the algorithm drops the last, partial batch of a set."""


@dataclass(frozen=True, slots=True)
class Split:
    """Images of one split: pixels (n, 3072), new labels (n,), and the archive's file names."""

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    filenames: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)


def prepare(
    archive: Archive,
    classes: Sequence[str],
    output: Path,
    *,
    format: str = "recordio",
    validation: float = 0.2,
    seed: int = 0,
) -> Manifest:
    """Write a dataset: train and validation from the archive's train part, the held-out test from its test part.

    Args:
        archive: where the images are.
        classes: names of its classes; their order is the order of the new labels, from 0.
        output: the dataset's folder; replaced as a whole when all is written.
        format: `recordio` (one `.rec` file a split) or `image` (PNG files and `.lst` files).
        validation: the share of the train part that goes to validation, 0 to 1 exclusive.
        seed: which images go to validation.

    Raises:
        TrainingError: an unknown or repeated class, a share out of range, a damaged archive, too few images.
    """
    known = archive.class_names()
    _check(classes, known, validation, output)
    wanted = [known.index(name) for name in classes]
    test = _chosen(archive.part("test"), wanted)
    train = _chosen(archive.part("train"), wanted)
    train, duplicates = _without_duplicates(train, test)
    train, held = _divided(train, len(classes), validation, seed)
    for name, split in (("train", train), ("validation", held), ("test", test)):
        for label, class_name in enumerate(classes):
            if not (split.labels == label).any():
                raise TrainingError(f"the split {name} has no image of {class_name}; give more images")
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{output.name}-", dir=output.parent) as folder:
        # beside its destination, so that the last step is a rename
        fresh = Path(folder) / "dataset"
        fresh.mkdir()
        files = _write(fresh, {"train": train, "validation": held}, test, classes, format)
        content: dict[str, object] = {
            "version": VERSION,
            "format": format,
            "classes": list(classes),
            "image_size": SIDE,
            "splits": {
                name: {
                    "images": len(split),
                    "per_class": {label: int((split.labels == at).sum()) for at, label in enumerate(classes)},
                }
                for name, split in zip(SPLITS, (train, held, test), strict=True)
            },
            "duplicates": duplicates,
            "files": files,
            "parameters": {"validation": validation, "seed": seed},
        }
        manifest = json.dumps({**content, "identity": identity_of(content)}, indent=1, sort_keys=True)
        (fresh / FILE).write_text(manifest + "\n", encoding="utf-8")
        if output.exists():
            shutil.move(output, Path(folder) / "previous")
        fresh.rename(output)
    return read_manifest(output)


def _check(classes: Sequence[str], known: Sequence[str], validation: float, output: Path) -> None:
    if not 2 <= len(classes) <= 100 or len(set(classes)) != len(classes):
        raise TrainingError(f"classes must be 2 to 100 different names, got {' '.join(classes)}")
    if not 0 < validation < 1:
        raise TrainingError(f"validation must be a share above 0 and below 1, got {validation}")
    for name in classes:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
            hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(known)}"
            raise TrainingError(f"the archive has no class {name!r}: {hint}")
    if output.exists() and not (output / FILE).is_file():
        raise TrainingError(f"{output} exists and is not a dataset: it is left alone; give another --output")


def _chosen(part: Part, wanted: Sequence[int]) -> Split:
    lookup = {old: new for new, old in enumerate(wanted)}
    rows: NDArray[np.int64] = np.flatnonzero(np.isin(part.labels, wanted))
    labels = np.array([lookup[int(part.labels[row])] for row in rows], dtype=np.int64)
    return Split(part.pixels[rows], labels, tuple(part.filenames[row] for row in _numbers(rows)))


def _subset(split: Split, rows: NDArray[np.int64]) -> Split:
    return Split(split.pixels[rows], split.labels[rows], tuple(split.filenames[row] for row in _numbers(rows)))


def _numbers(rows: NDArray[np.int64]) -> list[int]:
    return cast("list[int]", rows.tolist())


def _digests(split: Split) -> list[bytes]:
    return [hashlib.sha256(row.tobytes()).digest() for row in split.pixels]


def _without_duplicates(train: Split, test: Split) -> tuple[Split, dict[str, int]]:
    """The train part without what the test part has, and each of its pictures once; the test is never touched."""
    tested = _digests(test)
    in_test, seen = set(tested), set[bytes]()
    kept: list[int] = []
    across = within = 0
    for row, digest in enumerate(_digests(train)):
        if digest in in_test:
            across += 1
        elif digest in seen:
            within += 1
        else:
            seen.add(digest)
            kept.append(row)
    counts = {
        "removed_from_train_because_in_test": across,
        "removed_from_train_because_repeated": within,
        "repeated_in_test": len(tested) - len(in_test),
    }
    return _subset(train, np.array(kept, dtype=np.int64)), counts


def _divided(train: Split, classes: int, share: float, seed: int) -> tuple[Split, Split]:
    """Stratified: every class gives the same share, rounded so that batches divide the sets where they can."""
    rng = np.random.default_rng(seed)
    to_train: list[NDArray[np.int64]] = []
    to_validation: list[NDArray[np.int64]] = []
    for label in range(classes):
        rows = rng.permutation(np.flatnonzero(train.labels == label))
        step = max(1, BATCH_MULTIPLE // classes) if len(rows) * share >= BATCH_MULTIPLE / classes else 1
        count = max(1, round(len(rows) * share / step) * step)
        to_validation.append(rows[:count])
        to_train.append(rows[count:])
    # shuffled, since the algorithm reads a .rec file from its start to its end
    return (
        _subset(train, rng.permutation(np.concatenate(to_train))),
        _subset(train, np.sort(np.concatenate(to_validation))),
    )


def encode_png(row: NDArray[np.uint8]) -> bytes:
    """A row of 3072 bytes (red, green, blue planes) as a PNG."""
    image = Image.fromarray(np.ascontiguousarray(row.reshape(3, SIDE, SIDE).transpose(1, 2, 0)), "RGB")
    file = io.BytesIO()
    # a fixed effort: the default may change with Pillow's version
    image.save(file, "PNG", compress_level=1)
    return file.getvalue()


class _Folder:
    """Writes files below a folder and remembers the SHA-256 of each."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.digests: dict[str, str] = {}
        self.made: set[Path] = set()

    def write(self, path: str, data: bytes) -> None:
        target = self.root / path
        if target.parent not in self.made:
            target.parent.mkdir(parents=True, exist_ok=True)
            self.made.add(target.parent)
        target.write_bytes(data)
        self.digests[path] = hashlib.sha256(data).hexdigest()


def _write(root: Path, splits: Mapping[str, Split], test: Split, classes: Sequence[str], format: str) -> dict[str, str]:
    folder = _Folder(root)
    for name, split in splits.items():
        images = [encode_png(row) for row in split.pixels]
        if format == "recordio":
            buffer = io.BytesIO()
            for index, (label, image) in enumerate(zip(split.labels, images, strict=True)):
                write_record(buffer, Record(int(label), index, image))
            folder.write(f"{name}/{name}.rec", buffer.getvalue())
            folder.write(f"{name}.lst", _lst(split.labels, _names(split)))
        else:
            for path, image in zip(_names(split), images, strict=True):
                folder.write(f"{name}/{path}", image)
            folder.write(f"{name}_lst/{name}.lst", _lst(split.labels, _names(split)))
    paths = [f"{classes[label]}/{path}" for label, path in zip(test.labels.tolist(), _names(test), strict=True)]
    for path, row in zip(paths, test.pixels, strict=True):
        folder.write(f"test/{path}", encode_png(row))
    folder.write("test.lst", _lst(test.labels, paths))
    return folder.digests


def _names(split: Split) -> list[str]:
    """File names that are unique, in the order of the images, and keep the archive's own (without folders)."""
    return [f"{index:05d}_{Path(name).stem}.png" for index, name in enumerate(split.filenames)]


def _lst(labels: NDArray[np.int64], paths: Iterable[str]) -> bytes:
    lines = (
        f"{index}\t{label}\t{path}\n" for index, (label, path) in enumerate(zip(labels.tolist(), paths, strict=True))
    )
    return "".join(lines).encode()


def add_parser(subparsers: Subparsers) -> None:
    """The subcommand and its options."""
    parser = subparsers.add_parser(
        "prepare",
        help="make a dataset of CIFAR-100's python archive",
        description="Picks classes by name, relabels them from 0 in the given order, splits without leaks, and "
        "writes RecordIO or image files, the held-out test as PNG files, and manifest.json. The same archive "
        "and options give the same bytes on every machine.",
    )
    parser.add_argument(
        "--archive", type=Path, help=f"CIFAR-100's archive; downloaded to {DOWNLOADED} when it is not given"
    )
    parser.add_argument(
        "--classes",
        nargs="+",
        required=True,
        metavar="NAME",
        help="in label order, such as bicycle motorcycle",
    )
    parser.add_argument("--output", type=Path, default=Path("build/dataset"), help="(%(default)s)")
    parser.add_argument("--format", choices=("recordio", "image"), default="recordio", help="(%(default)s)")
    parser.add_argument(
        "--validation", type=float, default=0.2, metavar="SHARE", help="of the train part (%(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="which images are for validation (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print the manifest")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    archive = arguments.archive or _downloaded()
    manifest = prepare(
        Archive(archive),
        arguments.classes,
        arguments.output,
        format=arguments.format,
        validation=arguments.validation,
        seed=arguments.seed,
    )
    content = json.loads((arguments.output / FILE).read_text(encoding="utf-8"))
    if arguments.json:
        print(json.dumps(content, indent=1))
        return 0
    counts = ", ".join(f"{manifest.images(name)} {name}" for name in SPLITS)
    removed = sum(count for name, count in content["duplicates"].items() if name.startswith("removed"))
    print(f"{arguments.output}: {', '.join(manifest.classes)}: {counts} images; identity {manifest.identity[:12]}")
    if removed or content["duplicates"]["repeated_in_test"]:
        print(
            f"duplicates: {removed} images left out of train, {content['duplicates']['repeated_in_test']} in test kept"
        )
    return 0


def _downloaded() -> Path:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    from training.archive import BYTES

    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress("CIFAR-100", *columns, console=Console(file=sys.stderr), transient=True) as progress:
        task = progress.add_task("", total=BYTES)
        return download(DOWNLOADED, lambda count: progress.update(task, completed=count))
