"""A dataset grows by what people answered, without its archive, and its held-out photos stay the very same."""

from __future__ import annotations

import filecmp
import json
import re
import shutil
from pathlib import Path

import pytest

from contract.errors import UserError
from tests.assertions import at_least_one
from tests.training.builders import noise_archive
from tests.training.dataset.test_corrections import KINDS, LABELS, answer, answered, photo
from training.dataset.answered import place_of, read_answers
from training.dataset.archive import Archive
from training.dataset.corrections import told
from training.dataset.extend import Extended, extend
from training.dataset.manifest import FILE, Format, read_manifest
from training.dataset.prepare import prepare

CORRECTED = re.compile(r"[0-9a-f]{16}\.png")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    return Archive(noise_archive(tmp_path_factory.mktemp("noise") / "a.tar.gz", KINDS, 60, 10))


@pytest.fixture(scope="module")
def base(archive: Archive, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base") / "dataset"
    prepare(archive, ("a", "b"), folder, neither=True)
    return folder


def grown(base: Path, corrections: Path, output: Path) -> Extended:
    return extend(base, read_answers(place_of(str(corrections))), output)


def listed(folder: Path, name: str) -> list[str]:
    return (folder / f"{name}.lst").read_text().splitlines()


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("format", ["recordio", "image"])
def test_it_is_the_dataset_that_prepare_makes_of_the_archive_byte_for_byte(
    archive: Archive, tmp_path: Path, format: Format
) -> None:
    corrections = answered(tmp_path / "corrections")
    prepare(archive, ("a", "b"), tmp_path / "base", neither=True, format=format)
    wanted = prepare(
        archive, ("a", "b"), tmp_path / "wanted", neither=True, format=format,
        corrections=read_answers(place_of(str(corrections))),
    )  # fmt: skip
    found = grown(tmp_path / "base", corrections, tmp_path / "found")
    assert found.manifest.identity == wanted.identity and found.added == 60
    assert files(tmp_path / "found") == files(tmp_path / "wanted")


def test_a_dataset_that_holds_corrections_takes_only_new_ones_and_keeps_its_held_out_photos(
    base: Path, tmp_path: Path
) -> None:
    corrections = answered(tmp_path / "corrections", 40)
    first = grown(base, corrections, tmp_path / "first")
    answered(corrections, 70)
    second = grown(tmp_path / "first", corrections, tmp_path / "second")
    assert (first.added, second.added) == (40, 30)
    before, after = read_manifest(tmp_path / "first"), read_manifest(tmp_path / "second")
    assert after.identity == second.manifest.identity != before.identity
    for path in at_least_one(each for each in before.files if each.startswith(("test/", "strangers/"))):
        assert filecmp.cmp(tmp_path / "first" / path, tmp_path / "second" / path, shallow=False)
    held = [
        {path.rpartition("_")[2] for path in each.files if path.startswith("corrected/")} for each in (before, after)
    ]
    assert held[0] < held[1] and held[1] == {f"{name}.png" for name in after.model_said}
    assert sum(len(names) for names in second.section["answers"].values()) == 70
    assert told(second.section).startswith("corrections: 70 of 70 taken")
    assert after.images("train") == before.images("train") == 160
    learned, at_first = (
        {line.rpartition("_")[2] for name in ("train", "validation") for line in listed(tmp_path / which, name)}
        for which in ("second", "first")
    )
    assert {name for name in at_first if CORRECTED.fullmatch(name)} < learned
    assert len([name for name in learned if CORRECTED.fullmatch(name)]) == 70 - len(after.model_said)


def test_the_same_answers_add_nothing_and_an_answer_to_a_known_picture_is_left_out(base: Path, tmp_path: Path) -> None:
    corrections = answered(tmp_path / "corrections", 20)
    first = grown(base, corrections, tmp_path / "first")
    again = grown(tmp_path / "first", corrections, tmp_path / "again")
    assert again.added == 0
    assert {name: data for name, data in files(tmp_path / "again").items() if name != FILE} == {
        name: data for name, data in files(tmp_path / "first").items() if name != FILE
    }
    answer(corrections, LABELS[0], "another-name.jpg", photo(0, "JPEG"))
    assert grown(tmp_path / "first", corrections, tmp_path / "more").section["left_out"]["already_in_dataset"] == 1
    assert first.manifest.images("test") == again.manifest.images("test")


def test_a_dataset_that_was_changed_is_refused(base: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(base, copy)
    content = json.loads((copy / FILE).read_text())
    (copy / FILE).write_text(json.dumps({**content, "image_size": 64}))
    with pytest.raises(UserError, match="changed since"):
        grown(copy, answered(tmp_path / "corrections", 3), tmp_path / "out")
