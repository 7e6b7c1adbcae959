"""`python -m training synthesize` and `prepare` as a person at a terminal meets them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.training.builders import build_archive, meta, pack, part, rows
from training import __main__ as command
from training.dataset import download, prepare
from training.dataset.labels import stack_classes
from training.dataset.manifest import read_manifest

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def archive(here: Path) -> str:
    return str(build_archive(here / "a.tar.gz", ("bicycle", "motorcycle", "poppy"), 6, 2))


def run(*words: str) -> int:
    return command.main(list(words))


def test_synthesize_then_prepare_makes_a_dataset(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("synthesize", "--train-per-class", "6", "--test-per-class", "2", "--others-per-kind", "0") == 0
    assert (
        run("prepare", "--archive", "build/cifar-100-like.tar.gz", "--classes", "bicycle", "motorcycle", "--no-neither")
        == 0
    )
    manifest = read_manifest(here / "build/dataset")
    assert capsys.readouterr().out.splitlines() == [
        "build/cifar-100-like.tar.gz: 6 + 2 pictures each of bicycle, motorcycle; 0 + 0 each of 45 other kinds",
        f"build/dataset: bicycle, motorcycle: 10 train, 2 validation, 4 test images; identity {manifest.identity[:12]}",
    ]


def test_the_class_neither_is_drawn_from_the_other_kinds_and_said(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--train-per-class", "40", "--test-per-class", "2", "--others-per-kind", "2")
    assert run("synthesize", *words) == 0
    assert run("prepare", "--archive", "build/cifar-100-like.tar.gz", "--classes", "bicycle", "bus", "--neither") == 0
    assert read_manifest(here / "build/dataset").classes == ("bicycle", "bus", "neither")
    printed = capsys.readouterr().out
    assert "held-out strangers of" in printed and "kinds unseen in training: " in printed


@pytest.mark.parametrize(("text", "on"), [("true", True), ("false", False), ("'true'", True)])
def test_a_stack_says_whether_there_is_a_neither(here: Path, text: str, on: bool) -> None:
    configure(here, f"config:\n  scones:neitherClass: {text}\n")
    assert run("synthesize", "--train-per-class", "40", "--test-per-class", "2", "--others-per-kind", "1") == 0
    assert run("prepare", "--archive", "build/cifar-100-like.tar.gz", "--stack", "dev", "--output", "set") == 0
    assert ("neither" in read_manifest(here / "set").classes) is on


def test_a_stack_that_says_perhaps_is_refused(here: Path, archive: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure(here, "config:\n  scones:neitherClass: perhaps\n")
    assert run("prepare", "--archive", archive, "--stack", "dev", "--output", "set") == 2
    assert "scones:neitherClass must be true or false, got 'perhaps'" in capsys.readouterr().err


def test_json_is_the_manifest_and_nothing_else(here: Path, archive: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("prepare", "--archive", archive, "--classes", "poppy", "bicycle", "--output", "set", "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((here / "set/manifest.json").read_text())
    assert printed["classes"] == ["poppy", "bicycle"]


def test_the_format_and_the_share_are_options(here: Path, archive: str) -> None:
    words = ("--classes", "bicycle", "motorcycle", "--format", "image", "--validation", "0.5", "--output", "set")
    assert run("prepare", "--archive", archive, *words) == 0
    manifest = read_manifest(here / "set")
    assert manifest.format == "image" and manifest.images("validation") == 6


def test_duplicates_are_reported_on_the_screen(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train, test = rows(10, 1), rows(4, 2)
    train[2], train[5] = train[0], test[1]
    test[3] = test[2]
    pack(here / "b.tar.gz", meta=meta("x", "y"), train=part(train, [0, 1] * 5), test=part(test, [0, 1] * 2))
    assert run("prepare", "--archive", "b.tar.gz", "--classes", "x", "y") == 0
    assert capsys.readouterr().out.splitlines()[1] == (
        "duplicates: 1 removed from train because in test, 1 removed from train because repeated, 1 repeated in test"
    )


# the classes of a stack


def configure(folder: Path, stack: str | None) -> None:
    (folder / "Pulumi.yaml").write_text("name: scones\nconfig: {classes: {default: [motorcycle, bicycle]}}\n")
    if stack is not None:
        (folder / "Pulumi.dev.yaml").write_text(stack)


def test_a_stack_s_own_classes_are_taken(here: Path, archive: str) -> None:
    configure(here, "config:\n  scones:classes: [poppy, motorcycle, bicycle]\n")
    assert run("prepare", "--archive", archive, "--stack", "dev", "--output", "set") == 0
    assert read_manifest(here / "set").classes == ("poppy", "motorcycle", "bicycle")


@pytest.mark.parametrize("text", ["config:\n  scones:capturePercentage: 100\n", "config: {}\n", ""])
def test_a_stack_without_classes_has_the_project_s(here: Path, text: str) -> None:
    configure(here, text)
    assert stack_classes("dev") == ["motorcycle", "bicycle"]


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_repository_s_own_stacks_have_the_two_vehicles(stack: str) -> None:
    assert stack_classes(stack, REPOSITORY) == ["bicycle", "motorcycle"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "error: there is no stack 'dev': the stacks are none here"),
        ("config: {scones:classes: bicycle}", "error: Pulumi.dev.yaml:1: scones:classes must be a list of names"),
        ("config: {scones:classes: [1, 2]}", "error: Pulumi.dev.yaml:1: scones:classes must be a list of names"),
        ("config: [", "error: Pulumi.dev.yaml:1: not YAML"),
    ],
)
def test_a_stack_without_a_list_of_names_is_the_user_s_mistake(
    here: Path, archive: str, capsys: pytest.CaptureFixture[str], text: str | None, reason: str
) -> None:
    configure(here, text)
    assert run("prepare", "--archive", archive, "--stack", "dev") == 2
    assert capsys.readouterr().err.startswith(reason)


def test_a_mistyped_stack_is_told_which_there_are(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure(here, "config: {}")
    assert run("prepare", "--stack", "prod") == 2
    assert capsys.readouterr().err == "error: there is no stack 'prod': the stacks are dev\n"


def test_classes_and_a_stack_at_once_are_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        run("prepare", "--classes", "a", "b", "--stack", "dev")
    assert stopped.value.code == 2 and "not allowed with" in capsys.readouterr().err


def test_neither_classes_nor_a_stack_is_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        run("prepare")
    assert stopped.value.code == 2 and "--classes --stack" in capsys.readouterr().err


# mistakes


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--classes", "bicycle", "motorcycl"), "no class 'motorcycl': did you mean motorcycle"),
        (("--classes", "bicycle", "poppy", "--validation", "2"), "validation must be a share above 0 and below 1"),
        (("--classes", "bicycle", "poppy", "--output", "."), "exists and is not a dataset"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    here: Path, archive: str, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], reason: str
) -> None:
    assert run("prepare", "--archive", archive, *words) == 2
    printed = capsys.readouterr()
    assert reason in printed.err and printed.err.startswith("error: ") and printed.err.count("\n") == 1
    assert printed.out == ""


def test_a_folder_that_cannot_be_made_is_one_line_too(
    here: Path, archive: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "file").write_text("")
    assert run("prepare", "--archive", archive, "--classes", "bicycle", "poppy", "--output", "file/set") == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("number", ["0", "-1", "many"])
def test_a_count_of_pictures_is_at_least_one(here: Path, capsys: pytest.CaptureFixture[str], number: str) -> None:
    with pytest.raises(SystemExit):
        run("synthesize", "--train-per-class", number)
    assert "--train-per-class" in capsys.readouterr().err


def test_without_an_archive_the_authors_is_downloaded_once(
    here: Path, archive: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Path] = []

    def fetch(target: Path, progress: object) -> Path:
        asked.append(target)
        return Path(archive)

    monkeypatch.setattr(download, "download", fetch)
    assert run("prepare", "--classes", "bicycle", "poppy") == 0
    assert asked == [prepare.DOWNLOADED]


@pytest.mark.parametrize("name", ["prepare", "synthesize"])
def test_help_says_what_every_option_does(name: str) -> None:
    words = [sys.executable, "-m", "training", name, "--help"]
    shown = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    assert "--classes" in shown and "--output" in shown and "--seed" in shown
