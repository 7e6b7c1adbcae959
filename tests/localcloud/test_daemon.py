"""The process behind the cloud: killed, interrupted or ended, it takes everything along."""

import json
import os
import signal
import subprocess
import sys

import pytest

from contract.errors import UserError
from localcloud.archives import zipped
from localcloud.cloud import Cloud
from localcloud.daemon import LOG, STATE, State, last_words, process_began, read_state, start_daemon, stop_daemon
from localcloud.deployment import Listener, connect, deploy, shut_down, stacks_up
from localcloud.graph import graph
from localcloud.lock import at_work
from localcloud.state import FILE
from tests.localcloud.local_stack import REPOSITORY
from tests.localcloud.processes import alive, command, eventually, family

ASSUME = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}


@pytest.fixture
def folder(tmp_path):
    yield tmp_path / ".localcloud"
    stop_daemon(tmp_path / ".localcloud")


def run_a_function(state):
    """So that there is a process of a process of a process."""
    cloud = Cloud(REPOSITORY, "dev", "us-east-1", state.aws_url, state.sagemaker_url)
    trust = json.dumps({"Version": "2012-10-17", "Statement": [ASSUME]})
    role = cloud.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    code = zipped({"f.py": b"def handler(event, context):\n    return event\n"})
    client = cloud.client("lambda")
    client.create_function(
        FunctionName="f", Runtime="python3.13", Handler="f.handler", Role=role, Code={"ZipFile": code}
    )
    assert client.invoke(FunctionName="f", Payload=b'"hello"')["Payload"].read() == b'"hello"'


def test_a_killed_daemon_leaves_nothing_at_the_next_start(folder):
    state = start_daemon(folder, "us-east-1")
    run_a_function(state)
    pids = family(state.pid)
    assert any("awslambdaric" in command(pid) for pid in pids)
    for pid in pids - {state.pid}:
        # a process that would not end by itself for some time, as one in the middle of a request
        os.kill(pid, signal.SIGSTOP)
    os.kill(state.pid, signal.SIGKILL)
    assert alive(pids)
    again = start_daemon(folder, "us-east-1")
    assert again.pid != state.pid
    left = [] if eventually(lambda: not alive(pids), 3) else [(pid, command(pid)) for pid in alive(pids)]
    for pid, _ in left:
        os.kill(pid, signal.SIGKILL)
    assert not left


def test_an_ended_daemon_takes_its_functions_along(folder):
    state = start_daemon(folder, "us-east-1")
    run_a_function(state)
    pids = family(state.pid)
    assert stop_daemon(folder) and not folder.exists()
    assert eventually(lambda: not alive(pids)), [command(pid) for pid in alive(pids)]
    assert not stop_daemon(folder)


def test_the_state_of_a_process_that_is_gone_is_no_state(folder):
    gone = subprocess.Popen(["true"])
    gone.wait()
    folder.mkdir()
    (folder / STATE).write_text(json.dumps({"pid": gone.pid, "began": "1", "aws_url": "", "sagemaker_url": ""}))
    assert read_state(folder) is None and not folder.exists()


def test_another_process_with_the_same_id_is_not_the_daemon(folder):
    folder.mkdir()
    (folder / STATE).write_text(json.dumps({"pid": os.getpid(), "began": "1", "aws_url": "", "sagemaker_url": ""}))
    assert not stop_daemon(folder)
    began = process_began(os.getpid())
    assert began and began != "1"
    folder.mkdir()
    (folder / STATE).write_text(json.dumps({"pid": os.getpid(), "began": began, "aws_url": "", "sagemaker_url": ""}))
    assert read_state(folder) == State(os.getpid(), began, "", "")
    (folder / STATE).unlink()


def test_a_daemon_that_died_says_so_and_its_log_is_kept(folder):
    state = start_daemon(folder, "us-east-1")
    os.kill(state.pid, signal.SIGKILL)
    assert eventually(lambda: read_state(folder) is None)
    assert str(folder / LOG) in last_words(folder)
    with pytest.raises(UserError, match="the emulators have ended by themselves, and what they held is lost"):
        stacks_up(folder.parent)
    stop_daemon(folder)
    assert last_words(folder) == ""


LONG = {"hyperparameters": '{"epochs": 1000, "early_stopping": false}'}
"""A training that is not over before it is interrupted."""


@pytest.mark.long
def test_an_up_interrupted_during_the_training_stays_where_it_is_and_the_next_goes_on_with_the_same_job(root):
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    up = subprocess.Popen(
        [sys.executable, "-m", "localcloud", "up", *(f"--config={key}={value}" for key, value in LONG.items())],
        cwd=root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        # a runner in the background of a shell ignores it, and so would what it starts
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        held = root / ".localcloud/stacks/dev" / FILE
        # the model's hook follows the training job
        told = []
        for line in up.stdout:
            told.append(line)
            if b": epoch " in line:
                break
        assert b": epoch " in told[-1], told
        os.killpg(up.pid, signal.SIGINT)
        said, _ = up.communicate(timeout=40)
        # two streams in one pipe: lines of the training that were on their way may come after the word
        assert up.returncode == 130 and b"interrupted" in said and b"Traceback" not in said, said.decode()
        before = read_state(root / ".localcloud")
        resources = json.loads(held.read_text())["resources"]
        there = {each["id"] for each in resources}
        kinds = [each["type"].rpartition(":")[2] for each in resources]
        assert "TrainingJob" in kinds and "Model" not in kinds
        lines = []
        deployment = deploy(root, "dev", LONG, Listener(say=lines.append))
        registered = sum(entry["custom"] for entry in graph(root, "dev"))
        assert sum(deployment.resources.values()) == registered and read_state(root / ".localcloud") == before
        assert f"{registered - len(resources)} to create" in lines[0], lines[0]
        assert there <= {each["id"] for each in json.loads(held.read_text())["resources"]}
        cloud, _ = connect(root)
        jobs = cloud.client("sagemaker").list_training_jobs()["TrainingJobSummaries"]
        assert [job["TrainingJobStatus"] for job in jobs] == ["Completed"]
        pids = family(before.pid)
        assert len(pids) >= 2
        assert shut_down(root)
        assert eventually(lambda: not alive(pids)), [command(pid) for pid in alive(pids)]
        assert not (root / ".localcloud").exists()
        with pytest.raises(UserError, match="nothing is up"):
            connect(root)
    finally:
        up.kill()
        stop_daemon(root / ".localcloud")


def test_who_comes_second_waits_and_says_for_whom(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from localcloud.lock import at_work\n"
        "with at_work(Path(sys.argv[1]), 'up --stack prod', print):\n"
        "    print('working', flush=True); sys.stdin.read()"
    )
    first = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert first.stdout.readline() == b"working\n"
    said = []

    def let_go(line):
        said.append(line)
        first.communicate()

    with at_work(tmp_path, "down", let_go):
        assert first.returncode == 0
    assert len(said) == 1 and said[0].startswith(f"`up --stack prod` (process {first.pid}, since ")
