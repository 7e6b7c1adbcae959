"""`graph --cost`: what a month of the stack costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from contract.prices import read_table
from contract.screen import Column, write_json, write_line, write_table
from contract.stacks import read_stack
from localcloud.costs.estimate import CostLine, Estimate, estimate


def show(
    root: Path, stack: str, overrides: Mapping[str, str], graph: Sequence[Mapping[str, Any]], photos: int, as_json: bool
) -> int:
    """Print the estimate."""
    region = read_stack(root, stack, overrides).delivered().get("aws:region", "")
    made = estimate(graph, photos, read_table(region))
    if as_json:
        write_json(as_plain(made, stack))
        return 0
    write_table(
        [
            Column("component"),
            Column("what"),
            Column("quantity", right=True, more=True),
            Column("unit", more=True),
            Column("USD", right=True),
        ],
        [_cells(line) for line in made.lines],
    )
    for component, usd in made.components().items():
        write_line(f"{component}: {usd:,.2f} USD a month")
    rate = f", {made.per_thousand:,.2f} USD per thousand photos" if made.per_thousand is not None else ""
    write_line(
        f"{stack}, {photos:,} photos a month: {made.monthly:,.2f} USD a month{rate}"
        f" ({made.fixed:,.2f} USD of it without any photo); once: {made.once:,.2f} USD"
    )
    for line in made.missing:
        why = line.price.source if line.price.usd is None else "the quantity was not measured"
        write_line(f"not in the sum: {line.usage.component}, {line.usage.what}: {why}")
    write_line(
        f"list prices of {made.table.region}, read on {made.table.read}, before free tiers; contract/prices.yaml says"
        " from where, and what is assumed of a photo"
    )
    return 0


def _cells(line: CostLine) -> list[str]:
    usage, usd = line.usage, line.usd
    quantity = "?" if usage.quantity is None else f"{usage.quantity:,.6g}"
    amount = "not known" if usd is None else f"{usd:,.2f}"
    return [usage.component, usage.what, quantity, usage.unit, f"{amount} once" if usage.once else amount]


def as_plain(made: Estimate, stack: str) -> dict[str, Any]:
    """An estimate for scripts, with the source of every price and assumption."""
    return {
        "stack": stack,
        "region": made.table.region,
        "pricesRead": made.table.read,
        "photos": made.photos,
        "usdAMonth": round(made.monthly, 4),
        "usdFixed": round(made.fixed, 4),
        "usdOnce": round(made.once, 4),
        "usdPerThousandPhotos": None if made.per_thousand is None else round(made.per_thousand, 4),
        "components": {name: round(usd, 4) for name, usd in made.components().items()},
        "lines": [
            {
                "component": line.usage.component,
                "what": line.usage.what,
                "quantity": line.usage.quantity,
                "unit": line.usage.unit,
                "usd": line.usd,
                "once": line.usage.once,
                "price": line.usage.price,
                "source": line.price.source,
                "dated": line.price.dated,
            }
            for line in made.lines
        ],
        "assumptions": {
            name: {"value": value, "source": made.table.sources[name]} for name, value in made.table.assumptions.items()
        },
    }
