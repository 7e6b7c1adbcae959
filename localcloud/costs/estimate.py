"""Usage times price: the lines of an estimate and their sums."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contract.prices import Price, Table
from localcloud.costs.usage import Bill, Usage


@dataclass(frozen=True, slots=True)
class CostLine:
    """One usage with its price."""

    usage: Usage
    price: Price

    @property
    def usd(self) -> float | None:
        """What it costs; None where the price or the quantity is not known."""
        if self.price.usd is None or self.usage.quantity is None:
            return None
        return self.usage.quantity / self.price.per * self.price.usd


@dataclass(frozen=True, slots=True)
class Estimate:
    """A month of a stack."""

    photos: int
    table: Table
    lines: tuple[CostLine, ...]

    @property
    def monthly(self) -> float:
        """All that is known of a month, in US dollars."""
        return sum(line.usd or 0 for line in self.lines if not line.usage.once)

    @property
    def fixed(self) -> float:
        """The part that is paid without any photo."""
        return sum(line.usd or 0 for line in self.lines if line.usage.fixed and not line.usage.once)

    @property
    def once(self) -> float:
        """What is paid for once."""
        return sum(line.usd or 0 for line in self.lines if line.usage.once)

    @property
    def per_thousand(self) -> float | None:
        """A month's cost per thousand photos; None without photos."""
        return self.monthly / self.photos * 1000 if self.photos else None

    @property
    def missing(self) -> list[CostLine]:
        """Lines without an amount."""
        return [line for line in self.lines if line.usd is None]

    def components(self) -> dict[str, float]:
        """The month by component."""
        sums: dict[str, float] = {}
        for line in self.lines:
            if not line.usage.once:
                sums[line.usage.component] = sums.get(line.usage.component, 0) + (line.usd or 0)
        return sums


def estimate(graph: Sequence[Mapping[str, Any]], photos: int, table: Table) -> Estimate:
    """Estimate a month of a stack.

    Args:
        graph: with outputs, not as in a preview.
        photos: that arrive in the month.
        table: prices and assumptions.
    """
    usages = Bill(graph, photos, table.assumptions).usages()
    return Estimate(photos, table, tuple(CostLine(usage, table.price(usage.price, usage.unit)) for usage in usages))
