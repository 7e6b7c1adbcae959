import re

import pytest

from components.parts.training_job import TrainingNotCompletedError, require_completed, training_job_name
from components.training_endpoint import Realtime, Serverless, hosting

INPUTS = {
    "dataset": "a" * 64,
    "image_uri": "registry/image:1",
    "hyperparameters": {"epochs": "40", "num_classes": "2"},
    "instance_type": "ml.g4dn.xlarge",
    "spot": True,
}
CHANGES = {
    "dataset": "b" * 64,
    "image_uri": "registry/image:2",
    "hyperparameters": {"epochs": "41", "num_classes": "2"},
    "instance_type": "ml.g5.xlarge",
    "spot": False,
}


def test_the_same_inputs_give_the_same_name_in_whatever_order():
    turned = INPUTS | {"hyperparameters": {"num_classes": "2", "epochs": "40"}}
    assert training_job_name("scones-dev", **INPUTS) == training_job_name("scones-dev", **turned)


@pytest.mark.parametrize("key", CHANGES)
def test_any_input_that_changes_changes_the_name(key):
    changed = INPUTS | {key: CHANGES[key]}
    assert training_job_name("scones-dev", **INPUTS) != training_job_name("scones-dev", **changed)


@pytest.mark.parametrize("prefix", ["scones-dev", "a" * 80, "scones_my.stack", "x" * 49 + "--y"])
def test_a_name_is_one_that_sagemaker_takes(prefix):
    name = training_job_name(prefix, **INPUTS)
    assert len(name) <= 63 and re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", name)


def test_a_completed_job_may_be_served():
    require_completed("job", lambda name: {"TrainingJobStatus": "Completed"})


@pytest.mark.parametrize("status", ["Stopped", "Failed", "InProgress", None])
def test_a_job_that_did_not_complete_is_refused_with_its_reason(status):
    job = {"TrainingJobStatus": status, "SecondaryStatus": "MaxRuntimeExceeded"}
    with pytest.raises(TrainingNotCompletedError, match=r"MaxRuntimeExceeded.*trainingMaxMinutes"):
        require_completed("job", lambda name: job)


REALTIME = {"mode": "realtime", "instance_type": "ml.m5.large", "min_instances": 1, "max_instances": 2}
SERVERLESS = {"mode": "serverless", "memory_mb": 2048, "max_concurrency": 5}


def test_each_mode_takes_its_own_arguments():
    assert isinstance(hosting(REALTIME), Realtime) and isinstance(hosting(SERVERLESS), Serverless)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (SERVERLESS | {"capture_percentage": 100}, "must not be given capture_percentage"),
        (SERVERLESS | {"instance_type": "ml.m5.large"}, "must not be given instance_type"),
        (REALTIME | {"memory_mb": 2048}, "must not be given memory_mb"),
        ({"mode": "serverless"}, "must be given memory_mb, max_concurrency"),
        ({"mode": "batch"}, "realtime or serverless"),
    ],
)
def test_arguments_of_the_other_mode_are_refused(args, said):
    with pytest.raises(ValueError, match=said):
        hosting(args)
