"""`python -m training prepare`: from an archive to a dataset, the same bytes on every machine."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from contract.decisions import labels_of
from contract.errors import UserError
from training.cli import Subparsers
from training.dataset.archive import SIDE, Archive
from training.dataset.files import write_files
from training.dataset.manifest import FILE, SPLITS, VERSION, Format, Manifest, manifest_of
from training.dataset.splits import split

DOWNLOADED = Path("build/cifar-100-python.tar.gz")


def prepare(
    archive: Archive,
    classes: Sequence[str],
    output: Path,
    *,
    format: Format = "recordio",
    validation: float = 0.2,
    seed: int = 0,
    neither: bool = False,
) -> Manifest:
    """Write a dataset: train and validation from the archive's train part, the held-out test from its test part.

    Args:
        archive: where the images are.
        classes: names of its classes; their order is the order of the new labels, from 0.
        output: the dataset's folder; replaced as a whole when all is written.
        format: `recordio` (one `.rec` file a split) or `image` (PNG files and `.lst` files).
        validation: the share of the train part that goes to validation, above 0 and below 1.
        seed: which images go to validation, and which become the class neither.
        neither: add the class of pictures of none of the classes (`training.dataset.strangers`).

    Raises:
        UserError: an unknown or repeated class, a share out of range, a damaged archive, too few images, or an
            `output` that holds anything but a dataset.
    """
    if output.exists() and not (output / FILE).is_file() and not (output.is_dir() and not any(output.iterdir())):
        raise UserError(f"{output} exists and is not a dataset: it is left alone; give another --output")
    contents = archive.read()
    splits = split(contents, classes, validation=validation, seed=seed, neither=neither)
    labels = labels_of(classes, neither=neither)
    output.parent.mkdir(parents=True, exist_ok=True)
    # beside its destination, so that the last step is a rename
    with tempfile.TemporaryDirectory(prefix=f".{output.name}-", dir=output.parent) as temporary:
        fresh = Path(temporary) / "fresh"
        fresh.mkdir()
        content: dict[str, object] = {
            "version": VERSION,
            "format": format,
            "classes": list(labels),
            "image_size": SIDE,
            "splits": {
                name: {"images": len(each), "per_class": each.per_class(classes if name == "test" else labels)}
                for name, each in zip(SPLITS, (splits.train, splits.validation, splits.test), strict=True)
            },
            "duplicates": splits.duplicates,
            "files": write_files(fresh, splits, contents.class_names, format),
            "parameters": {"validation": validation, "seed": seed},
            "source": {"sha256": dict(contents.sha256)},
        }
        if splits.strangers:
            content["neither"] = splits.strangers.section(contents, seed)
        manifest = manifest_of(content)
        text = json.dumps({**content, "identity": manifest.identity}, indent=1, sort_keys=True)
        (fresh / FILE).write_text(text + "\n", encoding="utf-8")
        _replace(output, fresh, Path(temporary) / "previous")
    return manifest


def _replace(output: Path, fresh: Path, previous: Path) -> None:
    if not output.exists():
        fresh.rename(output)
        return
    output.rename(previous)
    try:
        fresh.rename(output)
    except BaseException:
        previous.rename(output)
        raise


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
        "--archive",
        type=Path,
        metavar="PATH",
        help="CIFAR-100's python archive, or the folder it unpacks to; downloaded from its authors (169 MB) to "
        f"{DOWNLOADED} when it is not given",
    )
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument("--classes", nargs="+", metavar="NAME", help="in label order, such as bicycle motorcycle")
    chosen.add_argument("--stack", metavar="NAME", help="take the classes of this stack's configuration, such as dev")
    parser.add_argument("--output", type=Path, default=Path("build/dataset"), metavar="DIR", help="(%(default)s)")
    parser.add_argument("--format", choices=("recordio", "image"), default="recordio", help="(%(default)s)")
    parser.add_argument(
        "--validation", type=float, default=0.2, metavar="SHARE", help="of the train part (%(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="which images are for validation (%(default)s)")
    parser.add_argument(
        "--neither",
        action=argparse.BooleanOptionalAction,
        help="the class of pictures of none of the classes, drawn from the archive's others (the stack's setting "
        "neitherClass, or else the default of Pulumi.yaml)",
    )
    parser.add_argument("--json", action="store_true", help="print the manifest")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    # PyYAML is imported when a stack is asked for
    from training.dataset.labels import stack_classes, stack_neither

    classes: list[str] = arguments.classes or stack_classes(arguments.stack)
    neither = stack_neither(arguments.stack) if arguments.neither is None else arguments.neither
    manifest = prepare(
        Archive(arguments.archive or _downloaded()),
        classes,
        arguments.output,
        format=arguments.format,
        validation=arguments.validation,
        seed=arguments.seed,
        neither=neither,
    )
    text = (arguments.output / FILE).read_text(encoding="utf-8")
    if arguments.json:
        print(text, end="")
        return 0
    counts = ", ".join(f"{manifest.images(name)} {name}" for name in SPLITS)
    print(f"{arguments.output}: {', '.join(manifest.classes)}: {counts} images; identity {manifest.identity[:12]}")
    content = json.loads(text)
    if "neither" in content:
        kinds, images = content["neither"]["kinds"], content["neither"]["images"]
        for name in ("seen", "unseen"):
            known = [*kinds[name]["near"], *kinds[name]["far"]]
            count = sum(images[f"strangers/{name}"].values())
            print(f"{count} held-out strangers of {len(known)} kinds {name} in training: {', '.join(known)}")
    duplicates: dict[str, int] = content["duplicates"]
    found = [f"{count} {name.replace('_', ' ')}" for name, count in duplicates.items() if count]
    if found:
        print(f"duplicates: {', '.join(found)}")
    return 0


def _downloaded() -> Path:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    from training.dataset.download import BYTES, download

    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress("CIFAR-100", *columns, console=Console(file=sys.stderr), transient=True) as progress:
        task = progress.add_task("", total=BYTES)
        return download(DOWNLOADED, lambda count: progress.update(task, completed=count))
