"""The stand-in for the built-in ResNet: oriented gradients and colours into a small neural network, in NumPy.

Histograms of oriented gradients are Dalal and Triggs' (CVPR 2005), in cells of 4x4 pixels with 8 unsigned
orientations.
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 32
CELL = 4
BINS = 8
Floats = NDArray[np.float64]
GOLDEN = (5**0.5 - 1) / 2


def to_pixels(image: Image.Image) -> NDArray[np.uint8]:
    """An image as the model sees it: (32, 32, 3), scaled without regard to its proportions, as the container does."""
    return np.asarray(image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR), np.uint8)


AT_ONCE = 64
"""Images whose features are made together: what that takes stays in a processor's cache, four times as fast."""


def features(pixels: NDArray[np.uint8]) -> Floats:
    """What the network takes, of images (n, 32, 32, 3): one row an image."""
    parts = [_features(pixels[at : at + AT_ONCE]) for at in range(0, len(pixels), AT_ONCE)]
    return np.concatenate(parts or [_features(pixels)])


def _features(pixels: NDArray[np.uint8]) -> Floats:
    images = pixels.astype(np.float64) / 255
    smooth = _smoothed(images)
    dy, dx = np.gradient(smooth, axis=1), np.gradient(smooth, axis=2)
    strength = np.hypot(dx, dy)
    strongest = strength.argmax(axis=3)[..., None]
    size = np.take_along_axis(strength, strongest, 3)[..., 0]
    angle = np.arctan2(np.take_along_axis(dy, strongest, 3), np.take_along_axis(dx, strongest, 3))[..., 0] % np.pi
    place = angle / np.pi * BINS
    low = np.floor(place).astype(int) % BINS
    share = place - np.floor(place)
    count, cells = len(images), SIDE // CELL
    votes = np.zeros((count, SIDE, SIDE, BINS))
    np.put_along_axis(votes, low[..., None], ((1 - share) * size)[..., None], 3)
    np.put_along_axis(votes, ((low + 1) % BINS)[..., None], (share * size)[..., None], 3)
    histograms = votes.reshape(count, cells, CELL, cells, CELL, BINS).sum(axis=(2, 4))
    # each cell is judged against its neighbourhood, so that contrast matters less than shape
    energy = np.pad((histograms**2).sum(axis=3), ((0, 0), (1, 1), (1, 1)), mode="edge")
    around = sum(energy[:, y : y + cells, x : x + cells] for y in range(3) for x in range(3))
    normalized = histograms / np.sqrt(around + 0.02)[..., None]
    colours = images.reshape(count, cells, CELL, cells, CELL, 3).mean(axis=(2, 4))
    colours = colours - colours.mean(axis=(1, 2), keepdims=True)
    return np.concatenate([normalized.reshape(count, -1), colours.reshape(count, -1)], axis=1)


def _smoothed(images: Floats) -> Floats:
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    across = (padded[:, :, :-2] + 2 * padded[:, :, 1:-1] + padded[:, :, 2:]) / 4
    return (across[:, :-2] + 2 * across[:, 1:-1] + across[:, 2:]) / 4


@dataclass(frozen=True, slots=True)
class Network:
    """A trained network: standardization, weights layer by layer, and the temperature of its probabilities."""

    mean: Floats
    scale: Floats
    weights: tuple[Floats, ...]
    biases: tuple[Floats, ...]
    temperature: float
    image_shape: tuple[int, int, int]

    @property
    def classes(self) -> int:
        """How many probabilities an answer has."""
        return len(self.biases[-1])

    def logits(self, rows: Floats) -> Floats:
        """Scores before the softmax, (n, classes), of feature rows."""
        values = (rows - self.mean) / self.scale
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            values = np.maximum(values @ weight + bias, 0)
        return values @ self.weights[-1] + self.biases[-1]

    def probabilities(self, pixels: NDArray[np.uint8]) -> Floats:
        """Probabilities (n, classes) in label order, of images (n, 32, 32, 3)."""
        return softmax(self.logits(features(pixels)) / self.temperature)


def softmax(logits: Floats) -> Floats:
    """Probabilities of rows of scores."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def calibrated_temperature(logits: Floats, labels: NDArray[np.int64]) -> float:
    """The temperature that makes the labels likeliest (Guo et al., "On Calibration of Modern Neural Networks").

    Found by golden sections between 0.14 and 20; scipy's search takes longer to import than a training lasts.
    """
    rows = np.arange(len(labels))

    def loss(exponent: float) -> float:
        return float(-np.log(softmax(logits / np.exp(exponent))[rows, labels] + 1e-12).mean())

    low, high = -2.0, 3.0
    while high - low > 1e-4:
        step = (high - low) * GOLDEN
        left, right = high - step, low + step
        low, high = (low, right) if loss(left) <= loss(right) else (left, high)
    return float(np.exp((low + high) / 2))


def pack(network: Network, hyperparameters: Mapping[str, str]) -> bytes:
    """`model.tar.gz` with the names that the built-in algorithm uses; the same network gives the same bytes."""
    arrays = {"mean": network.mean, "scale": network.scale, "temperature": np.array(network.temperature)}
    arrays |= {f"weight{at}": weight for at, weight in enumerate(network.weights)}
    arrays |= {f"bias{at}": bias for at, bias in enumerate(network.biases)}
    params = io.BytesIO()
    np.savez(params, **arrays)  # type: ignore[arg-type]
    shapes = [{"shape": [1, *network.image_shape], "name": "data"}]
    symbol = {"stand_in": True, "hyperparameters": dict(hyperparameters)}
    members = {
        "image-classification-0000.params": params.getvalue(),
        "image-classification-symbol.json": json.dumps(symbol).encode(),
        "model-shapes.json": json.dumps(shapes).encode(),
    }
    output = io.BytesIO()
    with (
        gzip.GzipFile("", "wb", fileobj=output, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return output.getvalue()


def unpack(archive: bytes) -> Network:
    """The network of a `model.tar.gz` that `pack` made.

    Raises:
        ValueError: another archive.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
            members = {member.name: (tar.extractfile(member) or io.BytesIO()).read() for member in tar}
        shape = json.loads(members["model-shapes.json"])[0]["shape"]
        arrays = np.load(io.BytesIO(members["image-classification-0000.params"]), allow_pickle=False)
    except (tarfile.TarError, OSError, EOFError, KeyError, ValueError) as error:
        raise ValueError(f"not a model of the local cloud: {error}") from error
    layers = range(sum(name.startswith("weight") for name in arrays.files))
    return Network(
        arrays["mean"],
        arrays["scale"],
        tuple(arrays[f"weight{at}"] for at in layers),
        tuple(arrays[f"bias{at}"] for at in layers),
        float(arrays["temperature"]),
        (shape[1], shape[2], shape[3]),
    )
