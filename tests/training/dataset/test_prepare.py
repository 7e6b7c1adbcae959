"""From an archive to a dataset: nothing leaks, nothing is lost, and the bytes are always the same."""

import gzip
import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from contract.errors import UserError
from tests.assertions import at_least_one
from tests.training.builders import build_archive, meta, noise_archive, pack, part, rows
from tests.training.dataset.test_recordio import by_definition
from training.dataset import files as dataset_files
from training.dataset.archive import Archive
from training.dataset.manifest import Format, Manifest, read_manifest
from training.dataset.png import encode_pngs
from training.dataset.prepare import prepare
from training.dataset.splits import validation_counts

FORMATS = ("recordio", "image")
Pictures = list[tuple[int, bytes]]


def planes(image: Image.Image) -> bytes:
    """A picture's pixels in the archive's order: all red, all green, all blue."""
    assert image.mode == "RGB" and image.size == (32, 32)
    return np.asarray(image).transpose(2, 0, 1).tobytes()


def lst(path: Path) -> list[tuple[int, int, str]]:
    lines = [line.split("\t") for line in path.read_text().splitlines()]
    return [(int(index), int(label), name) for index, label, name in lines]


def pictures(folder: Path, split: str) -> Pictures:
    """The label and the pixels of each picture of a split, in the algorithm's order, read without our readers."""
    if (folder / split / f"{split}.rec").is_file():
        records = by_definition((folder / split / f"{split}.rec").read_bytes())
        return [(int(label), planes(Image.open(io.BytesIO(png)))) for _, label, _, _, png in records]
    listed = folder / "test.lst" if split == "test" else folder / f"{split}_lst" / f"{split}.lst"
    return [(label, planes(Image.open(folder / split / name))) for _, label, name in lst(listed)]


def everything(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file below a folder."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def manifest_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "manifest.json").read_text())


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five classes of noise: 40 images each to train, 10 each to test."""
    return noise_archive(tmp_path_factory.mktemp("noise") / "a.tar.gz", ("a", "b", "c", "d", "e"), 40, 10)


@pytest.fixture(scope="module", params=FORMATS)
def dataset(request: pytest.FixtureRequest, archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(request.param) / "set"
    prepare(Archive(archive), ("d", "a", "c"), folder, format=request.param)
    return folder


def source(archive: Path, which: str) -> dict[bytes, str]:
    """The class of each image of a part, by its pixels."""
    contents = Archive(archive).read()
    chosen = contents.train if which == "train" else contents.test
    labels = zip(chosen.pixels, chosen.labels.tolist(), strict=True)
    return {row.tobytes(): contents.class_names[label] for row, label in labels}


# labels and pixels


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_labels_are_the_places_of_the_classes_in_the_given_order(dataset: Path, archive: Path, split: str) -> None:
    classes = source(archive, "test" if split == "test" else "train")
    assert {(label, classes[pixels]) for label, pixels in pictures(dataset, split)} == {(0, "d"), (1, "a"), (2, "c")}


@pytest.mark.parametrize("format", FORMATS)
def test_permuted_classes_permute_the_labels_and_change_nothing_else_about_the_test(
    tmp_path: Path, archive: Path, format: Format
) -> None:
    prepare(Archive(archive), ("a", "b"), tmp_path / "ab", format=format)
    prepare(Archive(archive), ("b", "a"), tmp_path / "ba", format=format)
    forth, back = dict(map(reversed, pictures(tmp_path / "ab", "test"))), pictures(tmp_path / "ba", "test")  # type: ignore[arg-type]
    assert all(forth[pixels] == 1 - label for label, pixels in back) and len(forth) == len(back) == 20


def test_every_image_of_the_chosen_classes_is_in_exactly_one_split(dataset: Path, archive: Path) -> None:
    found = Counter(pixels for split in ("train", "validation", "test") for _, pixels in pictures(dataset, split))
    wanted = [pixels for which in ("train", "test") for pixels, name in source(archive, which).items() if name in "acd"]
    assert found == Counter(wanted) and len(wanted) == 150


def test_the_test_split_is_the_archive_s_own_test_part(dataset: Path, archive: Path) -> None:
    held_out = {pixels for pixels, name in source(archive, "test").items() if name in "acd"}
    assert {pixels for _, pixels in pictures(dataset, "test")} == held_out


def test_file_names_are_not_labels(tmp_path: Path) -> None:
    names = [b"motorcycle_s_000001.png", b"bicycle_s_000002.png"] * 5
    path = pack(
        tmp_path / "a.tar.gz",
        meta=meta("bicycle", "motorcycle"),
        train=part(rows(10), [0, 1] * 5, names),
        test=part(rows(10, 1), [0, 1] * 5, names),
    )
    prepare(Archive(path), ("bicycle", "motorcycle"), tmp_path / "set", format="image")
    for _, label, name in at_least_one(lst(tmp_path / "set/test.lst")):
        assert name.startswith(("bicycle/", "motorcycle/")[label]) and ("motorcycle_s", "bicycle_s")[label] in name


@pytest.mark.parametrize(
    "name",
    [b"../../../evil.png", b"/etc/passwd", b"a\tb\nc.png", b"\xff\xfe.png", b"", "h\u00e9.png", b"..", b"x\x00y"],
)
def test_no_file_name_of_the_archive_leads_out_of_the_folder_or_breaks_a_list(tmp_path: Path, name: object) -> None:
    path = pack(
        tmp_path / "a.tar.gz",
        meta=meta("x", "y"),
        train=part(rows(8), [0, 1] * 4, [name] * 8),
        test=part(rows(4, 1), [0, 1] * 2, [name] * 4),
    )
    before = set(tmp_path.iterdir())
    prepare(Archive(path), ("x", "y"), tmp_path / "set", format="image")
    assert set(tmp_path.iterdir()) - before == {tmp_path / "set"}
    assert sum(len(pictures(tmp_path / "set", split)) for split in ("train", "validation", "test")) == 12


# the split


def test_validation_gets_its_share_of_every_class(dataset: Path) -> None:
    counts = {split: Counter(label for label, _ in pictures(dataset, split)) for split in ("train", "validation")}
    assert sum(counts["validation"].values()) == 20  # a batch size's multiple beside a fifth of 120
    assert all(6 <= counts["validation"][label] <= 8 for label in range(3))
    assert all(counts["train"][label] + counts["validation"][label] == 40 for label in range(3))


def test_the_manifest_has_the_sizes_of_the_splits_and_of_their_classes(dataset: Path) -> None:
    manifest = manifest_of(dataset)
    for split in ("train", "validation", "test"):
        counted = Counter(manifest["classes"][label] for label, _ in pictures(dataset, split))
        assert manifest["splits"][split] == {"images": sum(counted.values()), "per_class": dict(counted)}


def test_training_images_come_mixed(dataset: Path) -> None:
    labels = [label for label, _ in pictures(dataset, "train")]
    assert len(set(labels[:20])) == 3


def test_another_seed_divides_otherwise_and_holds_out_the_same_test(tmp_path: Path, archive: Path) -> None:
    for seed in (0, 1):
        prepare(Archive(archive), ("a", "b"), tmp_path / str(seed), seed=seed)
    validations = [{pixels for _, pixels in pictures(tmp_path / str(seed), "validation")} for seed in (0, 1)]
    assert validations[0] != validations[1]
    assert pictures(tmp_path / "0", "test") == pictures(tmp_path / "1", "test")


@given(st.lists(st.integers(2, 600), min_size=2, max_size=100), st.floats(0.02, 0.6))
def test_every_class_gives_validation_at_least_one_and_nearly_the_same_share(counts: list[int], share: float) -> None:
    held = validation_counts(counts, share)
    overall = sum(held) / sum(counts)
    assert all(1 <= each <= count for each, count in zip(held, counts, strict=True))
    for each, count in zip(held, counts, strict=True):
        assert each == 1 or abs(each - overall * count) < 1 + len(counts) * count / sum(counts)


@pytest.mark.parametrize(
    ("per_class", "share", "expected"),
    [
        ([500, 500], 0.2, [100, 100]),
        ([500] * 100, 0.2, [100] * 100),
        ([500] * 5, 0.2, [100] * 5),
        ([16, 16], 0.2, [3, 3]),
        ([150, 150], 0.2, [30, 30]),
        ([1, 1], 0.5, [1, 1]),
    ],
)
def test_validation_sizes_are_round_where_they_can_be(per_class: list[int], share: float, expected: list[int]) -> None:
    assert validation_counts(per_class, share) == expected


# duplicates


@pytest.fixture
def repeated(tmp_path: Path) -> Path:
    """Ten images a class to train, of which train has two twice and one that the test has; the test has one twice."""
    train, test = rows(20, 1), rows(8, 2)
    train[4], train[6] = train[0], train[0]  # within train, the same class
    train[9] = train[3]
    train[11], train[12] = test[1], test[2]  # across
    train[13] = test[0]  # across, under another label
    test[7] = test[5]
    return pack(tmp_path / "a.tar.gz", meta=meta("x", "y"), train=part(train, [0, 1] * 10), test=part(test, [0, 1] * 4))


@pytest.mark.parametrize("format", FORMATS)
def test_no_picture_is_in_two_splits(tmp_path: Path, repeated: Path, format: Format) -> None:
    prepare(Archive(repeated), ("x", "y"), tmp_path / "set", format=format)
    train, validation, test = (
        [pixels for _, pixels in pictures(tmp_path / "set", split)] for split in ("train", "validation", "test")
    )
    assert not set(train) & set(validation) and not set(train) & set(test) and not set(validation) & set(test)
    assert len(set(train + validation)) == len(train + validation) == 14


def test_duplicates_are_counted_in_the_manifest(tmp_path: Path, repeated: Path) -> None:
    prepare(Archive(repeated), ("x", "y"), tmp_path / "set")
    assert manifest_of(tmp_path / "set")["duplicates"] == {
        "removed_from_train_because_in_test": 3,
        "removed_from_train_because_repeated": 3,
        "repeated_in_test": 1,
    }


def test_the_held_out_test_keeps_all_its_images(tmp_path: Path, repeated: Path) -> None:
    assert prepare(Archive(repeated), ("x", "y"), tmp_path / "set").images("test") == 8


def test_an_archive_without_duplicates_says_so(dataset: Path) -> None:
    assert set(manifest_of(dataset)["duplicates"].values()) == {0}


# the same bytes


@pytest.mark.parametrize("format", FORMATS)
def test_the_same_archive_gives_the_same_files_and_identity_anywhere(tmp_path: Path, format: Format) -> None:
    archive = build_archive(tmp_path / "a.tar.gz")
    made: list[Manifest] = []
    for folder in (tmp_path / "one", tmp_path / "deep/er/two"):
        made.append(prepare(Archive(archive), ("bicycle", "motorcycle"), folder, format=format))
    files = everything(tmp_path / "one")
    assert files == everything(tmp_path / "deep/er/two") and len(files) > 5
    assert made[0] == made[1]


def test_how_the_archive_was_compressed_does_not_change_the_identity(tmp_path: Path, archive: Path) -> None:
    other = tmp_path / "other.tar.gz"
    other.write_bytes(gzip.compress(gzip.decompress(archive.read_bytes()), 9, mtime=1))
    first, second = (prepare(Archive(path), ("a", "b"), tmp_path / path.stem) for path in (archive, other))
    assert first.identity == second.identity


@pytest.mark.parametrize(
    "change",
    [{"format": "image"}, {"validation": 0.3}, {"seed": 1}, {"classes": ("b", "a")}, {"classes": ("a", "c")}],
    ids=str,
)
def test_any_other_choice_is_another_dataset(tmp_path: Path, archive: Path, change: dict[str, Any]) -> None:
    first = prepare(Archive(archive), ("a", "b"), tmp_path / "first")
    second = prepare(Archive(archive), **{"classes": ("a", "b"), "output": tmp_path / "second", **change})
    assert first.identity != second.identity


def test_the_manifest_lists_the_hash_of_every_file(dataset: Path) -> None:
    files = everything(dataset)
    del files["manifest.json"]
    assert manifest_of(dataset)["files"] == files


def test_pngs_do_not_depend_on_what_the_machine_s_zlib_makes_of_them() -> None:
    (png,) = encode_pngs(np.zeros((1, 3072), np.uint8), np.array([0]))
    assert len(png) == 3172 and hashlib.sha256(png).hexdigest().startswith("3770232fc462")


@pytest.mark.parametrize("count", [1, 1023, 1024, 1025, 2100])
def test_every_row_becomes_the_png_of_its_pixels(count: int) -> None:
    data, order = rows(count), np.random.default_rng(3).permutation(count)
    encoded = list(encode_pngs(data, order))
    some: NDArray[np.int64] = np.unique(np.array([0, count // 2, count - 1]))
    assert len(encoded) == count
    for at in at_least_one(some):
        assert planes(Image.open(io.BytesIO(encoded[at]))) == data[order[at]].tobytes()


def test_a_strict_reader_finds_nothing_wrong_with_a_png() -> None:
    (png,) = encode_pngs(rows(1), np.array([0]))
    Image.open(io.BytesIO(png)).verify()


# the lists


def test_lists_number_their_images_and_name_each_once(dataset: Path) -> None:
    for path in at_least_one(dataset.rglob("*.lst")):
        entries = lst(path)
        assert [index for index, _, _ in entries] == list(range(len(entries)))
        assert len({name for _, _, name in entries}) == len(entries)


def test_lists_beside_record_files_say_what_the_records_hold(tmp_path: Path, archive: Path) -> None:
    prepare(Archive(archive), ("a", "b"), tmp_path / "set")
    for split in ("train", "validation"):
        records = by_definition((tmp_path / "set" / split / f"{split}.rec").read_bytes())
        listed = lst(tmp_path / "set" / f"{split}.lst")
        assert [(index, label) for index, label, _ in listed] == [(record[2], int(record[1])) for record in records]


def test_both_formats_hold_the_same_images_in_the_same_order(tmp_path: Path, archive: Path) -> None:
    for format in FORMATS:
        prepare(Archive(archive), ("a", "b"), tmp_path / format, format=format)
    for split in ("train", "validation", "test"):
        assert pictures(tmp_path / "recordio", split) == pictures(tmp_path / "image", split)


# all or nothing


def broken_after(monkeypatch: pytest.MonkeyPatch, images: int) -> None:
    real = dataset_files.encode_pngs

    def encode(*arguments: Any) -> Iterator[bytes]:
        for index, image in enumerate(real(*arguments)):
            if index == images:
                raise OSError(28, "No space left on device")
            yield image

    monkeypatch.setattr(dataset_files, "encode_pngs", encode)


@pytest.mark.parametrize("format", FORMATS)
def test_a_failure_midway_leaves_the_old_dataset_as_it_was(
    tmp_path: Path, archive: Path, monkeypatch: pytest.MonkeyPatch, format: Format
) -> None:
    prepare(Archive(archive), ("a", "b"), tmp_path / "set", format=format)
    before = everything(tmp_path)
    broken_after(monkeypatch, 7)
    with pytest.raises(OSError, match="No space"):
        prepare(Archive(archive), ("c", "d"), tmp_path / "set", format=format)
    assert everything(tmp_path) == before


def test_a_failure_of_the_very_first_leaves_nothing(
    tmp_path: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken_after(monkeypatch, 7)
    with pytest.raises(OSError, match="No space"):
        prepare(Archive(archive), ("c", "d"), tmp_path / "set")
    assert list(tmp_path.iterdir()) == []


def test_a_failure_of_the_last_step_puts_the_old_dataset_back(
    tmp_path: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(Archive(archive), ("a", "b"), tmp_path / "set")
    before, real = everything(tmp_path), Path.rename

    def rename(self: Path, target: Path) -> Path:
        if self.name == "fresh":
            raise OSError(5, "Input/output error")
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(OSError, match="Input/output"):
        prepare(Archive(archive), ("c", "d"), tmp_path / "set")
    assert everything(tmp_path) == before


def test_a_new_dataset_replaces_the_old_one_as_a_whole(tmp_path: Path, archive: Path) -> None:
    prepare(Archive(archive), ("a", "b"), tmp_path / "set", format="image")
    prepare(Archive(archive), ("c", "d"), tmp_path / "set")
    assert not (tmp_path / "set/train_lst").exists() and read_manifest(tmp_path / "set").classes == ("c", "d")
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_a_folder_that_is_no_dataset_is_left_alone(tmp_path: Path, archive: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/holiday.jpg").write_bytes(b"precious")
    with pytest.raises(UserError, match="photos exists and is not a dataset: it is left alone"):
        prepare(Archive(archive), ("a", "b"), tmp_path / "photos")
    assert everything(tmp_path) == {"photos/holiday.jpg": hashlib.sha256(b"precious").hexdigest()}


def test_a_file_in_the_dataset_s_place_is_left_alone(tmp_path: Path, archive: Path) -> None:
    (tmp_path / "notes").write_text("precious")
    with pytest.raises(UserError, match="is left alone"):
        prepare(Archive(archive), ("a", "b"), tmp_path / "notes")
    assert (tmp_path / "notes").read_text() == "precious"


def test_an_empty_folder_may_be_filled(tmp_path: Path, archive: Path) -> None:
    (tmp_path / "set").mkdir()
    assert prepare(Archive(archive), ("a", "b"), tmp_path / "set").images("train") == 64


# what is refused


@pytest.mark.parametrize(
    ("classes", "reason"),
    [
        (("bicycle", "motorcicle"), "no class 'motorcicle': did you mean motorcycle"),
        (("bicycle", "poppi"), "no class 'poppi': did you mean poppy"),
        (("bicycle", "willow tree"), "no class 'willow tree': did you mean willow_tree"),
        (("bicycle", "zzzzz"), "no class 'zzzzz': there are apple, aquarium_fish"),
        (("bicycle",), "classes must hold 2 to 100 names, got 1: bicycle"),
        ((), "classes must hold 2 to 100 names, got 0: none"),
        (("bicycle", "bicycle"), "classes must hold every name once, got bicycle more than once"),
        (("bicycle", "shark"), "the split train has no image of shark"),
    ],
)
def test_classes_that_cannot_be_had_are_refused_in_words_that_help(
    tmp_path: Path, classes: tuple[str, ...], reason: str
) -> None:
    archive = build_archive(tmp_path / "a.tar.gz", train_per_class=2, test_per_class=1)
    with pytest.raises(UserError, match=reason):
        prepare(Archive(archive), classes, tmp_path / "set")
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize("share", [0, 1, -0.2, 1.5, float("nan")])
def test_a_share_that_leaves_a_split_empty_is_refused(tmp_path: Path, archive: Path, share: float) -> None:
    with pytest.raises(UserError, match="above 0 and below 1"):
        prepare(Archive(archive), ("a", "b"), tmp_path / "set", validation=share)


def test_a_class_with_one_image_cannot_be_divided(tmp_path: Path) -> None:
    archive = noise_archive(tmp_path / "a.tar.gz", ("x", "y"), 1, 1)
    with pytest.raises(UserError, match="the split train has no image of x; the archive has too few"):
        prepare(Archive(archive), ("x", "y"), tmp_path / "set")


def test_all_hundred_classes_are_prepared_in_their_order(tmp_path: Path) -> None:
    names = [f"class_{number:02d}" for number in range(100)]
    manifest = prepare(Archive(noise_archive(tmp_path / "a.tar.gz", names, 3, 1)), names, tmp_path / "set")
    assert manifest.classes == tuple(names) and manifest.images("test") == 100
    assert {label for label, _ in pictures(tmp_path / "set", "train")} == set(range(100))
