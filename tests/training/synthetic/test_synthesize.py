"""The generated archive: CIFAR-100's format to the letter, the same bytes every time, pictures that differ."""

import hashlib
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from contract.errors import UserError
from tests.assertions import at_least_one
from tests.training.builders import build_archive
from training.dataset.archive import Archive
from training.dataset.names import COARSE_NAMES, FINE_NAMES, SUPERCLASS_OF, SUPERCLASSES
from training.synthetic.drawings import DRAWINGS
from training.synthetic.pen import Pen
from training.synthetic.synthesize import write_archive


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
    with pytest.raises(UserError, match="no drawing of lobster; there are bicycle, motorcycle, poppy"):
        write_archive(tmp_path / "a.tar.gz", classes=["lobster"], train_per_class=1, test_per_class=1)
    assert list(tmp_path.iterdir()) == []


def test_every_other_kind_gets_its_pictures_in_both_parts(tmp_path: Path) -> None:
    path = write_archive(
        tmp_path / "a", classes=("bicycle", "bus"), train_per_class=3, test_per_class=4, others_per_kind=2
    )
    contents = Archive(path).read()
    for part, count in ((contents.train, 3), (contents.test, 4)):
        for name in DRAWINGS:
            expected = count if name in ("bicycle", "bus") else 2
            assert (part.labels == FINE_NAMES.index(name)).sum() == expected


def test_every_drawing_is_a_class_of_cifar_100_under_its_own_superclass(tmp_path: Path) -> None:
    assert set(DRAWINGS) <= set(FINE_NAMES) == set(SUPERCLASS_OF)
    assert all(len(names) == 5 for names in SUPERCLASSES.values())
    part = members(build_archive(tmp_path / "a.tar.gz", ("bicycle", "tank", "rose"), 2, 1))["train"]
    for fine, coarse in at_least_one(zip(part[b"fine_labels"], part[b"coarse_labels"], strict=True)):  # type: ignore[call-overload]
        assert FINE_NAMES[fine] in SUPERCLASSES[COARSE_NAMES[coarse]]


def test_no_two_kinds_are_one_drawing() -> None:
    shapes: dict[str, bytes] = {}
    for name, drawing in DRAWINGS.items():
        canvas = Image.new("RGB", (64, 64), "white")
        rng = np.random.default_rng(0)
        drawing(Pen(ImageDraw.Draw(canvas), rng, angle=0, size=64, centre=(32, 32), mirrored=False, squeeze=1))
        shapes[name] = canvas.tobytes()
        assert canvas.getcolors() and len(canvas.getcolors() or []) >= 2
    assert len(set(shapes.values())) == len(DRAWINGS) > 40
