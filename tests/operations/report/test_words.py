import pytest

from contract.baseline import parse_baseline
from operations.report import words
from operations.report.strangers import count_strangers
from operations.report.words import MANY_FAULTS, faults_are_many, headline, strangers_story
from tests.operations.builders import baseline


def outcomes_of(accepted=0, review=0, neither=0, fault=0):
    return {"accepted": accepted, "review": review, "neither": neither, "fault": fault}


def said(counts, *, faults_known=True, has_neither=True, errors=()):
    sentence = headline(counts, faults_known=faults_known, has_neither=has_neither, errors=errors, drift=None)
    return sentence.partition(";")[0]


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        (outcomes_of(36, 5, 0, 61), "102 photos: 35 % accepted, 5 % for a person, no strangers, 60 % faults"),
        (outcomes_of(807, 193), "1,000 photos: 81 % accepted, 19 % for a person, no strangers, no faults"),
        (outcomes_of(0, 3, 1), "4 photos: none accepted, 75 % for a person, 25 % strangers, no faults"),
        (outcomes_of(5), "5 photos: all accepted"),
        (outcomes_of(0, 0, 0, 2), "2 photos: all faults"),
        (outcomes_of(0, 1), "1 photo: for a person"),
        (outcomes_of(0, 0, 1), "1 photo: a stranger"),
        (outcomes_of(0, 0, 0, 1), "1 photo: a fault"),
        (outcomes_of(), "No photos arrived in this period."),
    ],
)
def test_the_headline_tells_every_outcome(counts, sentence):
    assert said(counts) == sentence


def test_the_headline_names_the_most_frequent_error():
    assert said(outcomes_of(1, 0, 0, 1), errors=["InvalidImage"]).endswith("50 % faults (InvalidImage)")
    assert said(outcomes_of(1, 0, 0, 3), errors=["InvalidImage", "Throttled"]).endswith("(mostly InvalidImage)")
    assert said(outcomes_of(0, 0, 0, 1), errors=["Throttled"]) == "1 photo: a fault (Throttled)"


def test_what_nobody_asked_for_is_not_denied():
    assert said(outcomes_of(1, 1), faults_known=False, has_neither=False) == (
        "2 photos: 50 % accepted, 50 % for a person"
    )


@pytest.mark.parametrize(
    ("photos", "faults", "many"), [(42, 1, False), (42, 2, True), (1000, 9, False), (1000, 10, True), (2, 2, True)]
)
def test_faults_are_many_from_one_in_a_hundred_on_but_never_a_single_one(photos, faults, many):
    assert MANY_FAULTS == 0.01
    assert faults_are_many(outcomes_of(photos - faults, fault=faults)) is many


BASELINE = parse_baseline(baseline(1000, strangers=0.02))


def test_strangers_are_held_against_the_mistakes_of_the_evaluation():
    mistaken = BASELINE.class_counts["neither"]
    found = count_strangers(30, 200, BASELINE)
    assert found.expected == pytest.approx(200 * mistaken / 1000)
    assert found.most_by_chance is not None and found.expected < found.most_by_chance < 30 and found.came
    story = strangers_story(found)
    assert story.startswith("Of the 200 photos that the model answered, 30 showed none of the classes.")
    assert f"about {found.expected:.0f} would be expected here" in story and "More came" in story


def test_as_many_strangers_as_chance_explains_are_no_news():
    found = count_strangers(4, 200, BASELINE)
    assert not found.came and "More came" not in strangers_story(found)


def test_without_a_baseline_nothing_is_expected():
    found = count_strangers(3, 10, None)
    assert not found.came and strangers_story(found) == (
        "Of the 10 photos that the model answered, 3 showed none of the classes."
    )
    assert strangers_story(count_strangers(0, 1, None)) == (
        "No strangers came among the 1 photo that the model answered."
    )


def test_a_plural_has_its_s():
    assert (words.counted(1, "photo"), words.counted(0, "photo"), words.counted(1204, "photo")) == (
        "1 photo",
        "0 photos",
        "1,204 photos",
    )
