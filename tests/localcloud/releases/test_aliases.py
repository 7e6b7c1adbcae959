"""Earlier URNs of a resource, as the engine works them out of aliases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.runtime.resource import inherited_child_alias

from localcloud.graph import graph
from localcloud.releases.aliases import Aliased, Earlier, earlier_urns
from localcloud.releases.comparing import called, compare
from localcloud.releases.released import released

ROOT = "urn:pulumi:dev::scones::pulumi:pulumi:Stack::scones-dev"
OF = "urn:pulumi:dev::scones::scones:components:Bucket"
DATA = f"{OF}::data"
CHILD = f"{OF}$aws:s3/bucket:Bucket::data-bucket"


def urns_of(*resources: Aliased) -> dict[str, tuple[str, ...]]:
    return earlier_urns(resources)


def test_without_aliases_there_is_no_earlier_urn() -> None:
    assert urns_of(Aliased(DATA, ROOT), Aliased(CHILD, DATA)) == {DATA: (), CHILD: ()}


@pytest.mark.parametrize(
    ("alias", "earlier"),
    [
        (Earlier(name="store"), f"{OF}$aws:s3/bucket:Bucket::store"),
        (Earlier(type="aws:s3/bucketV2:BucketV2"), f"{OF}$aws:s3/bucketV2:BucketV2::data-bucket"),
        (Earlier(no_parent=True), "urn:pulumi:dev::scones::aws:s3/bucket:Bucket::data-bucket"),
        (
            Earlier(parent="urn:pulumi:dev::scones::scones:components:Store::data"),
            "urn:pulumi:dev::scones::scones:components:Store$aws:s3/bucket:Bucket::data-bucket",
        ),
        (Earlier(project="old", stack="test"), f"{OF}$aws:s3/bucket:Bucket::data-bucket"
            .replace("::scones::", "::old::").replace(":dev:", ":test:")),
        (Earlier(urn="urn:pulumi:dev::scones::a:b:C::whatever"), "urn:pulumi:dev::scones::a:b:C::whatever"),
    ],
)  # fmt: skip
def test_an_alias_names_what_was_different(alias: Earlier, earlier: str) -> None:
    assert urns_of(Aliased(DATA, ROOT), Aliased(CHILD, DATA, (alias,)))[CHILD] == (earlier,)


def test_a_child_was_below_its_parent_s_earlier_urn_and_began_with_its_earlier_name() -> None:
    found = urns_of(Aliased(DATA, ROOT, (Earlier(name="store"),)), Aliased(CHILD, DATA))
    assert found == {DATA: (f"{OF}::store",), CHILD: (f"{OF}$aws:s3/bucket:Bucket::store-bucket",)}


def test_aliases_of_parent_and_child_hold_together() -> None:
    child = Aliased(CHILD, DATA, (Earlier(name="place"),))
    found = urns_of(Aliased(DATA, ROOT, (Earlier(name="store"),)), child)[CHILD]
    kind = f"{OF}$aws:s3/bucket:Bucket"
    assert set(found) == {f"{kind}::place", f"{kind}::store-bucket"}


def test_an_inherited_alias_is_the_one_that_pulumi_s_own_runtime_makes() -> None:
    made: list[str] = []

    @pulumi.runtime.test
    def judge() -> pulumi.Output[None]:
        pulumi.runtime.set_mocks(Nothing(), project="scones", stack="dev")
        earlier = inherited_child_alias("data-bucket", "data", f"{OF}::store", "aws:s3/bucket:Bucket")
        return earlier.apply(made.append)

    judge()
    assert urns_of(Aliased(DATA, ROOT, (Earlier(name="store"),)), Aliased(CHILD, DATA))[CHILD] == tuple(made)


class Nothing(pulumi.runtime.Mocks):
    def call(self, args: pulumi.runtime.MockCallArgs) -> dict[str, str]:
        return {}

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, str]]:
        return "", {}


PROGRAM = """
import pulumi
from pulumi_aws import sqs

class Part(pulumi.ComponentResource):
    def __init__(self, name, opts=None):
        super().__init__("scones:components:Part", name, None, opts)
        sqs.Queue(f"{name}-queue", opts=pulumi.ResourceOptions(parent=self))

Part("NAME", pulumi.ResourceOptions(aliases=ALIASES))
"""


@pytest.mark.parametrize(("aliases", "lost"), [("[pulumi.Alias(name='old')]", set()), ("None", {"old", "old-queue"})])
def test_a_component_that_is_renamed_loses_its_resources_unless_it_has_an_alias(
    tmp_path: Path, aliases: str, lost: set[str]
) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: scones\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("config:\n  aws:region: us-east-1\n")
    program = tmp_path / "__main__.py"

    def registered(name: str, aliases: str) -> list[dict[str, Any]]:
        program.write_text(PROGRAM.replace("NAME", name).replace("ALIASES", aliases))
        return graph(tmp_path, "dev", preview=True)

    upgrade = compare(released(registered("old", "None")), registered("new", aliases))
    assert {called(urn) for urn in upgrade.lost} == lost
    assert {called(urn) for urn in upgrade.renamed.values()} == (set() if lost else {"new", "new-queue"})
