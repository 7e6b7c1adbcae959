"""A resource that a component makes is tagged without being asked."""

from __future__ import annotations

import pulumi
from pulumi_aws import s3, sns

from components.parts.tags import tagged


class Recorder(pulumi.runtime.Mocks):
    def __init__(self) -> None:
        self.inputs: dict[str, dict] = {}

    def new_resource(self, args):
        self.inputs[args.name] = dict(args.inputs)
        return args.name, dict(args.inputs)

    def call(self, args):
        raise AssertionError(args.token)


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
    recorder = Recorder()
    pulumi.runtime.set_mocks(recorder, project="scones", stack="dev", preview=False)

    @pulumi.runtime.test
    def program() -> None:
        Thing("a")

    program()
    tags = {"project": "scones", "stack": "dev", "component": "Thing"}
    assert recorder.inputs["a-topic"]["tags"] == recorder.inputs["a-grandchild"]["tags"] == tags
    assert "tags" not in recorder.inputs["a-versioning"]
