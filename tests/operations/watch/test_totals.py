import io
import json

import pytest
from rich.console import Console

from operations.watch.follower import Follower
from operations.watch.lines import COLUMNS
from operations.watch.totals import follow
from tests.operations.builders import MACHINE, Cloud

LONG = "incoming/2026-05-03/gate-north_0f90627bd84c4a7e9d3a1c55e0b2f6a8.jpg"
CAUSE = "the photo is damaged or cut off:\tTruncated\nFile Read"


@pytest.fixture
def cloud():
    return Cloud()


def lines_of(cloud, width=None, **options):
    """What `watch --once` writes: in a pipe, or in a terminal of that width."""
    screen = io.StringIO()
    terminal = {"force_terminal": True, "width": width, "color_system": None} if width else {}
    follow(
        Follower(cloud, cloud, MACHINE),
        **({"once": True} | options),
        console=Console(file=screen, highlight=False, **terminal),
    )
    return screen.getvalue().splitlines()


def test_in_a_pipe_columns_are_between_tabs_and_nothing_is_cut_or_padded(cloud):
    cloud.run(1, "accepted")
    cloud.run(2, error="InvalidImage", cause=CAUSE, photo=LONG)
    header, first, second, totals = lines_of(cloud)
    assert header == "\t".join(COLUMNS)
    assert first == "2026-05-03T08:00:03Z\taccepted\tbicycle\t0.930\tbay 1\t\tphotos/incoming/1.png"
    assert second == (
        "2026-05-03T08:00:04Z\tfault\t\t\t\tInvalidImage: the photo is damaged or cut off: Truncated File Read"
        f"\tphotos/{LONG}"
    )
    assert totals == "2 photos: 1 accepted (50 %), 1 fault (50 %)"


def test_a_wide_terminal_shows_the_photo_and_the_totals_in_the_line(cloud):
    cloud.run(1, "accepted")
    cloud.run(2, "review")
    date, first, second, _ = lines_of(cloud, 120)
    assert date == "3 May 2026 (UTC)"
    assert first == "08:00:03  accepted      bicycle 0.930 -> bay 1  photos/incoming/1.png  (1 photo: 1 accepted)"
    assert second.endswith("photos/incoming/2.png  (2 photos: 1 accepted, 1 for a person)")


@pytest.mark.parametrize("decision", ["accepted", "review", "neither"])
def test_at_45_columns_time_decision_label_confidence_and_bay_are_whole(cloud, decision):
    cloud.run(1, decision, photo=LONG)
    cloud.rows[0]["label"] = "motorcycle"
    _, line, photo, _ = lines_of(cloud, 45)
    assert len(line) <= 45 + (len(" -> bay 1") if decision == "accepted" else 0)
    assert "motorcycle 0.930" in line and ("-> bay 1" in line) == (decision == "accepted")
    assert photo == f"  photos/{LONG}"


def test_a_fault_shows_its_reason(cloud):
    cloud.run(1, error="InvalidImage", cause=CAUSE)
    _, line, reason, _ = lines_of(cloud, 70)
    assert line == "08:00:03  fault         InvalidImage  photos/incoming/1.png"
    assert reason == "  the photo is damaged or cut off: Truncated File Read"


def test_a_new_day_has_its_date(cloud):
    cloud.run(1, "accepted")
    cloud.run(86400, "accepted")
    assert [line for line in lines_of(cloud, 120) if line.endswith("(UTC)")] == ["3 May 2026 (UTC)", "4 May 2026 (UTC)"]


def test_names_of_photos_are_no_markup(cloud):
    cloud.run(1, "accepted", photo="incoming/[red]odd.png")
    assert "photos/incoming/[red]odd.png" in lines_of(cloud, 120)[1]


def test_a_stranger_is_told_apart_from_a_photo_that_the_model_is_not_sure_of(cloud):
    cloud.run(1, "review")
    cloud.run(2, "neither")
    cloud.run(3, "neither")
    _, _, second, *_, sentence = lines_of(cloud, 140)
    assert "stranger      bicycle 0.930" in second and second.endswith("(2 photos: 1 for a person, 1 stranger)")
    assert sentence == "3 photos: 1 for a person (33 %), 2 strangers (67 %)"


def test_a_repeat_counts_in_no_total(cloud):
    cloud.run(1, "accepted", photo="incoming/a.png")
    cloud.run(2, photo="incoming/a.png")
    *_, repeat, totals = lines_of(cloud)
    assert repeat.split("\t")[1] == "again"
    assert totals == "1 photo: 1 accepted (100 %)"


def test_control_c_ends_with_the_totals(cloud):
    cloud.run(1, "accepted")
    looks = []

    def sleep(seconds):
        looks.append(seconds)
        if len(looks) == 2:
            raise KeyboardInterrupt
        cloud.run(3, error="ImageTooLarge")

    lines = lines_of(cloud, once=False, interval=0.5, sleep=sleep)
    assert looks == [0.5, 0.5]
    assert len(lines) == 4 and lines[-1] == "2 photos: 1 accepted (50 %), 1 fault (50 %)"


def test_scripts_get_a_json_object_a_line_and_the_totals_last(cloud, capsys):
    cloud.run(1, "accepted")
    follow(Follower(cloud, cloud, MACHINE), once=True, as_json=True)
    event, totals = map(json.loads, capsys.readouterr().out.splitlines())
    assert (event["object"], event["kind"], event["loading_bay"]) == ("photos/incoming/1.png", "accepted", "bay 1")
    assert totals["outcomes"] == {"accepted": 1, "review": 0, "neither": 0, "fault": 0}
    assert (totals["photos"], totals["repeats"], totals["bays"]) == (1, 0, {"bay 1": 1})
