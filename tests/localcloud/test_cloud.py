"""Clients of the emulators."""

from __future__ import annotations

from pathlib import Path

import botocore.session
import pytest

from localcloud.cloud import SAGEMAKER_SERVICES, Cloud

HERE = Cloud(Path(), "dev", "eu-west-1", "http://127.0.0.1:1", "http://127.0.0.1:2")


@pytest.mark.parametrize("service", SAGEMAKER_SERVICES)
def test_a_command_is_told_of_sagemaker_s_emulator_by_the_variable_that_boto3_reads(service, monkeypatch):
    monkeypatch.setattr("os.environ", HERE.environment())
    client = botocore.session.Session().create_client(service)
    assert client.meta.endpoint_url == HERE.sagemaker_url == HERE.client(service).meta.endpoint_url


def test_stacks_in_one_process_have_clients_of_their_own():
    other = Cloud(Path(), "prod", "eu-west-1", "http://127.0.0.1:3", "http://127.0.0.1:4")
    assert HERE.client("s3") is HERE.client("s3")
    assert [each.client("s3").meta.endpoint_url for each in (HERE, other)] == [HERE.aws_url, other.aws_url]
    assert HERE.client("s3").meta.region_name == "eu-west-1"
