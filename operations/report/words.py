"""The report's sentences: what happened, in words that need no statistics."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from operations.report.drift import Drift, WindowDrift, class_shares, median_confidence

LARGEST_DIFFERENCES = 3
"""Differences in the class mix that are named."""


def number(value: int) -> str:
    """1204 -> 1,204."""
    return f"{value:,}"


def percent(share: float) -> str:
    """A share as a percentage: whole, with one decimal where a whole one would hide everything."""
    if 0 < share < 0.0005:
        return "under 0.1 %"
    if 0.9995 < share < 1:
        return "over 99.9 %"
    if 0 < share < 0.01 or 0.99 < share < 1:
        return f"{100 * share:.1f} %"
    return f"{100 * share:.0f} %"


def duration(seconds: float) -> str:
    """Seconds in the unit that a person would use."""
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 90:
        return f"{seconds:.1f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    if seconds < 36 * 3600:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 86400:.1f} days"


def moment(value: datetime, zone: ZoneInfo) -> str:
    """A time as `3 May 2026, 14:00`, with seconds only when they say something."""
    local = value.astimezone(zone)
    clock = f"{local:%H:%M}" if local.second == 0 else f"{local:%H:%M:%S}"
    return f"{local.day} {local:%b %Y}, {clock}"


def headline(photos: int, routed: int, drift: Drift | None) -> str:
    """The report in one sentence."""
    if not photos:
        return "No photos were classified in this period."
    things = "1 photo" if photos == 1 else f"{number(photos)} photos"
    if photos == 1:
        split = "routed automatically" if routed else "sent to people"
    elif routed == photos:
        split = "all routed automatically"
    elif not routed:
        split = "all sent to people"
    else:
        split = f"{percent(routed / photos)} routed automatically, {percent(1 - routed / photos)} sent to people"
    return f"{things}, {split}; {_state(drift)}."


def _state(drift: Drift | None) -> str:
    if drift is None:
        return "there is no baseline to say whether the model still sees what it was evaluated on"
    return {
        "same": "the model sees the same as at evaluation",
        "changed": "what the model sees differs from its evaluation",
        "changed back": "what the model sees differed from its evaluation for a while, and no longer does",
        "too few": "too few photos to compare with the evaluation",
    }[drift.verdict]


def drift_story(drift: Drift, zone: ZoneInfo) -> list[str]:
    """What changed against the evaluation and since when: one sentence each."""
    judged = drift.judged
    verdict = drift.verdict
    if verdict == "too few":
        return ["Too few photos in the period to compare them with the evaluation."]
    if verdict == "same":
        seen = max((window.confidence_psi.value for window in judged), default=0.0)
        return [
            "Confidence and class mix are as at evaluation, within what chance explains or below what"
            f" matters (largest PSI of the confidences {seen:.2f})."
        ]
    sentences: list[str] = []
    for kind, tell in (("confidence", _confidence), ("classes", _classes)):
        changed = [window.confidence_changed if kind == "confidence" else window.classes_changed for window in judged]
        if not any(changed):
            whole = drift.whole
            if whole and (whole.confidence_changed if kind == "confidence" else whole.classes_changed):
                sentences.append(f"Over the whole period {tell(drift, [whole])}; no single window shows it alone.")
            continue
        last = len(changed) - 1 - changed[::-1].index(True)
        first = last
        while first and changed[first - 1]:
            first -= 1
        span = judged[first : last + 1]
        if last == len(judged) - 1:
            when = (
                f"In the whole period, from the first photo on, {tell(drift, span)}"
                if first == 0
                else f"Since {moment(span[0].start, zone)} {tell(drift, span)}"
            )
        else:
            when = (
                f"Between {moment(span[0].start, zone)} and {moment(span[-1].end, zone)}"
                f" {tell(drift, span)}; since then as at evaluation"
            )
        sentences.append(when + ".")
        earlier = sum(changed[:first])
        if earlier:
            sentences.append(f"{earlier} earlier window{'s' if earlier > 1 else ''} differed too: see the picture.")
        if kind == "classes" and first == 0 and last == len(judged) - 1:
            sentences.append(
                "A class mix that differs from the first photo on means that the evaluation's photos were"
                " mixed differently from those at the gate, not that something happened."
            )
    return sentences


def _confidence(drift: Drift, windows: Sequence[WindowDrift]) -> str:
    now, then = median_confidence(windows), drift.median_confidence
    largest = f"PSI up to {max(window.confidence_psi.value for window in windows):.2f}"
    if abs(now - then) < 0.01:
        return (
            "the confidences are distributed differently than at evaluation, around the same median"
            f" ({now:.2f}; {largest})"
        )
    return (
        f"the model is {'less' if now < then else 'more'} sure than at evaluation: the middle photo's confidence"
        f" is {now:.2f} instead of {then:.2f} ({largest})"
    )


def _classes(drift: Drift, windows: Sequence[WindowDrift]) -> str:
    differences = sorted(
        zip(drift.classes, class_shares(windows), drift.class_shares, strict=True),
        key=lambda item: -abs(item[1] - item[2]),
    )
    largest = differences[: 1 if len(differences) == 2 else LARGEST_DIFFERENCES]
    parts = ", ".join(
        f"{label} is {percent(now)} of the photos instead of {percent(then)}" for label, now, then in largest
    )
    return f"the mix of classes differs from the evaluation: {parts}"
