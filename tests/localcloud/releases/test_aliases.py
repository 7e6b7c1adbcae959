"""Earlier URNs of a resource, as the engine works them out of aliases."""

from __future__ import annotations

import pulumi
import pytest
from pulumi.runtime.resource import inherited_child_alias

from localcloud.releases.aliases import Aliased, Earlier, earlier_urns

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
