"""An evaluation on the screen."""

from __future__ import annotations

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from training.evaluation.findings import Evaluation
from training.evaluation.neither import Neither
from training.evaluation.statistics import CALIBRATION_BINS


def show(evaluation: Evaluation, console: Console) -> None:
    """Print the verdict, the classes, the confusions, the figures and, if measured, photos of no class."""
    parts: list[RenderableType] = [_verdict(evaluation), _classes(evaluation), _confusion(evaluation)]
    parts.append(_figures(evaluation))
    if evaluation.neither is not None:
        parts.append(_neither(evaluation.neither))
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
        evaluation.predictions.classes,
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
    for row, label in enumerate(evaluation.predictions.classes):
        counts = [int(count) for count in evaluation.confusion[row]]
        cells = [
            Text(str(count), style="green" if column == row else "red" if count else "dim")
            for column, count in enumerate(counts)
        ]
        table.add_row(label, *cells)
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


def _neither(neither: Neither) -> Group:
    table = _table(f"{neither.photos} photos of none of the classes")
    table.add_column("threshold")
    table.add_column("accepted", justify="right")
    table.add_column("95 % interval", justify="right")
    for name, accepted in (("recommended", neither.recommended), ("configured", neither.configured)):
        if accepted is not None:
            low, high = accepted.interval
            table.add_row(
                f"{name} {accepted.threshold:g}",
                f"{accepted.accepted} ({100 * accepted.share:.0f} %)",
                f"{100 * low:.0f} to {100 * high:.0f} %",
            )
    scores = _table("What would catch them")
    scores.add_column("score")
    for heading in ("AUROC", "cut", "caught"):
        scores.add_column(heading, justify="right")
    for detector in neither.detectors:
        scores.add_row(detector.name, f"{detector.auroc:.3f}", f"{detector.cut:.4f}", f"{100 * detector.caught:.0f} %")
    return Group(
        table, Padding("", (0, 0)), scores, Text(f"Each cut keeps {neither.kept} held-out photos. {neither.sentence}")
    )


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
