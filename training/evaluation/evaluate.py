"""Score held-out photos and say which threshold can be trusted."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from contract.aws_errors import explained
from contract.baseline import measure_baseline
from contract.baseline import to_document as baseline_document
from contract.errors import UserError
from contract.evidence import to_document as evidence_document
from contract.outputs import StackOutputs, read_outputs
from contract.prefixes import EVIDENCE_FILE
from contract.promotion import s3_place
from contract.screen import SCREEN, write_json, write_line
from contract.thresholds import allowed_thresholds, is_threshold
from training.dataset.archive import SIDE as DEFAULT_SIZE
from training.dataset.manifest import FILE as MANIFEST_FILE
from training.dataset.manifest import read_manifest
from training.dataset.preview import training_examples
from training.evaluation.evidence import evidence_of
from training.evaluation.findings import Evaluation, evaluate, to_document
from training.evaluation.held_out import held_out
from training.evaluation.page import write_page
from training.evaluation.pictures import draw_pictures
from training.evaluation.predictions import Predictions, read_predictions, write_predictions
from training.evaluation.scoring import score
from training.evaluation.statistics import Floats
from training.evaluation.table import show
from training.stack import outputs_needed


def run(args: argparse.Namespace) -> int:
    """Evaluate as the arguments say; 0 whether or not a threshold is found, which evaluation.json tells."""
    outputs = read_outputs(args.outputs) or StackOutputs()
    configured: float | None = outputs.confidence_threshold if args.threshold is None else args.threshold
    _check_threshold(configured, len(outputs.labels) or None)
    if args.upload_baseline and not outputs.baseline_uri:
        raise UserError(f"--upload-baseline needs {outputs_needed('evaluate', '--upload-baseline')}")
    if args.upload_evidence and not (outputs.evidence_uri and outputs.training_job_name):
        raise UserError(f"--upload-evidence needs {outputs_needed('evaluate', '--upload-evidence')}")
    saved: Path | None = args.predictions
    predictions = read_predictions(saved) if saved else _score_test_split(args, outputs)
    labels = predictions.classes
    if outputs.labels and labels != outputs.labels:
        raise UserError(
            f"classes must be those of the stack in its order, {', '.join(outputs.labels)}, got {', '.join(labels)}"
        )
    _check_threshold(configured, len(labels))
    evaluation = evaluate(
        predictions,
        target_error=args.target_error,
        confidence=args.confidence,
        configured=configured,
        target_strangers=args.target_strangers,
    )
    document = to_document(evaluation)
    evidence, examples = _evidence(evaluation, args, outputs), _examples(args.dataset)
    baseline = _write(args.output, evaluation, document, evidence, examples)
    if args.upload_baseline:
        if baseline is None:
            raise UserError("--upload-baseline needs a threshold: none is configured and none recommended")
        _upload(baseline, outputs.baseline_uri)
    if args.upload_evidence:
        if predictions.model != outputs.training_job_name:
            raise UserError(
                f"--upload-evidence needs predictions of the stack's model {outputs.training_job_name}, "
                f"and these are of {predictions.model}"
            )
        _upload(evidence, outputs.evidence_uri)
    if args.json:
        write_json(document)
        return 0
    show(evaluation, SCREEN)
    write_line(f"Written to {args.output}: {', '.join(sorted(path.name for path in args.output.iterdir()))}")
    if args.upload_baseline:
        write_line(f"Uploaded to {outputs.baseline_uri}")
    if args.upload_evidence:
        write_line(f"Uploaded to {outputs.evidence_uri}")
    return 0


def _check_threshold(threshold: float | None, labels: int | None) -> None:
    if threshold is not None and not is_threshold(threshold, labels):
        raise UserError(f"--threshold must be {allowed_thresholds(labels)}, got {threshold:g}")


def _score_test_split(args: argparse.Namespace, outputs: StackOutputs) -> Predictions:
    held = held_out(args.dataset, args.strangers)
    endpoint, size = _endpoint(args, outputs), outputs.image_size or held.manifest.image_size
    labels = len(held.manifest.classes)
    probabilities, seconds = _ask("held-out photos", held.paths, endpoint, labels, size, args.workers)
    return held.predictions(
        probabilities, seconds, model=outputs.training_job_name or endpoint, endpoint=endpoint, now=datetime.now(UTC)
    )


def _endpoint(args: argparse.Namespace, outputs: StackOutputs) -> str:
    name = args.endpoint or outputs.endpoint_name
    if not name:
        raise UserError(f"an endpoint is needed: --endpoint NAME, or {outputs_needed('evaluate')}")
    return str(name)


def _ask(what: str, photos: list[Path], endpoint: str, classes: int, size: int, workers: int) -> tuple[Floats, Floats]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=len(photos))
        return score(
            photos,
            endpoint=endpoint,
            classes=classes,
            size=size,
            on_scored=lambda: progress.advance(task),
            workers=workers,
        )


def _evidence(evaluation: Evaluation, args: argparse.Namespace, outputs: StackOutputs) -> bytes:
    identity, size = "", outputs.image_size
    try:
        content = json.loads((args.dataset / MANIFEST_FILE).read_bytes())
        identity, size = str(content["identity"]), size or int(content["image_size"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        # saved predictions need no dataset, but evidence that others will read needs all of it
        if args.upload_evidence:
            raise UserError(f"--upload-evidence needs the dataset in {args.dataset}: {error}") from error
    evidence = evidence_of(evaluation, dataset=identity, image_size=size or DEFAULT_SIZE)
    return json.dumps(evidence_document(evidence)).encode() + b"\n"


def _examples(dataset: Path) -> dict[str, list[bytes]]:
    try:
        return training_examples(dataset, read_manifest(dataset))
    except (UserError, OSError):
        # saved predictions can be evaluated where there is no dataset
        return {}


def _write(
    folder: Path,
    evaluation: Evaluation,
    document: dict[str, object],
    evidence: bytes,
    examples: Mapping[str, Sequence[bytes]],
) -> bytes | None:
    """Write every file; the baseline's bytes, or None when there is no threshold to write one with."""
    found, configured = evaluation.recommendation.found, evaluation.configured
    chosen = configured or found
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "evaluation.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        write_predictions(folder / "predictions.jsonl", evaluation.predictions)
        (folder / EVIDENCE_FILE).write_bytes(evidence)
        draw_pictures(evaluation, folder)
        write_page(evaluation, folder, examples)
        path = folder / "baseline.json"
        if chosen is None:
            path.unlink(missing_ok=True)
            return None
        baseline = _baseline(evaluation.predictions, chosen.threshold)
        path.write_bytes(baseline)
    except OSError as error:
        raise UserError(f"the output folder {folder} can't be written: {error.strerror}") from error
    return baseline


def _baseline(predictions: Predictions, threshold: float) -> bytes:
    measured = measure_baseline(
        predictions.probabilities.tolist(),
        classes=predictions.classes,
        threshold=threshold,
        model=predictions.model,
        created=datetime.fromisoformat(predictions.created),
    )
    return json.dumps(baseline_document(measured), indent=1).encode() + b"\n"


def _upload(document: bytes, uri: str) -> None:
    bucket, key = s3_place(uri)
    try:
        boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=document, ContentType="application/json")
    except (ClientError, BotoCoreError) as error:
        raise UserError(f"nothing can be put to {uri}: {explained(error)}") from error
