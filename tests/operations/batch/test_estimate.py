"""The arithmetic of a batch: its laws, and a bill counted by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.prices import read_table
from operations.batch.estimate import BatchEstimate, ModelCapacity, estimate_batch, instances_for
from tests.assertions import at_least_one

TABLE = read_table("us-east-1")
photos = st.integers(1, 10**9)
concurrencies = st.integers(1, 10_000)
seconds = st.floats(0.001, 10)
endpoints = st.builds(ModelCapacity, st.integers(1, 50), st.integers(1, 16), st.sampled_from(["", "ml.m5.large"]))


def made(
    count: int, *, endpoint: ModelCapacity | None = None, concurrency: int = 10, model: float = 0.1, account: int = 1000
) -> BatchEstimate:
    return estimate_batch(
        count,
        TABLE,
        endpoint or ModelCapacity(1, 2, "ml.m5.large"),
        concurrency=concurrency,
        model_seconds=model,
        lambda_concurrency=account,
    )


@given(photos, endpoints, concurrencies, seconds)
def test_the_slowest_limit_says_how_long_it_takes(count, endpoint, concurrency, model):
    found = made(count, endpoint=endpoint, concurrency=concurrency, model=model)
    assert found.seconds == pytest.approx(count / min(rate.a_second for rate in found.rates))
    assert all(rate.a_second >= found.binds.a_second > 0 for rate in at_least_one(found.rates))


@given(photos, endpoints, concurrencies, seconds)
def test_twice_the_photos_take_twice_the_time_and_money(count, endpoint, concurrency, model):
    one, two = (
        made(each, endpoint=endpoint, concurrency=concurrency, model=model) for each in (1000 * count, 2000 * count)
    )
    assert two.seconds == pytest.approx(2 * one.seconds)
    assert two.usd == pytest.approx(2 * one.usd)
    assert two.reviews == pytest.approx(2 * one.reviews)


@given(photos, concurrencies, seconds)
def test_more_at_a_time_more_instances_or_a_faster_model_make_no_batch_slower(count, concurrency, model):
    slow, two = made(count, concurrency=concurrency, model=model), ModelCapacity(2, 2, "ml.m5.large")
    assert made(count, concurrency=concurrency + 1, model=model).seconds <= slow.seconds
    assert made(count, concurrency=concurrency, model=model, endpoint=two).seconds <= slow.seconds
    assert made(count, concurrency=concurrency, model=model / 2).seconds <= slow.seconds
    assert made(count, concurrency=concurrency, model=model, account=2000).seconds <= slow.seconds


@given(st.integers(1, 10**8), st.floats(0.5, 100), st.floats(0.01, 2), st.integers(1, 16))
def test_so_many_instances_suffice_and_one_fewer_does_not(count, hours, model, answers):
    needed = instances_for(count, hours, model, answers)
    assert count * model <= needed * answers * hours * 3600 * (1 + 1e-9)
    assert needed == 1 or count * model > (needed - 1) * answers * hours * 3600 * (1 - 1e-9)


@given(photos, endpoints, concurrencies, seconds)
def test_everything_that_is_paid_for_costs_something(count, endpoint, concurrency, model):
    found = made(count, endpoint=endpoint, concurrency=concurrency, model=model)
    assert all(cost.usd is not None and cost.usd > 0 for cost in at_least_one(found.costs))
    assert len({cost.what for cost in found.costs}) == len(found.costs)


def test_a_thousand_photos_counted_by_hand():
    costs = {cost.what: cost.usd for cost in made(1000).costs}
    assert costs["children started"] == pytest.approx(1000 * 1e-6)
    # 0.3 + (0.05 + 0.1) + 0.01 + 0.3 between the steps is 0.76 s, charged as 0.8 s of 64 MB
    assert costs["children's time"] == pytest.approx(1000 * 0.8 / 16 * 0.06 / 3600)
    assert costs["serialize's time"] == pytest.approx(1000 * 0.3 * 1769 / 1024 * 0.0000133334)
    assert costs["decisions written"] == pytest.approx(1000 * 2 * 0.625e-6)
    assert costs["decisions published"] == pytest.approx(730 * 1e-6)
    assert costs["photos for a person"] == pytest.approx(270 * 3 * 0.4e-6)
    assert costs["objects listed, twice"] == pytest.approx(2 * 0.005 / 1000)


def test_of_ten_at_a_time_the_setting_binds_and_of_a_thousand_the_endpoint():
    assert made(1000).binds.name == "batchConcurrency"
    assert made(1000).binds.a_second == pytest.approx(10 / 0.76)
    assert made(1000, concurrency=1000).binds.name == "the endpoint's instances"
    assert made(1000, concurrency=1000).binds.a_second == pytest.approx(2 / 0.1)


def test_a_serverless_endpoint_is_not_charged_by_the_hour():
    assert not [cost for cost in made(1000, endpoint=ModelCapacity(5, 1)).costs if "endpoint" in cost.what]


def test_express_children_are_charged_by_tenths_of_a_second():
    times = [made(1000, model=model) for model in (0.10, 0.13, 0.15)]
    charged = [next(cost.quantity for cost in each.costs if cost.what == "children's time") for each in times]
    assert charged[0] == charged[1] < charged[2]
    assert math.isclose(charged[2] - charged[1], 1000 * 0.1 / 16)
