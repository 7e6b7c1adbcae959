"""The Observability component, the alarms and the dashboard as Pulumi would register them."""

import json
import re

import pulumi
import pytest

from components.observability import Observability
from components.parts import alarms, dashboard
from handlers.environment import names as parse_names
from handlers.observe import metrics
from handlers.observe.handler import read_settings
from localcloud.planning import ACCOUNT, REGION, SUFFIX
from tests.assertions import at_least_one
from tests.components.stack import Found, run_alone

TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:scones-alerts"
BUS = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/scones-dev"
MACHINE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:scones-dev"
BUCKET_ARN = "arn:aws:s3:::scones-dev-data"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234"

UNTAGGED = {"RolePolicy", "EventTarget", "Permission", "Dashboard", "Observability"}


def arguments(**changes):
    args = {
        "bucket": "scones-dev-data",
        "bucket_arn": BUCKET_ARN,
        "endpoint_name": "scones-dev",
        "variant_name": "AllTraffic",
        "state_machine_arn": MACHINE,
        "functions": {"serialize": "scones-serialize", "classify": "scones-classify", "filter": "scones-filter"},
        "review_queue_name": "scones-review",
        "dead_letter_queue_name": "scones-undelivered",
        "alert_topic_arn": TOPIC,
        "layer_arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:scones:1",
        "classes": ["bicycle", "motorcycle"],
        "loading_bays": {"bicycle": "bay 1", "motorcycle": "bay 2"},
        "confidence_threshold": 0.8,
        "review_rate_alarm_percent": 40,
        "log_retention_days": 30,
        **changes,
    }
    outputs = {"bucket", "bucket_arn", "endpoint_name", "state_machine_arn", "review_queue_name", "layer_arn"}
    outputs |= {"retrain_event_bus_arn"} if changes.get("retrain_event_bus_arn") else set()
    return {key: pulumi.Output.from_input(value) if key in outputs else value for key, value in args.items()}


def deployed(**changes) -> Found:
    """What a program with this component alone registers."""

    def program():
        component = Observability("watch", arguments(**changes))
        pulumi.export("function", component.function_name)
        pulumi.export("dashboard", component.dashboard_name)

    return run_alone(program)


@pytest.fixture(scope="module")
def plain():
    return deployed(retrain_event_bus_arn=None, kms_key_arn=None)


@pytest.fixture(scope="module")
def retraining():
    return deployed(retrain_event_bus_arn=BUS, kms_key_arn=KEY)


@pytest.fixture(params=["plain", "retraining"])
def either(request):
    return request.getfixturevalue(request.param)


def test_the_outputs_name_the_function_and_the_dashboard(plain):
    assert plain.outputs == {"function": f"watch-observe{SUFFIX}", "dashboard": "scones-dev"}


def test_nothing_that_is_rendered_holds_an_unresolved_value(either):
    assert len(either.resources) > 10
    for resource in either.resources:
        text = json.dumps(resource.inputs, default=lambda value: f"{type(value).__name__}")
        assert "None" not in text, resource.name
        assert "Output" not in text, resource.name


def test_every_resource_that_takes_tags_says_whose_it_is(either):
    tagged = [each for each in either.resources if each.type.rpartition(":")[2] not in UNTAGGED]
    assert len(tagged) > 10
    for resource in tagged:
        assert resource.inputs["tags"] == {"project": "scones", "stack": "dev", "component": "Observability"}


def test_the_function_is_pinned_logs_to_its_own_group_and_holds_only_what_it_imports(plain):
    (function,) = plain.inputs("Function").values()
    assert (function["runtime"], function["architectures"]) == ("python3.13", ["arm64"])
    assert function["handler"] == "handlers.observe.handler.handler"
    assert function["loggingConfig"] == {"logFormat": "Text", "logGroup": f"watch-observe-logs{SUFFIX}"}
    assert plain.inputs("LogGroup")["watch-observe-logs"]["retentionInDays"] == 30
    files = set(function["code"].assets)
    assert {
        "handlers/__init__.py",
        "handlers/observe/handler.py",
        "handlers/observe/metrics.py",
        "contract/chi_square.py",
    } <= files
    assert not {"contract/pictures.py", "handlers/serialize.py", "handlers/filter.py"} & files


def test_the_environment_is_what_the_function_reads(plain, retraining):
    (function,) = plain.inputs("Function").values()
    variables = function["environment"]["variables"]
    settings = read_settings(variables)
    assert (settings.namespace, settings.stack, settings.endpoint) == ("Scones", "dev", "scones-dev")
    assert settings.threshold == 0.8
    assert settings.classes == parse_names("CLASSES", variables) == ("bicycle", "motorcycle")
    assert (settings.baseline_bucket, settings.baseline_key) == ("scones-dev-data", "baseline/baseline.json")
    assert settings.retrain_event_bus == ""
    (function,) = retraining.inputs("Function").values()
    assert read_settings(function["environment"]["variables"]).retrain_event_bus == BUS


def rights(recorder):
    (policy,) = recorder.inputs("RolePolicy").values()
    statements = json.loads(policy["policy"])["Statement"]
    return {action: statement for statement in statements for action in statement["Action"]}


def test_the_role_may_do_what_the_function_does_and_nothing_else(plain):
    granted = rights(plain)
    assert set(granted) == {
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "s3:GetObject",
        "s3:ListBucket",
        "cloudwatch:PutMetricData",
    }
    assert granted["s3:GetObject"]["Resource"] == [f"{BUCKET_ARN}/capture/*", f"{BUCKET_ARN}/baseline/*"]
    assert granted["logs:PutLogEvents"]["Resource"] == [
        f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:watch-observe-logs{SUFFIX}:*"
    ]
    assert granted["cloudwatch:PutMetricData"]["Condition"] == {
        "StringEqualsIfExists": {"cloudwatch:namespace": "Scones"}
    }
    wild = [action for action, statement in granted.items() if statement["Resource"] == ["*"]]
    assert wild == ["cloudwatch:PutMetricData"]


def test_the_right_to_announce_and_to_decrypt_come_with_a_bus_and_a_key(retraining):
    granted = rights(retraining)
    assert granted["events:PutEvents"]["Resource"] == [BUS]
    assert granted["kms:Decrypt"]["Resource"] == [KEY]


def test_new_captures_and_ended_executions_call_the_function(plain):
    rules = plain.inputs("EventRule")
    assert {name: json.loads(rule["eventPattern"]) for name, rule in rules.items()} == {
        "watch-captures": {
            "source": ["aws.s3"],
            "detail-type": ["Object Created"],
            "detail": {"bucket": {"name": ["scones-dev-data"]}, "object": {"key": [{"prefix": "capture/"}]}},
        },
        "watch-executions": {
            "source": ["aws.states"],
            "detail-type": ["Step Functions Execution Status Change"],
            "detail": {
                "stateMachineArn": [MACHINE],
                "status": ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"],
            },
        },
    }
    function_arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:watch-observe{SUFFIX}"
    targets = plain.inputs("EventTarget").values()
    named = {f"{name}{SUFFIX}" for name in rules}
    assert {target["rule"]: target["arn"] for target in targets} == dict.fromkeys(named, function_arn)
    allowed = {permission["sourceArn"]: permission["principal"] for permission in plain.inputs("Permission").values()}
    assert allowed == {f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{name}": "events.amazonaws.com" for name in named}


ALARMS = [
    "faults",
    "review-rate",
    "endpoint-errors",
    "endpoint-latency",
    "queue-age",
    "undelivered",
    "drift",
    "blind",
]


def alarm(recorder, key):
    return recorder.inputs("MetricAlarm")[f"watch-{key}"]


def test_the_alarms_are_these(either):
    assert set(either.inputs("MetricAlarm")) == {f"watch-{key}" for key in ALARMS}


@pytest.mark.parametrize("key", ALARMS)
def test_every_alarm_has_a_metric_with_dimensions_an_action_a_runbook_and_a_word_on_missing_data(either, key):
    inputs = alarm(either, key)
    if "metricQueries" in inputs:
        assert not {"metricName", "namespace", "dimensions", "statistic", "period"} & set(inputs)
        assert [query.get("returnData") for query in inputs["metricQueries"]].count(True) == 1
        measured = [query["metric"] for query in inputs["metricQueries"] if "metric" in query]
    else:
        measured = [inputs]
    assert measured
    for metric in measured:
        assert metric["namespace"]
        assert metric["metricName"]
        assert metric["dimensions"]
        assert all(metric["dimensions"].values())
    assert TOPIC in inputs["alarmActions"]
    assert re.fullmatch(r"\S.+\. Runbook: .+\. docs/operations\.md#alarm-[a-z-]+", inputs["alarmDescription"])
    assert len(inputs["alarmDescription"]) <= 1024
    assert inputs["treatMissingData"] in {"notBreaching", "ignore"}
    assert inputs["datapointsToAlarm"] <= inputs["evaluationPeriods"]


def test_reviews_are_no_faults(plain):
    faults = alarm(plain, "faults")
    assert faults["metricName"] == "Executions"
    assert faults["dimensions"] == {"Stack": "dev", "Outcome": "fault"}
    assert (faults["statistic"], faults["threshold"], faults["period"]) == ("Sum", 0, 300)
    assert faults["okActions"] == []


def test_the_review_rate_is_judged_from_enough_executions_on(plain):
    inputs = alarm(plain, "review-rate")
    assert inputs["threshold"] == 0.4
    value, samples, judged = inputs["metricQueries"]
    assert (value["id"], value["metric"]["stat"]) == ("value", "Average")
    assert (samples["id"], samples["metric"]["stat"]) == ("samples", "SampleCount")
    assert value["metric"]["dimensions"] == samples["metric"]["dimensions"] == {"Stack": "dev", "Outcome": "review"}
    assert value["metric"]["period"] == samples["metric"]["period"] == 3600
    assert judged["expression"] == "IF(samples >= 20, value, 0)"


def test_strangers_have_an_alarm_of_their_own_where_the_model_knows_them():
    watched = alarms.Alarmed("Scones", "dev", "e", "v", "q", "d", "f")
    with_it, without = alarms.alarm_specs(watched, 40, neither=True), alarms.alarm_specs(watched, 40)
    (stranger,) = [spec for spec in with_it if spec not in without]
    review = next(spec for spec in without if spec.key == "review-rate")
    assert stranger.dimensions == {"Stack": "dev", "Outcome": "neither"}
    assert (stranger.threshold, stranger.period, stranger.least_samples) == (0.4, review.period, review.least_samples)


def test_percentiles_go_where_cloudwatch_wants_them(plain):
    latency = alarm(plain, "endpoint-latency")
    assert latency["extendedStatistic"] == "p90"
    assert "statistic" not in latency
    assert latency["threshold"] == 2_000_000
    assert latency["dimensions"] == {"EndpointName": "scones-dev", "VariantName": "AllTraffic"}


def test_a_drift_lasts_through_hours_without_photos(plain):
    drift = alarm(plain, "drift")
    assert drift["treatMissingData"] == "ignore"
    assert (drift["metricName"], drift["threshold"]) == ("DriftScore", 1)
    assert drift["dimensions"] == {"Stack": "dev", "Endpoint": "scones-dev"}


def test_without_retraining_the_drift_alarm_tells_people_only(plain):
    assert alarm(plain, "drift")["alarmActions"] == [TOPIC]


def test_with_retraining_the_drift_alarm_calls_the_function_and_no_other_alarm_does(retraining):
    function_arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:watch-observe{SUFFIX}"
    calling = [
        name for name, inputs in retraining.inputs("MetricAlarm").items() if function_arn in inputs["alarmActions"]
    ]
    assert calling == ["watch-drift"]
    permission = retraining.inputs("Permission")["watch-drift-permission"]
    assert permission["principal"] == "lambda.alarms.cloudwatch.amazonaws.com"
    assert permission["sourceArn"] == f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:watch-drift{SUFFIX}"


def test_alarms_on_our_own_metrics_use_names_that_the_function_publishes():
    watched = alarms.Alarmed("Scones", "dev", "e", "v", "q", "d", "f")
    ours = [spec for spec in alarms.alarm_specs(watched, 40) if spec.namespace == "Scones"]
    published = {value for name, value in vars(metrics).items() if name.isupper() and isinstance(value, str)}
    assert ours
    assert all({spec.metric, *spec.dimensions} <= published for spec in ours)


def a_dashboard(**changes):
    watched = {
        "region": REGION,
        "namespace": "Scones",
        "stack": "dev",
        "endpoint": "scones-dev",
        "variant": "AllTraffic",
        "state_machine_arn": MACHINE,
        "functions": {"serialize": "f-serialize", "classify": "f-classify", "filter": "f-filter"},
        "review_queue": "review",
        "dead_letter_queue": "undelivered",
        "classes": ["bicycle", "motorcycle", "tulip"],
        "loading_bays": {"bicycle": "bay 1", "motorcycle": "bay 2", "tulip": "bay 1"},
        "threshold": 0.94,
        "review_rate_percent": 40,
        "alarm_arns": [f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:a"],
    }
    return dashboard.dashboard_body(dashboard.OnDashboard(**{**watched, **changes}))


def graph(body, title):
    (widget,) = [w for w in body["widgets"] if w["properties"]["title"] == title]
    return widget["properties"]


def test_the_dashboard_is_registered_with_every_alarm(plain):
    (inputs,) = plain.inputs("Dashboard").values()
    body = json.loads(inputs["dashboardBody"])
    assert inputs["dashboardName"] == "scones-dev"
    assert graph(body, "Alarms")["alarms"] == [
        f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:watch-{key}{SUFFIX}" for key in ALARMS
    ]


def test_the_dashboard_shows_what_an_operator_asks_for():
    assert {widget["properties"]["title"] for widget in a_dashboard()["widgets"]} >= {
        "Executions by outcome",
        "Confidence",
        "Review rate (%)",
        "Drivers by loading bay",
        "Latency of each step (ms)",
        "Endpoint: requests",
        "Endpoint: latency (µs)",
        "Review queue",
        "Drift from the baseline",
    }


def test_widgets_fill_the_grid_without_overlapping():
    taken = set()
    for widget in at_least_one(a_dashboard()["widgets"]):
        assert widget["x"] + widget["width"] <= 24
        cells = {
            (x, y)
            for x in range(widget["x"], widget["x"] + widget["width"])
            for y in range(widget["y"], widget["y"] + widget["height"])
        }
        assert not cells & taken
        taken |= cells
    assert len(taken) == 24 * (1 + max(y for _, y in taken))


def test_the_outcomes_are_told_apart_and_strangers_only_where_the_model_knows_them():
    def labels(body, title):
        return [series[-1].get("label") for series in graph(body, title)["metrics"]]

    with_it = a_dashboard(classes=["bicycle", "motorcycle", "tulip", "neither"])
    assert labels(with_it, "Executions by outcome") == ["accepted", "for a person", "strangers", "faults"]
    assert labels(a_dashboard(), "Executions by outcome") == ["accepted", "for a person", "faults"]
    assert labels(with_it, "Review rate (%)") == [None, "% for a person", None, "% strangers"]
    assert labels(a_dashboard(), "Review rate (%)") == [None, "% for a person"]


@pytest.mark.parametrize("labels", [["bicycle", "motorcycle"], ["bicycle", "motorcycle", "neither"]])
def test_every_series_names_a_metric_with_whole_dimensions_or_is_an_expression_of_one(labels):
    for widget in at_least_one(a_dashboard(classes=labels)["widgets"]):
        if widget["type"] == "alarm":
            continue
        properties = widget["properties"]
        assert properties["region"] == REGION
        ids = {series[-1].get("id") for series in properties["metrics"]}
        for *path, options in at_least_one(properties["metrics"]):
            assert isinstance(options, dict)
            if path:
                assert len(path) >= 4
                assert len(path) % 2 == 0
                assert all(isinstance(part, str) and part for part in path)
            else:
                assert set(re.findall(r"[a-z]+", options["expression"])) <= ids


def test_bays_and_classes_are_those_of_the_stack_each_once():
    body = a_dashboard()
    bays = graph(body, "Drivers by loading bay")["metrics"]
    assert [series[:-1] for series in bays] == [
        ["Scones", "Decisions", "Stack", "dev", "LoadingBay", bay] for bay in ("bay 1", "bay 2")
    ]
    shares = graph(body, "Share of each predicted class")["metrics"]
    assert [series[-2] for series in shares] == ["bicycle", "motorcycle", "tulip"]


def test_a_bay_that_is_no_ascii_is_looked_up_as_it_is_published_and_shown_as_people_call_it():
    body = a_dashboard(loading_bays={"bicycle": "Tor 2 – Fahrräder"})
    (series,) = graph(body, "Drivers by loading bay")["metrics"]
    assert series[-2:] == ["Tor 2 - Fahrraeder", {"label": "Tor 2 – Fahrräder"}]


def test_lines_mark_the_threshold_and_the_alarm():
    body = a_dashboard()
    assert graph(body, "Confidence")["annotations"]["horizontal"][0]["value"] == 0.94
    assert graph(body, "Review rate (%)")["annotations"]["horizontal"][0]["value"] == 40
    assert graph(body, "Drift from the baseline")["annotations"]["horizontal"][0]["value"] == 1


def test_the_same_dashboard_is_the_same_bytes():
    assert json.dumps(a_dashboard()) == json.dumps(a_dashboard())
