"""Every path through the state machine in an independent interpreter: where the photo ends, and the execution."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from components.parts.state_machine import DUPLICATE, FOR_A_PERSON, LAMBDA_TRANSIENT
from contract import errors
from tests.judges.interpreter import EXECUTION, TIMED_OUT, Fault
from tests.judges.machine import (
    ACCEPTED,
    CLASSIFIED,
    DEFINITION,
    FIGURES,
    NAMES,
    SERIALIZED,
    START,
    failing,
    is_in_good_hands,
    lambda_cause,
    message_in,
    run,
)
from tests.judges.process import Judge

FUNCTIONS = ("Serialize", "Classify", "Filter")
READ = ["ReadKey", "DecodeKey", "ReadCause", "ParseCause", "Message", "ForAPerson"]
TO_A_PERSON = [*READ, "SendToReview", "Alert", "Failed"]
PHOTO = {"bucket": "b", "key": "incoming/a.jpg", "version": "v"}
FAULTS = [error.__name__ for error in (*errors.PERMANENT, *errors.TRANSIENT) if error not in FOR_A_PERSON]


def refusal(error: type[errors.ForAPerson]) -> errors.ForAPerson:
    return error(**FIGURES, inferences=[0.9, 0.1])


def test_an_accepted_photo_is_recorded_and_published_and_the_picture_goes_no_further_than_classify(judge: Judge):
    ended = run(judge)
    assert (ended.status, ended.entered[-1]) == ("SUCCEEDED", "Routed")
    assert ended.entered == ["Serialize", "Classify", "Filter", "Record", "Publish", "Routed"]
    (item,) = ended.asked["Record"]
    assert item["TableName"] == NAMES.decisions_table
    assert item["Item"]["object"] == {"S": "b/incoming/a.jpg"} and item["Item"]["decision"] == {"S": "accepted"}
    assert item["Item"]["inferences"] == {"L": [{"N": "0.9"}, {"N": "0.1"}]}
    (event,) = ended.asked["Publish"]
    assert event["Entries"][0]["Detail"]["loading_bay"] == "bay 1"
    assert event["Entries"][0]["Detail"]["execution"] == EXECUTION
    assert "PICTURE" in json.dumps(ended.asked["Classify"])
    assert all("PICTURE" not in json.dumps(ended.asked[task]) for task in ("Filter", "Record", "Publish"))


def test_one_answer_of_the_model_is_a_list_of_one(judge: Judge):
    ended = run(judge, Filter=[{"Payload": {**ACCEPTED, "inferences": [1.0]}}])
    assert ended.asked["Record"][0]["Item"]["inferences"] == {"L": [{"N": "1"}]}


@pytest.mark.parametrize("error", FOR_A_PERSON)
def test_what_the_filter_refuses_is_recorded_and_sent_to_a_person_with_its_figures(
    judge: Judge, error: type[errors.ForAPerson]
):
    said = str(refusal(error))
    ended = run(judge, Filter=failing(error.__name__, said))
    assert (ended.status, ended.error, ended.cause) == ("FAILED", error.__name__, said)
    assert ended.entered[-10:] == [*READ, "RecordReview", "SendToReview", "Alert", "Failed"]
    item = ended.asked["RecordReview"][0]["Item"]
    decision = {"ThresholdNotMet": "review", "NoneOfTheClasses": "neither"}[error.__name__]
    assert (item["decision"], item["confidence"]) == ({"S": decision}, {"N": "0.9"})
    assert item["inferences"] == {"L": [{"N": "0.9"}, {"N": "0.1"}]} and "loading_bay" not in item
    expected = {**PHOTO, **FIGURES, "inferences": [0.9, 0.1], "inference_id": "ab" * 16, "model": "job-1"}
    assert message_in(ended) == {**expected, "error": error.__name__, "message": said, "execution": EXECUTION}


@pytest.mark.parametrize("error", FAULTS)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_fault_of_a_function_sends_the_photo_to_a_person(judge: Judge, function: str, error: str):
    ended = run(judge, **{function: failing(error, "it failed: é 🚲")})
    assert (ended.status, ended.error, ended.cause) == ("FAILED", error, "it failed: é 🚲")
    assert ended.entered == [*FUNCTIONS[: FUNCTIONS.index(function) + 1], *TO_A_PERSON]
    message = message_in(ended)
    assert message["error"] == error and message["message"] == "it failed: é 🚲"
    assert {name: message[name] for name in PHOTO} == PHOTO
    transient = {each.__name__ for each in errors.TRANSIENT}
    assert len(ended.asked[function]) == (6 if error in transient else 1)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_that_takes_too_long_sends_the_photo_to_a_person(judge: Judge, function: str):
    ended = run(judge, **{function: [Fault(TIMED_OUT, None)]})
    # the name without its prefix, which is the language's own
    assert (ended.status, ended.error) == ("FAILED", "Timeout")
    message = message_in(ended)
    assert (message["error"], message["message"]) == (TIMED_OUT, "no cause given")
    assert ended.entered[-len(TO_A_PERSON) :] == TO_A_PERSON


@pytest.mark.parametrize("error", [*LAMBDA_TRANSIENT, *(error.__name__ for error in errors.TRANSIENT)])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_fails_twice_and_then_works_is_as_if_nothing_had_happened(judge: Judge, function: str, error: str):
    fine = {"Serialize": SERIALIZED, "Classify": CLASSIFIED, "Filter": ACCEPTED}[function]
    ended = run(judge, **{function: [*failing(error) * 2, {"Payload": fine}]})
    assert ended.status == "SUCCEEDED" and is_in_good_hands(ended)
    assert len(ended.asked[function]) == 3 and "SendToReview" not in ended.asked


@pytest.mark.parametrize(
    ("task", "error"),
    [
        ("Record", "DynamoDB.ThrottlingException"),
        ("Publish", "EventBridge.FailedEntry"),
        ("Record", TIMED_OUT),
        ("Publish", TIMED_OUT),
    ],
)
def test_an_effect_that_fails_once_is_tried_again(judge: Judge, task: str, error: str):
    ended = run(judge, **{task: [Fault(error, "slow down"), {}]})
    assert ended.status == "SUCCEEDED" and is_in_good_hands(ended) and len(ended.asked[task]) == 2


@pytest.mark.parametrize(
    ("task", "error", "attempts"),
    [
        ("Record", "DynamoDB.ResourceNotFoundException", 1),
        ("Record", "DynamoDB.ThrottlingException", 4),
        ("Record", TIMED_OUT, 4),
        ("Publish", "EventBridge.FailedEntry", 4),
        ("Publish", "EventBridge.ResourceNotFoundException", 1),
    ],
)
def test_a_decision_that_cannot_be_kept_or_told_goes_to_a_person(judge: Judge, task: str, error: str, attempts: int):
    ended = run(judge, **{task: [Fault(error, "no")]})
    assert (ended.status, ended.error) == ("FAILED", error.removeprefix("States."))
    assert len(ended.asked[task]) == attempts and is_in_good_hands(ended)
    assert message_in(ended)["inferences"] == [0.9, 0.1]
    assert {name: message_in(ended)[name] for name in PHOTO} == PHOTO


def test_a_duplicate_of_an_accepted_photo_succeeds_and_tells_nobody(judge: Judge):
    ended = run(judge, Record=[Fault(DUPLICATE, "there is one")])
    assert (ended.status, ended.entered[-1]) == ("SUCCEEDED", "AlreadyDecided")
    assert not {"Publish", "SendToReview", "Alert"} & set(ended.asked)


@pytest.mark.parametrize("error", FOR_A_PERSON)
def test_a_duplicate_of_a_refused_photo_fails_and_tells_nobody(judge: Judge, error: type[errors.ForAPerson]):
    filtered = failing(error.__name__, str(refusal(error)))
    ended = run(judge, Filter=filtered, RecordReview=[Fault(DUPLICATE, "there is one")])
    assert (ended.status, ended.error) == ("FAILED", error.__name__)
    assert not {"SendToReview", "Alert"} & set(ended.asked)


@pytest.mark.parametrize("fault", ["DynamoDB.ResourceNotFoundException", TIMED_OUT])
def test_a_refusal_that_cannot_be_recorded_still_reaches_a_person(judge: Judge, fault: str):
    filtered = failing("ThresholdNotMet", str(refusal(errors.ThresholdNotMet)))
    ended = run(judge, Filter=filtered, RecordReview=[Fault(fault, "no")])
    assert (ended.status, ended.error) == ("FAILED", "ThresholdNotMet")
    assert message_in(ended)["label"] == "bicycle"


def test_when_the_review_queue_fails_the_alert_says_so_and_when_that_fails_the_execution_does(judge: Judge):
    gone = [Fault("SQS.QueueDoesNotExist", "gone")]
    ended = run(judge, Classify=failing("InvalidImage"), SendToReview=gone)
    assert (ended.status, ended.error) == ("FAILED", "InvalidImage")
    (alert,) = ended.asked["Alert"]
    assert "(not in the review queue: SQS.QueueDoesNotExist)" in alert["Message"]
    ended = run(judge, Classify=failing("InvalidImage"), SendToReview=gone, Alert=[Fault("SNS.NotFound", "gone")])
    assert (ended.status, ended.error, ended.entered[-1]) == ("FAILED", "InvalidImage", "Failed")


NESTED = {"errorMessage": lambda_cause("X", "inner"), "errorType": "Y"}
CAUSES: dict[str, tuple[str | None, str]] = {
    "JSON with a message": ('{"errorMessage": "no", "errorType": "X"}', "no"),
    "JSON without one": ('{"error": "no"}', '{"error": "no"}'),
    "a message that is no text": ('{"errorMessage": {"a": 1}}', '{"errorMessage": {"a": 1}}'),
    "JSON in JSON": (json.dumps(NESTED), NESTED["errorMessage"]),
    "like an object, but none": ("{no: json}", "{no: json}"),
    "like an object, cut off": ('{"errorMessage": "n', '{"errorMessage": "n'),
    "only braces": ("{}", "{}"),
    "a list": ("[1, 2]", "[1, 2]"),
    "empty": ("", "no cause given"),
    "none": (None, "no cause given"),
    "null": ("null", "null"),
    "unicode": ("é 自 🚲 \u2028 \x00 \x1b", "é 自 🚲 \u2028 \x00 \x1b"),
    "quotes": ('a "quoted" \\ }', 'a "quoted" \\ }'),
    "256 kB": ("🚲" * 65536, "🚲" * 8192),
    "256 kB of JSON": (json.dumps({"errorMessage": "x" * 262144}), '{"errorMessage": "' + "x" * 8174),
    "the code without figures": ("THRESHOLD_CONFIDENCE_NOT_MET ", "THRESHOLD_CONFIDENCE_NOT_MET "),
    "the code with no object": ("THRESHOLD_CONFIDENCE_NOT_MET [1]", "THRESHOLD_CONFIDENCE_NOT_MET [1]"),
    "deep": ("{" * 5000, "{" * 5000),
}


@pytest.mark.parametrize("cause", CAUSES)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_cause_keeps_the_photo_from_a_person(judge: Judge, function: str, cause: str):
    raised, told = CAUSES[cause]
    ended = run(judge, **{function: [Fault("InvalidImage", raised)]})
    assert (ended.status, ended.error, ended.cause) == ("FAILED", "InvalidImage", told)
    message = message_in(ended)
    assert message["message"] == told and {name: message[name] for name in PHOTO} == PHOTO
    assert ended.entered[-len(TO_A_PERSON) :] == TO_A_PERSON


KEY = "incoming/Fahrräder/a b+c 100%.jpg"
ENCODED = "incoming/Fahrr%C3%A4der/a+b%2Bc+100%25.jpg"
OBJECT = {"bucket": {"name": "b"}, "object": {"key": KEY, "version-id": "v", "size": 5}}
NOTIFIED = {"s3": {"bucket": {"name": "b"}, "object": {"key": ENCODED, "versionId": "v"}}}


@pytest.mark.parametrize("cause", ["no", lambda_cause("InvalidImage", "no"), "{no: json}"])
@pytest.mark.parametrize(
    "given",
    [
        {"s3_bucket": "b", "s3_key": KEY, "s3_version": "v", "image_data": ""},
        {"source": "aws.s3", "detail-type": "Object Created", "detail": OBJECT},
        {"Records": [NOTIFIED]},
        {"Records": [NOTIFIED], "s3_bucket": "other", "s3_key": "other"},
    ],
    ids=["rule", "event", "notification", "notification with more"],
)
def test_every_shape_of_event_names_the_object_as_it_is_called(judge: Judge, given: object, cause: str):
    ended = run(judge, given=given, Serialize=[Fault("InvalidImage", cause)])
    message = message_in(ended)
    assert (message["bucket"], message["key"], message["version"]) == ("b", KEY, "v")
    assert "encoded_key" not in message and ended.status == "FAILED"


@pytest.mark.parametrize("key", ["100%", "%zz", "a%FFb", "%C3", "%ED%A0%80", "%F4%90%80%80"])
def test_a_key_that_no_one_can_decode_is_told_as_it_came(judge: Judge, key: str):
    given = {"Records": [{"s3": {"bucket": {"name": "b"}, "object": {"key": key}}}]}
    ended = run(judge, given=given, Serialize=failing("ObjectNotFound", "no"))
    assert message_in(ended)["key"] == key and message_in(ended)["message"] == "no"


@pytest.mark.parametrize("given", [[], {}, "text", 3, None, [START], {"s3_key": 3, "s3_bucket": [1, {}]}])
def test_a_start_by_hand_with_anything_at_all_reaches_a_person(judge: Judge, given: object):
    ended = run(judge, given=given, Serialize=failing("InvalidEvent", "what is this"))
    assert (ended.status, ended.error) == ("FAILED", "InvalidEvent")
    assert message_in(ended)["execution"] == EXECUTION and message_in(ended)["message"] == "what is this"


@pytest.mark.parametrize(
    "answer", [None, [], "text", {}, {"inferences": {"a": 1}}, {"inferences": ["0.9", 0.1, None]}, {"inferences": 0.9}]
)
@pytest.mark.parametrize("function", ["Serialize", "Classify"])
def test_whatever_a_function_answers_the_next_ones_fault_reaches_a_person(judge: Judge, function: str, answer: object):
    after = FUNCTIONS[FUNCTIONS.index(function) + 1]
    ended = run(judge, **{function: [{"Payload": answer}], after: failing("InvalidEvent", "no")})
    assert ended.status == "FAILED" and is_in_good_hands(ended)
    # the answer may name no photo: the execution began with one
    assert {name: message_in(ended)[name] for name in PHOTO} == PHOTO
    kinds = {type(score) for score in message_in(ended)["inferences"]}
    assert kinds <= {float}


@pytest.mark.parametrize("answer", [None, [], "text", {}, {"decision": "accepted"}])
def test_an_answer_of_filter_that_lacks_what_is_recorded_sends_the_photo_to_a_person(judge: Judge, answer: object):
    ended = run(judge, Filter=[{"Payload": answer}])
    assert (ended.status, ended.error) == ("FAILED", "QueryEvaluationError")
    assert not {"Record", "Publish"} & set(ended.asked)
    assert {name: message_in(ended)[name] for name in PHOTO} == PHOTO


def test_of_a_thousand_scores_as_many_are_told_as_a_model_can_have_labels(judge: Judge):
    answer = {**CLASSIFIED, "inferences": [0.001] * 1000}
    ended = run(judge, Classify=[{"Payload": answer}], Filter=failing("InvalidInference"))
    assert len(message_in(ended)["inferences"]) == 101


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
codes = st.sampled_from([error.CODE for error in FOR_A_PERSON])
said = st.text() | st.builds(lambda code, value: f"{code} {json.dumps(value)}", codes, json_values)
objects = st.builds(lambda value, rest: json.dumps({**rest, "errorMessage": value}), said | json_values, st.just({}))
causes = said | json_values.map(json.dumps) | objects
cut = st.builds(lambda cause, end: cause[:end], causes, st.integers(1, 60))
QUICK = (Phase.explicit, Phase.reuse, Phase.generate)
"""What fails is shown as it was found: making it smaller takes minutes."""
names = st.sampled_from([error.__name__ for error in errors.PERMANENT])


@given(cause=causes | cut, error=names, function=st.sampled_from(FUNCTIONS))
@example(cause='{"errorMessage": "\ud800"}', error="InvalidImage", function="Filter")
@example(cause="\ud800", error="InvalidImage", function="Serialize")
@example(cause='THRESHOLD_CONFIDENCE_NOT_MET {"label": null, "error": 1}', error="ThresholdNotMet", function="Filter")
@settings(deadline=None, max_examples=150, phases=QUICK)
def test_law_for_every_cause_the_photo_is_sent_to_a_person(judge: Judge, cause: str, error: str, function: str):
    ended = run(judge, **{function: [Fault(error, cause)]})
    assert (ended.status, ended.error) == ("FAILED", error)
    message = message_in(ended)
    assert {name: message[name] for name in PHOTO} == PHOTO
    assert message["error"] == error and message["message"] == (ended.cause or "")


@given(given=json_values)
@settings(deadline=None, max_examples=100, phases=QUICK)
def test_law_for_every_input_a_fault_is_sent_to_a_person(judge: Judge, given: Any):
    ended = run(judge, given=given, Serialize=failing("InvalidEvent", "what is this"))
    assert (ended.status, ended.error) == ("FAILED", "InvalidEvent")
    assert message_in(ended)["message"] == "what is this"


def test_a_catch_that_can_fail_is_found_out_here(judge: Judge):
    machine = copy.deepcopy(DEFINITION)
    catch = machine["States"]["Serialize"]["Catch"][0]
    catch["Output"] = "{% $merge([$states.input, $parse($states.errorOutput.Cause)]) %}"
    ended = run(judge, machine=machine, Serialize=[Fault("InvalidImage", "{no: json}")])
    assert (ended.status, ended.error) == ("FAILED", "States.QueryEvaluationError")
    assert not is_in_good_hands(ended)
