"""The model card: one page of Markdown that travels with a model, for whoever is to trust it or not."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contract.decisions import NEITHER
from contract.evidence import Evidence
from contract.promotion import lowest_named
from contract.shares import at_most, percent
from training.dataset.corrections import told
from training.evaluation.findings import Evaluation

SMALL = 64
"""Pixels a side below which a card says what is lost of a photo."""


@dataclass(frozen=True, slots=True)
class Made:
    """What a card says beyond the evaluation."""

    evidence: Evidence
    content: bytes
    """The evidence.json, whose digest the card names."""
    manifest: Mapping[str, Any]
    """What manifest.json holds; empty when the dataset is not at hand."""
    command: str
    """What made the evaluation, as somebody would type it."""


def card(evaluation: Evaluation, made: Made) -> str:
    """The card of the model that was evaluated; the same evaluation gives the same card."""
    parts = (
        [f"# {evaluation.predictions.model}", _purpose(evaluation)],
        ["## Data", *_data(evaluation, made)],
        ["## Figures", *_figures(evaluation, made)],
        ["## Limits", _bullets(_limits(evaluation, made))],
        ["## Evidence", _bullets(_origin(evaluation, made))],
    )
    return "\n\n".join(paragraph for part in parts for paragraph in part) + "\n"


def _purpose(evaluation: Evaluation) -> str:
    names = _listed(list(evaluation.classes))
    rest = (
        "a picture of none of them has a label of its own, and goes to a person too"
        if NEITHER in evaluation.predictions.classes
        else "it has no label for pictures of none of them"
    )
    return (
        f"Looks at a photo of an arriving vehicle and says what it shows, {names}, so that its driver is sent to a "
        f"loading bay. What it is not sure of goes to a person; {rest}. It was made for nothing else: it recognizes "
        "no people, number plates or other vehicles."
    )


def _data(evaluation: Evaluation, made: Made) -> list[str]:
    if not made.manifest:
        return ["The dataset was not at hand when this card was written."]
    splits: Mapping[str, Any] = made.manifest["splits"]
    labels = list(evaluation.predictions.classes)
    rows = [
        [name, *(str(splits[name].get("per_class", {}).get(label, 0)) for label in labels), str(splits[name]["images"])]
        for name in ("train", "validation", "test")
    ]
    paragraphs = [
        _table(["split", *labels, "all"], rows),
        f"Dataset `{made.evidence.dataset}`, pictures of {made.evidence.image_size} pixels a side. The validation "
        "photos chose the epoch; the test photos were seen by no training, and the figures are of them.",
    ]
    if neither := made.manifest.get("neither"):
        kinds = {name: len(each["near"]) + len(each["far"]) for name, each in neither["kinds"].items()}
        paragraphs.append(
            f"Strangers, pictures of none of the classes: {kinds['seen']} kinds were seen in training under *neither*, "
            f"{kinds['unseen']} never were; other pictures of both are held out."
        )
    corrections = made.manifest.get("corrections")
    said = told(corrections) if corrections else "corrections: none"
    return [*paragraphs, f"{said[0].upper()}{said[1:]}."]


def _figures(evaluation: Evaluation, made: Made) -> list[str]:
    level = f"{100 * evaluation.confidence:g} %"
    low, high = evaluation.accuracy_interval
    rows = [
        [label, str(figures.photos), _number(figures.recall), _interval(figures.recall_interval)]
        for label, figures in zip(evaluation.classes, evaluation.per_class, strict=True)
    ]
    paragraphs = [
        f"{evaluation.right} of {evaluation.photos} held-out photos are right: accuracy between the classes "
        f"{evaluation.accuracy:.3f} ({level} interval {low:.3f} to {high:.3f}). Expected calibration error "
        f"{evaluation.calibration_error:.3f}, Brier score {evaluation.brier:.3f} (0 to 2).",
        _table(["class", "photos", "recall", f"{level} interval"], rows),
        _sentence(evaluation.recommendation.sentence),
    ]
    if evaluation.configured_sentence:
        paragraphs.append(_sentence(evaluation.configured_sentence))
    target = evaluation.recommendation.target_error
    lowest, named = made.evidence.lowest_supported(target), lowest_named(made.evidence, target)
    if lowest is not None and named is not None:
        share = percent(made.evidence.at(named).accepted / evaluation.photos)
        paragraphs.append(
            f"The lowest threshold that the evidence supports for {100 * target:g} % wrong, whatever becomes of "
            f"strangers, is {named:g}: it accepts {share} of photos, at most {at_most(lowest.bound)} of them wrong."
        )
    strangers = _strangers(evaluation)
    if strangers:
        paragraphs.append(_table(["strangers", "photos", "threshold", "routed to a bay", "at most"], strangers))
    if evaluation.corrected:
        paragraphs.append(_sentence(evaluation.corrected.sentence))
    return paragraphs


def _strangers(evaluation: Evaluation) -> list[list[str]]:
    found, configured = evaluation.recommendation.found, evaluation.configured
    thresholds = {each.threshold: None for each in (configured, found) if each is not None}
    rows: list[list[str]] = []
    for group, figures in evaluation.strangers.items():
        for threshold in thresholds:
            known = [each for each in (figures.recommended, figures.configured) if each and each.threshold == threshold]
            rows += [
                [group, str(each.photos), f"{threshold:g}", str(each.routed), at_most(each.bound)] for each in known[:1]
            ]
    return rows


def _limits(evaluation: Evaluation, made: Made) -> list[str]:
    size = made.evidence.image_size
    limits = [
        "The figures hold for photos like the held-out ones. Other cameras, light, weather or vehicles are for the "
        "drift alarm and for whoever reads the report.",
        f"The bounds are of {evaluation.photos} photos: they say what was shown, not what is so.",
    ]
    if size < SMALL:
        limits.append(f"A photo is shrunk to {size} x {size} pixels: what is small on it is not seen.")
    if not evaluation.strangers:
        limits.append("Nothing is known of pictures of none of the classes: none were scored.")
    elif worse := _unseen_get_through(evaluation):
        limits.append(worse)
    if evaluation.recommendation.found is None:
        limits.append("No threshold was shown to meet the targets: whoever sets one answers for it.")
    return limits


def _unseen_get_through(evaluation: Evaluation) -> str:
    """That strangers of unseen kinds get through more often than others, if they do."""
    figures = [evaluation.strangers.get(group) for group in ("seen", "unseen")]
    routed = [each.recommended or each.configured for each in figures if each]
    if len(routed) < 2 or not (routed[0] and routed[1]) or routed[1].share <= routed[0].share:
        return ""
    seen, unseen = routed[0], routed[1]
    return (
        f"Strangers of kinds that no training saw get through more often: {unseen.routed} of {unseen.photos} at "
        f"{unseen.threshold:g}, instead of {seen.routed} of {seen.photos}."
    )


def _origin(evaluation: Evaluation, made: Made) -> list[str]:
    return [
        f"`evidence.json`, SHA-256 `{hashlib.sha256(made.content).hexdigest()}`, beside this card",
        f"scored on {evaluation.predictions.created}, endpoint `{evaluation.predictions.endpoint}`",
        f"`{made.command}`",
    ]


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---", *("---:" for _ in head[1:])], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _bullets(lines: list[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _listed(names: list[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _interval(interval: tuple[float, float]) -> str:
    return f"{interval[0]:.3f} to {interval[1]:.3f}"
