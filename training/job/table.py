"""The documented hyperparameters of SageMaker's built-in image classification algorithm, as one table.

Names, types, ranges and defaults are those of
https://docs.aws.amazon.com/sagemaker/latest/dg/IC-Hyperparameter.html; where this system allows less than the
algorithm does, the note says why. Every value is sent to SageMaker as a string.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

IMAGENET_LAYERS = (18, 34, 50, 101, 152, 200)
"""Depths of the residual networks for large images; the only ones with pretrained weights."""
CIFAR_LAYERS = (20, 32, 44, 56, 110)
"""Depths of the residual networks for small images."""
SMALLEST_IMAGE = 16
LARGEST_IMAGE = 224
"""Pixels a side: above this, a noisy photo as base64 PNG would not fit the state machine's 256 KiB."""

Kind = Literal["integer", "number", "choice", "epochs", "shape"]


@dataclass(frozen=True, slots=True)
class Hyperparameter:
    """One row: what the algorithm takes under a name, and what it takes when the name is absent."""

    kind: Kind
    note: str
    default: str | None = None
    """The documented default; None when there is none."""
    low: float = 0
    high: float = math.inf
    """Least and greatest value of an integer or a number, both included."""
    choices: tuple[str, ...] = ()

    @property
    def allowed(self) -> str:
        """What a value must be, to be read after "must be"."""
        if self.kind == "integer":
            if self.high == math.inf:
                return "a positive integer" if self.low == 1 else f"an integer of at least {self.low:.0f}"
            return f"an integer between {self.low:.0f} and {self.high:.0f}"
        if self.kind == "number":
            return f"a number between {self.low:g} and {self.high:g}"
        if self.kind == "choice":
            return self.choices[0] if len(self.choices) == 1 else f"one of {', '.join(self.choices)}"
        if self.kind == "epochs":
            return 'increasing epochs, such as "10,20"'
        return (
            f'"3,SIZE,SIZE" with SIZE between {SMALLEST_IMAGE} and {LARGEST_IMAGE} (colour, square), such as "3,32,32"'
        )

    def parse(self, value: object) -> str | None:
        """`value` of stack configuration in the form that SageMaker takes; None when it is not allowed."""
        if isinstance(value, list):
            value = ",".join(str(part) for part in value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        if isinstance(value, bool) and self.kind != "choice":
            return None
        if not isinstance(value, str | int | float):
            return None
        text = str(value)
        match self.kind:
            case "integer":
                return self._integer(text)
            case "number":
                return self._number(text)
            case "choice":
                return self._choice(value, text)
            case "epochs":
                return _increasing_epochs(text)
            case "shape":
                return _square_shape(text)

    def _integer(self, text: str) -> str | None:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not self.low <= int(text) <= self.high:
            return None
        return str(int(text))

    def _number(self, text: str) -> str | None:
        if not re.fullmatch(r"[0-9]*\.?[0-9]+(e[+-]?[0-9]{1,3})?|[0-9]+\.", text, re.IGNORECASE):
            return None
        number = float(text)
        return str(number) if self.low <= number <= self.high else None

    def _choice(self, value: object, text: str) -> str | None:
        if isinstance(value, bool) and set(self.choices) <= {"0", "1"}:
            text = str(int(value))
        same = [choice for choice in self.choices if choice.lower() == text.lower()]
        return same[0] if same else None


def _increasing_epochs(text: str) -> str | None:
    parts = [part.strip(" ") for part in text.split(",")]
    if not all(re.fullmatch(r"[0-9]{1,9}", part) for part in parts):
        return None
    epochs = [int(part) for part in parts]
    if epochs[0] < 1 or any(later <= earlier for earlier, later in itertools.pairwise(epochs)):
        return None
    return ",".join(str(epoch) for epoch in epochs)


def _square_shape(text: str) -> str | None:
    parts = re.fullmatch(r"3 *, *([0-9]{1,4}) *, *([0-9]{1,4})", text)
    if parts is None or parts[1] != parts[2] or not SMALLEST_IMAGE <= int(parts[1]) <= LARGEST_IMAGE:
        return None
    return f"3,{int(parts[1])},{int(parts[2])}"


def _share(note: str, default: str) -> Hyperparameter:
    return Hyperparameter("number", note, default, 0, 1)


HYPERPARAMETERS: Mapping[str, Hyperparameter] = {
    "augmentation_type": Hyperparameter(
        "choice",
        "crop: random crop and mirror; crop_color: and hue, saturation, lightness; crop_color_transform: and "
        "rotation, shear, aspect",
        choices=("crop", "crop_color", "crop_color_transform"),
    ),
    "beta_1": _share("adam: decay rate of the first moment", "0.9"),
    "beta_2": _share("adam: decay rate of the second moment", "0.999"),
    "checkpoint_frequency": Hyperparameter(
        "integer",
        "epochs between stored models; without it only the best by validation accuracy is stored",
        low=1,
    ),
    "early_stopping": Hyperparameter(
        "choice", "stop when validation accuracy no longer improves", "False", choices=("True", "False")
    ),
    "early_stopping_min_epochs": Hyperparameter("integer", "epochs before early stopping may happen", "10", low=1),
    "early_stopping_patience": Hyperparameter(
        "integer", "epochs without improvement that end the training", "5", low=1
    ),
    "early_stopping_tolerance": _share("relative improvement of validation accuracy that counts as one", "0.0"),
    "epochs": Hyperparameter(
        "integer",
        "passes over the training images (the algorithm has no upper limit)",
        "30",
        low=1,
        high=1000,
    ),
    "eps": _share("adam, rmsprop: what keeps a division from being one by zero", "1e-08"),
    "gamma": _share("rmsprop: decay rate of the average of squared gradients", "0.9"),
    "image_shape": Hyperparameter(
        "shape",
        "channels, height, width of the network's input; the serializer makes square colour images",
        "3,224,224",
    ),
    "kv_store": Hyperparameter(
        "choice", "several training machines: how they agree on weights", choices=("dist_sync", "dist_async")
    ),
    "learning_rate": _share("initial learning rate", "0.1"),
    "lr_scheduler_factor": _share("what the learning rate is multiplied by at each lr_scheduler_step", "0.1"),
    "lr_scheduler_step": Hyperparameter("epochs", "epochs after which the learning rate falls"),
    "mini_batch_size": Hyperparameter(
        "integer",
        "images a step; one that divides the numbers of images, since the last, partial batch looks dropped",
        "32",
        low=1,
    ),
    "momentum": _share("sgd, nag: momentum", "0.9"),
    "multi_label": Hyperparameter(
        "choice", "1: several labels a photo, which a decision can't use", "0", choices=("0",)
    ),
    "num_classes": Hyperparameter("integer", "from the dataset", low=2),
    "num_layers": Hyperparameter(
        "choice",
        "depth of the residual network",
        "152",
        choices=tuple(str(layers) for layers in (*IMAGENET_LAYERS, *CIFAR_LAYERS)),
    ),
    "num_training_samples": Hyperparameter("integer", "from the dataset", low=1),
    "optimizer": Hyperparameter("choice", "optimizer", "sgd", choices=("sgd", "adam", "rmsprop", "nag")),
    "precision_dtype": Hyperparameter("choice", "precision of the weights", "float32", choices=("float32", "float16")),
    "resize": Hyperparameter(
        "integer",
        "pixels of the shorter side before cropping, above image_shape; image files need it",
        low=1,
    ),
    "top_k": Hyperparameter("integer", "also log the share of photos whose class is among the k best", low=2),
    "use_pretrained_model": Hyperparameter(
        "choice", "1: start from weights learned on ImageNet", "0", choices=("0", "1")
    ),
    "use_weighted_loss": Hyperparameter(
        "choice", "1: weigh classes, for several labels a photo only", "0", choices=("0",)
    ),
    "weight_decay": _share("sgd, nag: weight decay", "0.0001"),
}
