"""The register of a stack that is destroyed is emptied, and nothing is deleted before."""

from __future__ import annotations

import boto3
import pytest
from botocore.exceptions import ClientError

from contract.errors import ConfigurationError
from contract.register import RegisteredModel
from contract.versions import listed, register
from handlers import empty_register
from localcloud.sagemaker.server import SageMakerServer

GROUP = "scones-dev"


@pytest.fixture(scope="module")
def address():
    server = SageMakerServer(aws_endpoint_url="http://127.0.0.1:9")
    yield server.start()
    server.stop()


@pytest.fixture
def client(address, monkeypatch):
    made = boto3.client(
        "sagemaker", "us-east-1", endpoint_url=address, aws_access_key_id="t", aws_secret_access_key="t"
    )
    made.create_model_package_group(ModelPackageGroupName=GROUP)
    monkeypatch.setattr(empty_register, "sagemaker_client", lambda: made)
    monkeypatch.setenv("REGISTER", GROUP)
    yield made
    empty_register.empty(made, GROUP, wait=lambda _: None)
    made.delete_model_package_group(ModelPackageGroupName=GROUP)


def fill(client, count: int) -> None:
    for number in range(count):
        register(client, GROUP, RegisteredModel(f"job-{number}", "image", f"s3://b/models/job-{number}"))


def test_a_group_with_versions_is_not_deleted_by_sagemaker(client):
    fill(client, 1)
    with pytest.raises(ClientError, match="holds 1 model package"):
        client.delete_model_package_group(ModelPackageGroupName=GROUP)


def test_all_versions_go_when_the_invocation_is_deleted_however_many_pages_they_fill(client):
    fill(client, 12)
    assert empty_register.handler({"tf": {"action": "delete", "prev_input": {}}}, None) == {"deleted": 12}
    assert listed(client, GROUP) == []


@pytest.mark.parametrize("event", [{"tf": {"action": "create"}}, {"tf": {"action": "update"}}, {"tf": None}, {}])
def test_nothing_goes_when_it_is_created_or_updated_or_somebody_tries_the_function(client, event):
    fill(client, 1)
    assert empty_register.handler(event, None) == {"deleted": 0}
    assert len(listed(client, GROUP)) == 1


def test_a_group_that_somebody_deleted_by_hand_is_empty(client):
    assert empty_register.empty(client, "another") == 0


def test_versions_that_do_not_go_are_told_after_a_while(client, monkeypatch):
    waits: list[float] = []
    with monkeypatch.context() as stubborn:
        stubborn.setattr(empty_register, "_versions", lambda *_: ["arn:version"])
        stubborn.setattr(client, "delete_model_package", lambda **_: None)
        with pytest.raises(ConfigurationError, match="still holds versions 60 s after they were deleted"):
            empty_register.empty(client, GROUP, waits.append)
    assert len(waits) == 60


def test_a_deleted_version_s_number_is_not_given_again(client):
    fill(client, 2)
    newest = listed(client, GROUP)[0]
    client.delete_model_package(ModelPackageName=newest.arn)
    version, _ = register(client, GROUP, RegisteredModel("job-9", "image", "s3://b/k"))
    assert version.number == newest.number + 1
