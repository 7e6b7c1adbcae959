"""Clocks that jump while inferences are captured: every record is read once at its own time, or called damaged."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from operations.captures.period import Period, from_microseconds
from operations.captures.reader import CaptureReader
from operations.captures.sources import open_source
from operations.cli import main
from tests.capture_builders import a_key, line

START = datetime(2026, 5, 3, 8, tzinfo=UTC)
JUMPING = [
    *(START + timedelta(minutes=minute) for minute in range(40)),
    *(START - timedelta(hours=5), START + timedelta(days=400), START, datetime(2000, 1, 1, tzinfo=UTC)),
]
UNSET = [
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
    datetime(1, 1, 1, tzinfo=UTC),
]


def captured(folder: Path, times: list[datetime]) -> Path:
    """One file, in the hour of START, with these times in this order."""
    path = folder / a_key(START)
    path.parent.mkdir(parents=True)
    path.write_bytes(
        b"".join(line(time=time, inference_id=f"{number:032x}") for number, time in enumerate(times)).replace(
            b'"1-01-01', b'"0001-01-01'
        )
    )
    return folder / "capture"


def test_every_record_is_read_once_at_its_own_time(tmp_path: Path) -> None:
    reader = CaptureReader(open_source(str(captured(tmp_path, JUMPING))), Period(), 2)
    times = [from_microseconds(time) for batch in reader.batches() for time in batch.times.tolist()]
    assert sorted(times) == sorted(JUMPING) and not reader.reading.damaged and not reader.reading.repeats


def test_in_a_period_those_of_another_time_are_counted_and_none_is_twice(tmp_path: Path) -> None:
    period = Period(START, START + timedelta(hours=1))
    reader = CaptureReader(open_source(str(captured(tmp_path, JUMPING))), period, 2)
    count = sum(len(batch) for batch in reader.batches())
    assert (count, reader.reading.outside) == (41, 3) and count + reader.reading.outside == len(JUMPING)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/Los_Angeles"])
def test_a_clock_that_was_never_set_or_ran_away_is_damage_and_stops_no_report(
    tmp_path: Path, zone: str, capsys: pytest.CaptureFixture[str]
) -> None:
    place = captured(tmp_path, [*JUMPING, *UNSET])
    words = ["--capture", str(place), "--classes", "bicycle", "motorcycle", "--threshold", "0.8", "--timezone", zone]
    assert main(["report", *words, "--output", str(tmp_path / "report"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["sources"]["damaged"] == len(UNSET), said["sources"]
