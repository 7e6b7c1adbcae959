"""What `watch` writes: a line for each event as it comes, and the totals when it ends."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import orjson
from rich.console import Console

from contract.decisions import OUTCOMES, WORDS, word_for
from contract.shares import percentages
from operations.watch.follower import Event, Follower
from operations.watch.lines import COLUMNS, columns, for_terminal


@dataclass(slots=True)
class Totals:
    """Outcomes so far."""

    kinds: Counter[str] = field(default_factory=Counter[str])
    bays: Counter[str] = field(default_factory=Counter[str])

    def add(self, event: Event) -> None:
        """Count an outcome."""
        self.kinds[event.kind] += 1
        if event.kind == "accepted" and event.loading_bay:
            self.bays[event.loading_bay] += 1

    @property
    def photos(self) -> int:
        """All outcomes; an event that came twice is one photo."""
        return sum(self.kinds[outcome] for outcome in OUTCOMES)

    def shares(self) -> list[str]:
        """The percentages of the outcomes, in the order of OUTCOMES; they sum to 100."""
        return percentages([self.kinds[outcome] for outcome in OUTCOMES])

    def sentence(self, *, shares: bool = False) -> str:
        """The totals in words, with percentages if asked."""
        if not self.photos:
            return "no photo yet"
        parts = [
            f"{self.kinds[outcome]:,} {word_for(outcome, self.kinds[outcome])}" + (f" ({share})" if shares else "")
            for outcome, share in zip(OUTCOMES, self.shares(), strict=True)
            if self.kinds[outcome]
        ]
        return f"{self.photos:,} photo{'s' if self.photos > 1 else ''}: " + ", ".join(parts)

    def document(self) -> dict[str, object]:
        """The totals for scripts, under the names that the report's summary.json has."""
        return {
            "photos": self.photos,
            "outcomes": {outcome: self.kinds[outcome] for outcome in OUTCOMES},
            "words": dict(WORDS),
            "shares": dict(zip(OUTCOMES, self.shares(), strict=True)),
            "repeats": self.kinds["repeat"],
            "bays": dict(self.bays),
        }


def follow(
    follower: Follower,
    *,
    interval: float = 2.0,
    once: bool = False,
    as_json: bool = False,
    console: Console | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Totals:
    """Write every outcome until Ctrl-C (or the first look, with `once`); return the totals."""
    console = console or Console(highlight=False)
    totals = Totals()
    write = _to_terminal if console.is_terminal else _to_pipe
    try:
        if not as_json and not console.is_terminal:
            print("\t".join(COLUMNS), file=console.file, flush=True)
        last: Event | None = None
        while True:
            for event in follower.poll():
                totals.add(event)
                if as_json:
                    print(orjson.dumps(event).decode(), flush=True)
                else:
                    write(console, event, last, totals)
                last = event
            if once:
                break
            sleep(interval)
    except KeyboardInterrupt:
        pass
    if as_json:
        print(json.dumps(totals.document()))
    else:
        print(totals.sentence(shares=True), file=console.file, flush=True)
    return totals


def _to_terminal(console: Console, event: Event, last: Event | None, totals: Totals) -> None:
    if last is None or last.time.date() != event.time.date():
        console.print(f"{event.time.day} {event.time:%b %Y} (UTC)", style="dim")
    console.print(for_terminal(event, totals.sentence(), console.width), soft_wrap=True)


def _to_pipe(console: Console, event: Event, last: Event | None, totals: Totals) -> None:
    print("\t".join(columns(event)), file=console.file, flush=True)
