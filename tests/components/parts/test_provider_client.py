"""A hook's client is the provider's: its account, its endpoints."""

import pulumi
import pytest

from components.parts.provider_client import provider_clients


@pytest.fixture
def configure():
    def configured(**settings):
        pulumi.runtime.set_all_config({f"aws:{key}": value for key, value in settings.items()})

    yield configured
    pulumi.runtime.set_all_config({})


def test_the_stack_s_credentials_and_endpoint_are_the_client_s(configure):
    configure(accessKey="mine", secretKey="hidden", endpoints='[{"sagemaker": "http://127.0.0.1:1"}]')
    client = provider_clients("eu-west-1")
    # what a hook runs in may know of no configuration
    pulumi.runtime.set_all_config({})
    sagemaker = client("sagemaker")
    assert sagemaker.meta.endpoint_url == "http://127.0.0.1:1" and sagemaker.meta.region_name == "eu-west-1"
    assert sagemaker._request_signer._credentials.access_key == "mine"
    assert client("logs").meta.endpoint_url == "https://logs.eu-west-1.amazonaws.com"


def test_the_stack_s_profile_is_the_client_s(configure, tmp_path, monkeypatch):
    (tmp_path / "config").write_text("[profile warehouse]\naws_access_key_id = theirs\naws_secret_access_key = x\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    configure(profile="warehouse")
    assert provider_clients("us-east-1")("sagemaker")._request_signer._credentials.access_key == "theirs"


def test_without_any_of_it_the_environment_is_asked(configure, monkeypatch):
    configure()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "from-here")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER", "http://127.0.0.1:2")
    client = provider_clients("us-east-1")("sagemaker")
    assert client.meta.endpoint_url == "http://127.0.0.1:2"
    assert client._request_signer._credentials.access_key == "from-here"
