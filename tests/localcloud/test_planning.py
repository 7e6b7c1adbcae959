"""The engine that makes nothing answers as AWS would, and refuses what it was not told about."""

from __future__ import annotations

import pulumi
import pytest
from pulumi_aws import s3, sns, sqs

import localcloud.adapters  # noqa: F401 (registers them)
from contract.errors import UserError
from localcloud.adapter import ADAPTERS
from localcloud.planning import ACCOUNT, ARNS, WITHOUT_ARN, Planned
from tests.components.stack import run_alone


class Thing(pulumi.CustomResource):
    arn: pulumi.Output[str]

    def __init__(self, name: str, size: int = 1) -> None:
        super().__init__("test:index/thing:Thing", name, {"size": size, "arn": None})


def test_it_answers_for_what_the_local_cloud_makes_and_for_nothing_else():
    assert {*ARNS, *WITHOUT_ARN} == set(ADAPTERS)


def test_a_name_is_the_programs_or_made_up_as_the_provider_does_and_stands_in_arn_and_url():
    def program():
        queue, topic = sqs.Queue("one"), sns.Topic("two", name="chosen")
        pulumi.export("all", [queue.name, queue.arn, queue.url, queue.id, topic.arn, s3.Bucket("three").id])

    name = "one-1a2b3c4"
    url = f"https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/{name}"
    assert run_alone(program).outputs["all"] == [
        name, f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}", url, url, f"arn:aws:sns:us-east-1:{ACCOUNT}:chosen",
        "three-1a2b3c4",
    ]  # fmt: skip


def test_a_type_that_it_was_not_told_about_is_named():
    with pytest.raises(UserError, match=r"::one: the graph does not know the outputs of test:index/thing:Thing"):
        run_alone(lambda: Thing("one"))


def test_a_function_that_it_was_not_told_about_is_named():
    with pytest.raises(UserError, match="function aws:ec2/getVpc:getVpc"):
        Planned().invoke("aws:ec2/getVpc:getVpc", {})


def test_a_test_may_say_what_a_type_answers():
    engine = Planned(outputs={"test:index/thing:Thing": lambda name, inputs: {"arn": f"{name} of {inputs['size']:g}"}})
    found = run_alone(lambda: pulumi.export("arn", Thing("one", 7).arn), engine=engine)
    assert found.outputs == {"arn": "one of 7"}
    (thing,) = found.resources
    assert found.resource_outputs[thing.urn] == {"arn": "one of 7", "size": 7}
