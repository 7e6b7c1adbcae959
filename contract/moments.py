"""How pages and pictures write a date and a time: one format."""

from __future__ import annotations

from datetime import datetime, tzinfo


def day(value: datetime) -> str:
    """A date as `3 May`."""
    return f"{value.day} {value:%b}"


def moment(value: datetime, zone: tzinfo) -> str:
    """A time as `3 May 2026, 14:00`, with seconds only when they say something."""
    local = value.astimezone(zone)
    clock = f"{local:%H:%M}" if local.second == 0 else f"{local:%H:%M:%S}"
    return f"{day(local)} {local.year}, {clock}"
