"""The report's sentences: what happened, in words that need no statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from contract.decisions import OUTCOMES, WORDS, Outcome, word_for
from contract.moments import moment
from contract.screen import counted
from contract.shares import percent, percentages
from operations.report.drift import Drift, WindowDrift, class_shares, median_confidence
from operations.report.strangers import StrangersSeen

MANY_FAULTS = 0.01
"""The share of photos from which on faults are many: a working system has none but for a damaged upload now and then,
and each is a driver whom nobody routes; at a thousand photos a day this is ten of them."""
FEWEST_MANY_FAULTS = 2
"""One fault alone is never many, however few photos came."""
LARGEST_DIFFERENCES = 3
"""Differences in the class mix that are named."""


def number(value: int) -> str:
    """1204 -> 1,204."""
    return f"{value:,}"


def duration(seconds: float) -> str:
    """Seconds in the unit that a person would use."""
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 90:
        return f"{seconds:.1f} s".replace(".0 ", " ")
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    if seconds < 36 * 3600:
        return f"{seconds / 3600:.1f} h".replace(".0 ", " ")
    return f"{seconds / 86400:.1f} days".replace(".0 ", " ")


def headline(
    outcomes: Mapping[Outcome, int],
    *,
    faults_known: bool,
    has_neither: bool,
    errors: Sequence[str],
    drift: Drift | None,
) -> str:
    """The report in one sentence.

    Args:
        outcomes: photos by outcome.
        faults_known: whether executions were asked for faults.
        has_neither: whether the model has a word for strangers.
        errors: the faults' names, the most frequent first.
        drift: what the comparison with the evaluation found.
    """
    photos = sum(outcomes.values())
    if not photos:
        return "No photos arrived in this period."
    named = f" ({'mostly ' if len(errors) > 1 else ''}{errors[0]})" if errors else ""
    asked: dict[Outcome, bool] = {"accepted": True, "review": True, "neither": has_neither, "fault": faults_known}
    clauses: list[str] = []
    for outcome, share in zip(OUTCOMES, percentages([outcomes[each] for each in OUTCOMES]), strict=True):
        count, error = outcomes[outcome], named if outcome == "fault" else ""
        if count == photos:
            clauses = [_all(outcome, photos) + error]
            break
        if count:
            clauses.append(f"{share} {WORDS[outcome]}{error}")
        elif asked[outcome]:
            clauses.append(f"{'no' if outcome in ('neither', 'fault') else 'none'} {WORDS[outcome]}")
    return f"{counted(photos, 'photo')}: {', '.join(clauses)}; {_state(drift)}."


def _all(outcome: Outcome, photos: int) -> str:
    """`all accepted`; of a single photo `accepted`, `a stranger`."""
    if photos > 1:
        return f"all {WORDS[outcome]}"
    return f"{'a ' if outcome in ('neither', 'fault') else ''}{word_for(outcome, 1)}"


def faults_are_many(outcomes: Mapping[Outcome, int]) -> bool:
    """Whether the page turns red: from MANY_FAULTS of the photos on, but not for a single one."""
    return outcomes["fault"] >= max(FEWEST_MANY_FAULTS, MANY_FAULTS * sum(outcomes.values()))


def strangers_story(strangers: StrangersSeen) -> str:
    """How many strangers came, and how many were to be expected: two or three sentences."""
    photos = f"{counted(strangers.photos, 'photo')} that the model answered"
    if strangers.count:
        # no share: the totals have one, of all photos
        found = f"Of the {photos}, {number(strangers.count)} showed none of the classes."
    else:
        found = f"No strangers came among the {photos}."
    if strangers.mistaken_share is None or strangers.expected is None or strangers.most_by_chance is None:
        return found
    expected = (
        f" The evaluation's photos all show a class, and {percent(strangers.mistaken_share)} of them were taken for"
        f" strangers: about {strangers.expected:.0f} would be expected here, and chance explains up to"
        f" {strangers.most_by_chance:,}."
    )
    return found + expected + (" More came: the strangers below show what." if strangers.came else "")


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
                sentences.append(f"Over the whole period {tell(drift, [whole])}; no single interval shows it alone.")
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
            sentences.append(f"{counted(earlier, 'earlier interval')} differed too: see the picture.")
        if kind == "classes" and first == 0 and last == len(judged) - 1:
            sentences.append(
                "A class mix that differs from the first photo on means that the evaluation's photos were"
                " mixed differently from the drivers', not that something happened."
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
        f"the model is {'less' if now < then else 'more'} sure than at evaluation: the median confidence"
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
