"""`python -m operations` as a new user calls it: by mistake, in a pipe, without a region, with Ctrl-C."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from contract.retraining import RetrainingPlan
from operations.cli import COMMANDS, main
from tests.operations.builders import MACHINE, some_records, write_captures

ROOT = Path(__file__).resolve().parents[2]
SLOW = {"numpy", "matplotlib", "scipy", "boto3", "botocore", "rich", "jinja2", "PIL", "orjson"}
OUTPUTS = {
    "captureUri": "s3://photos/capture/",
    "stateMachineArn": MACHINE,
    "decisionsTable": "decisions",
    "confidenceThreshold": 0.8,
    "bucket": "photos",
    "reviewQueueUrl": "http://127.0.0.1:9/123456789012/review",
    "batchStateMachineArn": MACHINE,
    "modelPackageGroup": "scones-dev",
    "trainingJobName": "scones-dev-1a2b",
    "deadLetterQueueUrl": "http://127.0.0.1:9/123456789012/dead-letters",
    "endpointName": "scones-dev",
    "modelArtifact": "s3://photos/models/scones-dev-1a2b/output/model.tar.gz",
    "alertTopicArn": "arn:aws:sns:us-east-1:123456789012:alerts",
    "labels": ["bicycle", "motorcycle", "neither"],
    "imageSize": 32,
    "targetRiskPercent": 2,
    "retraining": {each.name: "1" for each in dataclasses.fields(RetrainingPlan)},
}
NEEDED = {"batch": ["batch/"], "forget": ["incoming/a.png"], "restore": ["scones-restored"]}
"""What commands can't do without, beside a stack."""


def environment(**changes):
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SCONES_"))}
    files = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return bare | files | {"AWS_EC2_METADATA_DISABLED": "true", "PYTHONPATH": str(ROOT)} | changes


def run(*words, cwd, **changes):
    command = [sys.executable, "-m", "operations", *words]
    return subprocess.run(command, cwd=cwd, env=environment(**changes), capture_output=True, text=True, check=False)


@pytest.fixture
def stack(tmp_path):
    (tmp_path / "outputs.json").write_text(json.dumps(OUTPUTS))
    return tmp_path


def test_help_lists_every_command(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    out = capsys.readouterr().out
    assert all(name in out and text in out for name, (_, text) in COMMANDS.items())


@pytest.mark.parametrize("words", [[], *([name] for name in COMMANDS)], ids=lambda words: " ".join(words) or "all")
def test_help_imports_none_of_the_libraries_that_the_work_needs(words):
    program = (
        "import sys; from operations.cli import main\n"
        f"try: main({[*words, '--help']!r})\n"
        "except SystemExit: pass\n"
        f"print(*({SLOW!r} & {{*sys.modules}}), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "usage: python -m operations" in done.stdout
    assert done.stderr.strip() == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["reprot"], "invalid choice: 'reprot' (choose from "),
        (["report", "--threshold", "high"], "argument --threshold: invalid float value: 'high'"),
        (["watch", "--interval", "soon"], "argument --interval: invalid float value: 'soon'"),
    ],
)
def test_a_mistyped_command_or_option_is_named(words, message, capsys):
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["watch", "--once"], "which stack? give --outputs FILE or set SCONES_OUTPUTS"),
        (["watch", "--outputs", "nothere.json"], "the outputs file nothere.json can't be read"),
        (["watch", "--outputs", "outputs.json", "--interval", "0"], "--interval must be between 0.1 and 3600 seconds"),
        (
            ["watch", "--outputs", "outputs.json", "--interval", "nan"],
            "--interval must be between 0.1 and 3600 seconds",
        ),
        (["watch", "--outputs", "empty.json"], "the outputs name no stateMachineArn and no decisionsTable"),
        (["report", "--outputs", "empty.json"], "where are the captures?"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(words, message, stack, monkeypatch, capsys):
    monkeypatch.delenv("SCONES_OUTPUTS", raising=False)
    monkeypatch.chdir(stack)
    (stack / "empty.json").write_text("{}")
    assert main(words) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: ") and message in err and len(err.splitlines()) == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_without_a_region_that_is_said(command, stack):
    done = run(command, *NEEDED.get(command, []), "--outputs", "outputs.json", cwd=stack)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: which region? set AWS_DEFAULT_REGION") and "Traceback" not in done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_without_credentials_that_is_said(command, stack):
    done = run(
        command, *NEEDED.get(command, []), "--outputs", "outputs.json", cwd=stack, AWS_DEFAULT_REGION="us-east-1"
    )
    assert (done.returncode, done.stdout.splitlines()[1:]) == (2, [])
    assert done.stderr.startswith("error: there are no AWS credentials") and "Traceback" not in done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_a_stack_that_is_down_can_t_be_reached(command, stack):
    keys = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "test")
    place = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_DEFAULT_REGION": "us-east-1", "AWS_MAX_ATTEMPTS": "1"}
    done = run(command, *NEEDED.get(command, []), "--outputs", "outputs.json", cwd=stack, **keys, **place)
    assert done.returncode == 2
    assert done.stderr.startswith("error: AWS can't be reached") and len(done.stderr.splitlines()) == 1


def test_a_reader_who_leaves_early_is_no_fault(tmp_path):
    captures = write_captures(tmp_path / "captures", some_records(30))
    command = f"{sys.executable} -m operations report --capture {captures} --threshold 0.8 --json | head -1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], cwd=tmp_path, env=environment(), capture_output=True, text=True
    )
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "{", "")


@pytest.mark.parametrize("after", [0.02, 0.1, 0.3])
def test_control_c_during_the_imports_leaves_no_traceback(after, tmp_path):
    captures = write_captures(tmp_path / "captures", some_records(2000))
    words = ["report", "--capture", str(captures), "--threshold", "0.8"]
    program = (
        "import runpy, signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell's background jobs ignore it
        # by the processor's time that it has used, so that it comes at the same place on a busy machine
        "signal.signal(signal.SIGPROF, lambda *_: signal.raise_signal(signal.SIGINT))\n"
        f"signal.setitimer(signal.ITIMER_PROF, {after})\n"
        f"sys.argv[1:] = {words!r}\n"
        "runpy.run_module('operations', run_name='__main__')"
    )
    child = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment(), capture_output=True, text=True
    )
    assert (child.returncode, child.stderr) == (130, "interrupted\n")
