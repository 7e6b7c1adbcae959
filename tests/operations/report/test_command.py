"""`python -m operations` as people and scripts call it."""

import json

import boto3
import pytest
from moto import mock_aws

from operations.captures.period import Period, parse_moment, parse_zone
from operations.cli import main
from operations.report import words
from tests.operations.builders import CLASSES, baseline, decisions, key, some_records, write_captures


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in ("SCONES_OUTPUTS", "AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.fixture
def captures(tmp_path):
    return str(write_captures(tmp_path / "captures", some_records(120)))


def test_a_report_is_written_and_told_in_a_sentence(captures, capsys, tmp_path):
    (tmp_path / "baseline.json").write_text(json.dumps(baseline()))
    assert main(["report", "--capture", captures, "--baseline", "baseline.json"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("120 photos: ") and out[-1] == "build/report/index.html"
    assert (tmp_path / "build/report/index.html").is_file()
    assert (tmp_path / "build/report/review-rate.png").is_file()


def test_a_folder_without_captures_is_said_to_be_empty(capsys, tmp_path):
    (tmp_path / "nothing").mkdir()
    assert main(["report", "--capture", "nothing", "--threshold", "0.8"]) == 0
    first, second, _ = capsys.readouterr().out.splitlines()
    assert first == "No photos arrived in this period."
    assert second == "0 files of nothing were read: is the period right?"


def test_json_is_the_only_thing_on_stdout_and_is_left_beside_the_page(captures, capsys, tmp_path):
    assert main(["report", "--capture", captures, "--threshold", "0.8", "--json"]) == 0
    numbers = json.loads(capsys.readouterr().out)
    assert numbers["photos"] == 120
    assert numbers == json.loads((tmp_path / "build/report/summary.json").read_text())


def test_decisions_come_from_a_file_of_json_lines(captures, capsys, tmp_path):
    (tmp_path / "d.jsonl").write_text("".join(json.dumps(row) + "\n" for row in decisions(some_records(120))))
    main(["report", "--capture", captures, "--threshold", "0.99", "--decisions", "d.jsonl", "--json"])
    numbers = json.loads(capsys.readouterr().out)
    assert numbers["sources"]["decided_photos"] == 120
    assert numbers["latency"]["count"] == 120
    assert numbers["outcomes"]["review"] < 30  # as decided at 0.8, not as 0.99 would


def test_a_period_in_local_time_takes_just_those_photos(captures, capsys):
    main(
        [
            "report",
            "--capture",
            captures,
            "--threshold",
            "0.8",
            "--json",
            "--timezone",
            "Europe/London",
            "--from",
            "2026-05-04",
            "--to",
            "2026-05-04",
        ]
    )
    numbers = json.loads(capsys.readouterr().out)
    assert numbers["start"] == "2026-05-03T23:00:00+00:00"
    assert numbers["end"] == "2026-05-04T23:00:00+00:00"
    assert numbers["photos"] == 60
    assert numbers["sources"]["outside_period"] + numbers["photos"] <= 120


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "where are the captures?"),
        (["--capture", "nothere"], "which threshold?"),
        (["--capture", "nothere", "--threshold", "0.8"], "there is no such folder or file"),
        (["--capture", ".", "--threshold", "1.5"], "--threshold must be a number above 0 and at most 1, got 1.5"),
        (
            ["--capture", ".", "--threshold", "0.4", "--classes", "a", "b"],
            "--threshold must be a number above 0.5 and at most 1 for 2 labels, got 0.4",
        ),
        (["--capture", ".", "--threshold", "0.8", "--timezone", "Mars"], "--timezone must be an IANA name"),
        (["--capture", ".", "--threshold", "0.8", "--from", "soon"], "--from must be a date or time"),
        (
            ["--capture", ".", "--threshold", "0.8", "--from", "2026-05-04", "--to", "2026-05-01"],
            "--from must be before the end of --to",
        ),
        (["--capture", ".", "--threshold", "0.8", "--decisions", "no.jsonl"], "--decisions no.jsonl"),
        (["--capture", ".", "--baseline", "no.json"], "--baseline no.json: there is no such file"),
        (["--capture", ".", "--threshold", "0.8", "--classes", "a", "a"], "--classes must be two or more"),
        (["--outputs", "no.json"], "the outputs file no.json can't be read"),
        (["--capture", "s3://", "--threshold", "0.8"], "--capture must be s3://bucket/prefix or a folder"),
        (["--capture", ".", "--baseline", "s3://bucket"], "--baseline must be a file or s3://bucket/key"),
        (["--capture", ".", "--threshold", "0.8", "--output", "/dev/null/x"], "--output /dev/null/x can't be written"),
    ],
)
def test_a_mistake_is_one_clear_sentence_and_exit_code_2(arguments, message, capsys):
    assert main(["report", *arguments]) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: ") and message in err
    assert "Traceback" not in err and len(err.strip().splitlines()) == 1


def test_a_damaged_baseline_says_what_is_wrong(captures, capsys, tmp_path):
    (tmp_path / "b.json").write_text(json.dumps(baseline() | {"count": 3}))
    assert main(["report", "--capture", captures, "--baseline", "b.json"]) == 2
    assert "the baseline b.json is damaged: baseline." in capsys.readouterr().err


def test_a_threshold_below_what_every_photo_reaches_is_refused_once_the_captures_tell_how_many_labels(captures, capsys):
    assert main(["report", "--capture", captures, "--threshold", "0.4"]) == 2
    assert "--threshold must be a number above 0.5 and at most 1 for 2 labels, got 0.4" in capsys.readouterr().err


def test_a_baseline_of_other_classes_is_not_compared(captures, capsys, tmp_path):
    (tmp_path / "b.json").write_text(json.dumps(baseline()))
    main(["report", "--capture", captures, "--baseline", "b.json", "--classes", "cat", "dog", "--json"])
    numbers = json.loads(capsys.readouterr().out)
    assert numbers["drift"] is None
    assert "other labels" in numbers["sources"]["notes"][0]


def test_the_stack_s_outputs_say_where_everything_is(capsys, tmp_path, monkeypatch):
    with mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="photos")
        records = some_records(40, hours=5)
        for index, item in enumerate(records):
            time = item["eventMetadata"]["inferenceTime"]
            s3.put_object(
                Bucket="photos",
                Key=f"capture/vehicles/AllTraffic/{time[:13].replace('-', '/').replace('T', '/')}/{index}.jsonl",
                Body=json.dumps(item),
            )
        s3.put_object(Bucket="photos", Key="baseline/baseline.json", Body=json.dumps(baseline()))
        table = boto3.resource("dynamodb").create_table(
            TableName="decisions",
            KeySchema=[
                {"AttributeName": "object", "KeyType": "HASH"},
                {"AttributeName": "version", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "object", "AttributeType": "S"},
                {"AttributeName": "version", "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        for row in decisions(records):
            table.put_item(Item={name: value for name, value in row.items() if name != "confidence"})
        machine = boto3.client("stepfunctions").create_state_machine(
            name="m", definition="{}", roleArn="arn:aws:iam::123456789012:role/unused"
        )["stateMachineArn"]
        outputs = {
            "captureUri": "s3://photos/capture/",
            "baselineUri": "s3://photos/baseline/baseline.json",
            "decisionsTable": "decisions",
            "stateMachineArn": machine,
            "classes": list(CLASSES),
            "confidenceThreshold": 0.8,
        }
        (tmp_path / "outputs.json").write_text(json.dumps(outputs))
        monkeypatch.setenv("SCONES_OUTPUTS", "outputs.json")
        assert main(["report", "--json", "--from", "2026-05-01"]) == 0
        numbers = json.loads(capsys.readouterr().out)
        assert numbers["photos"] == 40 == numbers["sources"]["decided_photos"]
        assert numbers["classes"] == list(CLASSES)
        assert numbers["drift"]["count"] == 1000
        s3.delete_object(Bucket="photos", Key="baseline/baseline.json")
        assert main(["report", "--json"]) == 0
        assert "no baseline at s3://photos" in json.loads(capsys.readouterr().out)["sources"]["notes"][0]
        assert main(["report", "--capture", "s3://nosuchbucket/"]) == 2
        assert "AWS refused" in (said := capsys.readouterr().err) and "is the stack up" in said
        assert main(["watch", "--once"]) == 0
        assert capsys.readouterr().out.splitlines()[-1] == "no photo yet"


def test_a_serverless_endpoint_captures_nothing_and_the_page_says_so(captures, capsys, tmp_path, monkeypatch):
    outputs = {"captureUri": captures, "endpointMode": "serverless", "confidenceThreshold": "0.8"}
    (tmp_path / "o.json").write_text(json.dumps(outputs))
    main(["report", "--outputs", "o.json", "--json"])
    assert "serverless" in json.loads(capsys.readouterr().out)["sources"]["notes"][0]


def test_a_date_alone_means_the_whole_local_day():
    zone = parse_zone("America/New_York")
    start, end = parse_moment("2026-03-08", zone), parse_moment("2026-03-08", zone, end=True)
    assert (end - start).total_seconds() == 23 * 3600  # the clocks go forward that night
    with pytest.raises(ValueError, match="must start before it ends"):
        Period(end, start)


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0 %"), (0.00001, "under 0.1 %"), (0.004, "0.4 %"), (0.86, "86 %"), (0.9999, "over 99.9 %"), (1, "100 %")],
)
def test_a_percentage_never_hides_that_there_is_something(share, text):
    assert words.percent(share) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0123, "12 ms"), (2.4, "2.4 s"), (600, "10 min"), (7200, "2 h"), (5400, "1.5 h"), (1, "1 s")],
)
def test_durations_have_the_unit_that_people_use(seconds, text):
    assert words.duration(seconds) == text


def test_keys_of_the_builders_look_like_the_service_s():
    from tests.operations.builders import START

    assert key(START) == "capture/vehicles/AllTraffic/2026/05/03/08/00-00-000-x.jsonl"
