import itertools
import json
from datetime import timedelta

import boto3
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws

from contract.errors import UserError
from operations.captures import reader as reader_module
from operations.captures import sources
from operations.captures.period import Period, from_microseconds
from operations.captures.reader import CaptureReader, Damage
from operations.captures.sources import CaptureFile, open_source
from tests.capture_builders import line, record
from tests.operations.builders import START, key, some_records, write_captures


class Files:
    """A source of several files, each in one block."""

    name = "files"

    def __init__(self, contents):
        self._contents = contents

    def files(self, period):
        for number, content in enumerate(self._contents):
            yield CaptureFile(f"{number}.jsonl", lambda content=content: iter([content]))


class Blocks:
    """A source of one file that arrives in the given blocks."""

    name = "blocks"

    def __init__(self, blocks):
        self._blocks = blocks

    def files(self, period):
        yield CaptureFile("file.jsonl", lambda: iter(self._blocks))


def read(source, period=Period(), classes=2):  # noqa: B008
    reader = CaptureReader(source, period, classes)
    batches = list(reader.batches())
    return [name for batch in batches for name in batch.ids], reader.reading, batches


def test_every_record_of_a_file_is_read_not_only_the_first(tmp_path):
    write_captures(tmp_path, some_records(50), per_file=25)
    ids, reading, _ = read(open_source(str(tmp_path)))
    assert len(ids) == 50 == reading.records
    assert reading.files < 50


def test_a_record_cut_off_is_reported_with_its_file_and_line_and_the_others_are_read(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(line() + b"\n" + line(inference_id="b")[:100] + b"\n" + line(inference_id="c") + b'{"capt')
    ids, reading, _ = read(open_source(str(tmp_path)))
    assert ids == ["a" * 32, "c"]
    assert reading.damaged == 2
    assert [(example.file, example.line) for example in reading.examples] == [(str(path), 3), (str(path), 5)]


def test_all_damage_is_counted_though_only_the_first_examples_are_kept(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b"{}\n" * 500 + line())
    ids, reading, _ = read(open_source(str(tmp_path)))
    assert (len(ids), reading.damaged, len(reading.examples)) == (1, 500, reader_module.EXAMPLES)
    assert reading.examples[4] == Damage(str(tmp_path / "a.jsonl"), 5, "the record has no captureData")


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(1, 120), max_size=30), st.booleans())
def test_where_the_blocks_of_a_file_end_makes_no_difference(cuts, ended):
    content = b"".join([line(inference_id="a"), b"\n", b"{}\n", line(inference_id="b"), b"x\n", line(inference_id="c")])
    if not ended:
        content = content[:-1]
    bounds = [0, *itertools.accumulate(cuts), len(content)]
    blocks = [content[a:b] for a, b in itertools.pairwise(bounds) if content[a:b]]
    ids, reading, _ = read(Blocks(blocks))
    assert ids == ["a", "b", "c"]
    assert [example.line for example in reading.examples] == [3, 5]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.booleans(), max_size=4), min_size=1, max_size=60))
def test_files_of_few_records_give_the_same_records_and_name_their_own_damage(files):
    contents, expected, damage = [], [], []
    for number, wholes in enumerate(files):
        names = [f"{number}-{position}" for position in range(len(wholes))]
        lines = [line(inference_id=name) if whole else b"{}" for name, whole in zip(names, wholes, strict=True)]
        contents.append(b"\n".join(each.strip() for each in lines))
        expected += [name for name, whole in zip(names, wholes, strict=True) if whole]
        damage += [(f"{number}.jsonl", at) for at, whole in enumerate(wholes, 1) if not whole]
    ids, reading, _ = read(Files(contents))
    assert ids == expected
    assert [(each.file, each.line) for each in reading.examples] == damage[: reader_module.EXAMPLES]
    assert reading.damaged == len(damage)


def test_a_line_without_an_end_is_given_up_and_the_next_one_read(monkeypatch):
    monkeypatch.setattr(reader_module, "LONGEST_LINE", 1000)
    ids, reading, _ = read(Blocks([b"x" * 600, b"x" * 600, b"x" * 600, b"x\n" + line(inference_id="b")]))
    assert ids == ["b"]
    assert (reading.damaged, reading.examples[0].line) == (1, 1)


def test_a_photo_classified_twice_is_counted_once_and_the_repeat_reported(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(
        line(inference_id="x") + line(inference_id="y") + line((0.6, 0.4), inference_id="x")
    )
    ids, reading, batches = read(open_source(str(tmp_path)))
    assert ids == ["x", "y"]
    assert (reading.records, reading.repeats) == (3, 1)
    assert batches[0].scores[0].tolist() == [0.9, 0.1]


def test_a_repeat_is_noticed_across_batches(monkeypatch):
    monkeypatch.setattr(reader_module, "BATCH", 1)
    ids, reading, _ = read(Blocks([line(inference_id="x"), line(inference_id="y"), line(inference_id="x")]))
    assert (ids, reading.repeats) == (["x", "y"], 1)


def test_what_an_evaluation_asked_is_left_out_and_counted():
    ids, reading, _ = read(
        Blocks([line(inference_id="evaluation-1") + line(inference_id="x") + line(inference_id=None)])
    )
    assert (ids, reading.evaluations, reading.records) == (["x", None], 1, 3)


def test_records_without_an_inference_id_are_never_repeats():
    ids, reading, _ = read(Blocks([line(inference_id=None) * 3]))
    assert (ids, reading.repeats) == ([None] * 3, 0)


def test_only_records_of_the_period_are_given_out_and_the_others_counted():
    content = b"".join(line(time=START + timedelta(minutes=m), inference_id=str(m)) for m in range(10))
    period = Period(START + timedelta(minutes=2), START + timedelta(minutes=5))
    ids, reading, _ = read(Blocks([content]), period)
    assert ids == ["2", "3", "4"]
    assert reading.outside == 7


def test_another_number_of_scores_than_the_stack_has_classes_is_damage():
    ids, reading, _ = read(Blocks([line() + line((0.2, 0.3, 0.5), inference_id="b")]))
    assert len(ids) == 1
    assert reading.examples[0].problem == "scores of 3 classes, where 2 were expected"


def test_the_first_record_says_how_many_classes_when_nobody_else_does():
    _, reading, batches = read(Blocks([line((0.2, 0.3, 0.5)) + line(inference_id="b")]), classes=None)
    assert batches[0].scores.shape == (1, 3)
    assert reading.damaged == 1


def test_hours_outside_the_period_are_not_even_opened(tmp_path):
    write_captures(tmp_path, some_records(48, hours=48), per_file=1)
    period = Period(START + timedelta(hours=10), START + timedelta(hours=12))
    ids, reading, _ = read(open_source(str(tmp_path)), period)
    assert len(ids) == 2
    assert reading.files <= 4


def test_a_single_file_can_be_read(tmp_path):
    (tmp_path / "loose.jsonl").write_bytes(line())
    assert read(open_source(str(tmp_path / "loose.jsonl")))[1].records == 1


def test_a_folder_that_is_not_there_is_named():
    with pytest.raises(UserError, match="/no/such: there is no such folder or file"):
        open_source("/no/such")


class Counting:
    """A boto3 client that remembers what was listed and fetched."""

    def __init__(self, client):
        self._client, self.listed, self.fetched = client, [], []

    def get_paginator(self, name):
        paginator = self._client.get_paginator(name)
        outer = self

        class Paginator:
            def paginate(self, **arguments):
                outer.listed.append(arguments)
                return paginator.paginate(**arguments)

        return Paginator()

    def get_object(self, **arguments):
        self.fetched.append(arguments["Key"])
        return self._client.get_object(**arguments)


@pytest.fixture
def bucket(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="photos")
        for hour in range(72):
            time = START + timedelta(hours=hour)
            client.put_object(
                Bucket="photos",
                Key=key(time),
                Body=line(time=time, inference_id=f"{hour}a") + line(time=time, inference_id=f"{hour}b"),
            )
        client.put_object(Bucket="photos", Key="capture/readme.txt", Body=b"not a capture")
        yield Counting(client)


def test_a_bucket_is_read_whole_without_a_period(bucket):
    ids, reading, _ = read(open_source("s3://photos/capture", bucket))
    assert (len(ids), reading.files, reading.damaged) == (144, 72, 0)


def test_only_the_hours_of_the_period_are_listed_and_fetched(bucket):
    period = Period(START + timedelta(hours=30), START + timedelta(hours=33))
    ids, _, _ = read(open_source("s3://photos/capture/", bucket), period)
    assert ids == ["30a", "30b", "31a", "31b", "32a", "32b"]
    assert len(bucket.fetched) == 5
    dated = [call["Prefix"] for call in bucket.listed if "Delimiter" not in call]
    assert dated == [key(START + timedelta(hours=hour))[: -len("00-00-000-x.jsonl")] for hour in range(29, 35)]


@pytest.mark.parametrize(
    "place",
    [
        "s3://photos/",
        "s3://photos/capture/",
        "s3://photos/capture/vehicles",
        "s3://photos/capture/vehicles/AllTraffic/",
    ],
)
def test_a_period_is_found_below_any_prefix_of_the_layout(bucket, place):
    period = Period(START + timedelta(hours=30), START + timedelta(hours=31))
    assert read(open_source(place, bucket), period)[0] == ["30a", "30b"]


def test_whole_days_are_listed_at_once(bucket):
    period = Period(START, START + timedelta(days=3))
    assert len(read(open_source("s3://photos/capture/", bucket), period)[0]) == 144
    assert len([call for call in bucket.listed if "Delimiter" not in call]) < 72


def test_downloads_run_ahead_only_as_far_as_memory_allows(bucket, monkeypatch):
    monkeypatch.setattr(sources, "PREFETCH_BYTES", 3 * len(line() * 2))
    files = open_source("s3://photos/capture/", bucket).files(Period())
    next(files)
    assert len(bucket.fetched) <= 5
    assert len(list(files)) == 71


def test_a_large_object_is_streamed(bucket, monkeypatch):
    monkeypatch.setattr(sources, "PREFETCH_BYTES", 10)
    assert len(read(open_source("s3://photos/capture/", bucket))[0]) == 144


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 100), st.integers(1, 90), st.integers(0, 59))
def test_the_listed_partitions_cover_every_hour_that_may_hold_the_period(first, length, minutes):
    start = START + timedelta(hours=first, minutes=minutes)
    period = Period(start, start + timedelta(hours=length))
    partitions = period.partitions(START + timedelta(days=400))
    assert partitions is not None
    assert len(set(partitions)) == len(partitions)
    for hour in range(-4, 210):
        time = START + timedelta(hours=hour)
        listed = any(f"{time:%Y/%m/%d/%H}/".startswith(partition) for partition in partitions)
        if period.holds_hour(time):
            assert listed
        if start - timedelta(hours=3) <= time < start + timedelta(hours=length + 3):
            continue
        assert not any(len(p) == 14 and f"{time:%Y/%m/%d/%H}/" == p for p in partitions)


def test_times_and_scores_arrive_unchanged():
    item = record((0.3, 0.7), time=START + timedelta(seconds=7))
    _, _, batches = read(Blocks([json.dumps(item).encode()]))
    assert from_microseconds(int(batches[0].times[0])) == START + timedelta(seconds=7)
    assert np.array_equal(batches[0].scores, [[0.3, 0.7]])
    assert batches[0].inputs == [("BASE64", "iVBORw0KGgo=")]
