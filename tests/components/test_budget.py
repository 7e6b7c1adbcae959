"""What a stack may cost: a budget with an amount, whom it tells, and that it may tell them."""

from __future__ import annotations

import json

import pytest

from tests.assertions import at_least_one
from tests.components.dataset import write_dataset
from tests.components.stack import Found, run

TOPIC = "arn:aws:sns:us-east-1:123456789012:workflow-alerts-1a2b3c4"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("budget")
    layer = folder / "layer.zip"
    layer.write_bytes(b"PK\x05\x06" + bytes(18))
    return {"datasetDir": str(write_dataset(folder / "dataset")), "layerPath": str(layer)}


@pytest.fixture(scope="module")
def limited(files: dict[str, str]) -> Found:
    return run("dev", monthlyBudgetDollars=120, **files)


@pytest.fixture(scope="module")
def unlimited(files: dict[str, str]) -> Found:
    return run("dev", **files)


def who_may_publish(found: Found) -> dict[str, dict[str, object]]:
    """Service -> the condition under which it may publish to the alert topic."""
    (policy,) = found.of("TopicPolicy")
    allowed = [each for each in json.loads(policy.inputs["policy"])["Statement"] if each["Effect"] == "Allow"]
    for each in at_least_one(allowed):
        assert each["Action"] == ["sns:Publish"] and each["Resource"] == [TOPIC]
    return {each["Principal"]["Service"]: each["Condition"] for each in allowed}


def test_a_budget_is_a_month_s_cost_in_dollars_of_what_bears_the_stack_s_tag(limited: Found) -> None:
    (budget,) = limited.of("Budget")
    inputs = budget.inputs
    assert (inputs["budgetType"], inputs["timeUnit"]) == ("COST", "MONTHLY")
    assert (inputs["limitAmount"], inputs["limitUnit"]) == ("120", "USD")
    (asked,) = inputs["costFilters"]
    key, _, value = asked["values"][0].removeprefix("user:").partition("$")
    assert asked["name"] == "TagKeyValue" and asked["values"][0].startswith("user:")
    (bucket,) = limited.of("Bucket")
    assert bucket.inputs["tags"][key] == value == "dev"


def test_the_alert_topic_is_told_before_the_budget_is_used_up_and_when_it_is(limited: Found) -> None:
    told = limited.of("Budget")[0].inputs["notifications"]
    assert [(each["notificationType"], each["threshold"]) for each in told] == [("FORECASTED", 80), ("ACTUAL", 100)]
    for each in told:
        assert (each["comparisonOperator"], each["thresholdType"]) == ("GREATER_THAN", "PERCENTAGE")
        assert each["subscriberSnsTopicArns"] == [TOPIC]
    assert len(told) == 2


def test_only_this_account_s_budgets_may_publish(limited: Found) -> None:
    assert who_may_publish(limited)["budgets.amazonaws.com"] == {
        "StringEquals": {"aws:SourceAccount": "123456789012"},
        "ArnLike": {"aws:SourceArn": "arn:aws:budgets::123456789012:*"},
    }


def test_a_budget_comes_after_the_policy_that_lets_it_publish(limited: Found) -> None:
    order = [each.name for each in limited.resources]
    assert order.index("workflow-alerts-policy") < order.index("observability-budget")


def test_without_an_amount_there_is_no_budget_and_none_may_publish(unlimited: Found) -> None:
    assert not unlimited.of("Budget")
    assert set(who_may_publish(unlimited)) == {"cloudwatch.amazonaws.com"}


def test_prod_has_one(files: dict[str, str]) -> None:
    assert run("prod", **files).of("Budget")[0].inputs["limitAmount"] == "300"
