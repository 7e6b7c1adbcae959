"""A resource that a component makes is tagged without being asked."""

from __future__ import annotations

import pulumi
from pulumi_aws import s3, sns

from components.parts.tags import tagged
from tests.components.stack import run_alone


class Thing(pulumi.ComponentResource):
    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("test:index:Thing", name, None, tagged("Thing", opts))
        child = pulumi.ResourceOptions(parent=self)
        topic = sns.Topic(f"{name}-topic", opts=child)
        s3.BucketVersioning(
            f"{name}-versioning", bucket="b", versioning_configuration={"status": "Enabled"}, opts=child
        )
        sns.Topic(f"{name}-grandchild", opts=pulumi.ResourceOptions(parent=topic))


def test_everything_below_a_component_that_takes_tags_has_them_and_nothing_else_does() -> None:
    found = run_alone(lambda: Thing("a"))
    tags = {"project": "scones", "stack": "dev", "component": "Thing"}
    assert found.named("a-topic").inputs["tags"] == found.named("a-grandchild").inputs["tags"] == tags
    assert "tags" not in found.named("a-versioning").inputs
