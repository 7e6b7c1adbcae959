"""A dataset's identity: the same for the same data, another for any other, and refused when it no longer fits."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from tests.assertions import at_least_one
from tests.training.builders import build_dataset
from training.dataset.manifest import CHANNELS, DatasetError, Manifest, identity_of, read_manifest


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    build_dataset(tmp_path / "set", train_per_class=6, test_per_class=2)
    return tmp_path / "set"


def edited(folder: Path, change: Callable[[dict], object], *, sign: bool = False) -> None:
    path = folder / "manifest.json"
    content = json.loads(path.read_text())
    change(content)
    if sign:
        del content["identity"]
        content["identity"] = identity_of(content)
    path.write_text(json.dumps(content))


def test_what_prepare_returned_is_what_is_read(tmp_path: Path) -> None:
    manifest = build_dataset(tmp_path / "set", train_per_class=6, test_per_class=2)
    assert read_manifest(tmp_path / "set") == manifest
    assert isinstance(manifest, Manifest) and len(manifest.identity) == 64
    assert manifest.classes == ("bicycle", "motorcycle") and manifest.image_size == 32
    assert [manifest.images(split) for split in ("train", "validation", "test")] == [10, 2, 4]


@pytest.mark.parametrize("format", ["recordio", "image"])
def test_every_channel_has_files_and_a_content_type(tmp_path: Path, format: str) -> None:
    manifest = build_dataset(tmp_path / "set", train_per_class=6, test_per_class=2, format=format)  # type: ignore[arg-type]
    assert manifest.channels == CHANNELS[format]
    for channel in at_least_one(manifest.channels):
        files = manifest.channel_files(channel)
        assert files == sorted(files) and files and all((tmp_path / "set" / file).is_file() for file in files)


def test_a_channel_has_no_files_of_one_whose_name_begins_the_same(tmp_path: Path) -> None:
    manifest = build_dataset(tmp_path / "set", train_per_class=6, test_per_class=2, format="image")
    assert manifest.channel_files("train_lst") == ["train_lst/train.lst"]
    assert "train_lst/train.lst" not in manifest.channel_files("train")


def test_the_identity_does_not_depend_on_the_order_of_the_keys() -> None:
    assert identity_of({"a": 1, "b": {"c": 2, "d": 3}}) == identity_of({"b": {"d": 3, "c": 2}, "a": 1})


def test_the_identity_depends_on_every_value() -> None:
    assert len({identity_of(content) for content in ({"a": 1}, {"a": 2}, {"b": 1}, {"a": "1"}, {"a": [1]})}) == 5


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content["files"].update({"train/train.rec": "0" * 64}),
        lambda content: content["classes"].reverse(),
        lambda content: content["splits"]["train"].update(images=11),
        lambda content: content.update(identity="0" * 64),
        lambda content: content.pop("identity"),
        lambda content: content.update(extra=1),
    ],
    ids=["a file's hash", "class order", "a size", "the identity", "no identity", "one more key"],
)
def test_a_manifest_that_was_changed_is_refused(dataset: Path, change: Callable[[dict], object]) -> None:
    edited(dataset, change)
    with pytest.raises(DatasetError, match="changed since; prepare again"):
        read_manifest(dataset)


@pytest.mark.parametrize("file", ["train/train.rec", "validation/validation.rec", "test.lst"])
def test_a_file_that_was_changed_is_refused_by_its_name(dataset: Path, file: str) -> None:
    data = bytearray((dataset / file).read_bytes())
    data[-1] ^= 1
    (dataset / file).write_bytes(data)
    with pytest.raises(DatasetError, match=f"{file} .*changed.*prepare again"):
        read_manifest(dataset)


def test_a_file_is_hashed_once_in_a_run_and_again_when_it_was_changed(
    dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    digest = hashlib.file_digest

    def counted(file: BinaryIO, name: str) -> object:
        hashed.append(file.name)
        return digest(file, name)

    monkeypatch.setattr(hashlib, "file_digest", counted)
    files = read_manifest(dataset).files
    assert len(hashed) == len(files)
    read_manifest(dataset)
    assert len(hashed) == len(files)
    with (dataset / "train/train.rec").open("ab") as file:
        file.write(b"more")
    with pytest.raises(DatasetError, match="changed"):
        read_manifest(dataset)
    assert hashed[len(files) :] == [str(dataset / "train/train.rec")]


def test_a_file_that_is_gone_is_refused_by_its_name(dataset: Path) -> None:
    (dataset / "train/train.rec").unlink()
    with pytest.raises(DatasetError, match=r"train/train\.rec .*missing.*prepare again"):
        read_manifest(dataset)


def test_a_manifest_of_another_version_is_refused(dataset: Path) -> None:
    edited(dataset, lambda content: content.update(version=0), sign=True)
    with pytest.raises(DatasetError, match="this version of prepare"):
        read_manifest(dataset)


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", '"text"', "null"])
def test_a_manifest_that_is_no_manifest_is_refused(dataset: Path, text: str) -> None:
    (dataset / "manifest.json").write_text(text)
    with pytest.raises(DatasetError, match=r"manifest\.json"):
        read_manifest(dataset)


def test_a_missing_dataset_names_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=f"-m training prepare .*--output {tmp_path / 'none'}"):
        read_manifest(tmp_path / "none")
