import re

import pytest

from training.job.naming import training_job_name

INPUTS = {
    "dataset": "a" * 64,
    "image_uri": "registry/image:1",
    "hyperparameters": {"epochs": "40", "num_classes": "2"},
    "instance_type": "ml.g4dn.xlarge",
    "spot": True,
    "attempt": 1,
}
CHANGES = {
    "dataset": "b" * 64,
    "image_uri": "registry/image:2",
    "hyperparameters": {"epochs": "41", "num_classes": "2"},
    "instance_type": "ml.g5.xlarge",
    "spot": False,
    "attempt": 2,
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
