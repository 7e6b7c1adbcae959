"""One event as a line: for a terminal as wide as it is, and for a pipe as columns between tabs."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from rich.text import Text

from contract.decisions import WORDS, word_for
from operations.watch.follower import Event, Kind

COLOURS: Mapping[Kind, str] = MappingProxyType(
    {"accepted": "green", "review": "yellow", "neither": "magenta", "fault": "red", "repeat": "dim"}
)
REPEATED = "again"
"""What a repeat is called; it is no outcome and counts in no total."""
WORD_WIDTH = max(len(word) for word in (*WORDS.values(), REPEATED))
COLUMNS = ("time", "decision", "label", "confidence", "bay", "fault", "photo")


def columns(event: Event) -> tuple[str, ...]:
    """The texts of COLUMNS, whole; the time is ISO 8601."""
    return (
        f"{event.time:%Y-%m-%dT%H:%M:%SZ}",
        _word(event),
        event.label or "",
        "" if event.confidence is None else f"{event.confidence:.3f}",
        event.loading_bay or "",
        _one_line(_fault(event)),
        _one_line(event.object),
    )


def for_terminal(event: Event, totals: str, width: int) -> Text:
    """A line of at most `width` columns if it can be: the totals go first, then the photo goes to a line of its own.

    Time, decision, label, confidence and bay are never cut.
    """
    line = Text(f"{event.time:%H:%M:%S}  ")
    line.append(f"{_word(event):{WORD_WIDTH}}", COLOURS[event.kind])
    if event.confidence is not None:
        line.append(f"  {event.label} {event.confidence:.3f}")
    if event.loading_bay:
        line.append(f" -> {event.loading_bay}")
    if event.error:
        line.append(f"  {event.error}")
    photo = _one_line(event.object)
    if line.cell_len + 2 + len(photo) <= width:
        line.append(f"  {photo}")
        if line.cell_len + 4 + len(totals) <= width:
            line.append(f"  ({totals})", "dim")
    else:
        line.rstrip()
        line.append(f"\n  {photo}")
    if event.message:
        line.append(f"\n  {_one_line(event.message)}")
    return line


def _word(event: Event) -> str:
    return REPEATED if event.kind == "repeat" else word_for(event.kind, 1)


def _fault(event: Event) -> str:
    return ": ".join(part for part in (event.error, event.message) if part)


def _one_line(text: str) -> str:
    return " ".join(text.split()) if any(mark in text for mark in "\t\r\n") else text
