"""From when to when a report looks, and which hours of capture files that is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from contract.errors import UserError

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period:
    """`start` <= time < `end`, both aware and in UTC; None leaves that side open."""

    start: datetime | None = None
    end: datetime | None = None

    def __post_init__(self) -> None:
        if self.start and self.end and self.start >= self.end:
            raise ValueError(f"a period must start before it ends, got {self.start} and {self.end}")

    def microseconds(self) -> tuple[int, int]:
        """Both ends as microseconds since 1970; an open side is as far away as 64 bits reach."""
        return (
            epoch_microseconds(self.start) if self.start else -(2**63),
            epoch_microseconds(self.end) if self.end else 2**63 - 1,
        )

    def holds_hour(self, hour: datetime) -> bool:
        """Whether a capture file of this `hour` (UTC) may hold records of the period.

        One hour more at each end: the hour in the key is the service's, the record's own time decides.
        """
        return not (self.start and hour + 2 * HOUR <= self.start) and not (self.end and hour - HOUR >= self.end)

    def partitions(self, now: datetime) -> list[str] | None:
        """The key parts `yyyy/mm/dd/` and `yyyy/mm/dd/hh/` that cover the period; None when it has no start.

        Whole days are asked for at once: one listing instead of 24.
        """
        if self.start is None:
            return None
        stop = min(self.end or now, now) + 2 * HOUR
        hour = (self.start - HOUR).astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        found: list[str] = []
        while hour < stop:
            if hour.hour == 0 and hour + DAY <= stop:
                found.append(f"{hour:%Y/%m/%d}/")
                hour += DAY
            else:
                found.append(f"{hour:%Y/%m/%d/%H}/")
                hour += HOUR
        return found


def epoch_microseconds(moment: datetime) -> int:
    """Whole microseconds from 1970 to an aware `moment`."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def from_microseconds(value: int) -> datetime:
    """The UTC moment `value` microseconds after 1970."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=value)


def parse_moment(text: str, zone: ZoneInfo, *, end: bool = False, option: str = "--from") -> datetime:
    """The moment that a person wrote: ISO 8601, in `zone` unless it says otherwise.

    A date alone is its midnight, or with `end` the midnight after it, so that `--to 2026-05-03` includes
    that day.
    """
    try:
        if len(text) == 10:
            day = date.fromisoformat(text)
            return datetime.combine(day + DAY if end else day, time(), zone).astimezone(UTC)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise UserError(f"{option} must be a date or time like 2026-05-03 or 2026-05-03T14:00, got {text!r}") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def since_until(since: str | None, until: str | None, now: datetime, days: int) -> Period:
    """The period of `--since` and `--until`, in UTC.

    Args:
        since: what was given; None for so many days ago.
        until: what was given; None for now.
        now: the present.
        days: see `since`.

    Raises:
        UserError: one is no time, or it ends before it starts.
    """
    zone = ZoneInfo("UTC")
    start = parse_moment(since, zone, option="--since") if since else now - days * DAY
    end = parse_moment(until, zone, end=True, option="--until") if until else now
    if start >= end:
        raise UserError(f"--since must be before --until, got {start:%Y-%m-%d %H:%M} and {end:%Y-%m-%d %H:%M} UTC")
    return Period(start, end)


def parse_zone(name: str) -> ZoneInfo:
    """The time zone of that IANA `name`."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise UserError(f"--timezone must be an IANA name like Europe/London or UTC, got {name!r}") from None
