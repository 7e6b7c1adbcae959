"""`classify`: photos through the workflow."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from contract.errors import UserError
from localcloud.commands.options import add_chosen_stack, add_json, count

if TYPE_CHECKING:
    from rich.console import Console

    from contract.screen import Cell
    from localcloud.cloud import Cloud
    from localcloud.deployment import Deployment
    from localcloud.photos import Photo, Result

HELP = "send photos through the workflow"
MORE = "Exit code 1 when an execution ended in a fault."
STYLES = {"accepted": "green", "review": "yellow", "neither": "magenta", "fault": "red"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `classify` takes."""
    add_chosen_stack(parser)
    parser.add_argument("photos", nargs="*", type=Path, metavar="PHOTO", help="files, or folders of them")
    parser.add_argument("--random", type=count, default=0, metavar="N", help="N held-out photos of the dataset too")
    parser.add_argument("--seed", type=int, default=0, help="which ones (%(default)s)")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Classify, and say what became of each photo."""
    from dataclasses import asdict

    from contract.screen import SCREEN, write_json, write_line
    from localcloud.deployment import connect
    from localcloud.photos import given, sample

    cloud, deployment = connect(Path.cwd(), arguments.stack)
    photos = given(arguments.photos)
    if arguments.random:
        photos += sample(Path(deployment.dataset), arguments.random, arguments.seed)
    if not photos:
        raise UserError("name photos or folders, or give --random N")
    results = follow(cloud, deployment, photos)
    if arguments.json:
        write_json([{**asdict(result), "correct": result.correct} for result in results])
    else:
        write_results(results, SCREEN)
        if SCREEN.is_terminal:
            write_line(totals(results))
    return 1 if any(result.decision == "fault" for result in results) else 0


def follow(cloud: Cloud, deployment: Deployment, photos: Sequence[Photo]) -> list[Result]:
    """Classify with a progress bar on the screen's error stream."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from contract.screen import ERRORS
    from localcloud.photos import Classification

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=ERRORS, transient=True, disable=not ERRORS.is_terminal) as bar:
        task = bar.add_task("photos", total=len(photos))
        return Classification(cloud, deployment).run(photos, lambda result: bar.advance(task))


def write_results(results: Sequence[Result], console: Console) -> None:
    """Write what became of each photo; in a terminal, the reasons of faults below."""
    from contract.screen import Column, write_line, write_table

    columns = [
        Column("photo"),
        Column("truth", more=True),
        Column("decision"),
        Column("label"),
        Column("confidence", right=True),
        Column("bay", more=True),
        Column("time", right=True, more=True),
    ]
    rows: list[list[Cell]] = [_row(result) for result in results]
    if not console.is_terminal:
        columns += [Column("reason"), Column("key")]
        rows = [[*row, _reason(result), result.key] for row, result in zip(rows, results, strict=True)]
    write_table(columns, rows, console)
    if console.is_terminal:
        for result in results:
            if result.decision == "fault":
                write_line(f"{result.photo}: {_reason(result)}", console)


def _row(result: Result) -> list[Cell]:
    wrong = result.decision == "accepted" and result.correct is False
    return [
        result.photo,
        result.truth or "",
        (result.word, STYLES[result.decision]),
        (f"{result.label} (wrong)", "red") if wrong else result.label or result.error or "",
        "" if result.confidence is None else f"{result.confidence:.3f}",
        result.loading_bay or "",
        f"{result.seconds:.2f} s",
    ]


def _reason(result: Result) -> str:
    return f"{result.error}: {result.message}" if result.decision == "fault" else ""


def totals(results: Sequence[Result]) -> str:
    """The results in one line."""
    from contract.decisions import OUTCOMES, word_for
    from contract.screen import counted

    counts = Counter(result.decision for result in results)
    parts = [f"{counts[outcome]} {word_for(outcome, counts[outcome])}" for outcome in OUTCOMES]
    line = f"{counted(len(results), 'photo')}: {', '.join(parts)}"
    known = [result for result in results if result.decision == "accepted" and result.correct is not None]
    if known:
        right = sum(bool(result.correct) for result in known)
        line += f"; {right} of {counted(len(known), 'accepted label')} {'is' if len(known) == 1 else 'are'} right"
    return line
