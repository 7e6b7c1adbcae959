"""docs/scale.md's tables, by the arithmetic that prices a batch; `python -m operations.batch.paper` writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from contract.prices import Table, read_table
from operations.batch.command import duration
from operations.batch.estimate import BatchEstimate, ModelCapacity, estimate_batch, instances_for
from operations.batch.hosting import processors_of

PAGE = Path(__file__).resolve().parents[2] / "docs/scale.md"
PHOTOS = 1_000_000
REGION = "us-east-1"
HOURS = (24, 8, 1)
MODEL_SECONDS = (0.002, 0.02, 0.05, 0.1, 0.3)
"""What a picture may take: the first is the local stand-in's, measured; 0.1 is what the estimates assume."""


@dataclass(frozen=True, slots=True)
class Setup:
    """A way to run a batch."""

    name: str
    instances: int
    instance_type: str
    concurrency: int


SETUPS = (
    Setup("dev as it is", 1, "ml.m5.large", 10),
    Setup("prod as it is", 2, "ml.m5.large", 10),
    Setup("prod, `batchConcurrency` 40", 2, "ml.m5.large", 40),
    Setup("8 instances, `batchConcurrency` 250", 8, "ml.c5.xlarge", 250),
    Setup("20 instances, `batchConcurrency` 700", 20, "ml.c5.xlarge", 700),
)


def of_setup(setup: Setup, table: Table) -> BatchEstimate:
    """A million photos in one way."""
    capacity = ModelCapacity(setup.instances, processors_of(setup.instance_type), setup.instance_type)
    seconds = table.assumptions["seconds_of_the_model"]
    return estimate_batch(PHOTOS, table, capacity, concurrency=setup.concurrency, model_seconds=seconds)


def tables(table: Table) -> dict[str, str]:
    """Each table of the page, by the heading that it stands below."""
    first = of_setup(SETUPS[0], table)
    return {
        "Hours and dollars": _rows(
            ("set up as", "endpoint", "photos a second", "takes", "what binds", "USD, endpoint included"),
            [
                (
                    setup.name,
                    f"{setup.instances} x {setup.instance_type}",
                    f"{made.binds.a_second:,.0f}",
                    duration(made.seconds),
                    made.binds.name,
                    f"{made.usd:,.2f}",
                )
                for setup in SETUPS
                for made in [of_setup(setup, table)]
            ],
        ),
        "What is paid for": _rows(
            ("what", "quantity", "unit", "USD"),
            [(cost.what, f"{cost.quantity:,.0f}", cost.price.unit, f"{cost.usd or 0:,.2f}") for cost in first.costs],
        ),
        "Which limit binds first": _rows(
            ("limit", "photos a second", "a million takes", "the number and its source", "what raises it"),
            [
                (rate.name, f"{rate.a_second:,.0f}", duration(PHOTOS / rate.a_second), rate.source, rate.raised_by)
                for rate in first.rates
            ],
        ),
        "How many instances": _rows(
            ("seconds a picture", *(f"in {hours} h" for hours in HOURS)),
            [
                (
                    f"{seconds:g}",
                    *(
                        " / ".join(
                            str(instances_for(PHOTOS, hours, seconds, processors_of(kind)))
                            for kind in ("ml.m5.large", "ml.c5.xlarge")
                        )
                        for hours in HOURS
                    ),
                )
                for seconds in MODEL_SECONDS
            ],
        ),
    }


def facts(table: Table) -> Mapping[str, str]:
    """What the page says outside its tables."""
    made = of_setup(SETUPS[0], table)
    children = {cost.what: cost.usd or 0 for cost in made.costs}
    express = sum(children[what] for what in ("children started", "children's time"))
    return {
        "reviews": f"{made.reviews:,.0f}",
        "answering": duration(made.answering_seconds),
        "standard": f"{made.standard_usd:,.0f}",
        "express": f"{express:,.2f}",
    }


def _rows(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def with_tables(page: str, new: Mapping[str, str]) -> str:
    """A page whose tables below these headings are new.

    Raises:
        ValueError: there is no such heading, or no table below it.
    """
    for heading, table in new.items():
        pattern = rf"(## {re.escape(heading)}\n(?:(?!\n## ).)*?)((?:^\|[^\n]*\n)+)"
        page, count = re.subn(pattern, lambda match, table=table: match[1] + table, page, count=1, flags=re.S | re.M)
        if not count:
            raise ValueError(f"no table below {heading!r}")
    return page


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8"), tables(read_table(REGION))), encoding="utf-8")
