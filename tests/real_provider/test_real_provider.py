"""The stack `local` through the real provider, on the emulators that `start` starts.

Needs terraform, the provider, and minutes: docs/real-provider.md says how, and holds what came out.
"""

import json
import os
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contract.decisions import NEITHER
from localcloud.cloud import Cloud
from localcloud.deployment import Deployment, shut_down
from localcloud.photos import Classification, sample
from localcloud.provider import STACK, start
from tests.assertions import at_least_one
from tests.localcloud.local_stack import REPOSITORY, write_root
from tests.localcloud.test_start import on_free_ports
from tests.real_provider.conftest import MIRROR
from tests.real_provider.harness import Terraform, train
from tests.real_provider.terraform import Translation, provider_of

PHOTOS = 8
FILTER = "aws_lambda_function.workflow-filter"
REPORT = REPOSITORY / "build/real-provider.md"


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return on_free_ports(write_root(tmp_path_factory.mktemp("root")))


@pytest.fixture(scope="module")
def cloud(root):
    state, _ = start(root, print)
    yield Cloud(root, STACK, state.region, state.aws_url, state.sagemaker_url)
    shut_down(root)


def test_a_stack_is_applied_decides_is_found_unchanged_changed_in_place_and_destroyed(root, cloud, tmp_path, capsys):
    terraform = Terraform(tmp_path / "terraform", Path(os.environ[MIRROR]))
    schemas, provider = terraform.schemas(), provider_of(root, STACK)
    seconds, began = {}, time.monotonic()

    def passed(step):
        nonlocal began
        seconds[step], began = round(time.monotonic() - began), time.monotonic()

    stack = Translation(root, STACK, {}, schemas, terraform.folder)
    assert [each.type for each in stack.left_out] == ["aws:sagemaker/trainingJob:TrainingJob"]
    assert not stack.unknown
    terraform.write(provider, stack.resources)
    (job,) = stack.left_out
    terraform.apply(*sorted(stack.needed(job)))
    train(job, terraform.state(), cloud)
    terraform.apply()
    applied = terraform.state()
    assert set(applied) == stack.addresses()
    passed("apply")
    before = decide(root, cloud, applied, 0.80)
    assert before["accepted"], before
    passed("photos")
    assert terraform.plan() == {}
    passed("second plan")

    changed = Translation(root, STACK, {"confidenceThreshold": "0.95"}, schemas, terraform.folder)
    terraform.write(provider, changed.resources)
    planned = terraform.plan()
    assert {tuple(actions) for actions in planned.values()} == {("update",)}
    assert {address.split(".")[0] for address in planned} == {
        "aws_cloudwatch_dashboard", "aws_lambda_function", "aws_sfn_state_machine",
    }  # fmt: skip
    terraform.apply()
    assert terraform.plan() == {}
    passed("changed threshold, and plan")
    moved = terraform.state()
    assert [each[FILTER]["qualified_arn"].rpartition(":")[2] for each in (applied, moved)] == ["1", "2"]
    after = decide(root, cloud, moved, 0.95)
    passed("photos again")

    destroy(terraform, cloud, applied["aws_s3_bucket.data-bucket"]["bucket"])
    passed("destroy")

    counts = Counter(address.split(".")[0] for address in applied)
    updates = Counter(address.split(".")[0] for address in planned)
    lines = [f"| `{type_}` | {count} | {updates.get(type_, 0) or ''} |" for type_, count in sorted(counts.items())]
    lines.append(f"| all | {sum(counts.values())} | {sum(updates.values())} |")
    lines.append(f"\n{datetime.now(UTC):%Y-%m-%d}: {json.dumps(seconds)}; {dict(before)}, then {dict(after)}")
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text("\n".join(lines) + "\n")
    with capsys.disabled():
        print("\n" + REPORT.read_text())


def decide(root, cloud, applied, threshold):
    """Send photos through the stack, and count what became of them: what the model is surer of is accepted."""
    outputs = {
        "bucket": applied["aws_s3_bucket.data-bucket"]["bucket"],
        "stateMachineArn": applied["aws_sfn_state_machine.workflow-machine"]["arn"],
    }
    deployment = Deployment(STACK, outputs, {}, {}, cloud.region, "", {})
    results = Classification(cloud, deployment).run(sample(root / "build/dataset", PHOTOS, seed=1), lambda _: None)
    for each in at_least_one(results):
        assert each.decision in ("accepted", "review", "neither"), each
        assert each.confidence is not None, each
        assert (each.decision == "accepted") == (each.label != NEITHER and each.confidence >= threshold), each
    return Counter(each.decision for each in results)


def destroy(terraform, cloud, bucket):
    """Destroy all; the bucket goes last, emptied when nothing is left that could write into it."""
    with pytest.raises(AssertionError, match="BucketNotEmpty"):
        terraform.destroy()
    assert set(terraform.state()) == {"aws_s3_bucket.data-bucket"}
    empty(cloud, bucket)
    terraform.destroy()
    assert terraform.state() == {}


def empty(cloud, bucket):
    """Delete every version of every object."""
    client = cloud.client("s3")
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for each in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
            client.delete_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])
