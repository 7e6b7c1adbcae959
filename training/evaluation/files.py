"""Every file of an evaluation."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from contract.baseline import measure_baseline
from contract.baseline import to_document as baseline_document
from contract.errors import UserError
from contract.evidence import Evidence
from contract.evidence import to_document as evidence_document
from contract.prefixes import CARD_FILE, EVIDENCE_FILE, MODEL_BASELINE_FILE, PREDICTIONS_FILE
from training.dataset.manifest import FILE as MANIFEST_FILE
from training.dataset.manifest import read_manifest
from training.dataset.preview import training_examples
from training.evaluation.card import Made, card
from training.evaluation.findings import Evaluation
from training.evaluation.page import write_page
from training.evaluation.pictures import draw_pictures
from training.evaluation.predictions import Predictions, write_predictions


def write_files(
    folder: Path,
    evaluation: Evaluation,
    document: Mapping[str, object],
    evidence: Evidence,
    *,
    dataset: Path,
    command: str,
) -> None:
    """Write an evaluation; a baseline of an earlier one goes when there is no threshold to write one with.

    Args:
        folder: where.
        evaluation: what was found.
        document: the same, as evaluation.json holds it.
        evidence: what it says about every threshold.
        dataset: the photos' folder; what is not there is left out.
        command: what made it.

    Raises:
        UserError: the folder can't be written.
    """
    content = json.dumps(evidence_document(evidence)).encode() + b"\n"
    found, configured = evaluation.recommendation.found, evaluation.configured
    chosen = configured or found
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "evaluation.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        write_predictions(folder / PREDICTIONS_FILE, evaluation.predictions)
        (folder / EVIDENCE_FILE).write_bytes(content)
        made = Made(evidence, content, _manifest(dataset), command)
        (folder / CARD_FILE).write_text(card(evaluation, made), encoding="utf-8")
        draw_pictures(evaluation, folder)
        write_page(evaluation, folder, _examples(dataset))
        path = folder / MODEL_BASELINE_FILE
        if chosen is None:
            path.unlink(missing_ok=True)
        else:
            path.write_bytes(_baseline(evaluation.predictions, chosen.threshold))
    except OSError as error:
        raise UserError(f"the output folder {folder} can't be written: {error.strerror}") from error


def _manifest(dataset: Path) -> Mapping[str, Any]:
    try:
        return json.loads((dataset / MANIFEST_FILE).read_bytes())
    except (OSError, ValueError):
        return {}


def _examples(dataset: Path) -> Mapping[str, Sequence[bytes]]:
    try:
        return training_examples(dataset, read_manifest(dataset))
    except (UserError, OSError):
        # saved predictions can be evaluated where there is no dataset
        return {}


def _baseline(predictions: Predictions, threshold: float) -> bytes:
    measured = measure_baseline(
        predictions.probabilities.tolist(),
        classes=predictions.classes,
        threshold=threshold,
        model=predictions.model,
        created=datetime.fromisoformat(predictions.created),
    )
    return json.dumps(baseline_document(measured), indent=1).encode() + b"\n"
