"""A training job: reads its channels, trains, and logs as the built-in image classification algorithm does.

Runs as a process of its own: `python -m localcloud.sagemaker.algorithm`, the job as one line of JSON on standard
input, log lines on standard output; it ends when standard input does. Exit code 0: the artifact is in S3. 2: the
customer's fault, the last line says which.
"""

from __future__ import annotations

import io
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import boto3
import numpy as np
from botocore.exceptions import ClientError
from numpy.typing import NDArray
from PIL import Image

from localcloud.sagemaker.model import Floats, Network, calibrated_temperature, features, pack, softmax, to_pixels
from localcloud.sagemaker.optimizer import Trainer
from training.dataset.manifest import Format
from training.dataset.recordio import RecordIOError, read_records
from training.job.rules import TrainingData, broken
from training.job.table import HYPERPARAMETERS

HONOURED = frozenset(
    {
        "augmentation_type",
        "beta_1",
        "beta_2",
        "early_stopping",
        "early_stopping_min_epochs",
        "early_stopping_patience",
        "early_stopping_tolerance",
        "epochs",
        "eps",
        "gamma",
        "image_shape",
        "learning_rate",
        "lr_scheduler_factor",
        "lr_scheduler_step",
        "mini_batch_size",
        "momentum",
        "num_classes",
        "num_training_samples",
        "optimizer",
        "resize",
        "weight_decay",
    }
)
DEFAULTS: Mapping[str, str] = {name: row.default for name, row in HYPERPARAMETERS.items() if row.default is not None}
RECORDIO = "application/x-recordio"
VIEWS = 6
"""How many slightly shifted and mirrored views of the training images the epochs take turns with."""


class CustomerError(Exception):
    """A mistake in the job's data or hyperparameters."""


@dataclass(frozen=True, slots=True)
class Images:
    """A channel: pixels (n, 32, 32, 3) and labels (n,)."""

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    smallest_side: int
    """Pixels of the shortest side of its images as they came."""
    format: Format


Fetch = Callable[[str], dict[str, bytes]]
Log = Callable[[str], None]


def train(job: Mapping[str, Any], fetch: Fetch, log: Log) -> bytes:
    """Train a model.

    Args:
        job: `HyperParameters` and `InputDataConfig`, as `CreateTrainingJob` takes them.
        fetch: all objects below an S3 prefix, by key relative to it.
        log: takes one log line.

    Returns:
        `model.tar.gz` of the best epoch by validation accuracy.

    Raises:
        CustomerError: the job's data or hyperparameters can't be trained on.
    """
    given: Mapping[str, str] = job["HyperParameters"]
    check_hyperparameters(given)
    ignored = sorted(set(given) - HONOURED)
    if ignored:
        log(f"The local stand-in ignores: {', '.join(f'{name}={given[name]}' for name in ignored)}")
    values = {**DEFAULTS, **given}
    channels, height, width = (int(part) for part in values["image_shape"].split(","))
    shape = (channels, height, width)
    classes, epochs = int(values["num_classes"]), int(values["epochs"])
    batch, samples = int(values["mini_batch_size"]), int(values["num_training_samples"])
    train_set, validation_set = (_channel(job, name, fetch) for name in ("train", "validation"))
    for name, images in (("train", train_set), ("validation", validation_set)):
        if images.labels.min() < 0 or images.labels.max() >= classes:
            raise CustomerError(
                f"the {name} channel has labels from {images.labels.min()} to {images.labels.max()}; "
                f"num_classes={classes} allows 0 to {classes - 1}"
            )
    data = TrainingData(
        classes,
        len(train_set.labels),
        len(validation_set.labels),
        min(train_set.smallest_side, validation_set.smallest_side),
        train_set.format,
    )
    check_against_data(given, data)
    if samples != len(train_set.labels):
        log(f"num_training_samples={samples}, but the train channel has {len(train_set.labels)} images")
    return _learn(train_set, validation_set, values, shape, epochs, batch, classes, log)


def _learn(
    train_set: Images, validation_set: Images, values: Mapping[str, str], shape: tuple[int, int, int],
    epochs: int, batch: int, classes: int, log: Log,
) -> bytes:  # fmt: skip
    rng = np.random.default_rng(0)
    plain = features(train_set.pixels)
    mean, scale = plain.mean(axis=0), plain.std(axis=0) + 1e-3
    augmented = values.get("augmentation_type") is not None
    views = [(plain - mean) / scale]
    views += [(features(_shifted(train_set.pixels, rng)) - mean) / scale for _ in range(VIEWS - 1 if augmented else 0)]
    held_out = (features(validation_set.pixels) - mean) / scale
    trainer = Trainer(plain.shape[1], classes, values)
    steps = {int(step) for step in values.get("lr_scheduler_step", "").split(",") if step.strip()}
    best, best_network = -1.0, trainer.snapshot()
    patience = Patience(values)
    for epoch in range(epochs):
        started = time.monotonic()
        if epoch in steps:
            trainer.rate *= float(values["lr_scheduler_factor"])
            log(f"Update[{epoch}]: learning rate is now {trainer.rate:g}")
        order = rng.permutation(len(train_set.labels))
        rows, right = views[epoch % len(views)], 0
        # as in the built-in algorithm, a last batch that is not full is left out
        batches = [order[at : at + batch] for at in range(0, len(order) - batch + 1, batch)]
        for chosen in batches:
            right += trainer.batch(rows[chosen], train_set.labels[chosen])
        log(f"Epoch[{epoch}] Train-accuracy={right / (len(batches) * batch):.6f}")
        log(f"Epoch[{epoch}] Time cost={time.monotonic() - started:.3f}")
        accuracy = _accuracy(trainer.logits(held_out), validation_set.labels, batch)
        log(f"Epoch[{epoch}] Validation-accuracy={accuracy:.6f}")
        if accuracy > best:
            best, best_network = accuracy, trainer.snapshot()
            log(f"Storing the best model with validation accuracy: {accuracy:.6f}")
        if patience.ends(epoch, accuracy):
            log(f"Early stopping: no better validation accuracy since epoch {patience.improved}")
            break
    weights, biases = best_network
    network = Network(mean, scale, weights, biases, 1.0, shape)
    temperature = calibrated_temperature(network.logits(features(validation_set.pixels)), validation_set.labels)
    return pack(Network(mean, scale, weights, biases, temperature, shape), values)


def _accuracy(logits: Floats, labels: NDArray[np.int64], batch: int) -> float:
    whole = len(labels) // batch * batch
    return float((softmax(logits[:whole]).argmax(axis=1) == labels[:whole]).mean())


class Patience:
    """Early stopping as documented: it ends a training whose validation accuracy no longer improves.

    `improved` is the last epoch whose accuracy was better than the best before by more than
    `early_stopping_tolerance`, a share of that best.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self.active = values["early_stopping"].lower() == "true"
        self.least, self.most = int(values["early_stopping_min_epochs"]), int(values["early_stopping_patience"])
        self.tolerance = float(values["early_stopping_tolerance"])
        self.best, self.improved = 0.0, 0

    def ends(self, epoch: int, accuracy: float) -> bool:
        """Whether the training ends after `epoch` (counted from 0), which had this validation accuracy."""
        if accuracy > self.best * (1 + self.tolerance):
            self.best, self.improved = accuracy, epoch
        return self.active and epoch + 1 >= self.least and epoch - self.improved >= self.most


def _shifted(pixels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    padded = np.pad(pixels, ((0, 0), (2, 2), (2, 2), (0, 0)), mode="edge")
    result = np.empty_like(pixels)
    for index, image in enumerate(padded):
        y, x = rng.integers(0, 5, 2)
        view = image[y : y + 32, x : x + 32]
        result[index] = view[:, ::-1] if rng.random() < 0.5 else view
    return result


def check_hyperparameters(given: Mapping[str, str]) -> None:
    """Refuse hyperparameters that are missing, unknown, or of another type or range than documented."""
    for name in ("num_classes", "num_training_samples"):
        if name not in given:
            raise CustomerError(f"the hyperparameter {name} is required")
    for name, value in given.items():
        row = HYPERPARAMETERS.get(name)
        if row is None:
            raise CustomerError(f"there is no hyperparameter {name}; there are {', '.join(HYPERPARAMETERS)}")
        if row.parse(value) is None:
            raise CustomerError(f"the hyperparameter {name} must be {row.allowed}, got {value!r}")


def check_against_data(given: Mapping[str, str], data: TrainingData) -> None:
    """Refuse hyperparameters that do not go together, or not with the channels."""
    if problems := [f"{name} {problem}" for name, problem in broken({**DEFAULTS, **given}, data, idle=False)]:
        raise CustomerError(f"the hyperparameter {'; '.join(problems)}")


def _channel(job: Mapping[str, Any], name: str, fetch: Fetch) -> Images:
    channels = {channel["ChannelName"]: channel for channel in job["InputDataConfig"]}
    if name not in channels:
        raise CustomerError(f"the channel {name} is missing; the job has {', '.join(sorted(channels)) or 'none'}")
    content = channels[name].get("ContentType", "")
    objects = fetch(channels[name]["DataSource"]["S3DataSource"]["S3Uri"])
    if not objects:
        raise CustomerError(f"the channel {name} is empty: {channels[name]['DataSource']['S3DataSource']['S3Uri']}")
    if content == RECORDIO:
        labelled = _recordio(name, objects)
    elif content == "application/x-image":
        if f"{name}_lst" not in channels:
            raise CustomerError(f"the channel {name}_lst is missing, which {content} needs")
        listing = fetch(channels[f"{name}_lst"]["DataSource"]["S3DataSource"]["S3Uri"])
        labelled = _listed(name, objects, listing)
    else:
        raise CustomerError(
            f"the channel {name} must have the content type application/x-recordio or application/x-image, "
            f"got {content!r}"
        )
    pixels: list[NDArray[np.uint8]] = []
    sides: list[int] = []
    for where, data, _ in labelled:
        try:
            image = Image.open(io.BytesIO(data), formats=("PNG", "JPEG"))
            image.load()
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise CustomerError(f"{where} is not a PNG or JPEG image: {error}") from error
        sides.append(min(image.size))
        pixels.append(to_pixels(image))
    labels = np.array([label for _, _, label in labelled], np.int64)
    return Images(np.stack(pixels), labels, min(sides), "recordio" if content == RECORDIO else "image")


def _recordio(name: str, objects: Mapping[str, bytes]) -> list[tuple[str, bytes, int]]:
    if len(objects) != 1:
        raise CustomerError(f"the channel {name} must hold one .rec file, got {', '.join(objects)}")
    ((path, data),) = objects.items()
    try:
        return [(f"{path}#{record.id}", record.payload, record.label) for record in read_records(io.BytesIO(data))]
    except RecordIOError as error:
        raise CustomerError(f"{path} is {error}") from error


def _listed(name: str, objects: Mapping[str, bytes], listing: Mapping[str, bytes]) -> list[tuple[str, bytes, int]]:
    if len(listing) != 1:
        raise CustomerError(f"the channel {name}_lst must hold one .lst file, got {', '.join(listing) or 'none'}")
    found: list[tuple[str, bytes, int]] = []
    for number, line in enumerate(next(iter(listing.values())).decode().splitlines(), 1):
        parts = line.split("\t")
        if len(parts) != 3 or not parts[1].replace(".0", "").isdigit():
            raise CustomerError(f"{name}.lst line {number} must be index, label, path between tabs, got {line!r}")
        if parts[2] not in objects:
            raise CustomerError(f"{name}.lst line {number} names {parts[2]}, which the channel {name} does not hold")
        found.append((parts[2], objects[parts[2]], int(float(parts[1]))))
    return found


def fetch_prefix(s3: Any, uri: str) -> dict[str, bytes]:
    """All objects whose keys begin with an S3 URI's, by key relative to its last folder."""
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    folder = prefix if prefix.endswith("/") else f"{PurePosixPath(prefix).parent}/"
    found: dict[str, bytes] = {}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            if not item["Key"].endswith("/"):
                found[item["Key"].removeprefix(folder)] = s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
    return found


def _end_with_parent() -> None:
    """End this process when standard input does: the server holds its other end, also when it is killed."""

    def watch() -> None:
        os.read(0, 1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def main() -> int:
    """Train the job that is the first line of standard input, and put its artifact to S3."""
    # not sys.stdin: the thread that waits for its end would hold its lock
    with open(0, "rb", closefd=False) as stdin:
        job = json.loads(stdin.readline())
    _end_with_parent()
    s3 = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"])

    def log(line: str) -> None:
        stamp = time.strftime("%m/%d/%Y %H:%M:%S", time.gmtime())
        print(f"[{stamp} INFO {os.getpid()}] {line}", flush=True)

    def fetch(uri: str) -> dict[str, bytes]:
        try:
            return fetch_prefix(s3, uri)
        except ClientError as error:
            raise CustomerError(f"data download failed: {uri}: {error}") from error

    try:
        artifact = train(job, fetch, log)
    except CustomerError as error:
        print(f"ClientError: {error}", flush=True)
        return 2
    bucket, _, prefix = job["OutputDataConfig"]["S3OutputPath"].removeprefix("s3://").partition("/")
    key = "/".join(part for part in (prefix.strip("/"), job["TrainingJobName"], "output/model.tar.gz") if part)
    s3.put_object(Bucket=bucket, Key=key, Body=artifact)
    return 0


if __name__ == "__main__":
    sys.exit(main())
