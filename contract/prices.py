"""List prices and what is assumed of a photo, each with its source and date; `prices.yaml` holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from contract.errors import UserError

FILE = Path(__file__).with_name("prices.yaml")


@dataclass(frozen=True, slots=True)
class Price:
    """A list price."""

    usd: float | None
    """US dollars for `per` units; None where none was found."""
    per: float
    unit: str
    source: str
    dated: str
    """When the source said so: a year, a month, or undated."""


@dataclass(frozen=True, slots=True)
class Table:
    """All prices of one region, and what is assumed of a photo."""

    region: str
    read: str
    """When the sources were read."""
    prices: Mapping[str, Price]
    assumptions: Mapping[str, float]
    sources: Mapping[str, str]
    """Where each assumption is from."""

    def price(self, key: str, unit: str) -> Price:
        """A price; one without an amount where the table has none."""
        return self.prices.get(key) or Price(None, 1, unit, f"{FILE.name} has no {key}", self.read)


def read_table(region: str, file: Path = FILE) -> Table:
    """The table for a region.

    Raises:
        UserError: it holds the prices of another one.
    """
    raw: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    if raw["region"] != region:
        raise UserError(f"aws:region is {region}, and {file.name} holds prices of {raw['region']} alone")
    return Table(
        region,
        str(raw["read"]),
        {
            key: Price(each["usd"], float(each["per"]), each["unit"], each["source"], str(each["dated"]))
            for key, each in raw["prices"].items()
        },
        {key: float(each["value"]) for key, each in raw["assumptions"].items()},
        {key: str(each["source"]) for key, each in raw["assumptions"].items()},
    )
