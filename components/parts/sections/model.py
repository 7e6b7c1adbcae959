"""Which model is served: one that the stack trains, or another stack's, and what its evidence must show."""

from __future__ import annotations

from pathlib import Path

from components.parts import bounds
from components.parts.bounds import shown
from components.parts.config_reader import ConfigReader
from components.parts.measured_model import MeasuredModel
from components.parts.sections.classes import DECIMAL, require_labels
from components.parts.trained_model import TrainingArgs
from contract.errors import UserError
from contract.names import setting
from contract.promotion import problems_with_evidence
from training.dataset.manifest import DatasetError, Manifest
from training.job.hyperparameters import (
    RECIPES,
    HyperparameterError,
    TrainingData,
    check_training_instance,
    image_size,
    resolve,
)

KEYS = (
    *("datasetDir", "trainingRecipe", "hyperparameters", "trainingInstanceType", "trainingSpot", "trainingMaxMinutes"),
    *("trainingAttempt", "modelFrom", "modelJob", "requireEvidence", "targetRiskPercent"),
)
MODEL_FROM = r"[\w.-]+(/[\w.-]+){0,2}"
"""As Pulumi's stack references are written."""
MODEL_JOB = r"[A-Za-z0-9](-*[A-Za-z0-9]){0,62}"
"""As SageMaker takes the name of a training job."""


def read_source(reader: ConfigReader) -> str | None:
    """The stack whose model is served; None for one's own."""
    return reader.pattern("modelFrom", MODEL_FROM, "the name of another stack, ORGANIZATION/PROJECT/STACK or empty")


def read_job(reader: ConfigReader) -> str | None:
    """The finished training job whose model is served; None for that of `modelFrom`, or a new one."""
    return reader.pattern("modelJob", MODEL_JOB, "the name of a training job, or empty")


def read_made(
    reader: ConfigReader,
    source: str | None,
    job: str | None,
    labels: tuple[str, ...],
    measured: MeasuredModel | UserError | None,
    stack: str,
) -> MeasuredModel | None:
    """The model that is there already, if one is to be served, which must answer this stack's labels."""
    if job is not None:
        return _read_left(reader, job, labels, measured)
    if source is None:
        return None
    if source == stack:
        reader.must("modelFrom", "be another stack than this one", shown(source))
    elif measured is None:
        reader.add(f"modelFrom is {shown(source)}: that stack serves no model yet; bring it up and evaluate it first")
    elif isinstance(measured, UserError):
        reader.add(f"modelFrom is {shown(source)}: {measured}")
    else:
        require_labels(reader, labels, measured.model.labels, f"the model of stack {source}", "trained")
        return measured
    return None


def _read_left(
    reader: ConfigReader, job: str, labels: tuple[str, ...], measured: MeasuredModel | UserError | None
) -> MeasuredModel | None:
    """The model that a training job left in the stack's bucket; only its evidence says what it answers."""
    if measured is None:
        reader.add(f"modelJob is {shown(job)}: the stack has no bucket yet; bring it up without modelJob first")
    elif isinstance(measured, UserError):
        reader.add(f"modelJob is {shown(job)}: {measured}")
    elif isinstance(measured.evidence, UserError):
        reader.add(f"modelJob is {shown(job)}: {measured.evidence}")
    else:
        require_labels(reader, labels, measured.model.labels, f"the model of {job}", "trained")
        return measured
    return None


def read_target(reader: ConfigReader) -> float:
    """The share of accepted photos that may be wrong; what is not allowed is 0."""
    text = reader.text("targetRiskPercent")
    target = float(text) / 100 if DECIMAL.fullmatch(text) else 0.0
    if reader.is_good("targetRiskPercent") and not 0 < target < 1:
        reader.must("targetRiskPercent", "be a number above 0 and below 100", shown(text))
    return target


def read_doubts(
    reader: ConfigReader, has_made: bool, measured: MeasuredModel | UserError | None, threshold: float, target: float
) -> tuple[str, ...]:
    """What the evidence says against the model and its threshold: problems where it is required."""
    required = reader.boolean("requireEvidence")
    if required and not has_made and reader.is_good("modelFrom"):
        allowed = (
            "be false while modelFrom and modelJob are empty, as a model that the stack trains itself is measured "
            "once it serves"
        )
        reader.must("requireEvidence", allowed, "true")
    judged = ("requireEvidence", "targetRiskPercent", "confidenceThreshold", "classes")
    if not isinstance(measured, MeasuredModel) or not all(map(reader.is_good, judged)):
        return ()
    evidence = measured.evidence
    found = (
        [str(evidence)]
        if isinstance(evidence, UserError)
        else problems_with_evidence(evidence, measured.model, threshold=threshold, target=target)
    )
    if not required:
        return tuple(found)
    prefix = setting("requireEvidence")
    own = setting("confidenceThreshold")
    reader.problems += [each if each.startswith(own) else f"{prefix}: {each}" for each in found]
    return ()


def trained_size(training: TrainingArgs | None) -> int:
    """Pixels a side of what the model that is trained takes; 0 when none is, or nothing is known of it."""
    return image_size(training["hyperparameters"]) if training and training["hyperparameters"] else 0


def read_training(reader: ConfigReader, labels: tuple[str, ...], dataset: Manifest | DatasetError) -> TrainingArgs:
    """How the model is trained, judged together with its dataset."""
    recipe = reader.one_of("trainingRecipe", tuple(RECIPES))
    overrides = reader.mapping("hyperparameters")
    instance_type = reader.text("trainingInstanceType")
    if reader.is_good("trainingInstanceType"):
        reader.add(check_training_instance(instance_type))
    folder = Path(reader.text("datasetDir"))
    spot = reader.boolean("trainingSpot")
    max_minutes = reader.whole_number("trainingMaxMinutes", *bounds.TRAINING_MINUTES)
    if isinstance(dataset, DatasetError):
        if reader.is_good("datasetDir"):
            reader.add(f"datasetDir is {shown(folder.as_posix())}: {dataset}")
    else:
        require_labels(reader, labels, dataset.classes, f"the dataset in {folder.as_posix()}", "prepared")
    hyperparameters: dict[str, str] = {}
    if reader.is_good("trainingRecipe") and reader.is_good("hyperparameters") and reader.is_good("classes"):
        try:
            # without a dataset nothing is trained, but the hyperparameters' own mistakes are reported too
            data = TrainingData.unknown(len(labels))
            if isinstance(dataset, Manifest) and dataset.classes == labels:
                data = TrainingData.of(dataset)
            hyperparameters = resolve(recipe, overrides, data)
        except HyperparameterError as error:
            for problem in error.problems:
                reader.add(problem)
    return {
        "dataset_dir": str(folder),
        "hyperparameters": hyperparameters,
        "instance_type": instance_type,
        "spot": spot,
        "max_minutes": max_minutes,
        "attempt": reader.whole_number("trainingAttempt", 1, 1000),
    }
