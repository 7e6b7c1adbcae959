"""A stack's configuration, read once, checked as a whole, typed from there on.

`parse` is pure and reports every mistake together; `load` is the edge that asks Pulumi and the dataset. What the
settings of a subject are, and what they may be, is in `components/parts/sections/`.
Defaults are written in Pulumi.yaml alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pulumi
from pulumi.runtime import config as pulumi_config

from components.parts import bounds
from components.parts.config_reader import ConfigReader
from components.parts.hosting import RealtimeHostingArgs, ServerlessHostingArgs
from components.parts.layer import require_layer
from components.parts.measured_model import MeasuredModel, look_at
from components.parts.promoted_model import BaselineArgs, PromotedModelArgs
from components.parts.sections import alerts, batches, classes, hosting, model, photos, retention, retraining
from components.parts.sections.alerts import Alerts
from components.parts.sections.batches import Batches
from components.parts.sections.photos import ImageLimits
from components.parts.sections.retention import Retention
from components.parts.trained_model import TrainingArgs
from contract.decisions import labels_of
from contract.errors import UserError
from contract.names import PROJECT, setting
from contract.stacks import told_together
from contract.yaml_files import one_line
from training.dataset.manifest import DatasetError, Manifest, read_manifest
from training.job.image import image_uri

OWN_KEYS = ("kmsKeyArn",)
KEYS = (
    *classes.KEYS,
    *model.KEYS,
    *hosting.KEYS,
    *photos.KEYS,
    *retention.KEYS,
    *alerts.KEYS,
    *batches.KEYS,
    *OWN_KEYS,
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
class StackSettings:
    """All that differs between two stacks."""

    region: str
    classes: tuple[str, ...]
    """Those that have a loading bay."""
    labels: tuple[str, ...]
    """What the model answers, in label order: the classes and, unless that is turned off, neither."""
    confidence_threshold: float
    target_risk: float
    """The share of accepted photos that may be wrong."""
    loading_bays: Mapping[str, str]
    image_uri: str
    """The algorithm's image in the region."""
    image_size: int
    """Pixels a side of what the model takes."""
    training: TrainingArgs | None
    """How the model is trained; None when there is one already."""
    promoted: PromotedModelArgs | None
    """The model of another stack; None when there is one in the stack's own bucket, or one is trained."""
    baseline: BaselineArgs | None
    """What drift is measured against, of a model that was measured before it serves here."""
    trained_job: str | None
    """The finished training job whose model is served; None when one is trained, or taken from another stack."""
    doubts: tuple[str, ...]
    """What speaks against serving the model at this threshold, where that is only warned of."""
    realtime: RealtimeHostingArgs | None
    """How an endpoint of instances is hosted; None when it is serverless."""
    serverless: ServerlessHostingArgs | None
    retention: Retention
    images: ImageLimits
    alerts: Alerts
    batches: Batches
    layer_path: Path
    protect_data: bool
    """Whether the bucket is refused to be deleted; else it goes with all that is in it."""
    kms_key_arn: str | None
    retraining: Mapping[str, str]
    """How a candidate is trained when the model drifts, but for the role that it takes; empty when none is."""


def load() -> StackSettings:
    """The settings of the stack that is being deployed.

    Raises:
        SettingsError: with everything that is wrong.
    """
    config = pulumi.Config()
    prefix = f"{config.name}:"
    known = {**pulumi_config.get_config_env(), **pulumi_config.CONFIG.get()}
    raw = {key.removeprefix(prefix): value for key, value in known.items() if key.startswith(prefix)}
    job = config.get("modelJob") or ""
    source = "" if job else config.get("modelFrom") or ""
    # its own model may be from before evidence was kept; what another model lacks is an error
    measured = look_at(source or pulumi.get_stack(), job)
    if isinstance(measured, UserError) and not source and not job:
        measured = None
    dataset: Manifest | DatasetError | None = None
    if not source and not job:
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
        dataset: what is in `datasetDir`, or why nothing is; None when nothing is trained.
        image: the algorithm's image in the region, or why there is none.
        layer: the zip that is at `layerPath`, or why none is.
        stack: the stack's name.
        measured: the model of `modelJob`, or of the stack that `modelFrom` names, or else the stack's own; None when
            none serves yet.

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
    names = classes.read_classes(reader)
    labels = labels_of(names, neither=reader.boolean("neitherClass"))
    threshold, target = classes.read_threshold(reader, labels), model.read_target(reader)
    source, job = model.read_source(reader), model.read_job(reader)
    made = model.read_made(reader, source, job, labels, measured, stack)
    training = None if dataset is None else model.read_training(reader, labels, dataset)
    realtime, serverless = hosting.read_hosting(reader)
    key = reader.pattern("kmsKeyArn", bounds.KMS_KEY.pattern, f"{bounds.KMS_KEY.what} or empty")
    told = alerts.read_alerts(reader)
    settings = StackSettings(
        region=region,
        classes=names,
        labels=labels,
        confidence_threshold=threshold,
        target_risk=target,
        loading_bays=classes.read_loading_bays(reader, names),
        image_uri=str(image),
        image_size=made.model.image_size if made else model.trained_size(training),
        training=training,
        promoted=made.as_promoted() if made and job is None else None,
        baseline=made.baseline if made else None,
        trained_job=job,
        doubts=model.read_doubts(reader, source is not None or job is not None, measured, threshold, target),
        realtime=realtime,
        serverless=serverless,
        retention=retention.read_retention(reader),
        images=photos.read_image_limits(reader),
        alerts=told,
        batches=batches.read_batches(reader),
        layer_path=photos.read_layer(reader, layer),
        protect_data=reader.boolean("protectData"),
        kms_key_arn=key,
        retraining=retraining.read_retraining(
            reader, told.retrain_on_drift, training, stack=stack, image_uri=str(image), kms_key_arn=key
        ),
    )
    if reader.problems:
        raise SettingsError(reader.problems, stack=stack)
    return settings
