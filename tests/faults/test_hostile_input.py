"""Whatever comes in from outside is taken or refused in our own words: no crash, nothing accepted by mistake."""

from __future__ import annotations

import contextlib
import io
import json
import math
import struct
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from contract.errors import ForAPerson, InvalidEvent, InvalidInference, SconesError
from contract.inferences import SUM_TOLERANCE, read_inferences
from contract.photos import StoredObject, photo_in, read_photo
from contract.pictures import to_model_image
from handlers.filter import Policy, decide
from handlers.observe.events import read_alarm, read_execution
from operations.cli import main
from operations.reconcile.places import reviewed_photo, undelivered_photo
from operations.review.answers import AnswerBook
from operations.review.desk import Desk, StackNames
from operations.review.flow import Flow
from operations.review.queue import ReviewQueue, Waiting, parse
from operations.review.server import create_app
from tests.operations.review.stack_of_moto import BAYS, BUCKET, BUS, LABELS, TABLE, Stacked, make
from tests.photo_table import PHOTOS
from training.dataset.pickles import PickleError, dump, load
from training.dataset.recordio import Record, RecordIOError, read_records, write_record

HUGE = 10**400
"""A number that JSON can say and no float can hold."""
texts = st.text() | st.sampled_from(["\ud800", "\x1b[2J\x1b[31m", "../../etc/passwd", "<script>alert(1)</script>", ""])
numbers = st.integers() | st.floats() | st.just(HUGE)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
DEEP = "[" * 100_000


def objects(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with these names, whatever stands in them; any of them may be missing."""
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, values))


# events


s3 = objects("name", "key", "versionId", "version-id", "object", "bucket")
events = (
    values
    | objects("s3_bucket", "s3_key", "s3_version", "image_data")
    | st.fixed_dictionaries({"detail": s3 | st.fixed_dictionaries({"bucket": s3, "object": s3})})
    | st.fixed_dictionaries({"Records": st.lists(st.fixed_dictionaries({"s3": s3}) | values, max_size=2) | values})
)


@given(events)
def test_an_event_names_a_photo_or_is_refused(event: Any) -> None:
    try:
        photo = read_photo(event)
    except InvalidEvent as refusal:
        assert len(str(refusal)) < 300
        return
    assert photo.bucket and photo.key
    json.dumps([photo.bucket, photo.key, photo.version]).encode()
    photo.key.encode()


@given(texts | events.map(json.dumps))
@example(DEEP)
def test_a_text_names_a_photo_or_none(text: str) -> None:
    assert isinstance(photo_in(text), StoredObject | None)


ended = objects("status", "stopDate", "error", "output", "input", "cause", "executionArn")


@given(values | st.fixed_dictionaries({"detail": ended}))
@example({"detail": {"status": "SUCCEEDED", "stopDate": 1e300}})
@example({"detail": {"status": "SUCCEEDED", "stopDate": math.nan}})
@example({"detail": {"status": "SUCCEEDED", "stopDate": HUGE}})
@example({"detail": {"status": "SUCCEEDED", "stopDate": 1.0, "output": DEEP}})
def test_the_end_of_an_execution_is_read_or_refused(event: Any) -> None:
    for read in (read_execution, read_alarm):
        try:
            read(event if isinstance(event, dict) else {"detail": event, "alarmData": event})
        except InvalidEvent:
            continue


# what the model answers


POLICY = Policy(("bicycle", "motorcycle", "neither"), {"bicycle": "bay 1", "motorcycle": "bay 2"}, 0.8)
answers = values | st.lists(numbers | st.booleans(), max_size=4) | st.binary(max_size=60)


@given(answers | answers.filter(lambda answer: not isinstance(answer, bytes)).map(json.dumps))
@example(f"[{HUGE}, 0, 0]")
@example(DEEP)
@example("[true, false, false]")
@example([math.nan, 0.5, 0.5])
def test_nothing_is_accepted_that_is_no_distribution_above_the_threshold(answer: Any) -> None:
    try:
        scores = read_inferences(answer, 3)
        decision = decide(scores, POLICY)
    except (InvalidInference, ForAPerson):
        return
    given_scores = json.loads(answer) if isinstance(answer, str | bytes) else answer
    assert abs(math.fsum(given_scores) - 1) <= SUM_TOLERANCE + 0.01 and len(given_scores) == 3
    assert decision.confidence == max(scores) >= 0.8 and decision.label in POLICY.loading_bays


# files


HEADS = sorted({photo[:12] for photo in PHOTOS.values()})


@settings(max_examples=200)
@given(st.sampled_from(HEADS), st.binary(max_size=400))
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_bytes_that_begin_as_a_photo_are_a_picture_or_a_fault_of_ours(head: bytes, rest: bytes) -> None:
    try:
        to_model_image(head + rest, size=8, max_pixels=1_000_000)
    except SconesError as fault:
        assert len(str(fault)) < 1000


@given(st.binary(max_size=200) | st.binary(max_size=60).map(lambda rest: struct.pack("<I", 0xCED7230A) + rest))
@example(struct.pack("<II", 0xCED7230A, (1 << 29) - 1))
@example(struct.pack("<IIIfQQ", 0xCED7230A, 24, 0, math.inf, 0, 0))
@example(struct.pack("<IIIfQQ", 0xCED7230A, 24, 0, math.nan, 0, 0))
def test_bytes_are_records_or_no_recordio(data: bytes) -> None:
    try:
        for record in read_records(io.BytesIO(data)):
            assert isinstance(record, Record) and len(record.payload) <= len(data)
    except RecordIOError:
        return


def recorded() -> bytes:
    file = io.BytesIO()
    for number in range(3):
        write_record(file, Record(number, number, bytes(20)))
    return file.getvalue()


PICKLED = dump({b"data": bytes(range(64)), b"fine_labels": [1, 2, 3], b"filenames": [b"a.png", b"b.png"]})
damage = st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=6)


@given(st.sampled_from([recorded(), PICKLED]), damage)
def test_a_damaged_dataset_is_read_or_refused(whole: bytes, places: list[tuple[int, int]]) -> None:
    data = bytearray(whole)
    for place, value in places:
        data[place % len(data)] = value
    with contextlib.suppress(RecordIOError):
        list(read_records(io.BytesIO(data)))
    with contextlib.suppress(PickleError):
        load(io.BytesIO(data))


@given(st.binary(max_size=300) | st.binary(max_size=60).map(lambda rest: b"\x80\x02" + rest))
@example(b"\x80\x04\x8d" + struct.pack("<Q", 1 << 60))
@example(b"\x80\x02r" + b"\xff\xff\xff\x7f" + b".")
@example(b"(" * 10_000)
def test_bytes_are_a_dictionary_or_no_pickle_of_ours(data: bytes) -> None:
    try:
        load(io.BytesIO(data))
    except PickleError:
        return


# messages, and the page on which people answer


messages = values.map(json.dumps) | st.text() | objects(
    "bucket", "key", "version", "error", "message", "label", "confidence", "threshold", "inferences", "model",
    "inference_id", "execution", "since", "detail-type", "detail",
).map(json.dumps)  # fmt: skip


@given(messages)
@example(json.dumps({"key": "k", "confidence": HUGE}))
@example(json.dumps({"key": "k", "inferences": [HUGE]}))
@example(DEEP)
def test_whatever_a_message_says_it_can_be_listed(body: str) -> None:
    message: Any = {"Body": body, "ReceiptHandle": "r", "Attributes": {"SentTimestamp": "0"}}
    waiting = parse(message)
    assert isinstance(waiting, Waiting) and isinstance(waiting.opinion, str) and waiting.object
    assert all(isinstance(score, float) for score in waiting.inferences)
    for read in (reviewed_photo, undelivered_photo):
        assert isinstance(read(message), StoredObject | None)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stacked]:
    with pytest.MonkeyPatch.context() as patches, mock_aws():
        patches.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield make()


POISON = [
    {"bucket": BUCKET, "key": "incoming/\x1b[2J\x1b]0;gone\x07.png", "error": "InvalidImage", "message": "\ud800"},
    {"bucket": BUCKET, "key": "incoming/<script>alert(1)</script>.png", "error": "\ud800", "message": "[bold]x[/bold"},
    {"bucket": BUCKET, "key": "../../../etc/passwd", "error": "[/red]", "message": "", "confidence": HUGE},
    {"key": HUGE, "inferences": [HUGE, "x"], "since": "9999999-01-01"},
    {"detail-type": "Step Functions Execution Status Change", "detail": {"input": DEEP, "status": 3}},
]


@pytest.mark.parametrize("words", [["review"], ["review", "--json"], ["reconcile", "--grace", "0"]])
def test_a_message_that_nobody_expected_keeps_no_command_from_listing_the_others(
    stack: Stacked, words: list[str], tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    letters = stack.sqs.create_queue(QueueName="letters")["QueueUrl"]
    stack.waits("sound.png")
    for body in POISON:
        stack.sqs.send_message(QueueUrl=stack.queue, MessageBody=json.dumps(body))
        stack.sqs.send_message(QueueUrl=letters, MessageBody=json.dumps(body))
    outputs = tmp_path / "outputs.json"
    outputs.write_text(json.dumps(stack.outputs() | {"deadLetterQueueUrl": letters}))
    assert main([*words, "--outputs", str(outputs)]) in (0, 1)
    said = capsys.readouterr()
    assert "\x1b[2J" not in said.out and "Traceback" not in said.err
    if words[0] == "review":
        assert "sound.png" in said.out


@pytest.fixture(scope="module")
def page(stack: Stacked) -> Iterator[tuple[FlaskClient, str]]:
    book = AnswerBook(boto3.resource("dynamodb", region_name="us-east-1").Table(TABLE), 30)
    desk = Desk(
        ReviewQueue(stack.sqs, stack.queue), book, stack.s3, stack.events, StackNames(BUCKET, BUS, LABELS, BAYS)
    )
    flow = Flow(stack.stepfunctions, stack.s3, stack.machine, BUCKET)
    client = create_app(desk, flow, stack.s3, stack="dev", by="anna").test_client()
    text = client.get("/", headers={"Host": "127.0.0.1"}).get_data(as_text=True)
    yield client, text.partition('data-token="')[2].partition('"')[0]


ROUTES = ("/", "/photo", "/api/waiting/{}", "/api/answer/{}", "/api/undo/{}", "/api/decisions", "/api/photos",
          "/api/steps", "/static/{}", "/{}")  # fmt: skip
HOSTS = ("127.0.0.1", "localhost:80", "evil.example", "[", "[::1", "127.0.0.1@evil.example", "é", "")
ORIGINS = (None, "http://127.0.0.1", "null", "http://evil.example", "é", "[")
names = st.sampled_from(["abcdefgh", "..%2f..%2fetc%2fpasswd", "../server.py", "%00", "é", "x" * 300]) | st.text(
    max_size=9
)
bodies = (
    st.binary(max_size=40)
    | values.map(lambda value: json.dumps(value).encode())
    | objects("receipt", "answer", "seconds").map(lambda value: json.dumps(value).encode())
    | st.just(DEEP.encode())
)


@settings(max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    route=st.sampled_from(ROUTES), name=names, host=st.sampled_from(HOSTS), origin=st.sampled_from(ORIGINS),
    token=st.sampled_from(["", "right", "é", "wrong"]), body=bodies, method=st.sampled_from(["GET", "POST", "PUT"]),
    kind=st.sampled_from(["application/json", "multipart/form-data; boundary=x", "text/plain", ""]),
)  # fmt: skip
@example(route="/", name="", host="[", origin=None, token="", body=b"", method="GET", kind="")
@example(
    route="/api/undo/{}", name="abcdefgh", host="127.0.0.1", origin=None, token="é", body=b"", method="POST", kind=""
)
@example(
    route="/api/answer/{}", name="abcdefgh", host="127.0.0.1", origin=None, token="right", body=DEEP.encode(),
    method="POST", kind="application/json",
)  # fmt: skip
@example(
    route="/api/answer/{}", name="abcdefgh", host="127.0.0.1", origin=None, token="right",
    body=json.dumps({"receipt": "r", "answer": "bicycle", "seconds": HUGE}).encode(), method="POST",
    kind="application/json",
)  # fmt: skip
def test_no_request_makes_the_page_stumble_or_answer_strangers(
    page: tuple[FlaskClient, str], route: str, name: str, host: str, origin: str | None, token: str, body: bytes,
    method: str, kind: str,
) -> None:  # fmt: skip
    client, right = page
    headers = {"Host": host, "X-Scones-Token": right if token == "right" else token}
    headers |= {"Origin": origin} if origin is not None else {}
    encoded = {key: value.encode().decode("latin-1") for key, value in headers.items()}
    answer = client.open(route.format(name), method=method, headers=encoded, data=body, content_type=kind)
    assert answer.status_code < 500 or answer.status_code == 502, answer.get_data(as_text=True)
    if host not in ("127.0.0.1", "localhost:80"):
        assert answer.status_code in (400, 403), answer.status_code
    if method == "POST" and (token != "right" or origin in ("null", "http://evil.example", "é", "[")):
        assert answer.status_code in (400, 403, 404, 405)
    assert b"root:" not in answer.data and b"def create_app" not in answer.data
