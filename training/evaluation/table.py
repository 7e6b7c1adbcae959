"""An evaluation on the screen."""

from __future__ import annotations

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from contract.decisions import NEITHER
from training.evaluation.findings import Evaluation
from training.evaluation.statistics import CALIBRATION_BINS


def show(evaluation: Evaluation, console: Console) -> None:
    """Print the verdict, the classes, the confusions, the figures and, if measured, strangers."""
    parts: list[RenderableType] = [_verdict(evaluation), _classes(evaluation), _confusion(evaluation)]
    parts.append(_figures(evaluation))
    if evaluation.strangers:
        parts.append(_strangers(evaluation))
    console.print(Group(*(Padding(part, (0, 0, 1, 0)) for part in parts)))


def _verdict(evaluation: Evaluation) -> Panel:
    recommendation = evaluation.recommendation
    text = Text(recommendation.sentence, style="bold green" if recommendation.found else "bold yellow")
    if evaluation.configured_sentence:
        text.append(f"\n{evaluation.configured_sentence}", style="not bold default")
    title = f"Threshold, from {evaluation.photos} held-out photos of {evaluation.predictions.model}"
    return Panel(text, title=title, title_align="left", box=box.ROUNDED, padding=(1, 2))


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)


def _classes(evaluation: Evaluation) -> Table:
    table = _table("Classes")
    table.add_column("class")
    each_level = evaluation.per_class_recommendations[0].confidence
    for heading in ("photos", "recall", f"{100 * evaluation.confidence:g} % interval", "precision", "F1"):
        table.add_column(heading, justify="right")
    table.add_column(f"own threshold ({100 * each_level:.4g} % each)")
    for label, figures, own in zip(
        evaluation.classes,
        evaluation.per_class,
        evaluation.per_class_recommendations,
        strict=True,
    ):
        low, high = figures.recall_interval
        table.add_row(
            label,
            str(figures.photos),
            _share(figures.recall),
            f"{low:.3f} to {high:.3f}",
            _share(figures.precision),
            _share(figures.f1),
            "none is shown"
            if own.found is None
            else f"{own.found.threshold:g} accepts {100 * own.found.coverage:.0f} %",
        )
    return table


def _confusion(evaluation: Evaluation) -> Table:
    table = _table("Taken for")
    table.add_column("true class")
    for label in evaluation.predictions.classes:
        table.add_column(label, justify="right")
    for row, label in enumerate(evaluation.classes):
        counts = [int(count) for count in evaluation.confusion[row]]
        cells = [
            Text(str(count), style="green" if column == row else "red" if count else "dim")
            for column, count in enumerate(counts)
        ]
        table.add_row(label, *cells)
    for group, figures in evaluation.strangers.items():
        counts = [
            Text(str(count), style="green" if label == NEITHER else "red" if count else "dim")
            for label, count in figures.taken_for.items()
        ]
        table.add_row(f"strangers, {group}", *counts)
    return table


def _figures(evaluation: Evaluation) -> Table:
    table = _table("Figures")
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_column("")
    low, high = evaluation.accuracy_interval
    level = f"{100 * evaluation.confidence:g} %"
    rows = [
        ("accuracy", evaluation.accuracy, f"{low:.3f} to {high:.3f} ({level}, Wilson)"),
        ("log loss", evaluation.log_loss, "nats; 0 is perfect"),
        ("Brier score", evaluation.brier, "summed over the classes; 0 is perfect, 2 the worst"),
        ("calibration error", evaluation.calibration_error, f"{CALIBRATION_BINS} bins of equal width"),
        (
            "calibration error",
            evaluation.calibration_error_equal_mass,
            f"{CALIBRATION_BINS} bins of equal numbers of photos",
        ),
        ("area under risk-coverage", evaluation.curve.area, "mean risk over all coverages; 0 is perfect"),
    ]
    for name, value, note in rows:
        table.add_row(name, f"{value:.4f}", Text(note, style="dim"))
    return table


def _strangers(evaluation: Evaluation) -> Table:
    table = _table("Strangers: pictures of none of the classes")
    table.add_column("kinds")
    table.add_column("photos", justify="right")
    table.add_column("threshold")
    table.add_column("routed", justify="right")
    table.add_column(f"at most ({100 * evaluation.confidence:g} %)", justify="right")
    for group, figures in evaluation.strangers.items():
        for name, routed in (("recommended", figures.recommended), ("configured", figures.configured)):
            if routed is not None:
                table.add_row(
                    f"{group} in training",
                    str(figures.photos),
                    f"{name} {routed.threshold:g}",
                    f"{routed.routed} ({100 * routed.share:.1f} %)",
                    f"{100 * routed.bound:.1f} %",
                )
    return table


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
