"""A picture of the training set: a grid of its photos, rows by class, as the algorithm gets them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from training.dataset.manifest import Manifest
from training.dataset.recordio import read_records

PER_CLASS = 12
"""Training pictures shown of each label."""
SIDE, GAP, MARGIN = 96, 6, 24
"""Pixels: of a photo's side, between photos, and around all of them."""
TITLE = 30
PAPER, INK = "#ffffff", "#1b1f24"


def training_examples(dataset: Path, manifest: Manifest, count: int = PER_CLASS) -> dict[str, list[bytes]]:
    """The first pictures of each label as the algorithm gets them: the training set is shuffled.

    Args:
        dataset: the folder.
        manifest: what `read_manifest` says is in it.
        count: how many of each label; a label with fewer gives all.

    Returns:
        PNG files by label.
    """
    found: dict[str, list[bytes]] = {label: [] for label in manifest.classes}
    for label, image in _training_images(dataset, manifest):
        images = found[manifest.classes[label]]
        if len(images) < count:
            images.append(image)
        elif all(len(each) == count for each in found.values()):
            break
    return found


def write_preview(dataset: Path, manifest: Manifest, path: Path, count: int = PER_CLASS) -> Path:
    """Write the grid as a PNG file.

    Args:
        dataset: the folder.
        manifest: what is in it.
        path: where to; its folder is made.
        count: photos of each label.
    """
    examples = training_examples(dataset, manifest, count)
    row = TITLE + SIDE + GAP
    canvas = Image.new("RGB", (2 * MARGIN + count * (SIDE + GAP) - GAP, 2 * MARGIN + row * len(examples) - GAP), PAPER)
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(18)
    for place, (label, images) in enumerate(examples.items()):
        top = MARGIN + place * row
        draw.text((MARGIN, top), label, fill=INK, font=font)
        for column, data in enumerate(images):
            with Image.open(io.BytesIO(data)) as image:
                shown = image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.NEAREST)
            canvas.paste(shown, (MARGIN + column * (SIDE + GAP), top + TITLE - GAP))
    path.parent.mkdir(parents=True, exist_ok=True)
    canvas.save(path, "PNG", optimize=True)
    return path


def _training_images(dataset: Path, manifest: Manifest) -> Iterator[tuple[int, bytes]]:
    if manifest.format == "recordio":
        with (dataset / "train/train.rec").open("rb") as file:
            yield from ((record.label, record.payload) for record in read_records(file))
        return
    for line in (dataset / "train_lst/train.lst").read_text(encoding="utf-8").splitlines():
        _, label, path = line.split("\t")
        yield int(label), (dataset / "train" / path).read_bytes()
