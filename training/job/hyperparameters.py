"""Which hyperparameters a training job gets: a recipe, what the stack overrides, and what may go together.

`resolve` is the whole story: it returns the complete set as SageMaker takes it, or every problem at once.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from contract.errors import UserError
from training.job.instances import (
    HOSTING_INSTANCE_FAMILIES,
    TRAINING_INSTANCE_FAMILIES,
    check_hosting_instance,
    check_training_instance,
)
from training.job.rules import NEEDS_OPTIMIZER, TrainingData, broken, image_size, is_read
from training.job.table import HYPERPARAMETERS

__all__ = [
    "HOSTING_INSTANCE_FAMILIES",
    "HYPERPARAMETERS",
    "RECIPES",
    "TRAINING_INSTANCE_FAMILIES",
    "HyperparameterError",
    "Recipe",
    "TrainingData",
    "check_hosting_instance",
    "check_training_instance",
    "image_size",
    "resolve",
]

FROM_THE_DATASET = ("num_classes", "num_training_samples")


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
        "32x32 photos, 18 layers, from scratch: minutes on one small GPU",
        {
            "image_shape": "3,32,32",
            "num_layers": "18",
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


def resolve(recipe: str, overrides: Mapping[str, object], data: TrainingData) -> dict[str, str]:
    """Every hyperparameter of a training job, sorted by name: defaults, then `recipe`, then `overrides`.

    What only another optimizer or early stopping would read is left out. A dataset of image files needs
    `resize`: unless it is given it is 9/8 of the photo's side, which leaves the random crop some room.

    Args:
        recipe: one of `RECIPES`.
        overrides: values as stack configuration delivers them (strings, numbers, booleans, lists).
        data: what is trained on.

    Raises:
        HyperparameterError: with every problem: names (with near misses), types, ranges, combinations.
    """
    if recipe not in RECIPES:
        raise HyperparameterError([f"trainingRecipe must be one of {', '.join(RECIPES)}, got {recipe!r}"])
    problems: list[str] = []
    chosen = _parse_overrides(overrides, problems)
    values = {name: row.default for name, row in HYPERPARAMETERS.items() if row.default is not None}
    values |= RECIPES[recipe].values
    values |= chosen
    if data.format == "image" and "resize" not in values:
        values["resize"] = str(image_size(values) * 9 // 8)
    values["num_classes"] = str(data.labels)
    values["num_training_samples"] = str(data.train)
    for name in FROM_THE_DATASET:
        if HYPERPARAMETERS[name].parse(values[name]) is None:
            problems.append(f"{name} must be {HYPERPARAMETERS[name].allowed}, got {values[name]} from the dataset")
    for name, problem in broken(values, data, idle=True):
        if name not in chosen and name in RECIPES[recipe].values:
            problem += f" from the recipe {recipe}: set it as well"
        problems.append(f"hyperparameters.{name} {problem}")
    problems += _idle_problems(values, chosen)
    if problems:
        raise HyperparameterError(problems)
    return {name: values[name] for name in sorted(values) if is_read(name, values)}


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


def _idle_problems(values: Mapping[str, str], chosen: Mapping[str, str]) -> list[str]:
    problems: list[str] = []
    for name in chosen:
        if name == "kv_store":
            problems.append("hyperparameters.kv_store can't be set: this stack trains on one machine")
        elif not is_read(name, values):
            needed = (
                f"optimizer {' or '.join(NEEDS_OPTIMIZER[name])}, got optimizer {values['optimizer']}"
                if name in NEEDS_OPTIMIZER
                else "early_stopping True, got early_stopping False"
            )
            problems.append(f"hyperparameters.{name} is only read with {needed}")
    return problems
