"""The class neither: drawn from the archive's other classes, balanced, and never in two places."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract.errors import UserError
from tests.training.builders import meta, noise_archive, pack, part, rows
from tests.training.dataset.test_prepare import everything, pictures
from training.dataset.archive import Archive
from training.dataset.manifest import read_manifest
from training.dataset.names import FINE_NAMES, SUPERCLASS_OF
from training.dataset.prepare import prepare
from training.dataset.splits import _balanced  # pyright: ignore[reportPrivateUsage]

NAMES = ("bicycle", "motorcycle", "bus", "tank", "train", "tractor", "rose", "tulip", "oak_tree", "house", "whale")
VEHICLES = ("bicycle", "motorcycle")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two vehicles, four near kinds and five others of noise: 60 images each to train, 20 each to test."""
    return noise_archive(tmp_path_factory.mktemp("noise") / "a.tar.gz", NAMES, 60, 20)


@pytest.fixture(scope="module")
def dataset(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("neither") / "set"
    prepare(Archive(archive), VEHICLES, folder, neither=True)
    return folder


def section(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "manifest.json").read_text())["neither"]


def kind_of(archive: Path) -> dict[bytes, str]:
    contents = Archive(archive).read()
    return {
        row.tobytes(): contents.class_names[label]
        for which in (contents.train, contents.test)
        for row, label in zip(which.pixels, which.labels.tolist(), strict=True)
    }


def strangers(folder: Path, name: str) -> list[Path]:
    return sorted((folder / "strangers" / name).rglob("*.png"))


def test_neither_is_the_last_label_of_train_and_validation_and_the_test_is_of_vehicles_alone(dataset: Path) -> None:
    manifest = read_manifest(dataset)
    assert manifest.classes == (*VEHICLES, "neither")
    assert {label for label, _ in pictures(dataset, "train")} == {0, 1, 2}
    assert {label for label, _ in pictures(dataset, "validation")} == {0, 1, 2}
    assert {label for label, _ in pictures(dataset, "test")} == {0, 1}


def test_what_trains_as_neither_is_of_seen_kinds_alone_and_strangers_lie_under_their_kind(
    dataset: Path, archive: Path
) -> None:
    kinds, kind = section(dataset)["kinds"], kind_of(archive)
    seen, unseen = ({*kinds[name]["near"], *kinds[name]["far"]} for name in ("seen", "unseen"))
    assert not seen & unseen and seen | unseen == set(NAMES) - set(VEHICLES) and unseen
    trained = {
        kind[pixels] for split in ("train", "validation") for label, pixels in pictures(dataset, split) if label == 2
    }
    assert trained == seen
    for name, expected in (("seen", seen), ("unseen", unseen)):
        assert {path.parent.name for path in strangers(dataset, name)} == expected
        assert len(strangers(dataset, name)) == 20 * len(expected)


def test_no_near_kind_is_missing_from_the_unseen_and_far_ones_are_hidden_by_superclass(dataset: Path) -> None:
    kinds = section(dataset)["kinds"]
    assert kinds["unseen"]["near"] and kinds["unseen"]["far"]
    assert set(kinds["seen"]["near"]) | set(kinds["unseen"]["near"]) == {"bus", "tank", "train", "tractor"}
    groups = [{SUPERCLASS_OF[name] for name in kinds[which]["far"]} for which in ("seen", "unseen")]
    assert not groups[0] & groups[1]


def test_the_class_is_as_large_as_the_others_and_half_of_it_is_near(dataset: Path) -> None:
    images = section(dataset)["images"]["train_and_validation"]
    near = sum(images[name] for name in section(dataset)["kinds"]["seen"]["near"])
    assert sum(images.values()) == 60 and near == 30
    splits = json.loads((dataset / "manifest.json").read_text())["splits"]
    assert splits["train"]["images"] % 20 == splits["validation"]["images"] % 20 == 0
    assert splits["test"]["per_class"] == dict.fromkeys(VEHICLES, 20)


def test_the_manifest_counts_what_is_there(dataset: Path) -> None:
    found = section(dataset)
    for name in ("seen", "unseen"):
        counted: dict[str, int] = {}
        for path in strangers(dataset, name):
            counted[path.parent.name] = counted.get(path.parent.name, 0) + 1
        assert found["images"][f"strangers/{name}"] == counted
    files = json.loads((dataset / "manifest.json").read_text())["files"]
    assert {name for name in files if name.startswith("strangers/")} == {
        path.relative_to(dataset).as_posix() for name in ("seen", "unseen") for path in strangers(dataset, name)
    }
    assert found["seed"] == 0 and found["label"] == "neither"


def test_the_same_seed_gives_the_same_bytes_and_another_other_kinds(tmp_path: Path, archive: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 3)):
        prepare(Archive(archive), VEHICLES, tmp_path / name, neither=True, seed=seed)
    assert everything(tmp_path / "a") == everything(tmp_path / "b")
    assert section(tmp_path / "a")["kinds"] != section(tmp_path / "c")["kinds"]


def test_the_held_out_vehicles_are_the_same_with_and_without_it(tmp_path: Path, archive: Path, dataset: Path) -> None:
    prepare(Archive(archive), VEHICLES, tmp_path / "off")
    assert pictures(tmp_path / "off", "test") == pictures(dataset, "test")
    assert not (tmp_path / "off/strangers").exists()
    assert "neither" not in json.loads((tmp_path / "off/manifest.json").read_text())


def test_off_is_as_it_was_to_the_byte(tmp_path: Path) -> None:
    """The manifest's own hash of a dataset that an earlier version prepared of the same archive."""
    archive = noise_archive(tmp_path / "a.tar.gz", ("x", "y", "z"), 10, 4)
    prepare(Archive(archive), ("x", "y"), tmp_path / "set")
    content = json.loads((tmp_path / "set/manifest.json").read_text())
    content.pop("source")  # numpy's version decides how an array is pickled, and so the archive's hash
    content.pop("identity")
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    assert digest == "d1e4e4b7b1399a12900cb9a9dd08b5d2e30caee79f5a3ff6239c2096141f87f9"


@given(seed=st.integers(0, 2**32 - 1), twins=st.lists(st.tuples(st.integers(0, 79), st.integers(0, 79)), max_size=12))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_picture_is_ever_in_two_places(
    tmp_path_factory: pytest.TempPathFactory, seed: int, twins: list[tuple[int, int]]
) -> None:
    folder = tmp_path_factory.mktemp("twins")
    names = NAMES[:8]
    train, test = rows(80, 1), rows(80, 2)
    for one, other in twins:
        train[one] = test[other]
        test[one] = test[other]
        train[other] = train[one]
    labels = [index % 8 for index in range(80)]
    path = pack(folder / "a.tar.gz", meta=meta(*names), train=part(train, labels), test=part(test, labels))
    try:
        prepare(Archive(path), VEHICLES, folder / "set", neither=True, seed=seed)
    except UserError as error:
        assert "too few" in str(error)
        return
    from PIL import Image

    places = [
        {pixels for _, pixels in pictures(folder / "set", "train")},
        {pixels for _, pixels in pictures(folder / "set", "validation")},
        {pixels for _, pixels in pictures(folder / "set", "test")},
        *(
            {np.asarray(Image.open(each)).transpose(2, 0, 1).tobytes() for each in strangers(folder / "set", name)}
            for name in ("seen", "unseen")
        ),
    ]
    assert sum(map(len, places)) == len(set().union(*places))


@given(st.integers(20, 60_000), st.integers(2, 100), st.floats(0.05, 0.5))
def test_one_more_class_is_nearly_as_large_as_the_others_and_batches_divide_all(
    images: int, classes: int, share: float
) -> None:
    count, step = _balanced(images, classes, share)
    assert (count >= 0 and (images + count) % step == 0) or count < step
    assert abs(count - images / classes) <= step + 1


def test_an_archive_of_no_other_class_is_refused_with_the_way_out(tmp_path: Path) -> None:
    archive = noise_archive(tmp_path / "a.tar.gz", ("x", "y", "z"), 10, 4)
    with pytest.raises(UserError, match=r"two other classes .* there are 1; .*--no-neither"):
        prepare(Archive(archive), ("x", "y"), tmp_path / "set", neither=True)


def test_all_hundred_names_of_the_real_archive_can_be_chosen_from(tmp_path: Path) -> None:
    archive = noise_archive(tmp_path / "a.tar.gz", FINE_NAMES, 12, 3)
    prepare(Archive(archive), VEHICLES, tmp_path / "set", neither=True)
    kinds = section(tmp_path / "set")["kinds"]
    assert [len(kinds[name]["near"]) for name in ("seen", "unseen")] == [6, 2]
    assert [len(kinds[name]["far"]) for name in ("seen", "unseen")] == [70, 20]
