"""docs/scale.md says what the arithmetic says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from contract.prices import read_table
from operations.batch.paper import REGION, SETUPS, facts, of_setup, tables, with_tables
from tests.assertions import at_least_one

PAGE = (Path(__file__).parents[1] / "docs/scale.md").read_text(encoding="utf-8")
TABLE = read_table(REGION)


@pytest.mark.parametrize("heading", tables(TABLE))
def test_each_table_is_what_the_estimate_gives(heading: str) -> None:
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    assert tables(TABLE)[heading] in section, "python -m operations.batch.paper writes it"


def test_what_the_text_says_is_what_the_estimate_gives() -> None:
    said = facts(TABLE)
    assert f"Express children cost {said['express']} dollars, where Standard ones would cost {said['standard']}" in PAGE
    assert f"{said['reviews']} photos for a person are {said['answering'].removesuffix('.0 h')} hours" in PAGE
    beside = of_setup(SETUPS[0], TABLE)
    assert sum(cost.usd or 0 for cost in beside.costs if "endpoint" not in cost.what) < 15
    assert 20 < beside.seconds / 3600 < 25 and beside.binds.name == "batchConcurrency"
    eight = of_setup(SETUPS[3], TABLE)
    assert 0.8 < eight.seconds / 3600 < 1.1 and eight.binds.name == "the endpoint's instances"


def test_the_text_names_the_limits_in_the_order_of_their_rates() -> None:
    rates = [rate for rate in of_setup(SETUPS[4], TABLE).rates if rate.scope in ("account", "service")]
    assert [rate.name for rate in rates] == [
        "Lambda's concurrency",
        "S3's reads of a prefix",
        "EventBridge's PutEvents",
        "a Map Run's children at a time",
        "the decisions table's writes",
    ]
    assert all(rate.a_second > 2000 for rate in at_least_one(rates))


def test_every_number_of_the_limits_has_a_source() -> None:
    section = PAGE.partition("## Which limit binds first\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if re.match(r"\| [a-zA-Z]", line)][1:]
    assert len(rows) == len(of_setup(SETUPS[0], TABLE).rates)
    assert all(len(cells[3].strip()) > 8 and len(cells[4].strip()) > 8 for cells in at_least_one(rows))


def test_a_page_without_its_table_is_not_written() -> None:
    with pytest.raises(ValueError, match="no table below 'Hours and dollars'"):
        with_tables("## Hours and dollars\n\nnothing\n\n## Other\n\n| a |\n", {"Hours and dollars": "| b |\n"})
