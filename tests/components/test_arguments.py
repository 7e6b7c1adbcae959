"""A component's arguments are checked when it is built, before anything is registered."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.classification_workflow import ClassificationWorkflow
from components.classification_workflow import _check as check_workflow
from components.data_bucket import DataBucket
from components.model_register import ModelRegister
from components.observability import Observability
from components.observability import _check as check_observability
from components.parts import bounds
from components.parts.arguments import ArgumentError
from components.parts.hosting import check_hosting
from components.retraining import Retraining
from components.training_endpoint import TrainingEndpoint
from contract.limits import MEGA, MOST_IMAGE_MEGABYTES
from contract.thresholds import is_threshold
from tests.assertions import at_least_one

ACCOUNT = "123456789012"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
DECIDES = {
    "classes": ["bicycle", "motorcycle", "neither"],
    "loading_bays": {"bicycle": "Tor 1 – Fahrräder", "motorcycle": "bay 2"},
    "confidence_threshold": 0.8,
}
PLACE = {
    "bucket": "scones-dev-data",
    "bucket_arn": "arn:aws-cn:s3:::scones-dev-data",
    "endpoint_name": "scones-dev",
    "log_retention_days": 30,
}
WORKFLOW = {
    **PLACE,
    **DECIDES,
    "account_id": ACCOUNT,
    "endpoint_arn": f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint/scones-dev",
    "endpoint_configuration": "model-configuration-3f21a07",
    "model_name": "scones-dev-0123456789abcdef",
    "image_size": 224,
    "max_image_bytes": 20 * MEGA,
    "max_image_pixels": 50 * MEGA,
    "layer_path": "build/layer.zip",
    "decision_retention_days": 90,
}
OBSERVABILITY = {
    **PLACE,
    **DECIDES,
    "variant_name": "AllTraffic",
    "state_machine_arn": f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:scones-dev",
    "functions": {"serialize": "s", "classify": "c", "filter": "f"},
    "review_queue_name": "review",
    "dead_letter_queue_name": "dead-letters",
    "alert_topic_arn": f"arn:aws:sns:us-east-1:{ACCOUNT}:alerts",
    "layer_arn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:layer:scones:1",
    "review_rate_alarm_percent": 40,
}
RETRAINING = {
    "bucket": "scones-dev-data",
    "bucket_arn": "arn:aws-cn:s3:::scones-dev-data",
    "account_id": ACCOUNT,
    "region": "us-east-1",
    "event_bus_name": "workflow-decisions",
    "endpoint_arn": f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint/scones-dev",
    "alert_topic_arn": f"arn:aws:sns:us-east-1:{ACCOUNT}:alerts",
    "model_package_group_arn": f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:model-package-group/scones-dev",
    "training_role_arn": f"arn:aws:iam::{ACCOUNT}:role/model-role",
    "max_minutes": 60,
    "outputs": {},
    "log_retention_days": 30,
}
FINE: dict[str, dict[str, Any]] = {
    "DataBucket": {"capture_retention_days": 30},
    "ModelRegister": {
        "group_name": "scones-dev",
        "account_id": ACCOUNT,
        "region": "us-east-1",
        "log_retention_days": 30,
    },
    "Retraining": RETRAINING,
    "TrainingEndpoint": {
        **PLACE,
        "account_id": ACCOUNT,
        "region": "us-east-1",
        "image_uri": "image",
        "serverless": {"memory_mb": 2048, "max_concurrency": 5},
        "trained_job": "scones-dev-0123456789ab",
    },
    "ClassificationWorkflow": WORKFLOW,
    "Observability": OBSERVABILITY,
}
BUILD: dict[str, Callable[[str, Any], object]] = {
    "DataBucket": DataBucket,
    "ModelRegister": ModelRegister,
    "Retraining": Retraining,
    "TrainingEndpoint": TrainingEndpoint,
    "ClassificationWorkflow": ClassificationWorkflow,
    "Observability": Observability,
}
CHECK: dict[str, Callable[[str, Any], None]] = {
    "ClassificationWorkflow": check_workflow,
    "Observability": check_observability,
}
BOTH = list(CHECK)

WRONG: list[tuple[str, str, object, str]] = [
    ("DataBucket", "capture_retention_days", 0, "must be a whole number from 1 to 3650, got 0"),
    ("DataBucket", "capture_retention_days", 3651, "must be a whole number from 1 to 3650, got 3651"),
    ("DataBucket", "capture_retention_days", True, "must be a whole number from 1 to 3650, got true"),
    ("DataBucket", "capture_retention_days", "30", 'must be a whole number from 1 to 3650, got "30"'),
    ("DataBucket", "photo_retention_days", 29, "must be a whole number from 30 to 3650, got 29"),
    ("DataBucket", "correction_retention_days", 5000, "must be a whole number from 30 to 3650, got 5000"),
    ("DataBucket", "kms_key_arn", "alias/mine", 'must be the ARN of a KMS key, got "alias/mine"'),
    ("ClassificationWorkflow", "account_id", "12345", 'must be an account\'s 12 digits, got "12345"'),
    ("ClassificationWorkflow", "endpoint_arn", "scones-dev", 'must be the ARN of an endpoint, got "scones-dev"'),
    ("ClassificationWorkflow", "endpoint_configuration", "", "must be 1 to 63 letters and digits with hyphens"),
    ("ClassificationWorkflow", "model_name", " ", 'must be a text of 1 to 256 characters, got " "'),
    ("ClassificationWorkflow", "image_size", 0, "must be a whole number from 1 to 250, got 0"),
    ("ClassificationWorkflow", "image_size", 299, "must be a whole number from 1 to 250, got 299"),
    ("ClassificationWorkflow", "max_image_bytes", 0, "must be a whole number from 1 to 100000000, got 0"),
    ("ClassificationWorkflow", "max_image_pixels", 10**9, "must be a whole number from 1 to 120000000"),
    ("ClassificationWorkflow", "layer_path", "", 'must be a path, got ""'),
    ("ClassificationWorkflow", "decision_retention_days", -1, "must be a whole number from 1 to 3650, got -1"),
    ("ClassificationWorkflow", "alert_email", "jörg@example.com", "must be an e-mail address in ASCII, got"),
    ("ModelRegister", "group_name", "dev_2", "must be 1 to 63 letters and digits with hyphens between them, got"),
    ("TrainingEndpoint", "bucket_arn", "photos", 'must be the ARN of a bucket, got "photos"'),
    ("Retraining", "max_minutes", 1981, "must be a whole number from 5 to 1980, got 1981"),
    ("Retraining", "training_role_arn", "model-role", 'must be the ARN of a role, got "model-role"'),
    ("Retraining", "model_package_group_arn", "dev", 'must be the ARN of a group of model packages, got "dev"'),
    ("Observability", "state_machine_arn", "machine", 'must be the ARN of a state machine, got "machine"'),
    ("Observability", "functions", {}, "must not be empty, got {}"),
    ("Observability", "functions.filter", "a b", "must be the name of a function, 1 to 64 letters, digits, - and _"),
    ("Observability", "review_queue_name", "a/b", "must be the name of a queue, 1 to 80 letters, digits, - and _"),
    ("Observability", "alert_topic_arn", "alerts", 'must be the ARN of a topic, got "alerts"'),
    ("Observability", "layer_arn", "layer", "must be the ARN of a layer's version, got"),
    ("Observability", "review_rate_alarm_percent", 0.5, "must be a number from 1 to 100, got 0.5"),
    ("Observability", "review_rate_alarm_percent", float("nan"), "must be a number from 1 to 100, got NaN"),
    ("Observability", "retrain_event_bus_arn", "bus", 'must be the ARN of an event bus, got "bus"'),
    *(
        (component, argument, value, said)
        for component in BOTH
        for argument, value, said in [
            ("bucket", "Photos", "must be the name of a bucket, 3 to 63 small letters, digits, dots and hyphens, got"),
            ("bucket_arn", "photos", 'must be the ARN of a bucket, got "photos"'),
            ("endpoint_name", "dev_2", "must be 1 to 63 letters and digits with hyphens between them, got"),
            ("log_retention_days", 31, "must be one of 1, 3, 5, 7, 14, 30, 60, 90"),
            ("classes", ["bicycle"], "must hold 2 to 100 names, got 1: bicycle"),
            ("classes", ["bicycle", "neither"], "must hold 2 to 100 names, got 1: bicycle"),
            ("classes", ["a", "b", "a"], "must hold every name once, got a more than once"),
            ("classes", ["neither", "a", "b"], "must hold neither last and once, got neither, a, b"),
            ("classes", ["Bicycle", "b"], "must be names of small letters, digits, _ and -, got Bicycle"),
            ("classes", "bicycle", 'must be a list of strings, got "bicycle"'),
            ("loading_bays", {"bicycle": "bay 1"}, "must name a bay for motorcycle, got nothing"),
            ("loading_bays", ["bay 1"], 'must be a mapping by name, got ["bay 1"]'),
            ("loading_bays.bicycle", ":bay", 'must not begin with a colon, got ":bay"'),
            ("loading_bays.car", "bay 3", "must name bays of the classes alone, got one for car"),
            ("confidence_threshold", 0.3, "must be a number above 0.3333 and at most 1 for 3 labels, got 0.3"),
            ("confidence_threshold", 1.1, "must be a number above 0.3333 and at most 1 for 3 labels, got 1.1"),
            ("confidence_threshold", "0.8", 'for 3 labels, got "0.8"'),
            ("kms_key_arn", "mine", 'must be the ARN of a KMS key, got "mine"'),
        ]
    ),
]


def changed(component: str, argument: str, value: object) -> dict[str, Any]:
    """Arguments of which one, or a part of one, is another."""
    name, _, part = argument.partition(".")
    args = FINE[component]
    return {**args, name: {**args[name], part: value} if part else value}


@pytest.mark.parametrize(("component", "argument", "value", "said"), WRONG)
def test_a_value_that_cannot_be_is_refused_by_name_with_what_is_allowed(
    component: str, argument: str, value: object, said: str
):
    with pytest.raises(ArgumentError) as refused:
        BUILD[component]("mine", changed(component, argument, value))
    text = str(refused.value)
    assert text.startswith(f'{component} "mine": ')
    # of a part, the part or the whole is named
    assert argument in text or argument.partition(".")[0] in text
    assert said in text and "\n" not in text


def test_all_mistakes_are_told_at_once():
    args = {**WORKFLOW, "account_id": "1", "image_size": 0, "alert_email": "x", "classes": ["a"]}
    with pytest.raises(ArgumentError) as refused:
        ClassificationWorkflow("mine", args)
    assert [name for name in ("account_id", "image_size", "alert_email", "classes") if name in str(refused.value)] == [
        *("account_id", "image_size", "alert_email", "classes")
    ]


@pytest.mark.parametrize(
    ("component", "argument"), [(name, argument) for name, args in FINE.items() for argument in args]
)
def test_an_argument_that_is_left_out_is_missed_by_name(component: str, argument: str):
    args = {name: value for name, value in FINE[component].items() if name != argument}
    with pytest.raises(ArgumentError, match=f'^{component} "mine": .*{argument} must be given'):
        BUILD[component]("mine", args)


@pytest.mark.parametrize("component", FINE)
def test_a_misspelt_argument_is_asked_about(component: str):
    (argument, *_) = FINE[component]
    with pytest.raises(ArgumentError, match=rf"{argument}x is no argument of it: did you mean {argument}"):
        BUILD[component]("mine", {**FINE[component], f"{argument}x": 1})


@pytest.mark.parametrize("component", BOTH)
def test_what_is_right_is_taken(component: str):
    CHECK[component]("mine", FINE[component])
    CHECK[component]("mine", {**FINE[component], "kms_key_arn": KEY})
    CHECK[component]("mine", {**FINE[component], "kms_key_arn": None})
    CHECK[component]("mine", {**FINE[component], "classes": ("bicycle", "motorcycle")})


INPUTS = {
    "ClassificationWorkflow": (
        "bucket",
        "bucket_arn",
        "account_id",
        "endpoint_name",
        "endpoint_arn",
        "endpoint_configuration",
        "model_name",
    ),
    "Observability": (
        *("bucket", "bucket_arn", "endpoint_name", "variant_name", "state_machine_arn", "review_queue_name"),
        *("dead_letter_queue_name", "alert_topic_arn", "layer_arn", "retrain_event_bus_arn"),
    ),
}


@pytest.mark.parametrize("component", INPUTS)
@pulumi.runtime.test
def test_what_another_resource_will_give_is_taken_as_it_is(component: str):
    unknown = {name: pulumi.Output.from_input("nothing that a rule would take /") for name in INPUTS[component]}
    args = {**FINE[component], **unknown}
    if "functions" in args:
        args["functions"] = {step: pulumi.Output.from_input("a b") for step in args["functions"]}
    CHECK[component]("mine", args)


ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text(), max_size=3)
PLAIN = ["image_size", "max_image_bytes", "decision_retention_days", "log_retention_days", "confidence_threshold"]


@given(argument=st.sampled_from([*WORKFLOW]), value=ANYTHING)
@settings(deadline=None)
def test_law_any_value_is_taken_or_refused_in_one_line_that_names_it(argument: str, value: object):
    try:
        check_workflow("mine", {**WORKFLOW, argument: value})
    except ArgumentError as refused:
        assert argument in str(refused) and str(refused).startswith('ClassificationWorkflow "mine": ')


@given(value=st.integers(-10, 4000) | st.integers())
@settings(deadline=None)
def test_law_a_number_is_taken_exactly_within_its_bounds(value: int):
    for argument, inside in (
        ("decision_retention_days", 1 <= value <= 3650),
        ("image_size", 1 <= value <= 250),
        ("max_image_bytes", 1 <= value <= MOST_IMAGE_MEGABYTES * MEGA),
        ("log_retention_days", value in bounds.LOG_RETENTION_DAYS.numbers),
        ("confidence_threshold", is_threshold(value, 3)),
    ):
        try:
            check_workflow("mine", {**WORKFLOW, argument: value})
            taken = True
        except ArgumentError:
            taken = False
        assert taken is inside, argument


def test_hosting_is_refused_by_the_same_mechanism():
    realtime: Any = {"instance_type": "ml.m5.large", "min_instances": 0, "max_instances": 1}
    with pytest.raises(ArgumentError, match=re.escape("realtime.min_instances must be a whole number from 1 to 20")):
        check_hosting("mine", realtime, None)


def test_no_bound_is_written_twice():
    parts = Path(bounds.__file__).parent
    text = "".join(
        path.read_text() for path in (parts.parent / "settings.py", *at_least_one((parts / "sections").glob("*.py")))
    )
    assert not re.search(r"\b(3650|3653|6144)\b", text)
    assert text.count("bounds.") > 12
