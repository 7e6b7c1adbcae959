"""The observe function against S3, CloudWatch and EventBridge as moto plays them."""

import json
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from moto import mock_aws

from contract.errors import ConfigurationError, InvalidEvent
from handlers.observe import handler as observe
from handlers.observe import window as drift_window
from handlers.observe.files import earlier_files
from tests.capture_builders import a_baseline, a_file, a_key, a_line
from tests.photo_builders import lambda_context

NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
BUCKET = "scones-dev-data"
DIMENSIONS = {"Stack": "dev", "Endpoint": "scones-dev"}
LIKE_NOW = {19: 500}
"""A baseline of confidences at 0.95 and above."""


ENVIRONMENT = {
    "METRIC_NAMESPACE": "Scones",
    "STACK": "dev",
    "ENDPOINT_NAME": "scones-dev",
    "CLASSES": '["bicycle", "motorcycle"]',
    "CONFIDENCE_THRESHOLD": "0.80",
    "BASELINE_BUCKET": BUCKET,
    "BASELINE_KEY": "baseline/baseline.json",
    "RETRAIN_EVENT_BUS": "",
}


@pytest.fixture(autouse=True)
def aws(monkeypatch):
    credentials = {
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    for name, value in {**ENVIRONMENT, **credentials}.items():
        monkeypatch.setenv(name, value)
    kept = observe.settings_from_environment, observe.s3_client, observe.cloudwatch_client, observe.events_client
    for read_once in kept:
        read_once.cache_clear()
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket=BUCKET)
        yield
    for read_once in kept:
        read_once.cache_clear()


def put(key, body):
    boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)


def put_baseline(counts, **options):
    put("baseline/baseline.json", a_baseline(counts, **options))


def object_created(key):
    return {
        "version": "0",
        "source": "aws.s3",
        "detail-type": "Object Created",
        "detail": {"version": "0", "bucket": {"name": BUCKET}, "object": {"key": key, "size": 1}},
    }


def observed(*lines, key=None, time=NOW):
    """What the function says to a capture file of these lines."""
    key = key or a_key(time)
    put(key, a_file(lines))
    return observe.handler(object_created(key), lambda_context())


def statistics(name, dimensions=DIMENSIONS):
    """Sum and number of a metric's values, in all minutes together."""
    points = boto3.client("cloudwatch").get_metric_statistics(
        Namespace="Scones",
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=NOW - timedelta(days=15),
        EndTime=NOW + timedelta(hours=2),
        Period=60,
        Statistics=["Sum", "SampleCount"],
    )["Datapoints"]
    return round(sum(point["Sum"] for point in points), 6), sum(point["SampleCount"] for point in points)


def published():
    found = boto3.client("cloudwatch").list_metrics(Namespace="Scones")["Metrics"]
    return {metric["MetricName"] for metric in found}


def logged(caplog, level="INFO"):
    """The fields of what was logged at that level, the message among them."""
    return [{**vars(record), "message": record.getMessage()} for record in caplog.records if record.levelname == level]


def test_every_record_of_a_file_is_in_the_metrics():
    done = observed(a_line(0.9, time=NOW), a_line(0.7, label=1, time=NOW), a_line(0.8, time=NOW - timedelta(minutes=3)))
    assert (done["records"], done["damaged"]) == (3, 0)
    assert statistics("Confidence") == (2.4, 3)
    assert statistics("Margin") == (1.8, 3)
    assert statistics("BelowThreshold") == (1, 3)
    assert statistics("ClassShare", {**DIMENSIONS, "Class": "bicycle"}) == (2, 3)
    assert statistics("ClassShare", {**DIMENSIONS, "Class": "motorcycle"}) == (1, 3)
    assert statistics("CaptureRecordsDamaged") == (0, 1)


def test_damaged_records_are_counted_and_logged_with_their_line_and_the_others_are_read(caplog):
    good = a_line(0.9, time=NOW)
    three = good.replace("[0.9, 0.09999999999999998]", "[0.5, 0.3, 0.2]")
    assert three != good
    done = observed(good, good[:50], "", three, good)
    assert (done["records"], done["damaged"]) == (2, 2)
    assert statistics("CaptureRecordsDamaged") == (2, 1)
    warnings = logged(caplog, "WARNING")
    assert [(entry["line"], entry["key"]) for entry in warnings] == [(2, a_key(NOW)), (4, a_key(NOW))]
    assert "expected the scores of 2 classes, got 3" in warnings[1]["problem"]


def test_a_file_of_nothing_but_damage_is_no_failure(caplog):
    done = observed(*["{"] * 100)
    assert (done["records"], done["damaged"]) == (0, 100)
    assert statistics("CaptureRecordsDamaged") == (100, 1)
    assert len(logged(caplog, "WARNING")) == observe.DAMAGE_LOGGED


def test_an_empty_file_is_no_failure():
    assert observed()["records"] == 0


def test_a_photo_that_was_classified_twice_counts_once():
    done = observed(*[a_line(0.9, time=NOW, inference_id="i")] * 2, a_line(0.9, time=NOW, inference_id="j"))
    assert done["records"] == 2


@pytest.mark.parametrize("key", ["capture/a b+c%20é.jsonl", "capture/%41.jsonl", "capture/9/13/45/99/x.jsonl"])
def test_keys_are_taken_as_they_stand(key):
    assert observed(a_line(0.9, time=NOW), key=key)["records"] == 1


def test_another_kind_of_object_under_the_prefix_is_left_alone():
    assert observed("not a capture", key="capture/scones-dev/manifest.txt") == {
        "key": "capture/scones-dev/manifest.txt",
        "ignored": "not a .jsonl file",
    }


def test_records_too_old_for_cloudwatch_are_reported_and_the_others_published(caplog):
    done = observed(a_line(0.9, time=NOW - timedelta(days=20)), a_line(0.9, time=NOW))
    assert statistics("Confidence") == (0.9, 1)
    assert done["refused"] == 6
    assert [entry["refused"] for entry in logged(caplog, "WARNING")] == [6]


def lines(confidence, count, time=NOW, name=""):
    return [a_line(confidence, time=time, inference_id=f"{name}{time}{i}") for i in range(count)]


def test_without_a_baseline_there_is_no_drift_but_a_line_in_the_log(caplog):
    observed(*lines(0.97, 50))
    assert not {"DriftScore", "ConfidencePSI"} & published()
    assert any("without a baseline" in entry["message"] for entry in logged(caplog))


def test_confidences_like_the_baseline_are_no_drift():
    put_baseline(LIKE_NOW)
    done = observed(*lines(0.97, 50))
    assert done["drift_score"] == 0
    assert statistics("DriftScore") == (0, 1)
    assert statistics("ConfidencePSI") == (0, 1)


def test_confidences_far_from_the_baseline_are_drift():
    put_baseline(LIKE_NOW)
    done = observed(*lines(0.6, 50))
    assert done["drift_score"] > 1
    assert statistics("DriftScore")[0] == pytest.approx(done["drift_score"], abs=1e-5)


def test_few_photos_are_not_judged_and_the_log_says_so(caplog):
    put_baseline(LIKE_NOW)
    observed(*lines(0.6, 29))
    assert "DriftScore" not in published()
    assert any(entry["message"] == "too few inferences to tell drift" for entry in logged(caplog))


def test_small_files_are_judged_together_with_those_before_them():
    put_baseline(LIKE_NOW)
    for minute in range(4):
        time = NOW - timedelta(minutes=30 * minute)
        put(a_key(time), a_file(lines(0.6, 10, time)))
    done = observed(*lines(0.6, 1, name="last"), key=a_key(NOW, "b"))
    assert done["records"] == 1
    assert done["window"] == 41
    assert done["drift_score"] > 1


def test_the_window_takes_no_more_files_than_it_needs():
    put_baseline(LIKE_NOW)
    for minute in range(1, 6):
        time = NOW - timedelta(minutes=minute)
        put(a_key(time), a_file(lines(0.6, 100, time)))
    assert observed(*lines(0.6, 1))["window"] == 201


def test_damage_in_an_earlier_file_is_not_counted_again():
    put_baseline(LIKE_NOW)
    put(a_key(NOW - timedelta(minutes=1)), b"{\n" * 9)
    assert observed(*lines(0.6, 40))["damaged"] == 0


def test_earlier_files_are_those_of_the_same_variant_and_of_the_last_day_the_latest_first():
    times = [NOW - timedelta(hours=hours) for hours in (30, 20, 1, 0)]
    for time in times:
        put(a_key(time), b"")
    put(a_key(NOW, "z"), b"")
    put(a_key(times[2]).replace("AllTraffic", "Shadow"), b"")
    put(a_key(times[2]).replace(".jsonl", ".txt"), b"")
    found = list(earlier_files(boto3.client("s3"), BUCKET, a_key(NOW)))
    assert found == [a_key(times[2]), a_key(times[1])]


def test_earlier_files_of_one_hour_come_the_latest_first():
    hour = NOW.replace(minute=0, second=0)
    keys = [a_key(hour + timedelta(minutes=minute)) for minute in range(4)]
    for key in keys:
        put(key, b"")
    assert list(earlier_files(boto3.client("s3"), BUCKET, keys[3])) == [keys[2], keys[1], keys[0]]


@pytest.mark.parametrize("key", ["capture/x.jsonl", "capture/2026/13/45/99/x.jsonl", "0001/01/01/00/x.jsonl"])
def test_a_key_of_another_layout_has_no_earlier_files(key):
    assert list(earlier_files(boto3.client("s3"), BUCKET, key)) == []


def test_the_baseline_is_downloaded_again_only_when_it_has_changed(monkeypatch):
    put_baseline(LIKE_NOW)
    parsed = []
    original = drift_window.parse_baseline
    monkeypatch.setattr(drift_window, "parse_baseline", lambda document: parsed.append(1) or original(document))
    observed(*lines(0.97, 40))
    observed(*lines(0.97, 40))
    assert len(parsed) == 1
    put_baseline({12: 500})
    assert observed(*lines(0.97, 40))["drift_score"] > 1
    assert len(parsed) == 2


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"{", "the baseline is unusable"),
        (b"[]", "the baseline is unusable"),
        (a_baseline(LIKE_NOW, classes=("motorcycle", "bicycle")), "the baseline is of other classes"),
    ],
)
def test_an_unusable_baseline_is_an_error_in_the_log_and_the_metrics_come_all_the_same(body, complaint, caplog):
    put("baseline/baseline.json", body)
    observed(*lines(0.97, 40))
    assert statistics("Confidence")[1] == 40
    assert "DriftScore" not in published()
    errors = [entry["message"] for entry in logged(caplog, "ERROR")]
    assert errors == [f"no drift: {complaint}"]


def test_an_object_whose_name_begins_like_the_baseline_is_none():
    put("baseline/baseline.json.old", a_baseline(LIKE_NOW))
    assert "drift_score" not in observed(*lines(0.6, 40))


def an_execution(status, **detail):
    stopped = int(NOW.timestamp() * 1000)
    return {"source": "aws.states", "detail": {"status": status, "stopDate": stopped, **detail}}


def test_a_bay_that_is_no_ascii_is_counted_under_its_name_in_ascii():
    output = json.dumps({"loading_bay": "Tor 2 – Fahrräder"})
    assert (
        observe.handler(an_execution("SUCCEEDED", output=output), lambda_context())["loading_bay"]
        == "Tor 2 – Fahrräder"
    )
    assert statistics("Decisions", {"Stack": "dev", "LoadingBay": "Tor 2 - Fahrraeder"}) == (1, 1)


def test_executions_are_counted_by_outcome_and_decisions_by_bay():
    observe.handler(an_execution("SUCCEEDED", output='{"loading_bay": "bay 2"}'), lambda_context())
    observe.handler(an_execution("FAILED", error="ThresholdNotMet"), lambda_context())
    observe.handler(an_execution("FAILED", error="NoneOfTheClasses"), lambda_context())
    observe.handler(an_execution("FAILED", error="ModelUnavailable"), lambda_context())
    observe.handler(an_execution("TIMED_OUT"), lambda_context())
    counts = {
        outcome: statistics("Executions", {"Stack": "dev", "Outcome": outcome})
        for outcome in ("accepted", "review", "neither", "fault")
    }
    assert counts == {"accepted": (1, 5), "review": (1, 5), "neither": (1, 5), "fault": (2, 5)}
    assert statistics("Decisions", {"Stack": "dev", "LoadingBay": "bay 2"}) == (1, 1)


def drift_alarm(value="ALARM", timestamp="2026-05-03T14:20:33.250+0000"):
    state = {"value": value, "reason": "DriftScore 3.1 above 1", "timestamp": timestamp}
    arn = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:drift"
    return {"source": "aws.cloudwatch", "alarmArn": arn, "alarmData": {"alarmName": "drift", "state": state}}


@pytest.fixture
def retraining(monkeypatch):
    """A queue that receives what the stack's bus carries."""
    monkeypatch.setenv("RETRAIN_EVENT_BUS", "scones-dev")
    events, sqs = boto3.client("events"), boto3.client("sqs")
    events.create_event_bus(Name="scones-dev")
    queue = sqs.create_queue(QueueName="retrain")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(
        Name="retrain",
        EventBusName="scones-dev",
        EventPattern=json.dumps({"source": ["scones.monitoring"], "detail-type": ["DriftDetected"]}),
    )
    events.put_targets(Rule="retrain", EventBusName="scones-dev", Targets=[{"Id": "1", "Arn": arn}])
    return lambda: [
        json.loads(message["Body"])["detail"]
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    ]


def test_the_drift_alarm_becomes_an_event_for_the_retraining_pipeline(retraining):
    assert observe.handler(drift_alarm(), lambda_context())["announced"] is True
    (detail,) = retraining()
    assert detail == {
        "id": detail["id"],
        "stack": "dev",
        "endpoint": "scones-dev",
        "baseline": f"s3://{BUCKET}/baseline/baseline.json",
        "alarm": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:drift",
        "reason": "DriftScore 3.1 above 1",
        "time": "2026-05-03T14:20:33.250+0000",
    }


def test_an_alarm_that_is_told_twice_gives_events_of_one_id(retraining):
    observe.handler(drift_alarm(), lambda_context())
    observe.handler(drift_alarm(), lambda_context())
    observe.handler(drift_alarm(timestamp="2026-06-03T14:20:33.250+0000"), lambda_context())
    ids = [detail["id"] for detail in retraining()]
    assert (len(ids), len(set(ids))) == (3, 2)


def test_the_end_of_a_drift_is_not_announced(retraining):
    assert observe.handler(drift_alarm("OK"), lambda_context())["announced"] is False
    assert retraining() == []


def test_without_a_pipeline_that_listens_nothing_is_announced():
    assert observe.handler(drift_alarm(), lambda_context())["announced"] is False


def test_an_event_that_eventbridge_refuses_is_a_failure(monkeypatch):
    monkeypatch.setenv("RETRAIN_EVENT_BUS", "scones-dev")

    class Refusing:
        def put_events(self, **_):
            return {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]}

    monkeypatch.setattr(observe, "events_client", Refusing)
    with pytest.raises(RuntimeError, match="InternalFailure"):
        observe.handler(drift_alarm(), lambda_context())


@pytest.mark.parametrize("event", [{}, {"source": "aws.ec2"}, {"Records": []}])
def test_an_event_from_elsewhere_is_refused(event):
    with pytest.raises(InvalidEvent, match=r"source must be aws\.s3, aws\.states or aws\.cloudwatch"):
        observe.handler(event, lambda_context())


@pytest.mark.parametrize("name", [name for name in ENVIRONMENT if name != "RETRAIN_EVENT_BUS"])
def test_a_missing_setting_is_named(name, monkeypatch):
    monkeypatch.delenv(name)
    with pytest.raises(ConfigurationError, match=name):
        observe.handler(an_execution("SUCCEEDED"), lambda_context())


def test_the_settings_are_read_once(monkeypatch):
    observe.handler(drift_alarm("OK"), lambda_context())
    monkeypatch.setenv("STACK", "prod")
    observe.handler(an_execution("TIMED_OUT"), lambda_context())
    assert statistics("Executions", {"Stack": "dev", "Outcome": "fault"}) == (1, 1)


def test_every_log_line_names_the_request():
    observe.handler(drift_alarm("OK"), lambda_context())
    assert observe.logger.get_current_keys()["function_request_id"] == lambda_context().aws_request_id
