"""The stand-in for the built-in algorithm: what it learns, how sure it is, when it stops, what it keeps."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from PIL import Image

from localcloud.sagemaker.algorithm import (
    DEFAULTS,
    CustomerError,
    Patience,
    check_against_data,
    check_hyperparameters,
    fetch_prefix,
    train,
)
from localcloud.sagemaker.model import Network, calibrated_temperature, features, pack, softmax, to_pixels, unpack
from localcloud.sagemaker.optimizer import Trainer
from tests.assertions import at_least_one
from tests.localcloud.sagemaker.cloud import job, picture, recordio
from training.dataset.recordio import Record, write_record
from training.job.hyperparameters import RECIPES, HyperparameterError, TrainingData, resolve
from training.job.table import CIFAR_LAYERS, IMAGENET_LAYERS


def learn(changes: Mapping[str, Any] | None = None, validation: bytes | None = None) -> tuple[Network, list[str]]:
    """Train on 120 drawn shapes without S3; the model and the log."""
    channels = {"train": recordio(120), "validation": validation or recordio(40, first=10_000)}
    request = job("job", "data", ("train", "validation"), "application/x-recordio", changes or {})
    lines: list[str] = []

    def fetch(uri: str) -> dict[str, bytes]:
        name = uri.split("/")[-2]
        return {f"{name}.rec": channels[name]}

    return unpack(train(request, fetch, lines.append)), lines


def accuracies(lines: list[str]) -> list[float]:
    return [float(line.rpartition("=")[2]) for line in lines if "Validation-accuracy" in line]


def held_out_accuracy(network: Network) -> float:
    labels = np.arange(100) % 2
    pixels = np.stack([decoded(label, 90_000 + index) for index, label in enumerate(labels)])
    return float((network.probabilities(pixels).argmax(axis=1) == labels).mean())


def decoded(label: int, seed: int) -> Any:
    return to_pixels(Image.open(io.BytesIO(picture(label, seed))))


@pytest.mark.parametrize(
    ("optimizer", "rate"), [("sgd", "0.05"), ("nag", "0.05"), ("adam", "0.001"), ("rmsprop", "0.001")]
)
def test_each_optimizer_learns(optimizer: str, rate: str) -> None:
    network, _ = learn({"optimizer": optimizer, "learning_rate": rate, "epochs": "15"})
    assert held_out_accuracy(network) > 0.8


def test_the_epoch_that_is_kept_is_the_best_by_validation_accuracy() -> None:
    # with labels the wrong way round, every epoch of learning makes it worse
    file = io.BytesIO()
    for index in range(40):
        write_record(file, Record(1 - index % 2, index, picture(index % 2, 10_000 + index)))
    network, lines = learn(validation=file.getvalue())
    found = accuracies(lines)
    assert max(found) > found[-1] + 0.1
    pixels = np.stack([decoded(index % 2, 10_000 + index) for index in range(40)])
    right = (network.probabilities(pixels).argmax(axis=1) == 1 - np.arange(40) % 2).mean()
    assert right == pytest.approx(max(found), abs=1e-6)


def test_a_tolerance_does_not_keep_a_worse_epoch() -> None:
    _, lines = learn({"early_stopping": "True", "early_stopping_tolerance": "0.9", "early_stopping_patience": "100"})
    stored = [line for line in lines if line.startswith("Storing the best model")]
    assert float(stored[-1].rpartition(" ")[2]) == max(accuracies(lines))


def test_last_batches_that_are_not_full_are_left_out() -> None:
    _, lines = learn({"mini_batch_size": "32", "epochs": "2"})
    for line in at_least_one(lines):
        if "accuracy=" in line:
            batches = 3 if "Train" in line else 1
            images = float(line.rpartition("=")[2]) * 32 * batches
            assert images == pytest.approx(round(images), abs=1e-3)


def test_the_learning_rate_falls_at_its_steps() -> None:
    _, lines = learn({"lr_scheduler_step": "2,4", "lr_scheduler_factor": "0.5", "epochs": "6"})
    assert [line.partition(":")[0] for line in lines if line.startswith("Update")] == ["Update[2]", "Update[4]"]


@pytest.mark.parametrize(
    ("values", "accuracies", "ended"),
    [
        ({}, [0.5] * 20, None),
        ({"early_stopping": "True"}, [0.5] * 20, 9),
        ({"early_stopping": "True", "early_stopping_min_epochs": "3"}, [0.5] * 20, 5),
        ({"early_stopping": "True", "early_stopping_min_epochs": "1", "early_stopping_patience": "2"},
         [0.5, 0.6, 0.6, 0.7, 0.7, 0.7], 5),
        ({"early_stopping": "True"}, [0.5 + 0.01 * epoch for epoch in range(20)], None),
        ({"early_stopping": "True", "early_stopping_tolerance": "0.1"}, [0.5 + 0.001 * e for e in range(20)], 9),
    ],
)  # fmt: skip
def test_early_stopping_waits_as_documented(values: dict[str, str], accuracies: list[float], ended: int | None) -> None:
    patience = Patience({**DEFAULTS, **values})
    ends = [epoch for epoch, accuracy in enumerate(accuracies) if patience.ends(epoch, accuracy)]
    assert (ends[0] if ends else None) == ended


def test_every_resolved_recipe_is_understood() -> None:
    values = resolve("small", {"epochs": 25, "lr_scheduler_step": "20"}, TrainingData(2, 120, 50, 32))
    _, lines = learn({**values, "mini_batch_size": "20"})
    assert accuracies(lines)


OVERRIDES = st.fixed_dictionaries(
    {},
    optional={
        "num_layers": st.sampled_from((*IMAGENET_LAYERS, *CIFAR_LAYERS)),
        "image_shape": st.sampled_from(("3,16,16", "3,28,28", "3,29,29", "3,32,32", "3,64,64", "3,224,224")),
        "resize": st.integers(16, 256),
        "mini_batch_size": st.integers(1, 200),
        "use_pretrained_model": st.booleans(),
        "top_k": st.integers(2, 6),
        "checkpoint_frequency": st.integers(1, 50),
        "optimizer": st.sampled_from(("sgd", "adam", "rmsprop", "nag")),
        "early_stopping": st.booleans(),
    },
)
DATA = st.builds(
    TrainingData,
    st.integers(2, 5),
    st.integers(1, 300),
    st.integers(1, 300),
    st.sampled_from((16, 28, 32, 224)),
    st.sampled_from(("recordio", "image")),
)


# most combinations are refused by settings, which is what they are for
@settings(suppress_health_check=[HealthCheck.filter_too_much])
@given(st.sampled_from(sorted(RECIPES)), OVERRIDES, DATA)
def test_nothing_that_settings_let_through_is_refused_here(
    recipe: str, overrides: dict[str, object], data: TrainingData
) -> None:
    try:
        values = resolve(recipe, overrides, data)
    except HyperparameterError:
        # settings refuse more: what would only do nothing
        reject()
    check_hyperparameters(values)
    check_against_data(values, data)


def test_an_image_that_can_not_be_decoded_is_named() -> None:
    file = io.BytesIO()
    for index in range(40):
        write_record(file, Record(index % 2, index, b"text" if index == 7 else picture(index % 2, index)))
    with pytest.raises(CustomerError, match=r"validation\.rec#7 is not a PNG or JPEG"):
        learn(validation=file.getvalue())


def network(temperature: float = 1.0) -> Network:
    trainer = Trainer(features(np.zeros((1, 32, 32, 3), np.uint8)).shape[1], 3, {**DEFAULTS})
    weights, biases = trainer.snapshot()
    return Network(np.zeros(len(weights[0])), np.ones(len(weights[0])), weights, biases, temperature, (3, 32, 32))


def test_a_model_survives_packing_and_packs_the_same_again() -> None:
    packed = pack(network(1.7), {"epochs": "3"})
    again = unpack(packed)
    assert (again.temperature, again.image_shape, again.classes) == (1.7, (3, 32, 32), 3)
    pixels = np.random.default_rng(0).integers(0, 255, (5, 32, 32, 3), np.uint8)
    assert np.array_equal(again.probabilities(pixels), network(1.7).probabilities(pixels))
    assert pack(again, {"epochs": "3"}) == packed


def test_a_higher_temperature_makes_less_sure() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (20, 32, 32, 3), np.uint8)
    cool, warm = network(0.5).probabilities(pixels), network(5).probabilities(pixels)
    assert np.array_equal(cool.argmax(axis=1), warm.argmax(axis=1))
    assert (warm.max(axis=1) < cool.max(axis=1)).all()


def test_temperature_takes_back_overconfidence() -> None:
    rng = np.random.default_rng(0)
    honest = rng.normal(0, 1.5, (4000, 2))
    labels = (rng.random(4000) < softmax(honest)[:, 1]).astype(np.int64)
    assert calibrated_temperature(honest * 4, labels) == pytest.approx(4, rel=0.1)


def test_the_gradient_is_the_losss_slope() -> None:
    rng = np.random.default_rng(0)
    rows, labels = rng.normal(size=(8, 5)), rng.integers(0, 3, 8)
    values = {**DEFAULTS, "learning_rate": "0.0001", "momentum": "0", "weight_decay": "0"}

    def loss(trainer: Trainer) -> float:
        return float(-np.log(softmax(trainer.logits(rows))[np.arange(8), labels]).mean())

    for index in range(2):
        trainer = Trainer(5, 3, values)
        before = [weight.copy() for weight in trainer.weights]
        moved = Trainer(5, 3, values)
        moved.weights[index][0, 0] += 1e-6
        slope = (loss(moved) - loss(trainer)) / 1e-6
        trainer.batch(rows, labels)
        step = before[index][0, 0] - trainer.weights[index][0, 0]
        assert step / trainer.rate == pytest.approx(slope, rel=1e-3, abs=1e-7)


class Listing:
    """An S3 that holds these keys."""

    def __init__(self, *keys: str) -> None:
        self.keys = keys

    def get_paginator(self, _: str) -> "Listing":
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> list[dict[str, Any]]:
        return [{"Contents": [{"Key": key}]} for key in self.keys if key.startswith(Prefix)]

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        return {"Body": io.BytesIO(Key.encode())}


def test_prefixes_match_literally() -> None:
    s3 = Listing("data/train/a.rec", "data/train_lst/a.lst", "data/train/")
    assert set(fetch_prefix(s3, "s3://b/data/train/")) == {"a.rec"}
    assert set(fetch_prefix(s3, "s3://b/data/train")) == {"train/a.rec", "train_lst/a.lst"}


def test_on_generated_vehicles_it_beats_chance_makes_mistakes_and_knows_how_sure_it_is(tmp_path: Path) -> None:
    from training.dataset.archive import Archive
    from training.dataset.prepare import prepare
    from training.synthetic.synthesize import write_archive

    classes = ("bicycle", "motorcycle")
    archive = write_archive(tmp_path / "a.tar.gz", classes=classes, train_per_class=500, test_per_class=200)
    prepare(Archive(archive), classes, tmp_path / "set")
    values = resolve("small", {}, TrainingData(2, 800, 200, 32))
    request = job("job", "data", ("train", "validation"), "application/x-recordio", values)

    def fetch(uri: str) -> dict[str, bytes]:
        name = uri.split("/")[-2]
        return {f"{name}.rec": (tmp_path / "set" / name / f"{name}.rec").read_bytes()}

    model = unpack(train(request, fetch, lambda line: None))
    paths = [(label, path) for label, name in enumerate(classes) for path in (tmp_path / "set/test" / name).iterdir()]
    labels = np.array([label for label, _ in paths])
    scores = model.probabilities(np.stack([to_pixels(Image.open(path)) for _, path in paths]))
    right = scores.argmax(axis=1) == labels
    confidence = scores.max(axis=1)
    bins = np.minimum(((confidence - 0.5) * 20).astype(int), 9)
    gaps = [abs(right[bins == at].mean() - confidence[bins == at].mean()) * (bins == at).mean() for at in set(bins)]
    print(f"accuracy {right.mean():.3f}, ECE {sum(gaps):.3f}")
    assert 0.8 < right.mean() < 0.995
    assert sum(gaps) < 0.08
    sure = confidence >= np.quantile(confidence, 0.5)
    assert right[sure].mean() > right[~sure].mean()
