"""Which hyperparameters a training job gets: a recipe, what the stack overrides, and what may go together.

`resolve` is the whole story: it returns the complete set as SageMaker takes it, or every problem at once.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from contract.errors import UserError
from training.job.instances import (
    HOSTING_INSTANCE_FAMILIES,
    TRAINING_INSTANCE_FAMILIES,
    check_hosting_instance,
    check_training_instance,
)
from training.job.table import CIFAR_LAYERS, HYPERPARAMETERS, IMAGENET_LAYERS

__all__ = [
    "HOSTING_INSTANCE_FAMILIES",
    "HYPERPARAMETERS",
    "RECIPES",
    "TRAINING_INSTANCE_FAMILIES",
    "HyperparameterError",
    "Recipe",
    "check_hosting_instance",
    "check_training_instance",
    "image_size",
    "resolve",
]

FROM_THE_DATASET = ("num_classes", "num_training_samples")
PRETRAINED_SIZE = 224
SMALL_IMAGE = 64
"""Pixels a side up to which a network for small images makes sense: it halves them twice only."""

NEEDS_OPTIMIZER: Mapping[str, tuple[str, ...]] = {
    "momentum": ("sgd", "nag"),
    "weight_decay": ("sgd", "nag"),
    "beta_1": ("adam",),
    "beta_2": ("adam",),
    "eps": ("adam", "rmsprop"),
    "gamma": ("rmsprop",),
}
NEEDS_EARLY_STOPPING = ("early_stopping_min_epochs", "early_stopping_patience", "early_stopping_tolerance")


class HyperparameterError(UserError):
    """Hyperparameters that the algorithm would refuse or ignore; `problems` holds one sentence each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Recipe:
    """Hyperparameters that suit a kind of data; the documented defaults fill what it leaves out."""

    summary: str
    values: Mapping[str, str]


RECIPES: Mapping[str, Recipe] = {
    "small": Recipe(
        "32x32 photos, 20 layers, from scratch: minutes on one small GPU",
        {
            "image_shape": "3,32,32",
            "num_layers": "20",
            "use_pretrained_model": "0",
            "augmentation_type": "crop",
            "epochs": "40",
            "mini_batch_size": "50",
            "optimizer": "sgd",
            "learning_rate": "0.05",
            "momentum": "0.9",
            "weight_decay": "0.0005",
            "lr_scheduler_factor": "0.1",
            "lr_scheduler_step": "20,32",
            "early_stopping": "True",
            "early_stopping_min_epochs": "20",
            "early_stopping_patience": "10",
            "early_stopping_tolerance": "0.0",
        },
    ),
    "transfer": Recipe(
        "224x224 photos, 18 layers, from weights learned on ImageNet: the more accurate, and slower, choice",
        {
            "image_shape": "3,224,224",
            "num_layers": "18",
            "use_pretrained_model": "1",
            "resize": "256",
            "augmentation_type": "crop_color_transform",
            "epochs": "15",
            "mini_batch_size": "20",
            "optimizer": "sgd",
            "learning_rate": "0.001",
            "momentum": "0.9",
            "weight_decay": "0.0001",
            "lr_scheduler_factor": "0.1",
            "lr_scheduler_step": "8,12",
            "early_stopping": "True",
            "early_stopping_min_epochs": "8",
            "early_stopping_patience": "4",
            "early_stopping_tolerance": "0.0",
        },
    ),
}


def image_size(hyperparameters: Mapping[str, str]) -> int:
    """Pixels a side of the square photos that a model trained with `hyperparameters` takes."""
    return int(hyperparameters["image_shape"].rsplit(",", 1)[1])


def resolve(
    recipe: str,
    overrides: Mapping[str, object],
    *,
    num_classes: int,
    num_training_samples: int,
    dataset_format: Literal["recordio", "image"] = "recordio",
) -> dict[str, str]:
    """Every hyperparameter of a training job, sorted by name: defaults, then `recipe`, then `overrides`.

    `overrides` are values as stack configuration delivers them (text, numbers, booleans, lists). What
    only another optimizer or early stopping would read is left out. A dataset of image files needs
    `resize`: unless it is given it is 9/8 of the photo's side, which leaves the random crop some room.

    Raises HyperparameterError with every problem: names (with near misses), types, ranges, combinations.
    """
    if recipe not in RECIPES:
        raise HyperparameterError([f"trainingRecipe must be one of {', '.join(RECIPES)}, got {recipe!r}"])
    problems: list[str] = []
    chosen = _parse_overrides(overrides, problems)
    values = {name: row.default for name, row in HYPERPARAMETERS.items() if row.default is not None}
    values |= RECIPES[recipe].values
    values |= chosen
    if dataset_format == "image" and "resize" not in values:
        values["resize"] = str(image_size(values) * 9 // 8)
    values["num_classes"] = str(num_classes)
    values["num_training_samples"] = str(num_training_samples)
    for name in FROM_THE_DATASET:
        if HYPERPARAMETERS[name].parse(values[name]) is None:
            problems.append(f"{name} must be {HYPERPARAMETERS[name].allowed}, got {values[name]} from the dataset")
    problems += _network_problems(values)
    problems += _schedule_problems(values, chosen, num_classes, num_training_samples)
    problems += _idle_problems(values, chosen)
    if problems:
        raise HyperparameterError(problems)
    return {name: values[name] for name in sorted(values) if _is_read(name, values)}


def _parse_overrides(overrides: Mapping[str, object], problems: list[str]) -> dict[str, str]:
    chosen: dict[str, str] = {}
    for name, value in overrides.items():
        row = HYPERPARAMETERS.get(name)
        if row is None:
            near = difflib.get_close_matches(name, HYPERPARAMETERS, n=3, cutoff=0.6)
            hint = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(HYPERPARAMETERS)}"
            problems.append(f"hyperparameters.{name} is not one of the algorithm's: {hint}")
        elif name in FROM_THE_DATASET:
            problems.append(f"hyperparameters.{name} can't be set: it is counted in the dataset")
        else:
            parsed = row.parse(value)
            if parsed is None:
                problems.append(f"hyperparameters.{name} must be {row.allowed}, got {_shown(value)}")
            else:
                chosen[name] = parsed
    return chosen


def _shown(value: object) -> str:
    return repr(value) if isinstance(value, str) else str(value)


def _network_problems(values: Mapping[str, str]) -> list[str]:
    problems: list[str] = []
    size = image_size(values)
    layers = int(values["num_layers"])
    if values["use_pretrained_model"] == "1":
        if layers not in IMAGENET_LAYERS:
            problems.append(
                f"hyperparameters.num_layers must be one of {_listed(IMAGENET_LAYERS)} "
                f"with a pretrained model, got {layers}"
            )
        if size != PRETRAINED_SIZE:
            problems.append(
                f"hyperparameters.image_shape must be 3,{PRETRAINED_SIZE},{PRETRAINED_SIZE} "
                f"with a pretrained model, got {values['image_shape']}"
            )
    elif layers in CIFAR_LAYERS and size > SMALL_IMAGE:
        problems.append(
            f"hyperparameters.num_layers must be one of {_listed(IMAGENET_LAYERS)} for images above "
            f"{SMALL_IMAGE}x{SMALL_IMAGE}, got {layers} for {size}x{size}"
        )
    resize = values.get("resize")
    if resize is not None and int(resize) <= size:
        problems.append(
            f"hyperparameters.resize must be above the image_shape's {size}, or training fails, got {resize}"
        )
    return problems


def _schedule_problems(
    values: Mapping[str, str], chosen: Mapping[str, str], num_classes: int, num_training_samples: int
) -> list[str]:
    problems: list[str] = []
    epochs = int(values["epochs"])
    if int(values["mini_batch_size"]) > num_training_samples:
        problems.append(
            f"hyperparameters.mini_batch_size must be at most the {num_training_samples} training images, "
            f"got {values['mini_batch_size']}"
        )
    steps = values.get("lr_scheduler_step")
    if steps is not None and int(steps.rsplit(",", 1)[-1]) >= epochs:
        problems.append(
            f"hyperparameters.lr_scheduler_step must lie below the {epochs} epochs, got {steps}"
            + ("" if "lr_scheduler_step" in chosen else " from the recipe: set it as well")
        )
    for name in ("checkpoint_frequency", "early_stopping_min_epochs"):
        if name in values and _is_read(name, values) and int(values[name]) > epochs:
            problems.append(
                f"hyperparameters.{name} must be at most the {epochs} epochs, got {values[name]}"
                + ("" if name in chosen else " from the recipe: set it as well")
            )
    if int(values.get("top_k", "2")) > num_classes:
        problems.append(f"hyperparameters.top_k must be at most the {num_classes} classes, got {values['top_k']}")
    return problems


def _idle_problems(values: Mapping[str, str], chosen: Mapping[str, str]) -> list[str]:
    problems: list[str] = []
    for name in chosen:
        if name == "kv_store":
            problems.append("hyperparameters.kv_store can't be set: this stack trains on one machine")
        elif not _is_read(name, values):
            needed = (
                f"optimizer {' or '.join(NEEDS_OPTIMIZER[name])}, got optimizer {values['optimizer']}"
                if name in NEEDS_OPTIMIZER
                else "early_stopping True, got early_stopping False"
            )
            problems.append(f"hyperparameters.{name} is only read with {needed}")
    return problems


def _is_read(name: str, values: Mapping[str, str]) -> bool:
    if name in NEEDS_OPTIMIZER:
        return values["optimizer"] in NEEDS_OPTIMIZER[name]
    return name not in NEEDS_EARLY_STOPPING or values["early_stopping"] == "True"


def _listed(numbers: tuple[int, ...]) -> str:
    return ", ".join(str(number) for number in numbers)
