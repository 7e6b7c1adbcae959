"""What a month costs: counted by hand for one photo, and held to the README."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from contract.errors import UserError
from contract.prices import FILE, Table, read_table
from localcloud.cli import main
from localcloud.costs.estimate import Estimate, estimate
from localcloud.graph import graph
from tests.assertions import at_least_one
from tests.components.dataset import write_dataset

ROOT = Path(__file__).resolve().parents[3]
THOUSAND_A_DAY = 30_000
KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
GRAPHS = {
    "dev": ("dev", {}),
    "prod": ("prod", {}),
    "serverless": ("dev", {"endpointMode": "serverless", "capturePercentage": "0"}),
    "key": ("dev", {"kmsKeyArn": KEY, "endpointInstanceType": "ml.m5.4xlarge"}),
}


@pytest.fixture(scope="module")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    folder = tmp_path_factory.mktemp("costs")
    layer = folder / "layer.zip"
    layer.write_bytes(b"PK\x05\x06" + bytes(18))
    files = {"datasetDir": str(write_dataset(folder / "dataset")), "layerPath": str(layer)}
    return {name: graph(ROOT, stack, {**files, **settings}) for name, (stack, settings) in GRAPHS.items()}


@pytest.fixture(scope="module")
def table() -> Table:
    return read_table("us-east-1")


def quantity(made: Estimate, what: str) -> float | None:
    (line,) = [line for line in made.lines if line.usage.what == what]
    return line.usage.quantity


def test_every_price_and_assumption_has_a_source_and_a_date(table: Table) -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", table.read)
    for key, price in at_least_one(table.prices.items()):
        assert len(price.source) > 10 and re.fullmatch(r"\d{4}(-\d\d)?|undated", price.dated), key
        assert price.usd is None or 0 < price.usd < 10, key
    assert all(len(source) >= 7 for source in at_least_one(table.sources.values()))
    assert any(price.usd is None for price in table.prices.values())


def test_the_endpoint_s_hours_are_counted_with_its_instances(
    graphs: dict[str, list[dict[str, Any]]], table: Table
) -> None:
    for stack, instances in (("dev", 1), ("prod", 2)):
        made = estimate(graphs[stack], 0, table)
        assert quantity(made, f"{instances} x ml.m5.large, always there") == instances * 730
        line = next(line for line in made.lines if line.usage.price == "sagemaker.hosting.ml.m5.large")
        assert line.usd == pytest.approx(instances * 730 * 0.115)
        assert made.per_thousand is None and made.monthly == pytest.approx(made.fixed)


def test_transitions_are_those_of_the_two_ways_through_the_definition(
    graphs: dict[str, list[dict[str, Any]]], table: Table
) -> None:
    from localcloud.costs.paths import path

    (machine,) = [each for each in graphs["dev"] if each["name"] == "workflow-machine"]
    definition = machine["inputs"]["definition"]
    accepted = [name for name, _ in path(definition)]
    assert accepted == ["Serialize", "Classify", "Filter", "Record", "Publish", "Routed"]
    review = [name for name, _ in path(definition, {"Filter": "ThresholdNotMet"})]
    assert review[:3] == accepted[:3] and review[-4:] == ["RecordReview", "SendToReview", "Alert", "Failed"]
    share = table.assumptions["review_share"]
    made = estimate(graphs["dev"], 1000, table)
    expected = 1000 * ((1 - share) * len(accepted) + share * len(review))
    assert quantity(made, "state transitions") == pytest.approx(expected)


def test_functions_are_charged_by_their_memory_their_time_and_how_often_they_are_called(
    graphs: dict[str, list[dict[str, Any]]], table: Table
) -> None:
    made = estimate(graphs["dev"], 1000, table)
    seconds = table.assumptions["seconds_of_serialize"]
    (line,) = [line for line in made.lines if line.usage.what.startswith("serialize: 1769 MB")]
    assert line.usage.quantity == pytest.approx(1000 * seconds * 1769 / 1024)
    assert line.usage.price == "lambda.gb_seconds.arm64"
    # for each photo an execution that ended, and a file of captures
    assert quantity(made, "observe: invocations") == 2000


def test_what_the_month_has_in_common_with_another_is_fixed_and_the_rest_grows_with_the_photos(
    graphs: dict[str, list[dict[str, Any]]], table: Table
) -> None:
    one, ten = (estimate(graphs["prod"], photos, table) for photos in (10_000, 100_000))
    assert one.fixed == ten.fixed
    assert ten.monthly - ten.fixed == pytest.approx(10 * (one.monthly - one.fixed))
    assert sum(ten.components().values()) == pytest.approx(ten.monthly)


def test_a_serverless_endpoint_has_no_hours_and_no_captures(
    graphs: dict[str, list[dict[str, Any]]], table: Table
) -> None:
    made = estimate(graphs["serverless"], 1000, table)
    prices = {line.usage.price for line in made.lines}
    assert "sagemaker.serverless" in prices and not [key for key in prices if key.startswith("sagemaker.hosting")]
    assert quantity(made, "observe: invocations") == 1000
    assert quantity(made, "serverless inferences") == pytest.approx(1000 * 0.1 * 2)


def test_alarms_are_charged_by_the_metrics_in_them_and_metrics_by_their_number(
    graphs: dict[str, list[dict[str, Any]]], table: Table
) -> None:
    alarms = [each["inputs"] for each in graphs["dev"] if each["type"].endswith(":MetricAlarm")]
    by_math = [each for each in alarms if each.get("metricQueries")]
    made = estimate(graphs["dev"], 1, table)
    charged = [line.usage.quantity for line in made.lines if line.usage.what == "alarms"]
    # each component's on a line of its own
    assert by_math and sum(each or 0 for each in charged) == len(alarms) + len(by_math)
    # four outcomes, two bays, seven metrics of captures, a share for each of three labels
    assert quantity(made, "custom metrics") == 4 + 2 + 7 + 3


def test_what_has_no_price_is_named_and_adds_nothing(graphs: dict[str, list[dict[str, Any]]], table: Table) -> None:
    made = estimate(graphs["key"], 1000, table)
    missing = {line.usage.price for line in made.missing}
    assert {"sagemaker.hosting.ml.m5.4xlarge", "kms.requests", "sagemaker.volumes", "dynamodb.recovery"} <= missing
    assert made.monthly < 20


def test_a_training_is_paid_for_once(graphs: dict[str, list[dict[str, Any]]], table: Table) -> None:
    made = estimate(graphs["dev"], 1, table)
    assert made.once == pytest.approx(0.7364)
    assert made.monthly == pytest.approx(sum(line.usd or 0 for line in made.lines) - made.once)


def test_prices_of_another_region_are_not_used() -> None:
    with pytest.raises(UserError, match=r"eu-central-1, and prices\.yaml holds prices of us-east-1"):
        read_table("eu-central-1", FILE)


def test_the_readme_says_what_the_command_says(graphs: dict[str, list[dict[str, Any]]], table: Table) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (dev|prod|dev, serverless) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", text, re.M)
    assert [name for name, *_ in rows] == ["dev", "prod", "dev, serverless"]
    for name, *figures in at_least_one(rows):
        made = estimate(graphs[name.rpartition(", ")[2]], THOUSAND_A_DAY, table)
        said = [float(figure) for figure in figures]
        # a new alarm is ten cents: the text need not follow each
        assert said == pytest.approx([made.monthly, made.per_thousand, made.fixed], rel=0.05, abs=0.05), name


def test_the_command_prints_lines_sums_and_what_is_not_in_them(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(root)
    assert main(["graph", "--cost", "--photos", "100000"]) == 0
    out = capsys.readouterr().out
    assert "model\t1 x ml.m5.large, always there\t730\thours\t83.95" in out
    assert re.search(r"^dev, 100,000 photos a month: [\d.]+ USD a month, [\d.]+ USD per thousand photos", out, re.M)
    assert "not in the sum: workflow, their point-in-time recovery" in out
    assert main(["graph", "--cost", "--photos", "100000", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["usdPerThousandPhotos"] == pytest.approx(said["usdAMonth"] / 100, abs=1e-3)
    assert all(line["source"] for line in at_least_one(said["lines"]))


def test_a_number_of_photos_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["graph", "--cost", "--photos", "-3"])
    assert "whole number from 0 on" in capsys.readouterr().err


def test_a_stack_that_retrains_on_drift_pays_for_a_build_and_a_training_now_and_then(
    graphs: dict[str, list[dict[str, Any]]], table: Table
) -> None:
    kinds = {stack: list(estimate(graphs[stack], 0, table).lines) for stack in ("dev", "prod")}
    assert not [line for line in kinds["dev"] if line.usage.price == "codebuild.small"]
    (build,) = [line for line in kinds["prod"] if line.usage.price == "codebuild.small"]
    assert build.usage.quantity == 60 + 15 and build.usd == pytest.approx(0.375)
    (training,) = [line for line in kinds["prod"] if line.usage.what == "1 trainings, at most"]
    assert training.usage.quantity == 1 and training.usage.component == "retraining"
