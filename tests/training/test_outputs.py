import json

import pytest

from contract.errors import UserError
from training.outputs import StackOutputs, read_outputs


def refused(tmp_path, document):
    path = tmp_path / "outputs.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    with pytest.raises(UserError) as caught:
        read_outputs(path)
    return str(caught.value).removeprefix(f"the outputs file {tmp_path}/").removeprefix(f"{tmp_path}/")


def test_without_a_file_there_are_no_outputs(monkeypatch):
    monkeypatch.delenv("SCONES_OUTPUTS", raising=False)
    assert read_outputs(None) == StackOutputs()


def test_the_environment_names_the_file_that_a_command_did_not(monkeypatch, tmp_path):
    path = tmp_path / "outputs.json"
    path.write_text(json.dumps({"endpointName": "e", "confidenceThreshold": "0.94", "imageSize": 32.0, "more": 1}))
    monkeypatch.setenv("SCONES_OUTPUTS", str(path))
    assert read_outputs(None) == StackOutputs(endpoint_name="e", threshold=0.94, image_size=32)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", "outputs.json is not JSON: "),
        ([], "outputs.json must hold a JSON object, got list"),
        ({"endpointName": 5}, "outputs.json: endpointName must be a string, got 5"),
        ({"confidenceThreshold": "high"}, "outputs.json: confidenceThreshold must be a number, got 'high'"),
        ({"classes": "bicycle"}, "outputs.json: classes must be a list of names, got 'bicycle'"),
    ],
)
def test_a_file_of_something_else_is_refused_by_field(tmp_path, document, message):
    assert refused(tmp_path, document).startswith(message)
