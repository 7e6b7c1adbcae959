"""What is sent through again and what is not: laws over whatever the queues and the table hold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.photos import StoredObject
from operations.captures.period import Period
from operations.replay.choice import MOST_PLACES, Candidate, Wanted, counts, matches, plan
from operations.review.rows import Recorded

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
PHOTO = StoredObject("photos", "incoming/a.png", "v")


def candidate(
    photo: StoredObject | None = PHOTO, *, source="execution", error="ModelNotReady", minutes=0, last="arn:1",
    outcome="fault",
) -> Candidate:  # fmt: skip
    return Candidate(source, photo, error, NOW + timedelta(minutes=minutes), last, outcome, {"MessageId": "m"})


photos = st.sampled_from(["a", "b", "c"]).map(lambda name: StoredObject("photos", f"incoming/{name}.png", "v"))
candidates = st.lists(
    st.builds(
        candidate,
        st.none() | photos,
        source=st.sampled_from(["execution", "dead letter"]),
        minutes=st.integers(0, 9),
        last=st.sampled_from(["", "arn:1", "arn:2"]),
        outcome=st.sampled_from(["review", "neither", "fault"]),
    ),
    max_size=9,
)
rows = st.builds(
    Recorded,
    st.sampled_from(["accepted", "review", "neither", "fault"]),
    st.booleans(),
    st.sampled_from(["arn:1", "arn:2"]),
    st.none(),
)
tables = st.dictionaries(photos, rows, max_size=3)


@given(candidates, tables)
def test_law_everything_is_replayed_or_left_for_one_reason(chosen, table):
    planned = plan(chosen, table)
    assert len(planned.replay) + sum(planned.left.values()) == len(chosen)
    assert [each.at for each in planned.replay] == sorted(each.at for each in planned.replay)


@given(candidates, tables)
def test_law_what_was_decided_or_answered_is_never_started(chosen, table):
    for each in plan(chosen, table).replay:
        assert each.photo is not None
        assert each.outcome == "fault" or each.is_for_people
        row = table.get(each.photo)
        assert row is None or (each.is_for_people and not row.answered)


@given(candidates, tables)
def test_law_only_dead_letters_are_removed_and_only_of_photos_that_something_else_accounts_for(chosen, table):
    executed = {each.photo for each in chosen if each.source == "execution"}
    for each in plan(chosen, table).obsolete:
        assert each.source == "dead letter" and each.photo is not None
        assert each.photo in table or each.photo in executed


@pytest.mark.parametrize(
    ("one", "row", "left"),
    [
        (candidate(outcome="review"), None, "review"),
        (candidate(outcome="neither"), None, "neither"),
        (candidate(), Recorded("accepted", False, "arn:2", None), "decided"),
        (candidate(), Recorded("accepted", False, "arn:1", None), "not told"),
        (candidate(), Recorded("review", False, "arn:2", None), "decided"),
        (candidate(), Recorded("fault", True, "arn:1", None), "answered"),
        (candidate(None), None, "unreadable"),
        (candidate(), None, None),
        (candidate(source="dead letter", last=""), None, None),
        (candidate(source="dead letter", outcome="review"), None, None),
    ],
)
def test_each_reason_follows_from_what_is_there(one, row, left):
    planned = plan([one], {PHOTO: row} if row else {})
    assert [*planned.left] == ([left] if left else [])
    assert list(planned.replay) == ([] if left else [one])


def test_a_dead_letter_of_a_photo_that_has_an_execution_is_not_started_beside_it():
    letter, failed = candidate(source="dead letter", last=""), candidate()
    planned = plan([letter, failed], {})
    assert (list(planned.replay), list(planned.obsolete)) == ([failed], [letter])


@pytest.mark.parametrize(
    ("pattern", "text", "does"),
    [
        ("ModelNotReady", "ModelNotReady", True),
        ("Model", "ModelNotReady", False),
        ("Model*", "ModelNotReady", True),
        ("*", "", True),
        ("incoming/a*", "incoming/a*b.png", True),
    ],
)
def test_a_star_at_the_end_stands_for_any_end(pattern, text, does):
    assert matches(pattern, text) is does


@pytest.mark.parametrize(
    ("errors", "keys", "minutes", "taken"),
    [
        ((), (), 0, True),
        (("Model*", "Other"), ("incoming/*",), 0, True),
        (("Other",), (), 0, False),
        ((), ("test/*",), 0, False),
        ((), (), -61, False),
        ((), (), 60, False),
    ],
)
def test_what_is_chosen_is_chosen_by_time_error_and_key_together(errors, keys, minutes, taken):
    hour = Period(NOW - timedelta(hours=1), NOW + timedelta(hours=1))
    assert Wanted(hour, errors, keys).takes(candidate(minutes=minutes)) is taken


@given(st.lists(st.lists(st.sampled_from("abcdef"), max_size=4).map("/".join), max_size=40))
def test_law_the_counts_add_up_and_tell_few_places(folders):
    replay = [candidate(StoredObject("p", f"incoming/{folder}/{n}.png", "v")) for n, folder in enumerate(folders)]
    found = counts(replay)
    assert sum(each.photos for each in found) == len(replay)
    assert len({each.place for each in found}) <= MOST_PLACES
    assert all(each.place.startswith("incoming/") for each in found)
