"""What an evaluation leaves beside a model's artifact: enough to say whether a confidence threshold is supported.

`training evaluate` writes it, `pulumi up` reads it: `models/<training job>/evidence.json`. The counts are of photos
that no training saw, at every threshold that tells two of them apart, so the answer for any threshold is exact.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TypeGuard

from contract.errors import UserError
from contract.prefixes import EVIDENCE_FILE
from contract.thresholds import is_threshold

VERSION = 1
LEVEL = 0.95
"""The probability with which each upper bound holds, for a threshold that was fixed beforehand."""


class EvidenceError(UserError):
    """An evidence file that can't be used; the message names field, value and what is allowed."""


@dataclass(frozen=True, slots=True)
class Row:
    """What happens from one threshold on, up to the next row's."""

    threshold: float
    """Inclusive: photos with this confidence are accepted."""
    accepted: int
    wrong: int
    """Among the accepted."""
    bound: float
    """Upper bound, at LEVEL, of the share of wrong ones among accepted photos (Clopper-Pearson)."""


@dataclass(frozen=True, slots=True)
class StrangersRouted:
    """Pictures of none of the classes, of one group, at the thresholds of the rows."""

    photos: int
    routed: tuple[int, ...]
    """For each row of the evidence."""
    bounds: tuple[float, ...]
    """Upper bound, at LEVEL, of the share routed, for each row."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One model, measured once."""

    model: str
    """The training job's name."""
    labels: tuple[str, ...]
    image_size: int
    """Pixels a side of the pictures that it was asked about."""
    dataset: str
    """The identity of the dataset that the photos are of; empty when saved predictions do not say it."""
    created: datetime
    photos: int
    rows: tuple[Row, ...]
    """By rising threshold."""
    strangers: Mapping[str, StrangersRouted]
    """By group, such as kinds `seen` and `unseen` in training; empty for a model without neither."""
    recommended: float | None
    """The threshold that the evaluation recommends for its own targets."""

    def at(self, threshold: float) -> Row:
        """What a threshold does to the held-out photos: nothing is accepted beyond the surest of them."""
        place = bisect_left([row.threshold for row in self.rows], threshold)
        return self.rows[place] if place < len(self.rows) else Row(threshold, 0, 0, 1.0)

    def supports(self, threshold: float, target: float) -> bool:
        """Whether at most a share `target` of what `threshold` accepts is shown to be wrong, by it or by a lower one.

        A lower one counts since it takes more photos to show little: a threshold so high that only a few of the
        held-out photos reach it has no small bound. It takes for granted that the surer a model is, the less often
        it is wrong, as `training evaluate` does too.
        """
        lowest = self.lowest_supported(target)
        return lowest is not None and self.at(threshold).threshold >= lowest.threshold

    def lowest_supported(self, target: float) -> Row | None:
        """The lowest row whose own bound meets the target; None when there is none.

        The search looks at many thresholds, so it is the least cautious answer: `recommended` pays for the search.

        Args:
            target: the share of accepted photos that may be wrong.
        """
        # rows at which everything is accepted, or whose photos no threshold accepts, are of no threshold
        rows = (row for row in self.rows if is_threshold(row.threshold, len(self.labels)))
        return next((row for row in rows if row.bound <= target), None)


def to_document(evidence: Evidence) -> dict[str, object]:
    """The evidence as evidence.json holds it."""
    return {"version": VERSION, "level": LEVEL, **asdict(evidence), "created": evidence.created.isoformat()}


def parse_evidence(text: str | bytes, source: str = EVIDENCE_FILE) -> Evidence:
    """The evidence in the text of an evidence.json.

    Args:
        text: the file's content.
        source: where it was read, for the messages.

    Raises:
        EvidenceError: it is no JSON, of another version, or holds a value that can't be.
    """
    try:
        document: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise EvidenceError(f"{source} is not JSON: {error}") from error
    if not _is_object(document):
        raise EvidenceError(f"{source} must be an object, got {_shown(document)}")
    if document.get("version") != VERSION or document.get("level") != LEVEL:
        raise EvidenceError(
            f"{source}: version and level must be {VERSION} and {LEVEL}, "
            f"got {_shown(document.get('version'))} and {_shown(document.get('level'))}; evaluate again"
        )
    fields = _Fields(document, source)
    photos = fields.whole("photos", 1)
    rows = tuple(fields.rows(photos))
    recommended = document.get("recommended")
    return Evidence(
        model=fields.text("model"),
        labels=fields.labels(),
        image_size=fields.whole("image_size", 1),
        dataset=fields.text("dataset", empty=True),
        created=fields.time("created"),
        photos=photos,
        rows=rows,
        strangers=fields.strangers(len(rows)),
        recommended=None if recommended is None else fields.share("recommended", recommended),
    )


class _Fields:
    """A parsed document whose values are checked as they are taken."""

    def __init__(self, document: Mapping[str, object], source: str) -> None:
        self.document, self.source = document, source

    def fail(self, name: str, must: str, value: object) -> EvidenceError:
        return EvidenceError(f"{self.source}: {name} must be {must}, got {_shown(value)}")

    def text(self, name: str, *, empty: bool = False) -> str:
        value = self.document.get(name)
        if not isinstance(value, str) or not (value or empty):
            raise self.fail(name, "a string" if empty else "a non-empty string", value)
        return value

    def count(self, name: str, value: object, least: int, most: int | None = None) -> int:
        if (
            isinstance(value, bool)
            or not isinstance(value, int)
            or value < least
            or (most is not None and value > most)
        ):
            limit = f"from {least} to {most}" if most is not None else f"of {least} or more"
            raise self.fail(name, f"a whole number {limit}", value)
        return value

    def whole(self, name: str, least: int) -> int:
        return self.count(name, self.document.get(name), least)

    def share(self, name: str, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise self.fail(name, "a number from 0 to 1", value)
        return float(value)

    def labels(self) -> tuple[str, ...]:
        value = self.document.get("labels")
        names = [each for each in value if isinstance(each, str)] if _is_list(value) else []
        if len(names) < 2 or names != value or len(set(names)) < len(names):
            raise self.fail("labels", "two or more different names", value)
        return tuple(names)

    def time(self, name: str) -> datetime:
        value = self.text(name)
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            moment = datetime.min
        if moment.tzinfo is None:
            raise self.fail(name, "an ISO 8601 time with its zone", value)
        return moment

    def objects(self, name: str) -> Sequence[Mapping[str, object]]:
        value = self.document.get(name)
        if not _is_list(value) or not all(_is_object(each) for each in value):
            raise self.fail(name, "a list of objects", value)
        return [each for each in value if _is_object(each)]

    def rows(self, photos: int) -> list[Row]:
        rows: list[Row] = []
        for place, given in enumerate(self.objects("rows")):
            name = f"rows[{place}]"
            accepted = self.count(f"{name}.accepted", given.get("accepted"), 1, photos)
            row = Row(
                self.share(f"{name}.threshold", given.get("threshold")),
                accepted,
                self.count(f"{name}.wrong", given.get("wrong"), 0, accepted),
                self.share(f"{name}.bound", given.get("bound")),
            )
            if rows and (row.threshold <= rows[-1].threshold or row.accepted >= rows[-1].accepted):
                raise self.fail(f"{name}.threshold", "above the row's before, and accept fewer photos", row.threshold)
            if row.bound < row.wrong / row.accepted:
                raise self.fail(f"{name}.bound", f"at least the share observed, {row.wrong}/{row.accepted}", row.bound)
            rows.append(row)
        return rows

    def strangers(self, rows: int) -> dict[str, StrangersRouted]:
        value = self.document.get("strangers")
        if not _is_object(value):
            raise self.fail("strangers", "an object of groups", value)
        groups: dict[str, StrangersRouted] = {}
        for group, given in value.items():
            name = f"strangers.{group}"
            if not _is_object(given):
                raise self.fail(name, "an object", given)
            photos = self.count(f"{name}.photos", given.get("photos"), 1)
            routed, bounds = given.get("routed"), given.get("bounds")
            if not _is_list(routed) or not _is_list(bounds) or not len(routed) == len(bounds) == rows:
                raise self.fail(name, f"counts and bounds for each of the {rows} rows", given)
            groups[group] = StrangersRouted(
                photos,
                tuple(self.count(f"{name}.routed", each, 0, photos) for each in routed),
                tuple(self.share(f"{name}.bounds", each) for each in bounds),
            )
        return groups


def _is_object(value: object) -> TypeGuard[dict[str, object]]:
    return isinstance(value, dict)


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
