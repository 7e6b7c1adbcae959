"""`prepare`: a dataset of an archive."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contract.errors import UserError
from contract.invocation import command
from contract.outputs import VARIABLE, read_outputs
from contract.prefixes import CORRECTIONS
from training.commands.options import count, share
from training.stack import outputs_needed
from training.synthetic import ARCHIVE

if TYPE_CHECKING:
    from training.dataset.answered import Answers
    from training.dataset.manifest import Manifest

OF_THE_STACK = ""
"""The place of the corrections when none is given."""
DOWNLOADED = Path("build/cifar-100-python.tar.gz")
HELP = "make a dataset of CIFAR-100's python archive"
MORE = (
    "Picks classes by name, relabels them from 0 in the given order, splits without leaks, and writes RecordIO or "
    "image files, the held-out test as PNG files, and manifest.json. The same archive and options give the same bytes "
    "on every machine."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `prepare` takes."""
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
    parser.add_argument("--output", type=Path, default=Path("build/dataset"), metavar="DIR", help="[%(default)s]")
    parser.add_argument("--format", choices=("recordio", "image"), default="recordio", help="[%(default)s]")
    parser.add_argument(
        "--validation", type=share, default=0.2, metavar="SHARE", help="of the train part [%(default)s]"
    )
    parser.add_argument("--seed", type=count, default=0, metavar="N", help="which images are for validation [0]")
    parser.add_argument(
        "--neither",
        action=argparse.BooleanOptionalAction,
        help="the class of pictures of none of the classes, drawn from the archive's others [the stack's setting "
        "neitherClass, or else the default of Pulumi.yaml]",
    )
    parser.add_argument(
        "--corrections",
        nargs="?",
        const=OF_THE_STACK,
        metavar="PLACE",
        help="merge what people answered: a folder, s3://bucket/corrections/, or without PLACE what lies in the bucket "
        "of the stack's outputs",
    )
    parser.add_argument(
        "--outputs", type=Path, metavar="FILE", help=f"the stack's outputs as JSON, for --corrections [${VARIABLE}]"
    )
    parser.add_argument(
        "--preview", type=Path, metavar="FILE.png", help="also a picture of the training set: a row of photos a class"
    )
    parser.add_argument("--json", action="store_true", help="print the manifest")


def run(arguments: argparse.Namespace) -> int:
    """Write the dataset, and say what is in it."""
    from training.dataset.archive import Archive
    from training.dataset.labels import stack_classes, stack_neither
    from training.dataset.manifest import FILE
    from training.dataset.prepare import prepare

    preview: Path | None = arguments.preview
    if preview is not None and preview.suffix.lower() != ".png":
        raise UserError(f"--preview must be the name of a .png file, got {preview}")
    if arguments.outputs is not None and arguments.corrections != OF_THE_STACK:
        raise UserError("--outputs says where --corrections without a PLACE are: give that, or leave --outputs out")
    classes: list[str] = arguments.classes or stack_classes(arguments.stack)
    neither = stack_neither(arguments.stack) if arguments.neither is None else arguments.neither
    given: Path | None = arguments.archive
    if given is not None and not given.exists():
        hint = f"; to draw one: {command('training', 'synthesize', '--output', str(given))}"
        raise UserError(f"there is no archive {given}{hint}")
    manifest = prepare(
        Archive(given or _downloaded()),
        classes,
        arguments.output,
        format=arguments.format,
        validation=arguments.validation,
        seed=arguments.seed,
        neither=neither,
        corrections=None if arguments.corrections is None else _answers(_place(arguments)),
    )
    if preview is not None:
        from training.dataset.preview import write_preview

        write_preview(arguments.output, manifest, preview)
    text = (arguments.output / FILE).read_text(encoding="utf-8")
    if arguments.json:
        print(text, end="")
    else:
        content = json.loads(text)
        _say(arguments.output, manifest, content)
        if arguments.corrections is not None:
            from training.dataset.corrections import told

            print(told(content["corrections"]))
    return 0


def _say(output: Path, manifest: Manifest, content: Mapping[str, Any]) -> None:
    counts = ", ".join(f"{number} {name}" for name, number in manifest.splits.items())
    print(f"{output}: {', '.join(manifest.classes)}: {counts} images; identity {manifest.identity[:12]}")
    if "neither" in content:
        kinds, images = content["neither"]["kinds"], content["neither"]["images"]
        for name in ("seen", "unseen"):
            known = [*kinds[name]["near"], *kinds[name]["far"]]
            strangers = sum(images[f"strangers/{name}"].values())
            print(f"{strangers} held-out strangers of {len(known)} kinds {name} in training: {', '.join(known)}")
    duplicates: dict[str, int] = content["duplicates"]
    found = [f"{number} {name.replace('_', ' ')}" for name, number in duplicates.items() if number]
    if found:
        print(f"duplicates: {', '.join(found)}")


def _place(arguments: argparse.Namespace) -> str:
    """Where the corrections are, as a folder or an `s3://` address."""
    if arguments.corrections != OF_THE_STACK:
        return str(arguments.corrections)
    outputs = read_outputs(arguments.outputs)
    if outputs is None or not outputs.bucket:
        raise UserError(f"--corrections needs a PLACE, or {outputs_needed('prepare', '--corrections')}")
    return f"s3://{outputs.bucket}/{CORRECTIONS}"


def _answers(place: str) -> Answers:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress

    from training.dataset.answered import place_of, read_answers

    console = Console(file=sys.stderr)
    with Progress(
        "corrections", BarColumn(), MofNCompleteColumn(), console=console, transient=True,
        disable=not console.is_terminal,
    ) as progress:  # fmt: skip
        task = progress.add_task("", total=None)
        return read_answers(place_of(place), lambda done, total: progress.update(task, completed=done, total=total))


def _downloaded() -> Path:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    from training.dataset.archive import ArchiveError
    from training.dataset.download import BYTES, download

    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    console = Console(file=sys.stderr)
    try:
        with Progress(
            "CIFAR-100", *columns, console=console, transient=True, disable=not console.is_terminal
        ) as progress:
            task = progress.add_task("", total=BYTES)
            return download(DOWNLOADED, lambda done: progress.update(task, completed=done))
    except ArchiveError as error:
        drawn = f"draw one ({command('training', 'synthesize')}) and give --archive {ARCHIVE}"
        raise UserError(f"{error}; or {drawn}") from error
