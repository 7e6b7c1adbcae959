"""`python -m training synthesize` and `prepare` as a person at a terminal meets them."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import boto3
import pytest

from tests.training.builders import build_archive, build_dataset, meta, pack, part, rows
from training import cli as command
from training.commands import prepare
from training.dataset import download
from training.dataset.archive import ArchiveError
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


# kinds of trouble that every command meets


COMMANDS = ("synthesize", "prepare", "watch", "evaluate")
HEAVY = ("numpy", "scipy", "matplotlib", "boto3", "botocore", "PIL", "rich", "jinja2", "yaml")


@pytest.mark.parametrize("words", [[], *([name] for name in COMMANDS)])
def test_help_needs_nothing_heavy(words: list[str]) -> None:
    program = f"""
import sys
from training.cli import main
try:
    main([*{words!r}, "--help"])
finally:
    print(sorted({{name.partition(".")[0] for name in sys.modules}} & set({HEAVY!r})), file=sys.stderr)
"""
    shown = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert "usage: " in shown.stdout and shown.stderr == "[]\n"


def test_usage_names_the_command_so_that_it_can_be_pasted() -> None:
    words = [sys.executable, "-m", "training", "watch", "--nonsense"]
    said = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, check=False).stderr
    pasted = said.splitlines()[0].removeprefix("usage: ").partition(" watch")[0].partition(" [-h]")[0].split()
    shown = subprocess.run([*pasted, "watch", "--help"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert "JOB" in shown.stdout


@pytest.mark.parametrize("words", [["watch", "job"], ["evaluate", "--endpoint", "nope"]])
@pytest.mark.parametrize(
    ("without", "said"),
    [("AWS_DEFAULT_REGION", "which region? set AWS_DEFAULT_REGION"), ("AWS_SECRET_ACCESS_KEY", "no AWS credentials")],
)
def test_without_a_region_or_credentials_the_command_says_what_to_set(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], without: str,
    said: str,
) -> None:  # fmt: skip
    build_dataset(here / "build/dataset", train_per_class=20)
    for name in ("AWS_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL", "SCONES_OUTPUTS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_CONFIG_FILE", str(here / "none")),
        ("AWS_SHARED_CREDENTIALS_FILE", str(here / "none")),
    ):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    monkeypatch.delenv(without)
    if without == "AWS_SECRET_ACCESS_KEY":
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    assert run(*words) == 2
    printed = capsys.readouterr().err
    assert said in printed and printed.count("\n") == 1 and "localcloud run --" in printed


@pytest.mark.parametrize("words", [["watch"], ["evaluate"], ["evaluate", "--upload-baseline", "--predictions", "x"]])
def test_a_command_without_a_stack_says_how_to_be_told_one(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    build_dataset(here / "build/dataset", train_per_class=20)
    monkeypatch.delenv("SCONES_OUTPUTS", raising=False)
    assert run(*words) == 2
    printed = capsys.readouterr().err
    assert "--outputs FILE or $SCONES_OUTPUTS" in printed
    assert f"-m localcloud run -- python -m training {words[0]}" in printed


def test_without_the_archive_it_says_how_to_draw_one(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("prepare", "--archive", "none.tar.gz", "--classes", "bicycle", "bus") == 2
    printed = capsys.readouterr().err
    assert printed.startswith("error: there is no archive none.tar.gz; to draw one: ")
    words = printed.strip().partition("to draw one: ")[2].split()
    assert words[1:] == ["-m", "training", "synthesize", "--output", "none.tar.gz"]


def test_a_download_that_fails_says_that_an_archive_can_be_drawn(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(target: Path, progress: object) -> Path:
        raise ArchiveError("no answer")

    monkeypatch.setattr(download, "download", refuse)
    assert run("prepare", "--classes", "bicycle", "bus") == 2
    assert "no answer; or draw one (" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"text", b"\x1f\x8b damaged"])
def test_a_foreign_archive_is_one_line(here: Path, capsys: pytest.CaptureFixture[str], content: bytes) -> None:
    (here / "foreign.tar.gz").write_bytes(content)
    assert run("prepare", "--archive", "foreign.tar.gz", "--classes", "bicycle", "bus") == 2
    printed = capsys.readouterr().err
    assert printed.startswith("error: foreign.tar.gz is not a CIFAR-100 python archive") and printed.count("\n") == 1


def test_an_empty_folder_is_not_an_archive(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "empty").mkdir()
    assert run("prepare", "--archive", "empty", "--classes", "bicycle", "bus") == 2
    assert capsys.readouterr().err.startswith("error: there is no file empty/meta")


def test_a_preview_is_written_beside_the_dataset(here: Path, archive: str) -> None:
    words = ("--archive", archive, "--classes", "bicycle", "poppy", "--preview")
    assert run("prepare", *words, "grid.png") == 0
    assert (here / "grid.png").read_bytes().startswith(b"\x89PNG")


def test_a_preview_of_another_format_is_refused_before_anything_is_written(
    here: Path, archive: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("prepare", "--archive", archive, "--classes", "bicycle", "poppy", "--preview", "grid.jpg") == 2
    assert "--preview must be the name of a .png file, got grid.jpg" in capsys.readouterr().err
    assert not (here / "build").exists()


def test_an_interrupt_during_the_imports_is_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("import time\nprint('importing', flush=True)\ntime.sleep(60)\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "training", "synthesize"],
        cwd=REPOSITORY,
        env={"PYTHONPATH": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.stdout is not None and process.stdout.readline() == b"importing\n"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert (process.returncode, said) == (130, b"interrupted\n")


def test_a_reader_that_leaves_early_is_no_error(here: Path, archive: str) -> None:
    words = [sys.executable, "-m", "training", "prepare", "--archive", archive, "--classes", "bicycle", "poppy"]
    process = subprocess.Popen(
        [*words, "--output", str(here / "set"), "--json", "--no-neither"],
        cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert (process.wait(timeout=60), process.stderr.read()) == (0, b"")
    process.stderr.close()
