"""The generated archive: CIFAR-100's format to the letter, the same bytes every time, pictures that differ."""

import hashlib
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from contract.errors import UserError
from tests.training.builders import build_archive
from training.dataset.archive import Archive
from training.dataset.names import COARSE_NAMES, FINE_NAMES
from training.synthetic.drawings import DRAWINGS
from training.synthetic.synthesize import write_archive, write_neither


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def members(path: Path) -> dict[str, dict[bytes, object]]:
    """As everyone reads CIFAR-100: `pickle.load(file, encoding="bytes")`."""
    with tarfile.open(path) as tar:
        return {
            name: pickle.load(tar.extractfile(f"cifar-100-python/{name}"), encoding="bytes")  # type: ignore[arg-type]
            for name in ("meta", "train", "test")
        }


def test_the_same_arguments_give_the_same_bytes_in_any_folder(tmp_path: Path) -> None:
    assert digest(build_archive(tmp_path / "a.tar.gz")) == digest(build_archive(tmp_path / "b/other.tar.gz"))


def test_another_seed_gives_other_pictures(tmp_path: Path) -> None:
    made = [
        write_archive(tmp_path / f"{seed}", classes=("poppy",), train_per_class=2, test_per_class=1, seed=seed)
        for seed in (0, 1)
    ]
    assert digest(made[0]) != digest(made[1])


def test_everyone_s_way_of_reading_it_works(tmp_path: Path) -> None:
    content = members(build_archive(tmp_path / "a.tar.gz", train_per_class=3, test_per_class=2))
    assert content["meta"][b"fine_label_names"] == [name.encode() for name in FINE_NAMES]
    assert content["meta"][b"coarse_label_names"] == [name.encode() for name in COARSE_NAMES]
    for name, count in (("train", 6), ("test", 4)):
        part = content[name]
        assert set(part) == {b"batch_label", b"coarse_labels", b"data", b"filenames", b"fine_labels"}
        assert part[b"data"].shape == (count, 3072) and part[b"data"].dtype == np.uint8  # type: ignore[attr-defined]
        assert len(part[b"filenames"]) == len(part[b"fine_labels"]) == count  # type: ignore[arg-type]


def test_the_hundred_names_are_in_the_authors_order() -> None:
    assert len(FINE_NAMES) == 100 and len(COARSE_NAMES) == 20
    assert all(list(names) == sorted(names) for names in (FINE_NAMES, COARSE_NAMES))
    assert (FINE_NAMES.index("bicycle"), FINE_NAMES.index("motorcycle")) == (8, 48)


def test_every_class_gets_as_many_pictures_as_were_asked_for(tmp_path: Path) -> None:
    contents = Archive(build_archive(tmp_path / "a.tar.gz", tuple(DRAWINGS), 3, 2)).read()
    for part, count in ((contents.train, 3), (contents.test, 2)):
        for name in DRAWINGS:
            assert (part.labels == FINE_NAMES.index(name)).sum() == count


def test_no_two_pictures_are_the_same(tmp_path: Path) -> None:
    contents = Archive(build_archive(tmp_path / "a.tar.gz")).read()
    pictures = {row.tobytes() for part in (contents.train, contents.test) for row in part.pixels}
    assert len(pictures) == 60


def test_the_labels_are_mixed_as_in_the_real_archive(tmp_path: Path) -> None:
    labels = Archive(build_archive(tmp_path / "a.tar.gz")).read().train.labels.tolist()
    assert labels != sorted(labels) and labels != sorted(labels, reverse=True)


def test_a_file_s_name_does_not_give_its_class_away(tmp_path: Path) -> None:
    names = Archive(build_archive(tmp_path / "a.tar.gz")).read().train.filenames
    assert any(not name.startswith(("bicycle", "motorcycle")) for name in names)
    assert len(set(names)) == len(names)


def test_a_class_without_a_drawing_is_refused_with_those_that_have_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no drawing of shark; there are bicycle, motorcycle, poppy"):
        write_archive(tmp_path / "a.tar.gz", classes=["shark"], train_per_class=1, test_per_class=1)
    assert list(tmp_path.iterdir()) == []


def test_pictures_of_neither_are_photos_of_the_right_size_and_the_same_every_time(tmp_path: Path) -> None:
    first, second = write_neither(tmp_path / "a", 8), write_neither(tmp_path / "b", 8)
    assert [path.name for path in first] == [path.name for path in second]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert {Image.open(path).size for path in first} == {(32, 32)}
    assert {path.stem.rpartition("_")[0] for path in first} == {"house", "dog", "boxes", "car"}
