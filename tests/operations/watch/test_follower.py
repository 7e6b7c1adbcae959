import pytest

from operations.watch.follower import MOST_PAGES, PAGE_SIZE, Follower
from tests.operations.builders import MACHINE, Cloud


@pytest.fixture
def cloud():
    return Cloud()


@pytest.fixture
def follower(cloud):
    return Follower(cloud, cloud, MACHINE)


def test_every_outcome_is_told_once_oldest_first(cloud, follower):
    cloud.run(2, "review", error="ThresholdNotMet")
    cloud.run(1, "accepted")
    events = [*follower.poll()]
    assert [(event.object, event.kind) for event in events] == [
        ("photos/incoming/1.png", "accepted"),
        ("photos/incoming/2.png", "review"),
    ]
    assert (events[0].label, events[0].confidence, events[0].loading_bay) == ("bicycle", 0.93, "bay 1")
    assert [*follower.poll()] == []


def test_a_running_execution_is_told_when_it_ends(cloud, follower):
    cloud.run(1, status="RUNNING")
    assert [*follower.poll()] == []
    cloud.run(1, "accepted")
    assert [event.kind for event in follower.poll()] == ["accepted"]


def test_one_that_ends_long_after_hundreds_that_started_later_is_still_told(cloud, follower):
    cloud.run(1, status="RUNNING")
    for number in range(2, 350):
        cloud.run(number, "accepted")
    assert len([*follower.poll()]) == 348
    cloud.run(1, "review")
    assert [event.kind for event in follower.poll()] == ["review"]


def test_a_failure_without_a_decision_is_a_fault_with_its_name(cloud, follower):
    cloud.run(1, status="FAILED", error="InvalidImage")
    cloud.run(2, status="TIMED_OUT")
    assert [(event.kind, event.error) for event in [*follower.poll()]] == [
        ("fault", "InvalidImage"),
        ("fault", "TIMED_OUT"),
    ]


def test_a_second_event_for_the_same_photo_is_a_repeat(cloud, follower):
    cloud.run(1, "review", photo="incoming/a.png")
    cloud.run(2, photo="incoming/a.png")
    assert [event.kind for event in follower.poll()] == ["review", "repeat"]


def test_an_execution_that_fails_after_its_decision_was_recorded_is_a_fault(cloud, follower):
    cloud.run(1, "accepted", error="Events.InternalException", cause="no event bus")
    (event,) = follower.poll()
    assert (event.kind, event.error, event.message) == ("fault", "Events.InternalException", "no event bus")


def test_an_event_comes_as_soon_as_it_is_looked_up(cloud, follower):
    for number in range(50):
        cloud.run(number, "accepted")
    next(follower.poll())
    assert len(cloud.asked) == 1


def test_what_was_looked_up_before_an_interruption_is_not_told_again(cloud, follower):
    for number in range(3):
        cloud.run(number, "accepted")
    first = next(follower.poll())
    assert len([event for event in follower.poll() if event.execution == first.execution]) <= 1
    assert [*follower.poll()] == []


def test_only_what_is_new_is_listed(cloud, follower):
    for number in range(900):
        cloud.run(number, "accepted")
    assert len([*follower.poll()]) == 900
    cloud.pages_read = 0
    cloud.run(900, "accepted")
    assert len([*follower.poll()]) == 1
    assert cloud.pages_read == 2


def test_of_a_long_history_the_newest_are_told(cloud, follower):
    for number in range(PAGE_SIZE * MOST_PAGES + 50):
        cloud.run(number, "accepted")
    assert len([*follower.poll()]) == PAGE_SIZE * MOST_PAGES
    assert [*follower.poll()] == []
