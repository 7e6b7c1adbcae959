"""What the label neither does: the same archive, network and pictures with it and without.

    python benchmarks/strangers.py [--seeds 3] [--font /usr/share/fonts/truetype/noto/NotoColorEmoji.ttf]

For each seed an archive is drawn, prepared twice, and the local cloud's own network trained on each. Both are scored
on the same held-out vehicles and strangers (of kinds seen and unseen), on windows cut from the two real photographs
that scikit-learn ships, and on emoji, vehicles and others, that nobody here drew (Debian: fonts-noto-color-emoji).
The table is about that small network; of the real ResNet it says only that the data and the method are in place.
"""

from __future__ import annotations

import argparse
import io
import math
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import sklearn
from PIL import Image, ImageDraw, ImageFont

from contract.decisions import labels_of
from contract.pictures import to_model_image
from localcloud.sagemaker.algorithm import train
from localcloud.sagemaker.model import Network, to_pixels, unpack
from training.dataset.archive import Archive
from training.dataset.manifest import Manifest
from training.dataset.prepare import prepare
from training.evaluation.findings import Evaluation, evaluate
from training.evaluation.predictions import Predictions
from training.evaluation.strangers import ScoredStrangers, acceptance, routed_at
from training.evaluation.threshold import recommend
from training.job.hyperparameters import TrainingData, resolve
from training.synthetic import OTHERS_PER_KIND
from training.synthetic.synthesize import write_archive

CLASSES = ("bicycle", "motorcycle")
FONT = Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
EMOJI_SIZE = 109
"""The one size, in pixels, that the font's bitmaps have."""
VEHICLES = {"bicycle": "🚲🚴🚵", "motorcycle": "🏍🛵"}
OTHERS = (
    "🚗🚕🚙🚌🚎🚓🚑🚒🚐🚚🚛🚜🛻🚂🚆🚇🚋🚀🛴🛹🛶⛵🚤🚢🚁🐶🐱🐭🐰🦊🐻🐼🐮🐷🐸🐵🐔🐧🦆🦉🐴🐝🦋"
    "🐌🐞🐢🐍🐙🦀🐟🐬🐳🐘🌳🌲🌴🌵🌹🌻🌷🍎🍌🍇🍓🍕🍔🏠🏢🏰🌉⛰🌊☁🪑🛏🚪📺📱⌚💡📚👶👩👨👵😀"
)
PAPERS = ("white", "#d9e4ee", "#7d8b6a", "#c9b79c", "#3d4654")
WINDOWS = 200


def emoji(characters: str, font: Path) -> list[Image.Image]:
    """Each character on several papers, turned and moved a little."""
    rng, face = np.random.default_rng(5), ImageFont.truetype(str(font), EMOJI_SIZE)
    pictures: list[Image.Image] = []
    for character in characters:
        for paper in PAPERS:
            canvas = Image.new("RGB", (180, 180), paper)
            layer = Image.new("RGBA", canvas.size)
            ImageDraw.Draw(layer).text((22, 26), character, font=face, embedded_color=True)
            layer = layer.rotate(float(rng.normal(0, 5)), translate=tuple(rng.integers(-10, 11, 2).tolist()))
            canvas.paste(layer, mask=layer)
            pictures.append(canvas)
    return pictures


def windows() -> list[Image.Image]:
    """Squares of chance size and place of a temple and of a flower."""
    rng = np.random.default_rng(6)
    folder = Path(sklearn.__file__).parent / "datasets/images"
    photographs = [Image.open(folder / name).convert("RGB") for name in ("china.jpg", "flower.jpg")]
    cut: list[Image.Image] = []
    for number in range(WINDOWS):
        photograph = photographs[number % 2]
        side = int(rng.integers(120, min(photograph.size) + 1))
        left, top = (int(rng.integers(0, length - side + 1)) for length in photograph.size)
        cut.append(photograph.crop((left, top, left + side, top + side)))
    return cut


def as_sent(image: Image.Image) -> Image.Image:
    """The picture that the model gets of a photo that is not of its size."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return Image.open(io.BytesIO(to_model_image(buffer.getvalue(), size=32, max_pixels=10**8)))


def trained(folder: Path, manifest: Manifest) -> Network:
    """The local cloud's network, trained on a dataset as the stack's recipe says."""
    hyperparameters = resolve("small", {}, TrainingData.of(manifest))
    channels = [
        {
            "ChannelName": name,
            "ContentType": "application/x-recordio",
            "DataSource": {"S3DataSource": {"S3Uri": f"{folder}/{name}"}},
        }
        for name in ("train", "validation")
    ]

    def fetch(uri: str) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in Path(uri).iterdir()}

    return unpack(train({"HyperParameters": hyperparameters, "InputDataConfig": channels}, fetch, lambda line: None))


def answers(network: Network, images: Sequence[Image.Image]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return network.probabilities(np.stack([to_pixels(image) for image in images]))


def evaluated(network: Network, labels: tuple[str, ...], dataset: Path) -> Evaluation:
    """Held-out vehicles and strangers of a dataset, as `training evaluate` measures them."""
    paths = sorted((dataset / "test").glob("*/*.png"))
    groups: dict[str, ScoredStrangers] = {}
    for group in ("seen", "unseen"):
        files = sorted((dataset / "strangers" / group).glob("*/*.png"))
        groups[group] = ScoredStrangers(
            [str(path) for path in files],
            [path.parent.name for path in files],
            answers(network, [Image.open(path) for path in files]),
            np.zeros(len(files)),
        )
    predictions = Predictions(
        classes=labels,
        model="stand-in",
        endpoint="",
        created="2026-01-01T00:00:00Z",
        keys=[str(path) for path in paths],
        labels=np.array([CLASSES.index(path.parent.name) for path in paths]),
        probabilities=answers(network, [Image.open(path) for path in paths]),
        seconds=np.zeros(len(paths)),
        strangers=groups,
    )
    return evaluate(predictions)


def figures(
    network: Network, labels: tuple[str, ...], dataset: Path, extra: Mapping[str, list[Image.Image]]
) -> dict[str, float]:
    found = evaluated(network, labels, dataset)
    curve = found.curve
    fits = np.flatnonzero(curve.risk <= 0.02)
    at = float(curve.thresholds[fits[-1]]) if len(fits) else 1.0
    recommended = found.recommendation.found.threshold if found.recommendation.found else float("nan")
    alone = recommend(found.predictions.acceptance, found.predictions.correct, classes=len(labels)).found
    measured = {
        "accuracy on vehicles, neither counted wrong": found.accuracy,
        "accuracy between the vehicles": float(
            (found.predictions.probabilities[:, : len(CLASSES)].argmax(axis=1) == found.predictions.labels).mean()
        ),
        "coverage at 2 % risk": float(curve.coverage[fits[-1]]) if len(fits) else 0.0,
        "coverage recommended for 2 % wrong alone": alone.coverage if alone else float("nan"),
        "recommended threshold (2 % wrong, 5 % strangers)": recommended,
        "its coverage": found.recommendation.found.coverage if found.recommendation.found else float("nan"),
    }
    scores = {
        f"strangers, {group}": acceptance(scored.probabilities, labels)
        for group, scored in found.predictions.strangers.items()
    }
    scores |= {name: acceptance(answers(network, images), labels) for name, images in extra.items()}
    for name, values in scores.items():
        for title, threshold in (("0.80", 0.8), ("2 % risk", at), ("recommended", recommended)):
            share = routed_at(threshold, values).share
            measured[f"{name}: routed at {title}"] = float("nan") if math.isnan(threshold) else share
    return measured


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure strangers with the label neither and without.")
    parser.add_argument("--seeds", type=int, default=3, help="(%(default)s)")
    parser.add_argument("--font", type=Path, default=FONT, help="(%(default)s)")
    arguments = parser.parse_args()
    extra: dict[str, list[Image.Image]] = {"windows of real photographs": [as_sent(each) for each in windows()]}
    if arguments.font.is_file():
        extra["emoji of other things"] = [as_sent(each) for each in emoji(OTHERS, arguments.font)]
        for name, characters in VEHICLES.items():
            extra[f"emoji of {name}s"] = [as_sent(each) for each in emoji(characters, arguments.font)]
    rows: dict[str, dict[bool, list[float]]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        for seed in range(arguments.seeds):
            folder = Path(temporary)
            archive = write_archive(
                folder / "a.tar.gz", classes=CLASSES, train_per_class=500, test_per_class=500,
                others_per_kind=OTHERS_PER_KIND, seed=seed,
            )  # fmt: skip
            manifests = {
                on: prepare(Archive(archive), CLASSES, folder / str(on), neither=on, seed=seed) for on in (True, False)
            }
            for on, manifest in manifests.items():
                network = trained(folder / str(on), manifest)
                labels = labels_of(CLASSES, neither=on)
                for name, value in figures(network, labels, folder / "True", extra).items():
                    rows.setdefault(name, {}).setdefault(on, []).append(value)
    print(f"{'mean of the seeds that have the figure, and how many':<52} {'without':>14} {'with':>14}")
    for name, row in rows.items():
        cells = [_mean(row[on]) for on in (False, True)]
        print(f"{name:<52} {cells[0]:>14} {cells[1]:>14}")


def _mean(values: Sequence[float]) -> str:
    known = [value for value in values if not math.isnan(value)]
    return f"{np.mean(known):.3f} ({len(known)})" if known else "none (0)"


if __name__ == "__main__":
    main()
