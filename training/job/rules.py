"""What hyperparameters and data must have in common: one table, for settings and for the local training alike.

Sources: the algorithm's documentation (https://docs.aws.amazon.com/sagemaker/latest/dg/IC-Hyperparameter.html) and
MXNet's public ResNet symbol, which builds a network for small images up to 28 pixels and refuses it above.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from training.dataset.manifest import Format, Manifest
from training.job.table import CIFAR_LAYERS, IMAGENET_LAYERS, LARGEST_IMAGE

Values = Mapping[str, str]
"""Hyperparameters as SageMaker takes them, the documented defaults filled in."""

PRETRAINED_SIZE = 224
LARGEST_SMALL_IMAGE = 28
"""Pixels a side up to which the networks of `CIFAR_LAYERS` can be built, and above which those of `IMAGENET_LAYERS`."""

NEEDS_OPTIMIZER: Mapping[str, tuple[str, ...]] = {
    "momentum": ("sgd", "nag"),
    "weight_decay": ("sgd", "nag"),
    "beta_1": ("adam",),
    "beta_2": ("adam",),
    "eps": ("adam", "rmsprop"),
    "gamma": ("rmsprop",),
}
NEEDS_EARLY_STOPPING = ("early_stopping_min_epochs", "early_stopping_patience", "early_stopping_tolerance")


@dataclass(frozen=True, slots=True)
class TrainingData:
    """What a job is to be trained on."""

    labels: int
    train: int
    """Images in the channel `train`."""
    validation: int
    """Images in the channel `validation`."""
    smallest_side: int
    """Pixels of the shortest side of all images."""
    format: Format = "recordio"

    @classmethod
    def of(cls, dataset: Manifest) -> TrainingData:
        """What a prepared dataset holds."""
        return cls(
            len(dataset.classes),
            dataset.images("train"),
            dataset.images("validation"),
            dataset.image_size,
            dataset.format,
        )

    @classmethod
    def unknown(cls, labels: int) -> TrainingData:
        """Data that no rule objects to, for when only the hyperparameters can be checked."""
        return cls(labels, train=10**6, validation=10**6, smallest_side=LARGEST_IMAGE)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: which hyperparameter it blames, what breaking it does, and the check."""

    name: str
    breaking: Literal["fails", "is idle"]
    """Whether the training fails, or goes on as if the hyperparameter were not there."""
    check: Callable[[Values, TrainingData], str | None]
    """What is wrong, to be read after the hyperparameter's name: "must be …, got …"; None when nothing is."""


def broken(values: Values, data: TrainingData, *, idle: bool) -> Iterator[tuple[str, str]]:
    """The rules that are broken: each hyperparameter's name, and what it must be and is instead.

    Args:
        values: complete; each value is one that `HYPERPARAMETERS` takes.
        data: what is trained on.
        idle: also those which only make a hyperparameter do nothing.
    """
    for rule in RULES:
        problem = rule.check(values, data) if idle or rule.breaking == "fails" else None
        if problem:
            yield rule.name, problem


def is_read(name: str, values: Values) -> bool:
    """Whether the algorithm looks at a hyperparameter at all, the others being as they are."""
    if name in NEEDS_OPTIMIZER:
        return values["optimizer"] in NEEDS_OPTIMIZER[name]
    return name not in NEEDS_EARLY_STOPPING or values["early_stopping"] == "True"


def image_size(values: Values) -> int:
    """Pixels a side of the square photos that a model trained with `values` takes."""
    return int(values["image_shape"].rsplit(",", 1)[1])


def _layers(values: Values, data: TrainingData) -> str | None:
    size, layers = image_size(values), int(values["num_layers"])
    if values["use_pretrained_model"] == "1":
        allowed, why = IMAGENET_LAYERS, "with a pretrained model"
    elif size > LARGEST_SMALL_IMAGE:
        allowed, why = IMAGENET_LAYERS, f"for images above {LARGEST_SMALL_IMAGE}x{LARGEST_SMALL_IMAGE}"
    else:
        allowed, why = CIFAR_LAYERS, f"for images up to {LARGEST_SMALL_IMAGE}x{LARGEST_SMALL_IMAGE}"
    if layers in allowed:
        return None
    return f"must be one of {', '.join(map(str, allowed))} {why}, got {layers} for {size}x{size}"


def _pretrained_shape(values: Values, data: TrainingData) -> str | None:
    if values["use_pretrained_model"] == "0" or image_size(values) == PRETRAINED_SIZE:
        return None
    return f"must be 3,{PRETRAINED_SIZE},{PRETRAINED_SIZE} with a pretrained model, got {values['image_shape']}"


def _shape_within_data(values: Values, data: TrainingData) -> str | None:
    if "resize" in values or image_size(values) <= data.smallest_side:
        return None
    return (
        f"must be at most the {data.smallest_side} pixels that the smallest image has, or resize be set, "
        f"got {values['image_shape']}"
    )


def _resize(values: Values, data: TrainingData) -> str | None:
    size = image_size(values)
    if "resize" not in values:
        return "must be set for a dataset of image files" if data.format == "image" else None
    return None if int(values["resize"]) > size else f"must be above the image_shape's {size}, got {values['resize']}"


def _batch(values: Values, data: TrainingData) -> str | None:
    batch = int(values["mini_batch_size"])
    for count, what in ((data.train, "training"), (data.validation, "validation")):
        if batch > count:
            return f"must be at most the {count} {what} images, got {batch}"
    return None


def _steps(values: Values, data: TrainingData) -> str | None:
    if "lr_scheduler_step" not in values:
        return None
    last = int(values["lr_scheduler_step"].rsplit(",", 1)[-1])
    epochs = int(values["epochs"])
    return None if last < epochs else f"must lie below the {epochs} epochs, got {values['lr_scheduler_step']}"


def _within_epochs(name: str) -> Callable[[Values, TrainingData], str | None]:
    def check(values: Values, data: TrainingData) -> str | None:
        epochs = int(values["epochs"])
        if name not in values or not is_read(name, values) or int(values[name]) <= epochs:
            return None
        return f"must be at most the {epochs} epochs, got {values[name]}"

    return check


def _top_k(values: Values, data: TrainingData) -> str | None:
    if int(values.get("top_k", "2")) <= data.labels:
        return None
    return f"must be at most the {data.labels} labels, got {values['top_k']}"


RULES = (
    Rule("num_layers", "fails", _layers),
    Rule("image_shape", "fails", _pretrained_shape),
    Rule("image_shape", "fails", _shape_within_data),
    Rule("resize", "fails", _resize),
    Rule("mini_batch_size", "fails", _batch),
    Rule("checkpoint_frequency", "fails", _within_epochs("checkpoint_frequency")),
    Rule("top_k", "fails", _top_k),
    Rule("lr_scheduler_step", "is idle", _steps),
    Rule("early_stopping_min_epochs", "is idle", _within_epochs("early_stopping_min_epochs")),
)
