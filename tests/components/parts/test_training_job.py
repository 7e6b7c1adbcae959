import re

import pytest

from components.parts.training_job import training_job_name
from components.training_endpoint import hosting

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


REALTIME = {"instance_type": "ml.m5.large", "min_instances": 1, "max_instances": 2}
SERVERLESS = {"memory_mb": 2048, "max_concurrency": 5}


@pytest.mark.parametrize("given", [{"realtime": REALTIME}, {"serverless": SERVERLESS}])
def test_one_way_of_hosting_is_given_and_the_other_is_none(given):
    realtime, serverless = hosting(given)
    assert (realtime or serverless) in given.values() and None in (realtime, serverless)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({}, "exactly one of realtime and serverless must be given, got none"),
        ({"realtime": None, "serverless": None}, "got none"),
        ({"realtime": REALTIME, "serverless": SERVERLESS}, "got both"),
        ({"realtime": REALTIME | {"min_instances": 0}}, "realtime.min_instances must be 1 or more, got 0"),
        (
            {"realtime": REALTIME | {"min_instances": 3, "capture_percentage": 101}},
            "realtime.max_instances must be min_instances (3) or more, got 2; "
            "realtime.capture_percentage must be from 0 to 100, got 101",
        ),
    ],
)
def test_hosting_that_cannot_be_is_refused_when_the_component_is_built(args, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        hosting(args)
