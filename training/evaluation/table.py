"""An evaluation on the screen."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from contract.decisions import NEITHER
from contract.screen import Cell, Column, write_line, write_table
from training.evaluation.findings import Evaluation
from training.evaluation.statistics import CALIBRATION_BINS

MOST_CONFUSIONS = 10
"""Pairs of classes listed where the whole matrix has no room."""


def show(evaluation: Evaluation, console: Console) -> None:
    """Print the verdict, the classes, the confusions, the figures and, if measured, strangers and corrections."""
    _verdict(evaluation, console)
    _classes(evaluation, console)
    _confusion(evaluation, console)
    _figures(evaluation, console)
    if evaluation.strangers:
        _strangers(evaluation, console)
    if evaluation.corrected:
        write_line("", console)
        write_line(evaluation.corrected.sentence, console)
    write_line("", console)


def _verdict(evaluation: Evaluation, console: Console) -> None:
    recommendation = evaluation.recommendation
    title = f"Threshold, from {evaluation.photos} held-out photos of {evaluation.predictions.model}"
    if not console.is_terminal:
        for line in (title, recommendation.sentence, evaluation.configured_sentence):
            if line:
                write_line(line, console)
        return
    text = Text(recommendation.sentence, style="bold green" if recommendation.found else "bold yellow")
    if evaluation.configured_sentence:
        text.append(f"\n{evaluation.configured_sentence}", style="not bold default")
    # a panel cuts a title that is too long for it
    write_line(title, console)
    console.print(Panel(text, box=box.ROUNDED, padding=(0, 1)))


def _titled(title: str, columns: Sequence[Column], rows: Sequence[Sequence[Cell]], console: Console) -> None:
    write_line("", console)
    if console.is_terminal:
        console.print(Text(title, style="bold"), soft_wrap=True)
    else:
        write_line(title, console)
    write_table(columns, rows, console)


def _classes(evaluation: Evaluation, console: Console) -> None:
    each_level = evaluation.per_class_recommendations[0].confidence
    columns = (
        Column("class"),
        Column("photos", right=True, more=True),
        Column("recall", right=True),
        Column(f"{100 * evaluation.confidence:g} % interval", right=True, more=True),
        Column("precision", right=True),
        Column("F1", right=True, more=True),
        Column(f"own threshold ({100 * each_level:.4g} % each)", more=True),
    )
    rows: list[Sequence[Cell]] = []
    for label, figures, own in zip(
        evaluation.classes, evaluation.per_class, evaluation.per_class_recommendations, strict=True
    ):
        low, high = figures.recall_interval
        shown = (
            "none is shown"
            if own.found is None
            else f"{own.found.threshold:g} accepts {100 * own.found.coverage:.0f} %"
        )
        rows.append(
            (
                label,
                str(figures.photos),
                _share(figures.recall),
                f"{low:.3f} to {high:.3f}",
                _share(figures.precision),
                _share(figures.f1),
                shown,
            )
        )
    _titled("Classes", columns, rows, console)


def _confusion(evaluation: Evaluation, console: Console) -> None:
    labels = evaluation.predictions.classes
    rows = [
        (label, label, [int(count) for count in evaluation.confusion[row]])
        for row, label in enumerate(evaluation.classes)
    ]
    rows += [
        (f"strangers, {group}", NEITHER, list(figures.taken_for.values()))
        for group, figures in evaluation.strangers.items()
    ]
    needed = max(len(name) for name, _, _ in rows) + sum(1 + max(6, len(label)) for label in labels)
    if console.is_terminal and needed > console.width:
        pairs = [
            (count, name, label)
            for name, right, counts in rows
            for label, count in zip(labels, counts, strict=True)
            if label != right and count
        ]
        columns = (Column("what it is"), Column("taken for"), Column("photos", right=True))
        listed = [(name, label, (str(count), "red")) for count, name, label in sorted(pairs, reverse=True)]
        _titled(f"Confused most often ({len(pairs)} pairs)", columns, listed[:MOST_CONFUSIONS], console)
        return
    columns = (Column("what it is, taken for"), *(Column(label, right=True) for label in labels))
    table = [
        (
            name,
            *(
                (str(count), "green" if label == right else "red" if count else "dim")
                for label, count in zip(labels, counts, strict=True)
            ),
        )
        for name, right, counts in rows
    ]
    _titled("Taken for", columns, table, console)


def _figures(evaluation: Evaluation, console: Console) -> None:
    low, high = evaluation.accuracy_interval
    level = f"{100 * evaluation.confidence:g} %"
    rows = [
        ("accuracy", evaluation.accuracy, f"{low:.3f} to {high:.3f} ({level}, Wilson)"),
        ("log loss", evaluation.log_loss, "nats; 0 is perfect"),
        ("Brier score", evaluation.brier, "summed over the classes; 0 is perfect, 2 the worst"),
        ("calibration error", evaluation.calibration_error, f"{CALIBRATION_BINS} bins of equal width"),
        (
            "calibration error, equal mass",
            evaluation.calibration_error_equal_mass,
            f"{CALIBRATION_BINS} bins of equal numbers of photos",
        ),
        ("area under risk-coverage", evaluation.curve.area, "mean risk over all coverages; 0 is perfect"),
    ]
    columns = (Column("figure"), Column("value", right=True), Column("what it is", more=True))
    _titled("Figures", columns, [(name, f"{value:.4f}", (note, "dim")) for name, value, note in rows], console)


def _strangers(evaluation: Evaluation, console: Console) -> None:
    columns = (
        Column("kinds"),
        Column("photos", right=True, more=True),
        Column("threshold"),
        Column("routed", right=True),
        Column(f"at most ({100 * evaluation.confidence:g} %)", right=True, more=True),
    )
    rows = [
        (
            f"{group} in training",
            str(figures.photos),
            f"{name} {routed.threshold:g}",
            f"{routed.routed} ({100 * routed.share:.1f} %)",
            f"{100 * routed.bound:.1f} %",
        )
        for group, figures in evaluation.strangers.items()
        for name, routed in (("recommended", figures.recommended), ("configured", figures.configured))
        if routed is not None
    ]
    _titled("Strangers: pictures of none of the classes", columns, rows, console)


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
