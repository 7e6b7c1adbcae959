"""What waits for a training job: it follows, it says what to do, and an interruption loses nothing."""

import asyncio

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from components.parts.training_wait import (
    LAST_LINES,
    LONGEST_INTERVAL,
    SHORTEST_INTERVAL,
    TrainingNotCompletedError,
    require_unused,
    wait_until_completed,
)

JOB = "scones-dev-0123456789ab"


def refusal(code):
    return ClientError({"Error": {"Code": code, "Message": "said so"}}, "Operation")


class SageMaker:
    """One job whose record is another at each look; the last one stays."""

    def __init__(self, *records):
        self.records, self.looks = list(records), 0

    def describe_training_job(self, TrainingJobName):
        assert TrainingJobName == JOB
        record = self.records[min(self.looks, len(self.records) - 1)]
        self.looks += 1
        if isinstance(record, Exception):
            raise record
        status, stage, *reason = record
        return {
            "TrainingJobStatus": status,
            "SecondaryStatus": stage,
            "ResourceConfig": {},
            "HyperParameters": {"epochs": "2"},
            **({"FailureReason": reason[0]} if reason else {}),
        }


class Logs:
    """A log that has gained these lines at each look."""

    class exceptions:
        class ResourceNotFoundException(Exception):
            pass

    def __init__(self, *pages):
        self.pages, self.given = list(pages), 0

    def get_paginator(self, operation):
        assert operation == "describe_log_streams"
        return self

    def paginate(self, **asked):
        if self.pages and isinstance(self.pages[0], Exception):
            raise self.pages[0]
        return [{"logStreams": [{"logStreamName": f"{JOB}/algo-1"}]}]

    def get_log_events(self, nextToken=None, **asked):
        lines = self.pages.pop(0) if self.pages else []
        self.given += bool(lines)
        return {"events": [{"message": line} for line in lines], "nextForwardToken": str(self.given)}


def complete(coroutine):
    """Run to the end, in a loop that nobody else is left with."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(coroutine)
    finally:
        loop.close()


class Clock:
    def __init__(self):
        self.now, self.pauses = 0.0, []

    async def sleep(self, seconds):
        self.pauses.append(seconds)
        self.now += seconds


def wait(sagemaker, logs=None, *, limit=7200.0, said=None, clock=None):
    clock = clock or Clock()
    said = [] if said is None else said
    complete(
        wait_until_completed(
            JOB, sagemaker, logs or Logs(), attempt=1, limit_seconds=limit, say=said.append, sleep=clock.sleep,
            clock=lambda: clock.now,
        )
    )  # fmt: skip
    return said


RUNNING, COMPLETED = ("InProgress", "Training"), ("Completed", "Completed")


def test_a_job_that_is_completed_is_waited_for_no_more():
    clock = Clock()
    wait(SageMaker(COMPLETED), clock=clock)
    assert clock.pauses == []


def test_a_running_job_is_followed_with_its_stages_epochs_accuracy_and_time():
    logs = Logs(
        ["Epoch[0] Train-accuracy=0.7", "Epoch[0] Validation-accuracy=0.8"],
        [],
        ["Epoch[1] Train-accuracy=0.9", "Epoch[1] Validation-accuracy=0.75"],
    )
    said = wait(SageMaker(("InProgress", "Starting"), RUNNING, COMPLETED), logs)
    assert said == [
        f"training job {JOB}: epoch 1/2: train 0.700, validation 0.800 (0 s)",
        f"training job {JOB}: Starting (0 s)",
        f"training job {JOB}: epoch 2/2: train 0.900, validation 0.750 (0 s)",
        f"training job {JOB}: Training (0 s)",
        f"training job {JOB}: Completed (1 s)",
        f"training job {JOB} completed, best validation accuracy 0.800 in epoch 1",
    ]


def test_looks_are_close_at_first_and_never_further_apart_than_the_longest_interval():
    clock = Clock()
    wait(SageMaker(*[RUNNING] * 400, COMPLETED), clock=clock)
    assert clock.pauses[0] == SHORTEST_INTERVAL and clock.pauses == sorted(clock.pauses)
    assert max(clock.pauses) == LONGEST_INTERVAL


def test_a_long_silence_is_broken_so_that_nobody_takes_it_for_a_hang():
    said = wait(SageMaker(*[RUNNING] * 60, COMPLETED))
    assert 3 <= len([line for line in said if ": Training (" in line]) <= 10


def test_the_wait_has_a_limit_of_its_own_and_leaves_the_job_alone():
    clock = Clock()
    with pytest.raises(
        TrainingNotCompletedError, match=r"still InProgress \(Training\) after 10 min 00 s.*`pulumi up`"
    ):
        wait(SageMaker(RUNNING), limit=600, clock=clock)
    assert clock.now == 600


def test_a_failed_job_is_told_with_its_reason_its_last_lines_and_what_to_do():
    logs = Logs([f"line {number}" for number in range(30)], ["CUDA out of memory"])
    with pytest.raises(TrainingNotCompletedError) as caught:
        wait(SageMaker(RUNNING, ("Failed", "Failed", "AlgorithmError: exit code 1")), logs)
    text = str(caught.value)
    assert "got Failed (AlgorithmError: exit code 1)" in text
    assert "CUDA out of memory" in text and "line 29" in text and "line 20\n" not in text
    assert text.count("\n    ") == LAST_LINES
    assert "`pulumi config set scones:trainingAttempt 2`, then `pulumi up`" in text
    assert "trainingMaxMinutes" not in text


def test_a_job_that_ran_out_of_time_names_the_setting_too():
    with pytest.raises(TrainingNotCompletedError, match=r"MaxRuntimeExceeded(.|\n)*scones:trainingMaxMinutes too"):
        wait(SageMaker(("Stopped", "MaxRuntimeExceeded")))


def test_a_log_that_can_not_be_read_is_told_once_and_the_job_is_waited_for_all_the_same():
    said = wait(SageMaker(RUNNING, RUNNING, COMPLETED), Logs(refusal("AccessDeniedException")))
    assert len([line for line in said if "can't be read" in line]) == 1
    assert said[-1] == f"training job {JOB} completed"


@pytest.mark.parametrize("fault", [refusal("ExpiredTokenException"), EndpointConnectionError(endpoint_url="x")])
def test_a_sagemaker_that_does_not_answer_ends_the_wait_and_says_how_it_goes_on(fault):
    with pytest.raises(TrainingNotCompletedError, match=r"can't be followed: .*run `pulumi up` again"):
        wait(SageMaker(RUNNING, fault))


def test_a_wait_that_was_interrupted_is_taken_up_by_the_next_one():
    sagemaker, said = SageMaker(RUNNING, RUNNING, RUNNING, COMPLETED), []

    async def interrupted():
        waiting = asyncio.create_task(
            wait_until_completed(JOB, sagemaker, Logs(), attempt=1, limit_seconds=9, say=said.append)
        )
        while not said:
            await asyncio.sleep(0)
        waiting.cancel()
        await waiting

    with pytest.raises(asyncio.CancelledError):
        complete(interrupted())
    looks = sagemaker.looks
    assert wait(sagemaker)[-1] == f"training job {JOB} completed"
    assert looks < sagemaker.looks


def test_a_name_that_no_job_has_may_be_used():
    require_unused(JOB, SageMaker(refusal("ValidationException")), attempt=1)


def test_whoever_may_not_look_is_not_kept_from_creating():
    require_unused(JOB, SageMaker(refusal("AccessDeniedException")), attempt=1)


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (("Failed", "Failed", "CapacityError"), r"as Failed \(CapacityError\), and is not in this stack's state"),
        (COMPLETED, "as Completed, and is not"),
        (RUNNING, f"`aws sagemaker stop-training-job --training-job-name {JOB}` stops it"),
    ],
)
def test_a_used_name_is_refused_with_the_command_that_helps(record, said):
    with pytest.raises(TrainingNotCompletedError, match=said) as caught:
        require_unused(JOB, SageMaker(record), attempt=4)
    assert "`pulumi config set scones:trainingAttempt 5`" in str(caught.value)
