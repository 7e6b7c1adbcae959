"""The stack's outputs: every name once, and files of something else refused by field."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import UserError
from contract.outputs import OUTPUT_NAMES, StackOutputs, exports, parse_outputs, read_outputs

EVERYTHING = StackOutputs(
    bucket="b",
    endpoint_name="scones-dev",
    endpoint_mode="realtime",
    training_job_name="scones-dev-1a2b",
    model_artifact="s3://b/models/scones-dev-1a2b/output/model.tar.gz",
    evidence_uri="s3://b/models/scones-dev-1a2b/evidence.json",
    model_package_group="arn:register",
    state_machine_arn="arn:machine",
    decisions_table="decisions",
    review_queue_url="https://queue",
    dead_letter_queue_url="https://dead-letters",
    alert_topic_arn="arn:topic",
    event_bus_name="bus",
    capture_uri="s3://b/capture/",
    baseline_uri="s3://b/baseline/baseline.json",
    classes=("bicycle", "motorcycle"),
    labels=("bicycle", "motorcycle", "neither"),
    confidence_threshold=0.94,
    target_risk_percent=2.0,
    loading_bays={"bicycle": "bay 1", "motorcycle": "bay 2"},
    image_size=32,
    functions={"serialize": "s"},
    dashboard_name="board",
    metric_namespace="Scones",
    region="us-east-1",
)


def values_of(outputs):
    return {name: getattr(outputs, name) for name in OUTPUT_NAMES}


def refused(tmp_path, document):
    path = tmp_path / "outputs.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    with pytest.raises(UserError) as caught:
        read_outputs(path)
    return str(caught.value).replace(f"{tmp_path}/", "")


def test_what_a_program_exports_is_read_back():
    assert parse_outputs(json.loads(json.dumps(exports(**values_of(EVERYTHING))))) == EVERYTHING


def test_the_names_are_those_that_pulumi_s_users_write():
    assert list(exports(**values_of(EVERYTHING)))[:3] == ["bucket", "endpointName", "endpointMode"]
    assert {"reviewQueueUrl", "captureUri", "confidenceThreshold", "loadingBays"} <= set(OUTPUT_NAMES.values())


def test_a_program_that_forgets_or_invents_an_output_is_stopped():
    values = values_of(EVERYTHING)
    with pytest.raises(TypeError, match=r"missing \{'bucket'\}"):
        exports(**{name: value for name, value in values.items() if name != "bucket"})
    with pytest.raises(TypeError, match=r"unknown \{'buckets'\}"):
        exports(**values, buckets="b")


def test_without_a_file_there_are_no_outputs(monkeypatch):
    monkeypatch.delenv("SCONES_OUTPUTS", raising=False)
    assert read_outputs(None) is None


def test_the_environment_names_the_file_that_a_command_did_not(monkeypatch, tmp_path):
    path = tmp_path / "outputs.json"
    path.write_text(json.dumps({"endpointName": "e", "confidenceThreshold": "0.94", "imageSize": 32.0, "more": 1}))
    monkeypatch.setenv("SCONES_OUTPUTS", str(path))
    assert read_outputs(None) == StackOutputs(endpoint_name="e", confidence_threshold=0.94, image_size=32)


def test_a_stack_that_tells_no_labels_has_those_of_its_classes():
    assert parse_outputs({"classes": ["bicycle", "motorcycle"]}).labels == ("bicycle", "motorcycle")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", "the outputs file outputs.json is not JSON: "),
        ("[" * 100_000, "the outputs file outputs.json is not JSON: "),
        ([], "outputs.json must hold a JSON object of stack outputs, got []"),
        ({"endpointName": 5}, "outputs.json: endpointName must be a string, got 5"),
        ({"confidenceThreshold": "nan"}, "outputs.json: confidenceThreshold must be a number, got 'nan'"),
        ({"confidenceThreshold": "high"}, "outputs.json: confidenceThreshold must be a number, got 'high'"),
        (
            {"classes": ["a", "b"], "labels": ["a", "b", "neither"], "confidenceThreshold": 0.3},
            "outputs.json: confidenceThreshold must be a number above 0.3333 and at most 1 for 3 labels, got 0.3",
        ),
        ({"confidenceThreshold": 1.5}, "outputs.json: confidenceThreshold must be a number above 0 and at most 1"),
        ({"imageSize": 32.5}, "outputs.json: imageSize must be a whole number, got 32.5"),
        ({"imageSize": "inf"}, "outputs.json: imageSize must be a whole number, got 'inf'"),
        ({"classes": "bicycle"}, "outputs.json: classes must be a list of names, got 'bicycle'"),
        ({"classes": ["bicycle", 5]}, "outputs.json: classes must be a list of names, got ['bicycle', 5]"),
        ({"functions": {"serialize": 1}}, "outputs.json: functions must be a mapping of names to strings, got {"),
        ({"loadingBays": []}, "outputs.json: loadingBays must be a mapping of names to strings, got []"),
    ],
)
def test_a_file_of_something_else_is_refused_by_field(tmp_path, document, message):
    assert refused(tmp_path, document).startswith(message)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError, match=r"the outputs file \S+none.json can't be read: No such file"):
        read_outputs(tmp_path / "none.json")


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.dictionaries(st.sampled_from(sorted(OUTPUT_NAMES.values())), anything))
def test_whatever_stands_in_the_outputs_they_are_read_or_refused(document):
    try:
        parse_outputs(document)
    except UserError as problem:
        assert str(problem).startswith("outputs: ")
