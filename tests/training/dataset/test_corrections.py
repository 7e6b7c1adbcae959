"""What people answered becomes data: nothing is in two places, and nothing about the order or the number matters."""

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws
from PIL import Image

from contract.pictures import to_model_image
from contract.prefixes import ABOUT_CORRECTION, CORRECTIONS
from tests.assertions import at_least_one
from tests.training.builders import noise_archive, rows
from tests.training.dataset.test_prepare import everything, pictures
from training import cli as command
from training.dataset.answered import AnsweredPhoto, Answers, place_of, read_answers
from training.dataset.archive import Archive
from training.dataset.corrections import HELD_OUT_SHARE, merge, told
from training.dataset.manifest import read_manifest
from training.dataset.prepare import prepare
from training.dataset.splits import Splits, split

LABELS = ("a", "b", "neither")
IDENTITY = "f4a2d0930cf675f971b14bc6924e1aa9e04d5ac2142b352820c43224999ec4c9"
"""Of the dataset of two classes and neither as it was prepared before there were corrections."""
KINDS = ("a", "b", "c", "d", "e", "f", "g", "h")


def photo(seed: int, format: str = "PNG", size: int = 64) -> bytes:
    """A photo of large blots, each different."""
    blots = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(blots).resize((size, size)).save(buffer, format)
    return buffer.getvalue()


def planes_of(data: bytes) -> bytes:
    image = Image.open(io.BytesIO(to_model_image(data, size=32, max_pixels=10**6)))
    return np.asarray(image).transpose(2, 0, 1).tobytes()


def answer(folder: Path, label: str, name: str, data: bytes) -> None:
    """A correction as the desk writes it."""
    place = folder / label / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)
    described = {"label": label, "answered_by": "Ada", "model_label": "b"}
    place.with_suffix(ABOUT_CORRECTION).write_text(json.dumps(described))


def answered(folder: Path, count: int = 60) -> Path:
    """Different photos in three labels."""
    for seed in range(count):
        answer(folder, LABELS[seed % 3], f"id{seed}.jpg", photo(seed, "JPEG"))
    return folder


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return noise_archive(tmp_path_factory.mktemp("noise") / "a.tar.gz", KINDS, 60, 10)


@pytest.fixture(scope="module")
def splits(archive: Path) -> Splits:
    return split(Archive(archive).read(), ("a", "b"), validation=0.2, seed=0, neither=True)


@pytest.fixture(scope="module")
def held(splits: Splits) -> list[bytes]:
    """Pixels of the archive, some of each place."""
    assert splits.strangers
    places = (splits.train, splits.validation, splits.test, *splits.strangers.held_out.values())
    return [place.part.pixels[place.rows[number]].tobytes() for place in places for number in (0, 1)]


class Drawn:
    """What the laws are about, too long to be printed when one fails."""

    def __init__(self, splits: Splits, held: list[bytes]) -> None:
        self.splits, self.held = splits, held


@pytest.fixture(scope="module")
def drawn(splits: Splits, held: list[bytes]) -> Drawn:
    return Drawn(splits, held)


def of_noise(number: int) -> bytes:
    return rows(1, 10_000 + number)[0].tobytes()


SAID = st.lists(st.tuples(st.integers(0, 59), st.sampled_from((*LABELS, "truck"))), max_size=80)


def answers_of(said: Sequence[tuple[int, str]], held: Sequence[bytes]) -> Answers:
    """Photos by number, of which the first ten are the archive's own."""
    return Answers(
        tuple(
            AnsweredPhoto(f"{label}/{place:03d}.png", label, (*held, *map(of_noise, range(50)))[number], "a")
            for place, (number, label) in enumerate(said)
        ),
        {},
    )


def merged(splits: Splits, answers: Answers, labels: Sequence[str] = LABELS) -> tuple[Splits, dict[str, Any]]:
    found = merge(splits, answers, labels, validation=0.2, seed=0)
    return found.splits, dict(found.section)


def all_digests(splits: Splits) -> list[bytes]:
    assert splits.corrected is not None and splits.strangers
    places = (splits.train, splits.validation, splits.test, splits.corrected, *splits.strangers.held_out.values())
    return [digest for place in places for digest in place.digests()]


def content(splits: Splits) -> list[tuple[list[bytes], list[int]]]:
    assert splits.corrected is not None
    return [
        (each.digests(), each.labels.tolist())
        for each in (splits.train, splits.validation, splits.test, splits.corrected)
    ]


# laws


@given(SAID)
@settings(max_examples=30, deadline=None)
def test_no_picture_is_in_two_places_and_none_is_twice_in_one(drawn: Drawn, said: list[tuple[int, str]]) -> None:
    digests = all_digests(merged(drawn.splits, answers_of(said, drawn.held))[0])
    assert len(set(digests)) == len(digests)


@given(SAID)
@settings(max_examples=30, deadline=None)
def test_every_answer_is_taken_or_counted_with_its_reason(drawn: Drawn, said: list[tuple[int, str]]) -> None:
    section = merged(drawn.splits, answers_of(said, drawn.held))[1]
    taken = [name for names in section["answers"].values() for name in names]
    assert len(taken) == len(set(taken)) == sum(sum(each.values()) for each in section["images"].values())
    assert len(taken) + sum(section["left_out"].values()) == len(said)
    of_the_archive = sum(number < len(drawn.held) for number, _ in said)
    assert section["left_out"]["already_in_dataset"] == of_the_archive


@given(SAID, st.randoms())
@settings(max_examples=30, deadline=None)
def test_neither_the_order_nor_the_names_of_the_answers_change_a_picture(
    drawn: Drawn, said: list[tuple[int, str]], random: Any
) -> None:
    answers = answers_of(said, drawn.held)
    mixed = replace(answers, photos=tuple(random.sample(answers.photos, len(answers.photos))))
    (one, told_one), (other, told_other) = merged(drawn.splits, answers), merged(drawn.splits, mixed)
    assert told_one == told_other and content(one) == content(other)
    renamed = (replace(each, name=f"{each.label}/{random.random()}.png") for each in answers.photos)
    assert content(merged(drawn.splits, replace(answers, photos=tuple(renamed)))[0]) == content(one)


@given(SAID)
@settings(max_examples=30, deadline=None)
def test_the_same_answers_twice_give_the_same_pictures(drawn: Drawn, said: list[tuple[int, str]]) -> None:
    answers = answers_of(said, drawn.held)
    again = tuple(replace(each, name=f"{each.name}.copy.png") for each in answers.photos)
    one, section = merged(drawn.splits, answers)
    two, counted = merged(drawn.splits, replace(answers, photos=(*answers.photos, *again)))
    assert content(one) == content(two) and section["identity"] == counted["identity"]
    assert section["answers"] == counted["answers"]


@given(SAID, SAID)
@settings(max_examples=30, deadline=None)
def test_what_was_held_out_once_never_trains_whatever_is_answered_later(
    drawn: Drawn, said: list[tuple[int, str]], later: list[tuple[int, str]]
) -> None:
    before = merged(drawn.splits, answers_of(said, drawn.held))[0]
    after = merge(drawn.splits, answers_of([*said, *later], drawn.held), LABELS, validation=0.4, seed=7).splits
    assert before.corrected is not None and after.corrected is not None
    assert not {*before.corrected.digests()} & {*after.train.digests(), *after.validation.digests()}


@given(SAID)
@settings(max_examples=30, deadline=None)
def test_sets_that_batches_divide_stay_so(drawn: Drawn, said: list[tuple[int, str]]) -> None:
    assert (len(drawn.splits.train), len(drawn.splits.validation)) == (140, 40)
    after, section = merged(drawn.splits, answers_of(said, drawn.held))
    assert len(after.train) % 20 == 0 and len(after.validation) % 20 == 0
    for name, each in (("train", after.train), ("validation", after.validation)):
        more = sum(section["images"][name].values()) - section["made_room"][name]
        assert len(each) == {"train": 140, "validation": 40}[name] + more
        assert 0 not in each.per_class(LABELS).values()


# what is taken


def test_shares_are_those_that_the_manifest_says(splits: Splits) -> None:
    photos = [AnsweredPhoto(f"a/{number}.png", "a", of_noise(number), "") for number in range(2000)]
    section = merged(splits, Answers(tuple(photos), {}))[1]
    assert section["shares"] == {"train": 0.64, "validation": 0.16, "test": HELD_OUT_SHARE}
    for name, share in at_least_one(section["shares"].items()):
        # four standard deviations of a share of 2000
        assert section["images"][name]["a"] / 2000 == pytest.approx(share, abs=4 * (share * (1 - share) / 2000) ** 0.5)


def test_answers_that_disagree_about_a_picture_are_all_left_out(splits: Splits, held: list[bytes]) -> None:
    section = merged(splits, answers_of([(20, "a"), (20, "b"), (20, "a"), (21, "truck"), (21, "a")], held))[1]
    assert section["left_out"]["conflicting"] == 5 and sum(section["images"]["train"].values()) == 0


def test_labels_that_the_dataset_has_not_are_left_out_by_name(splits: Splits, held: list[bytes]) -> None:
    said = [(20, "neither"), (21, "truck"), (22, "truck"), (23, "a")]
    section = merged(splits, answers_of(said, held), ("a", "b"))[1]
    assert section["labels_not_in_dataset"] == {"neither": 1, "truck": 2}
    assert section["left_out"]["label_not_in_dataset"] == 3


@pytest.mark.parametrize("format", ["recordio", "image"])
def test_pictures_are_what_production_makes_of_the_photos(tmp_path: Path, archive: Path, format: Any) -> None:
    place = answered(tmp_path / "corrections")
    found = read_answers(place_of(str(place)))
    prepare(Archive(archive), ("a", "b"), tmp_path / "plain", neither=True, format=format)
    prepare(Archive(archive), ("a", "b"), tmp_path / "set", neither=True, format=format, corrections=found)
    expected = {(seed % 3, planes_of(photo(seed, "JPEG"))) for seed in range(60)}
    ours = {each for name in ("train", "validation") for each in pictures(tmp_path / "set", name)}
    plain = {each for name in ("train", "validation") for each in pictures(tmp_path / "plain", name)}
    corrected = {
        (LABELS.index(path.parent.name), planes_of(path.read_bytes()))
        for path in at_least_one((tmp_path / "set/corrected").rglob("*.png"))
    }
    assert ours - plain == expected - corrected and corrected < expected
    assert pictures(tmp_path / "set", "test") == pictures(tmp_path / "plain", "test")
    files = everything(tmp_path / "set")
    held_out = [path for path in files if path.startswith(("test", "strangers/"))]
    assert {path: files[path] for path in at_least_one(held_out)}.items() <= everything(tmp_path / "plain").items()
    manifest = read_manifest(tmp_path / "set")
    assert {path.split("_")[-1][:-4] for path in manifest.files if path.startswith("corrected/")} == set(
        manifest.model_said
    )


def test_a_held_out_photo_that_went_through_the_queue_is_not_trained_on(tmp_path: Path, archive: Path) -> None:
    prepare(Archive(archive), ("a", "b"), tmp_path / "plain", neither=True)
    for number, path in enumerate(sorted((tmp_path / "plain").rglob("*.png"))[:20]):
        answer(tmp_path / "corrections", "neither", f"{number}.png", path.read_bytes())
    found = read_answers(place_of(str(tmp_path / "corrections")))
    prepare(Archive(archive), ("a", "b"), tmp_path / "set", neither=True, corrections=found)
    plain, files = everything(tmp_path / "plain"), everything(tmp_path / "set")
    section = json.loads((tmp_path / "set/manifest.json").read_text())["corrections"]
    assert section["left_out"]["already_in_dataset"] == 20
    assert {**plain, "manifest.json": ""} == {**files, "manifest.json": ""}


def test_without_corrections_the_bytes_are_as_ever(tmp_path: Path, archive: Path) -> None:
    manifest = prepare(Archive(archive), ("a", "b"), tmp_path / "set", neither=True)
    assert "corrections" not in json.loads((tmp_path / "set/manifest.json").read_text())
    assert manifest.identity == IDENTITY


# what is damaged


def damage(folder: Path) -> dict[str, str]:
    """Files that can't be used, and what is said of each."""
    answer(folder, "a", "empty.jpg", b"")
    answer(folder, "a", "text.jpg", b"no photo at all, but a text of some length")
    answer(folder, "a", "cut.png", photo(100)[:-40])
    answer(folder, "a", "grey.png", one_colour())
    answer(folder, "a", "other.png", photo(101))
    (folder / "a" / f"other{ABOUT_CORRECTION}").write_text('{"label": "b"}')
    answer(folder, "a", "array.png", photo(102))
    (folder / "a" / f"array{ABOUT_CORRECTION}").write_text("[1]")
    answer(folder, "a", "torn.png", photo(103))
    (folder / "a" / f"torn{ABOUT_CORRECTION}").write_text('{"label": "a"')
    (folder / "a/alone.png").write_bytes(photo(104))
    (folder / "b").mkdir()
    (folder / "b" / f"orphan{ABOUT_CORRECTION}").write_text("{}")
    (folder / "loose.png").write_bytes(photo(105))
    answer(folder, "a/deeper", "x.png", photo(106))
    (folder / "a/.DS_Store").write_bytes(b"\0")
    return {
        "a/empty.jpg": "empty",
        "a/text.jpg": "",
        "a/cut.png": "cut off",
        "a/grey.png": "shows nothing",
        "a/other.png": "its description must say the label a, got 'b'",
        "a/array.png": "its description must say the label a, got None",
        "a/torn.png": "its description is not JSON",
        "a/alone.png": "there is no .about.json beside it",
        "b/orphan.about.json": "there is no photo beside it",
        "loose.png": "it lies in no label's folder",
        "a/deeper/x.png": "it lies in no label's folder",
    }


def one_colour() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 40), "grey").save(buffer, "PNG")
    return buffer.getvalue()


def test_what_cannot_be_used_is_named_and_stops_nothing(tmp_path: Path, splits: Splits) -> None:
    expected = damage(tmp_path)
    answer(tmp_path, "a", "good.png", photo(1))
    found = read_answers(place_of(str(tmp_path)))
    assert [each.name for each in found.photos] == ["a/good.png"]
    assert found.damaged.keys() == expected.keys()
    for name, reason in at_least_one(expected.items()):
        assert reason in found.damaged[name], name
    section = merged(splits, found)[1]
    assert section["left_out"]["damaged"] == 11 and section["damaged"] == found.damaged
    sentence = told(section)
    assert sentence.startswith("corrections: 1 of 12 taken (") and "11 damaged or incomplete (a/alone.png:" in sentence


def test_a_photo_too_large_for_any_stack_is_not_even_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(tmp_path, "a", "large.png", photo(1))
    monkeypatch.setattr("training.dataset.answered.MOST_IMAGE_MEGABYTES", 0)
    assert "at most 0 MB are read" in read_answers(place_of(str(tmp_path))).damaged["a/large.png"]


# a bucket


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "x"),
        ("AWS_SECRET_ACCESS_KEY", "x"),
        ("AWS_DEFAULT_REGION", "eu-west-1"),
    ):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("SCONES_OUTPUTS", raising=False)
    with mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="photos", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        yield s3


def upload(s3: Any, folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            s3.put_object(
                Bucket="photos", Key=f"{CORRECTIONS}{path.relative_to(folder).as_posix()}", Body=path.read_bytes()
            )


@pytest.mark.parametrize("address", ["s3://photos/corrections/", "s3://photos/corrections"])
def test_a_bucket_gives_what_the_same_folder_gives(bucket: Any, tmp_path: Path, address: str) -> None:
    folder = answered(tmp_path / "here", 12)
    upload(bucket, folder)
    bucket.put_object(Bucket="photos", Key="corrections/", Body=b"")
    bucket.put_object(Bucket="photos", Key="incoming/other.png", Body=photo(500))
    found = read_answers(place_of(address))
    assert found == read_answers(place_of(str(folder))) and len(found.photos) == 12


def test_a_photo_that_goes_while_the_others_are_read_is_named(
    bucket: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(bucket, answered(tmp_path / "here", 3))
    place = place_of("s3://photos/corrections/")
    sizes = place.sizes()
    monkeypatch.setattr(type(place), "sizes", lambda self: sizes)
    bucket.delete_object(Bucket="photos", Key="corrections/a/id0.jpg")
    found = read_answers(place)
    assert found.damaged == {"a/id0.jpg": "it is gone"} and len(found.photos) == 2


# the command


def run(archive: Path, output: Path, *words: str) -> int:
    return command.main(
        ["prepare", "--archive", str(archive), "--classes", "a", "b", "--neither", "--output", str(output), *words]
    )


def test_the_command_says_in_one_sentence_what_became_of_the_corrections(
    tmp_path: Path, archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = answered(tmp_path / "corrections")
    answer(place, "truck", "t.png", photo(200))
    answer(place, "a", "again.jpg", photo(0, "JPEG"))
    assert run(archive, tmp_path / "set", "--corrections", str(place)) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("corrections")]
    section = json.loads((tmp_path / "set/manifest.json").read_text())["corrections"]
    train, validation, test = (sum(section["images"][name].values()) for name in ("train", "validation", "test"))
    assert line.startswith(
        f"corrections: 60 of 62 taken ({train} train, {validation} validation, {test} held out): "
        "20 a, 20 b, 20 neither; left out: 1 with a label that the dataset has not (1 truck), "
        "1 of a picture that is taken already"
    )
    assert "Ada" not in (tmp_path / "set/manifest.json").read_text()


def test_the_stack_s_own_corrections_need_no_place(
    bucket: Any, tmp_path: Path, archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    upload(bucket, answered(tmp_path / "here", 9))
    outputs = tmp_path / "outputs.json"
    outputs.write_text(json.dumps({"bucket": "photos"}))
    assert run(archive, tmp_path / "set", "--outputs", str(outputs), "--corrections") == 0
    assert "corrections: 9 of 9 taken" in capsys.readouterr().out
    assert run(archive, tmp_path / "again", "--corrections", str(tmp_path / "here"), "--json") == 0
    assert everything(tmp_path / "again") == everything(tmp_path / "set")
    assert json.loads(capsys.readouterr().out)["corrections"]["answers"]["train"]


def test_no_corrections_are_no_fault(tmp_path: Path, archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "corrections").mkdir()
    assert run(archive, tmp_path / "set", "--corrections", str(tmp_path / "corrections")) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "corrections: 0 of 0 taken"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (
            ["--corrections", "no-such-folder"],
            "--corrections must be a folder or s3://bucket/prefix/, got no-such-folder",
        ),
        (["--corrections", "s3://photos"], "--corrections must be a folder or s3://bucket/prefix/, got s3://photos"),
        (["--corrections", "s3:///corrections/"], "must be a folder or s3://bucket/prefix/, got s3:///corrections/"),
        (["--corrections", "s3://no-such/corrections/"], "NoSuchBucket"),
        (["--corrections"], "--corrections needs a PLACE, or the stack's outputs with --outputs FILE"),
        (["--outputs", "o.json"], "--outputs says where --corrections without a PLACE are"),
    ],
)
def test_places_that_cannot_be_are_refused_before_anything_is_written(
    bucket: Any, tmp_path: Path, archive: Path, capsys: pytest.CaptureFixture[str], words: list[str], reason: str
) -> None:
    assert run(archive, tmp_path / "set", *words) == 2
    printed = capsys.readouterr()
    assert reason in printed.err and printed.err.count("\n") == 1 and not (tmp_path / "set").exists()
