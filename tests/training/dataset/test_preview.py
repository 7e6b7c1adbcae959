"""The picture of a training set."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from tests.assertions import at_least_one
from tests.training.builders import build_dataset
from training.dataset.preview import GAP, MARGIN, PER_CLASS, SIDE, TITLE, training_examples, write_preview


@pytest.mark.parametrize("format", ["recordio", "image"])
def test_training_pictures_are_those_of_the_dataset_by_label(tmp_path, format):
    manifest = build_dataset(tmp_path / "set", train_per_class=20, format=format)
    found = training_examples(tmp_path / "set", manifest)
    assert list(found) == ["bicycle", "motorcycle"]
    assert [len(images) for images in found.values()] == [PER_CLASS, PER_CLASS]
    assert all(
        image.startswith(b"\x89PNG") for images in at_least_one(found.values()) for image in at_least_one(images)
    )
    assert len({image for images in found.values() for image in images}) == 2 * PER_CLASS


def test_the_preview_shows_a_row_of_photos_for_each_class(tmp_path):
    manifest = build_dataset(tmp_path / "set", train_per_class=20)
    path = write_preview(tmp_path / "set", manifest, tmp_path / "new/grid.png")
    shown = training_examples(tmp_path / "set", manifest)
    with Image.open(path) as grid:
        for row, label in at_least_one(enumerate(manifest.classes)):
            top = MARGIN + row * (TITLE + SIDE + GAP) + TITLE - GAP
            for column, data in at_least_one(enumerate(shown[label])):
                left = MARGIN + column * (SIDE + GAP)
                cell = grid.crop((left, top, left + SIDE, top + SIDE)).resize((32, 32), Image.Resampling.NEAREST)
                assert cell.tobytes() == _opened(data).tobytes()


def _opened(data):
    return Image.open(io.BytesIO(data)).convert("RGB")
