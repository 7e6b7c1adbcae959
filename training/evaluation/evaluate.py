"""Score held-out photos and say which threshold can be trusted."""

from __future__ import annotations

import argparse
import json
import shlex
from datetime import UTC, datetime
from pathlib import Path

import boto3
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from contract.errors import UserError
from contract.evidence import Evidence
from contract.outputs import StackOutputs, read_outputs
from contract.prefixes import EVIDENCE_FILE, MEASURED_FILES, MODEL_BASELINE_FILE
from contract.register import region_of
from contract.screen import SCREEN, write_json, write_line
from contract.thresholds import allowed_thresholds, is_threshold
from training.dataset.archive import SIDE as DEFAULT_SIZE
from training.dataset.manifest import FILE as MANIFEST_FILE
from training.evaluation.evidence import evidence_of
from training.evaluation.files import write_files
from training.evaluation.findings import Evaluation, evaluate, to_document
from training.evaluation.held_out import held_out
from training.evaluation.left import leave, put, register_evaluation
from training.evaluation.predictions import Predictions, read_predictions
from training.evaluation.scoring import score
from training.evaluation.statistics import Floats
from training.evaluation.table import show
from training.stack import outputs_needed

DEFAULT_TARGET = 0.02
"""The share of accepted photos that may be wrong, when neither the command nor the stack says it."""


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
        target_error=_target(args, outputs),
        confidence=args.confidence,
        configured=configured,
        target_strangers=args.target_strangers,
    )
    document = to_document(evaluation)
    evidence = _evidence(evaluation, args, outputs)
    write_files(args.output, evaluation, document, evidence, dataset=args.dataset, command=_command(args))
    told: list[str] = []
    if args.upload_baseline:
        baseline = args.output / MODEL_BASELINE_FILE
        if not baseline.exists():
            raise UserError("--upload-baseline needs a threshold: none is configured and none recommended")
        put(boto3.client("s3"), baseline.read_bytes(), outputs.baseline_uri)
        told.append(f"Uploaded to {outputs.baseline_uri}")
    if args.upload_evidence:
        if predictions.model != outputs.training_job_name:
            raise UserError(
                f"--upload-evidence needs predictions of the stack's model {outputs.training_job_name}, "
                f"and these are of {predictions.model}"
            )
        told += _leave(args.output, evaluation, outputs)
    if args.json:
        write_json(document)
        return 0
    show(evaluation, SCREEN)
    write_line(f"Written to {args.output}: {', '.join(sorted(path.name for path in args.output.iterdir()))}")
    for line in told:
        write_line(line)
    return 0


def _target(args: argparse.Namespace, outputs: StackOutputs) -> float:
    """The share that may be wrong: what was asked for, or what the stack says, or 2 %."""
    of_stack = outputs.target_risk_percent
    given: float | None = args.target_error
    if given is not None:
        return given
    return DEFAULT_TARGET if of_stack is None else of_stack / 100


def _leave(folder: Path, evaluation: Evaluation, outputs: StackOutputs) -> list[str]:
    """Leave everything beside the model, and register it; what was done, in sentences."""
    files = {name: (folder / name).read_bytes() for name in MEASURED_FILES if (folder / name).exists()}
    leave(boto3.client("s3"), files, outputs.evidence_uri)
    told = [f"Uploaded to {outputs.evidence_uri}, and beside it {', '.join(sorted(files.keys() - {EVIDENCE_FILE}))}"]
    group = outputs.model_package_group
    if not group:
        return [*told, "Not registered: the stack exports no modelPackageGroup; `pulumi up` makes one"]
    version, done = register_evaluation(
        boto3.client("sagemaker", region_name=region_of(group)),
        group,
        outputs.training_job_name,
        files[EVIDENCE_FILE],
        evidence_uri=outputs.evidence_uri,
        artifact=outputs.model_artifact,
        target=evaluation.recommendation.target_error,
    )
    said = {"registered": "is new in", "updated": "was updated in", "unchanged": "is as it was in"}[done]
    return [*told, f"Version {version.number} {said} {group}"]


def _command(args: argparse.Namespace) -> str:
    """What was asked for, as somebody would type it; what says only where to write is left out."""
    words = ["python", "-m", "training", "evaluate"]
    for name in ("dataset", "endpoint", "predictions", "strangers", "target_error", "target_strangers", "confidence"):
        if (value := getattr(args, name)) is not None:
            words += [f"--{name.replace('_', '-')}", value.as_posix() if isinstance(value, Path) else str(value)]
    if args.threshold is not None:
        words += ["--threshold", f"{args.threshold:g}"]
    return shlex.join(words)


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


def _evidence(evaluation: Evaluation, args: argparse.Namespace, outputs: StackOutputs) -> Evidence:
    identity, size = "", outputs.image_size
    try:
        content = json.loads((args.dataset / MANIFEST_FILE).read_bytes())
        identity, size = str(content["identity"]), size or int(content["image_size"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        # saved predictions need no dataset, but evidence that others will read needs all of it
        if args.upload_evidence:
            raise UserError(f"--upload-evidence needs the dataset in {args.dataset}: {error}") from error
    return evidence_of(evaluation, dataset=identity, image_size=size or DEFAULT_SIZE)
