"""A stack's configuration, read once, checked as a whole, typed from there on.

`parse` is pure and reports every mistake together; `load` is the edge that asks Pulumi and the dataset.
Defaults are written in Pulumi.yaml alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pulumi
from pulumi.runtime import config as pulumi_config

from components.parts import bounds
from components.parts.bounds import shown
from components.parts.config_reader import ConfigReader
from components.parts.hosting import LONGEST_BAKE, SHORTEST_BAKE, RealtimeHostingArgs, ServerlessHostingArgs
from components.parts.layer import require_layer
from components.parts.measured_model import MeasuredModel, look_at
from components.parts.promoted_model import PromotedModelArgs
from components.parts.trained_model import TrainingArgs
from contract.classes import problem_with_classes
from contract.decisions import NEITHER, classes_of, labels_of
from contract.errors import UserError
from contract.limits import MEGA
from contract.names import PROJECT, setting
from contract.promotion import problems_with_evidence
from contract.stacks import told_together
from contract.thresholds import allowed_thresholds, is_threshold
from contract.yaml_files import one_line
from training.dataset.manifest import DatasetError, Manifest, read_manifest
from training.job.hyperparameters import (
    RECIPES,
    HyperparameterError,
    TrainingData,
    check_hosting_instance,
    check_training_instance,
    image_size,
    resolve,
)
from training.job.image import image_uri

DECIMAL = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?", re.IGNORECASE)
MODEL_FROM = r"[\w.-]+(/[\w.-]+){0,2}"
"""As Pulumi's stack references are written."""
KEYS = (
    *("classes", "confidenceThreshold", "loadingBays", "datasetDir", "layerPath", "trainingRecipe"),
    *("hyperparameters", "trainingInstanceType", "trainingSpot", "trainingMaxMinutes", "endpointMode"),
    *("endpointInstanceType", "endpointMinInstances", "endpointMaxInstances", "serverlessMemoryMb"),
    *("serverlessMaxConcurrency", "capturePercentage", "captureRetentionDays", "decisionRetentionDays"),
    *("logRetentionDays", "maxImageMegabytes", "maxImageMegapixels", "alertEmail", "kmsKeyArn"),
    *("reviewRateAlarmPercent", "retrainOnDrift", "neitherClass", "trainingAttempt"),
    *("modelFrom", "requireEvidence", "targetRiskPercent"),
    *("rolloutBakeMinutes", "protectData"),
)
"""Every key that Pulumi.yaml declares."""


class SettingsError(pulumi.RunError):
    """What is wrong with a stack's configuration: `problems`, one sentence each, all of them.

    A `RunError`, which Pulumi prints without a traceback.
    """

    def __init__(self, problems: list[str], *, stack: str) -> None:
        self.problems = [one_line(problem) for problem in problems]
        super().__init__(told_together(self.problems, f"{stack} (Pulumi.{stack}.yaml, defaults in Pulumi.yaml)"))


@dataclass(frozen=True, slots=True)
class Retention:
    """How many days things are kept."""

    capture_days: int
    decision_days: int
    log_days: int


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """The largest photo that is looked at."""

    max_bytes: int
    max_pixels: int


@dataclass(frozen=True, slots=True)
class Alerts:
    """Who is told, and when; no `email` means that nobody subscribes."""

    email: str | None
    review_rate_percent: int
    retrain_on_drift: bool


@dataclass(frozen=True, slots=True)
class StackSettings:
    """All that differs between two stacks."""

    region: str
    classes: tuple[str, ...]
    """Those that have a loading bay."""
    labels: tuple[str, ...]
    """What the model answers, in label order: the classes and, unless that is turned off, neither."""
    confidence_threshold: float
    loading_bays: Mapping[str, str]
    image_uri: str
    """The algorithm's image in the region."""
    image_size: int
    """Pixels a side of what the model takes."""
    training: TrainingArgs | None
    """How the model is trained; None when it is taken from another stack."""
    promoted: PromotedModelArgs | None
    """The model of another stack; None when one is trained."""
    doubts: tuple[str, ...]
    """What speaks against serving the model at this threshold, where that is only warned of."""
    realtime: RealtimeHostingArgs | None
    """How an endpoint of instances is hosted; None when it is serverless."""
    serverless: ServerlessHostingArgs | None
    retention: Retention
    images: ImageLimits
    alerts: Alerts
    layer_path: Path
    protect_data: bool
    """Whether the bucket is refused to be deleted; else it goes with all that is in it."""
    kms_key_arn: str | None


def load() -> StackSettings:
    """The settings of the stack that is being deployed.

    Raises:
        SettingsError: with everything that is wrong.
    """
    config = pulumi.Config()
    prefix = f"{config.name}:"
    known = {**pulumi_config.get_config_env(), **pulumi_config.CONFIG.get()}
    raw = {key.removeprefix(prefix): value for key, value in known.items() if key.startswith(prefix)}
    source = config.get("modelFrom") or ""
    # its own model may be from before evidence was kept; what another stack lacks is an error
    measured = look_at(source or pulumi.get_stack())
    if isinstance(measured, UserError) and not source:
        measured = None
    dataset: Manifest | DatasetError | None = None
    if not source:
        try:
            dataset = read_manifest(Path(config.get("datasetDir") or ""))
        except DatasetError as error:
            dataset = error
    region = pulumi.Config("aws").get("region") or ""
    image: str | UserError
    try:
        image = image_uri(region)
    except UserError as error:
        image = error
    layer: Path | UserError = Path(config.get("layerPath") or "")
    try:
        require_layer(layer)
    except UserError as error:
        layer = error
    settings = parse(
        raw, region=region, dataset=dataset, image=image, layer=layer, stack=pulumi.get_stack(), measured=measured
    )
    for doubt in settings.doubts:
        pulumi.log.warn(f"{doubt} (a warning only, since {setting('requireEvidence')} is false)")
    return settings


def parse(
    raw: Mapping[str, object],
    *,
    region: str,
    dataset: Manifest | DatasetError | None,
    image: str | UserError,
    layer: Path | UserError,
    stack: str,
    measured: MeasuredModel | UserError | None = None,
) -> StackSettings:
    """Turn raw configuration into settings.

    Args:
        raw: values by key without the namespace, as Pulumi delivers them (texts, some of them JSON) or as
            YAML has them.
        region: the value of `aws:region`.
        dataset: what is in `datasetDir`, or why nothing is; None when the model is another stack's.
        image: the algorithm's image in the region, or why there is none.
        layer: the zip that is at `layerPath`, or why none is.
        stack: the stack's name.
        measured: the model of the stack that `modelFrom` names, or else the stack's own; None when none serves yet.

    Raises:
        SettingsError: with everything that is wrong.
    """
    reader = ConfigReader(raw, KEYS)
    if isinstance(image, UserError):
        reader.problems.append(str(image))
    if not bounds.ENDPOINT_NAME.takes(f"{PROJECT}-{stack}"):
        reader.problems.append(
            f"the stack's name must be letters, digits and hyphens between them, at most "
            f"{63 - len(PROJECT) - 1} characters, since its endpoint is called {PROJECT}-{stack}"
        )
    classes = _classes(reader)
    labels = labels_of(classes, neither=reader.boolean("neitherClass"))
    threshold = _threshold(reader, labels)
    source = reader.pattern("modelFrom", MODEL_FROM, "the name of another stack, ORGANIZATION/PROJECT/STACK or empty")
    promoted = _promoted(reader, source, labels, measured, stack)
    training = None if dataset is None else _training(reader, labels, dataset)
    realtime, serverless = _hosting(reader)
    settings = StackSettings(
        region=region,
        classes=classes,
        labels=labels,
        confidence_threshold=threshold,
        loading_bays=_loading_bays(reader, classes),
        image_uri=str(image),
        image_size=promoted.model.image_size if promoted else _trained_size(training),
        training=training,
        promoted=promoted.as_promoted() if promoted else None,
        doubts=_doubts(reader, source, measured, threshold),
        realtime=realtime,
        serverless=serverless,
        retention=Retention(
            capture_days=reader.whole_number("captureRetentionDays", *bounds.RETENTION_DAYS),
            decision_days=reader.whole_number("decisionRetentionDays", *bounds.RETENTION_DAYS),
            log_days=reader.one_of_numbers("logRetentionDays", bounds.LOG_RETENTION_DAYS),
        ),
        images=ImageLimits(
            max_bytes=reader.whole_number("maxImageMegabytes", *bounds.IMAGE_MEGABYTES) * MEGA,
            max_pixels=reader.whole_number("maxImageMegapixels", *bounds.IMAGE_MEGAPIXELS) * MEGA,
        ),
        alerts=Alerts(
            email=reader.pattern("alertEmail", bounds.EMAIL.pattern, f"{bounds.EMAIL.what} or empty"),
            review_rate_percent=reader.whole_number("reviewRateAlarmPercent", *bounds.REVIEW_RATE_PERCENT),
            retrain_on_drift=reader.boolean("retrainOnDrift"),
        ),
        layer_path=_layer(reader, layer),
        protect_data=reader.boolean("protectData"),
        kms_key_arn=reader.pattern("kmsKeyArn", bounds.KMS_KEY.pattern, f"{bounds.KMS_KEY.what} or empty"),
    )
    if reader.problems:
        raise SettingsError(reader.problems, stack=stack)
    return settings


def _layer(reader: ConfigReader, layer: Path | UserError) -> Path:
    path = Path(reader.text("layerPath"))
    if reader.is_good("layerPath") and isinstance(layer, UserError):
        reader.add(f"layerPath is {shown(path.as_posix())}: {layer}")
    return path


def _classes(reader: ConfigReader) -> tuple[str, ...]:
    names = reader.texts("classes")
    if reader.is_good("classes"):
        problem = problem_with_classes(names)
        if problem:
            reader.must("classes", *problem)
    return tuple(names)


def _threshold(reader: ConfigReader, labels: tuple[str, ...]) -> float:
    text = reader.text("confidenceThreshold")
    if not (reader.is_good("confidenceThreshold") and reader.is_good("classes")):
        return 1.0
    # not all that Python's float takes: digits of other scripts, 0_9, nan
    threshold = float(text) if DECIMAL.fullmatch(text) else float("nan")
    if not is_threshold(threshold, len(labels)):
        reader.must("confidenceThreshold", f"be {allowed_thresholds(len(labels))}", shown(text))
    return threshold


def _loading_bays(reader: ConfigReader, classes: tuple[str, ...]) -> Mapping[str, str]:
    bays = reader.mapping("loadingBays")
    judge = bounds.problems_with_bays(
        bays, classes, classes_are_good=reader.is_good("loadingBays") and reader.is_good("classes")
    )
    for problem in list(judge):
        reader.must(f"loadingBays{problem.below}", problem.allowed, problem.got)
    return bounds.named_bays(bays)


def _promoted(
    reader: ConfigReader,
    source: str | None,
    labels: tuple[str, ...],
    measured: MeasuredModel | UserError | None,
    stack: str,
) -> MeasuredModel | None:
    """The model of another stack, if one is to be served, which must answer this stack's labels."""
    if source is None:
        return None
    if source == stack:
        reader.must("modelFrom", "be another stack than this one", shown(source))
    elif measured is None:
        reader.add(f"modelFrom is {shown(source)}: that stack serves no model yet; bring it up and evaluate it first")
    elif isinstance(measured, UserError):
        reader.add(f"modelFrom is {shown(source)}: {measured}")
    else:
        _answers(reader, labels, measured.model.labels, f"the model of stack {source}", "trained")
        return measured
    return None


def _answers(reader: ConfigReader, labels: tuple[str, ...], held: tuple[str, ...], what: str, how: str) -> None:
    """Report classes that are not those of a dataset or a model."""
    if not (reader.is_good("classes") and reader.is_good("neitherClass")) or held == labels:
        return
    again = " (or prepare it again)" if how == "prepared" else ""
    if classes_of(held) != classes_of(labels):
        allowed = f"be the classes of {what}, {shown(list(classes_of(held)))} in this order{again}"
        reader.must("classes", allowed, shown(list(classes_of(labels))))
    else:
        has = NEITHER in held
        reader.must("neitherClass", f"be {str(has).lower()}, as {what} was {how}{again}", str(not has).lower())


def _doubts(
    reader: ConfigReader, source: str | None, measured: MeasuredModel | UserError | None, threshold: float
) -> tuple[str, ...]:
    """What the evidence says against the model and its threshold: problems where it is required."""
    required, text = reader.boolean("requireEvidence"), reader.text("targetRiskPercent")
    target = float(text) / 100 if DECIMAL.fullmatch(text) else 0.0
    if reader.is_good("targetRiskPercent") and not 0 < target < 1:
        reader.must("targetRiskPercent", "be a number above 0 and below 100", shown(text))
    if required and source is None and reader.is_good("modelFrom"):
        allowed = (
            "be false while modelFrom is empty, as a model that the stack trains itself is measured once it serves"
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


def _trained_size(training: TrainingArgs | None) -> int:
    return image_size(training["hyperparameters"]) if training and training["hyperparameters"] else 0


def _training(reader: ConfigReader, labels: tuple[str, ...], dataset: Manifest | DatasetError) -> TrainingArgs:
    recipe = reader.one_of("trainingRecipe", tuple(RECIPES))
    overrides = reader.mapping("hyperparameters")
    instance_type = reader.text("trainingInstanceType")
    if reader.is_good("trainingInstanceType"):
        reader.add(check_training_instance(instance_type))
    folder = Path(reader.text("datasetDir"))
    spot = reader.boolean("trainingSpot")
    max_minutes = reader.whole_number("trainingMaxMinutes", 5, 5 * 24 * 60)
    if isinstance(dataset, DatasetError):
        if reader.is_good("datasetDir"):
            reader.add(f"datasetDir is {shown(folder.as_posix())}: {dataset}")
    else:
        _answers(reader, labels, dataset.classes, f"the dataset in {folder.as_posix()}", "prepared")
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


def _hosting(reader: ConfigReader) -> tuple[RealtimeHostingArgs | None, ServerlessHostingArgs | None]:
    mode = reader.one_of("endpointMode", ("realtime", "serverless"))
    instance_type = reader.text("endpointInstanceType")
    if reader.is_good("endpointInstanceType"):
        reader.add(check_hosting_instance(instance_type))
    least = reader.whole_number("endpointMinInstances", *bounds.INSTANCES)
    most = reader.whole_number("endpointMaxInstances", *bounds.INSTANCES)
    if reader.is_good("endpointMinInstances") and reader.is_good("endpointMaxInstances") and most < least:
        reader.must("endpointMaxInstances", f"be at least endpointMinInstances ({least})", str(most))
    bake = reader.whole_number("rolloutBakeMinutes", 0, LONGEST_BAKE)
    if 0 < bake < SHORTEST_BAKE:
        reader.must("rolloutBakeMinutes", f"be 0 or from {SHORTEST_BAKE} to {LONGEST_BAKE}", str(bake))
    elif mode == "realtime" and bake and least == 1 and reader.is_good("endpointMinInstances"):
        allowed = "be at least 2 where rolloutBakeMinutes is not 0, so that one of them can go first"
        reader.must("endpointMinInstances", allowed, str(least))
    memory = reader.one_of_numbers("serverlessMemoryMb", bounds.SERVERLESS_MEMORY_MB)
    concurrency = reader.whole_number("serverlessMaxConcurrency", *bounds.SERVERLESS_CONCURRENCY)
    capture = reader.whole_number("capturePercentage", *bounds.CAPTURE_PERCENT)
    if mode == "serverless":
        if capture:
            allowed = "be 0 when endpointMode is serverless, which AWS captures nothing of"
            reader.must("capturePercentage", allowed, str(capture))
        return None, {"memory_mb": memory, "max_concurrency": concurrency}
    realtime: RealtimeHostingArgs = {
        "instance_type": instance_type,
        "min_instances": least,
        "max_instances": most,
        "capture_percentage": capture,
        "bake_minutes": bake,
    }
    return realtime, None
