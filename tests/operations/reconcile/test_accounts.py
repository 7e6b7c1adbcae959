"""The accounting's laws: each photo has exactly one state, and nothing is called lost that something accounts for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.photos import StoredObject
from operations.reconcile.accounts import STATES, Arrived, Census, Found, LastRun, account_for, balance
from operations.review.rows import Recorded

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
GRACE = timedelta(minutes=15)
moments = st.integers(0, 20_000).map(lambda minutes: NOW - timedelta(minutes=minutes))
rows = st.builds(
    Recorded,
    st.sampled_from(["accepted", "review", "neither", "fault"]),
    st.booleans(),
    st.just("arn"),
    st.none() | moments,
)
runs = st.builds(
    LastRun,
    st.just("arn"),
    st.sampled_from(["RUNNING", "FAILED", "ABORTED", "TIMED_OUT"]),
    moments,
    st.sampled_from(["", "States.Runtime", "InvalidImage"]),
    st.none() | st.booleans(),
)
founds = st.builds(Found, st.none() | rows, st.none() | runs, st.booleans(), st.booleans())
photos = st.lists(st.tuples(moments, founds), max_size=20)
censuses = st.builds(Census, st.just(NOW), st.just(GRACE), st.integers(0, 5), st.integers(0, 5))


def arrived(number: int = 0, at: datetime = NOW - timedelta(hours=1)) -> Arrived:
    return Arrived(StoredObject("photos", f"incoming/{number}.png", "v"), at)


def accounts(drawn, census):
    return [account_for(arrived(number, at), found, census) for number, (at, found) in enumerate(drawn)]


@given(photos, censuses)
def test_every_photo_has_one_state_and_the_counts_add_up(drawn, census):
    found = accounts(drawn, census)
    balanced = balance(found, census)

    assert sum(balanced.counts.values()) == len(drawn)
    assert set(balanced.counts) == set(STATES)
    assert len(balanced.lost) == balanced.counts["lost"] + balanced.counts["held or lost"]


@given(moments, founds, censuses)
def test_what_waits_or_is_answered_or_is_fresh_is_never_lost(at, found, census):
    state = account_for(arrived(at=at), found, census).state
    if found.in_review or found.in_dead_letters or (found.row and found.row.answered) or census.is_fresh(at):
        assert "lost" not in state


@given(moments, founds)
def test_with_nothing_hidden_nothing_is_in_doubt(at, found):
    assert account_for(arrived(at=at), found, Census(NOW, GRACE)).state != "held or lost"


@given(photos, censuses)
def test_hidden_messages_never_turn_a_photo_into_more_than_a_doubt(drawn, census):
    seen = Census(NOW, GRACE)
    for with_hidden, without in zip(accounts(drawn, census), accounts(drawn, seen), strict=True):
        assert with_hidden.state == without.state or (with_hidden.state, without.state) == ("held or lost", "lost")


@given(photos, censuses)
def test_as_many_are_surely_lost_as_the_hidden_messages_cannot_account_for(drawn, census):
    sure = balance(accounts(drawn, census), census).surely_lost
    all_lost = balance(accounts(drawn, Census(NOW, GRACE)), Census(NOW, GRACE)).surely_lost
    assert all_lost - census.hidden_reviews - census.hidden_letters <= sure <= all_lost


ACCEPTED, UNSURE = Recorded("accepted", False, "arn", None), Recorded("review", False, "arn", None)
ABORTED = LastRun("arn", "ABORTED", NOW - timedelta(hours=1))


@pytest.mark.parametrize(
    ("found", "state"),
    [
        (Found(ACCEPTED), "decided"),
        (Found(ACCEPTED, in_review=True), "decided"),
        (Found(ACCEPTED, ABORTED, in_review=True), "waiting"),
        (Found(ACCEPTED, ABORTED), "lost"),
        (Found(Recorded("review", True, "arn", None)), "answered"),
        (Found(UNSURE, in_review=True), "waiting"),
        (Found(UNSURE), "lost"),
        (Found(in_dead_letters=True), "dead letter"),
        (Found(run=LastRun("arn", "RUNNING", None)), "in flight"),
        (Found(run=ABORTED), "lost"),
        (Found(), "lost"),
    ],
)
def test_each_state_follows_from_what_is_there(found, state):
    assert account_for(arrived(), found, Census(NOW, GRACE)).state == state


def test_a_run_that_never_reached_the_queue_is_lost_whatever_is_hidden():
    run = LastRun("arn", "FAILED", NOW - timedelta(hours=1), "InvalidImage", sent=False)
    assert account_for(arrived(), Found(run=run), Census(NOW, GRACE, hidden_reviews=3)).state == "lost"


def test_what_is_lost_says_how_its_execution_ended():
    lost = account_for(arrived(), Found(run=ABORTED), Census(NOW, GRACE))
    assert "ABORTED" in lost.why
