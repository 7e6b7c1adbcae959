"""What a stack uses in a month: read from its graph where the graph says it, from the table's assumptions elsewhere."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contract import prefixes
from contract.decisions import OUTCOMES
from contract.errors import ThresholdNotMet
from localcloud.costs.paths import path

Entry = Mapping[str, Any]
GB = 1_000_000_000
CAPTURED_METRICS = 7
"""Metrics of captured inferences beside the share of each class (handlers/observe/metrics.py)."""
DAYS_A_MONTH = 365 / 12


@dataclass(frozen=True, slots=True)
class Usage:
    """A quantity of something that has a price."""

    component: str
    """Name of the component that holds it, such as `workflow`."""
    what: str
    price: str
    """The price's key in the table."""
    unit: str
    quantity: float | None
    """None where nobody knows it."""
    fixed: bool = False
    """Whether it is the same for one photo and for a million."""
    once: bool = False
    """Whether it is paid for once, and not each month."""


class Bill:
    """Reads a graph; `usages` is all that it finds."""

    def __init__(self, graph: Sequence[Entry], photos: int, assumptions: Mapping[str, float]) -> None:
        """`graph` with outputs, since names in the definition lead to functions."""
        self.graph, self.photos, self.assumed = graph, photos, assumptions
        self.names = {entry["urn"]: str(entry["name"]) for entry in graph}

    def usages(self) -> list[Usage]:
        """Everything, in the order of the graph's kinds."""
        kinds = (
            self._bucket,
            self._endpoint,
            self._training,
            self._executions,
            self._observing,
            self._watching,
            self._retraining,
        )
        return [usage for kind in kinds for usage in kind()]

    def of(self, kind: str) -> list[Entry]:
        """The resources of a type, given by its last part."""
        return [entry for entry in self.graph if entry["type"].endswith(f":{kind}")]

    def component(self, entry: Entry) -> str:
        """The name of the component that a resource hangs below."""
        return self.names.get(entry["parent"], "")

    @property
    def captured(self) -> float:
        """Inferences of a month that are captured."""
        configurations = self.of("EndpointConfiguration")
        share = configurations[0]["inputs"].get("dataCaptureConfig") if configurations else None
        return self.photos * (share["initialSamplingPercentage"] / 100 if share else 0)

    @property
    def picture_bytes(self) -> float:
        """What a model is sent at most: a PNG of noise is as large as its pixels."""
        sizes = [function["inputs"]["environment"]["variables"].get("IMAGE_SIZE") for function in self.of("Function")]
        return next((3 * int(size) ** 2 for size in sizes if size), 0)

    def _bucket(self) -> Iterator[Usage]:
        for bucket in self.of("Bucket"):
            where, photos = self.component(bucket), self.photos
            days = self._kept_days(prefixes.INCOMING)
            yield Usage(where, f"photos kept for {days:g} days", "s3.storage", "GB-month",
                        photos * self.assumed["photo_megabytes"] / 1000 * days / DAYS_A_MONTH)  # fmt: skip
            yield Usage(where, "photos uploaded", "s3.put", "requests", photos)
            yield Usage(where, "photos read", "s3.get", "requests", photos * self.assumed["reads_a_photo"])
            files = self.captured / self.assumed["captures_a_file"]
            yield Usage(where, "events of new objects", "s3.events", "events", photos + files)
            if not self.captured:
                continue
            days = self._kept_days(prefixes.CAPTURE)
            # base64 of the picture, and what SageMaker writes around it
            record = self.picture_bytes * 4 / 3 + 500
            yield Usage(where, f"captures kept for {days:g} days", "s3.storage", "GB-month",
                        self.captured * record / GB * days / DAYS_A_MONTH)  # fmt: skip
            yield Usage(where, "capture files written", "s3.put", "requests", files)
            yield Usage(where, "capture files read", "s3.get", "requests", files)

    def _kept_days(self, prefix: str) -> float:
        """Days until nothing is left of an object under `prefix`; a month where no rule says it."""
        rules: list[Entry] = [
            rule for each in self.of("BucketLifecycleConfiguration") for rule in each["inputs"]["rules"]
        ]
        its = next((rule for rule in rules if rule["filter"]["prefix"] == prefix), None)
        if its is None:
            return DAYS_A_MONTH
        return its["expiration"]["days"] + its["noncurrentVersionExpiration"]["noncurrentDays"]

    def _endpoint(self) -> Iterator[Usage]:
        for configuration in self.of("EndpointConfiguration"):
            where = self.component(configuration)
            for variant in configuration["inputs"]["productionVariants"]:
                if "instanceType" in variant:
                    kind, count = variant["instanceType"], variant["initialInstanceCount"]
                    yield Usage(where, f"{count:g} x {kind}, always there", f"sagemaker.hosting.{kind}", "hours",
                                count * self.assumed["hours_a_month"], fixed=True)  # fmt: skip
                    yield Usage(where, "the instances' volumes", "sagemaker.volumes", "GB-month", None, fixed=True)
                else:
                    memory = variant["serverlessConfig"]["memorySizeInMb"] / 1024
                    yield Usage(where, "serverless inferences", "sagemaker.serverless", "GB-s",
                                self.photos * self.assumed["seconds_of_the_model"] * memory)  # fmt: skip
            yield Usage(where, "pictures sent to the model", "sagemaker.data", "GB",
                        self.photos * self.picture_bytes / GB)  # fmt: skip

    def _training(self) -> Iterator[Usage]:
        for job in self.of("TrainingJob"):
            inputs, where = job["inputs"], self.component(job)
            kind, hours = inputs["resourceConfig"]["instanceType"], inputs["stoppingCondition"]["maxRuntimeInSeconds"]
            spot = ", less by spot's discount" if inputs.get("enableManagedSpotTraining") else ""
            yield Usage(where, f"training, at most{spot}", f"sagemaker.training.{kind}", "hours",
                        hours / 3600 * inputs["resourceConfig"]["instanceCount"], once=True)  # fmt: skip

    def _retraining(self) -> Iterator[Usage]:
        """Builds that a drift starts: each waits for its training, which is paid for as well."""
        for build in self.of("Project"):
            where, times = self.component(build), self.assumed["retrainings_a_month"]
            beside = self.assumed["minutes_beside_a_training"]
            given = build["inputs"]["environment"]["environmentVariables"]
            plan = json.loads(self._object(next(each["value"] for each in given if each["name"] == "OUTPUTS")))[
                "retraining"
            ]
            minutes = int(plan["max_minutes"])
            yield Usage(where, f"{times:g} builds of {minutes + beside:g} minutes", "codebuild.small", "minutes",
                        times * (minutes + beside), fixed=True)  # fmt: skip
            yield Usage(where, f"{times:g} trainings, at most", f"sagemaker.training.{plan['instance_type']}", "hours",
                        times * minutes / 60, fixed=True)  # fmt: skip

    def _object(self, uri: str) -> str:
        """The text of an object of the graph."""
        key = uri.removeprefix("s3://").partition("/")[2]
        return next(str(each["inputs"]["content"]) for each in self.of("BucketObject") if each["inputs"]["key"] == key)

    def _executions(self) -> Iterator[Usage]:
        for machine in self.of("StateMachine"):
            where, definition = self.component(machine), machine["inputs"]["definition"]
            if _is_batch(definition):
                continue
            transitions, tasks = 0.0, dict[tuple[str, str], float]()
            reviews = self.assumed["review_share"]
            for share, fails in ((1 - reviews, {}), (reviews, {"Filter": ThresholdNotMet.__name__})):
                for _, state in path(definition, fails):
                    transitions += share * self.photos
                    if state["Type"] == "Task":
                        tasks[_service(state)] = tasks.get(_service(state), 0) + share * self.photos
            yield Usage(where, "state transitions", "states.transitions", "transitions", transitions)
            for (service, function), calls in tasks.items():
                yield from self._task(where, service, function, calls, definition)

    def _task(self, where: str, service: str, function: str, calls: float, definition: str) -> Iterator[Usage]:
        if service == "lambda:invoke":
            yield from self._invocations(self._function(function), calls)
        elif service == "dynamodb:putItem":
            kilobytes = self.assumed["item_kilobytes"]
            yield Usage(where, "decisions written", "dynamodb.writes", "write request units", calls * kilobytes)
            found = re.search(r"\$millis\(\) / 1000\) \+ (\d+)", definition)
            months = int(found[1]) / 86400 / DAYS_A_MONTH if found else 1
            stored = calls * kilobytes / 1_000_000 * months
            days = months * DAYS_A_MONTH
            yield Usage(where, f"decisions kept for {days:.0f} days", "dynamodb.storage", "GB-month", stored)
            yield Usage(where, "their point-in-time recovery", "dynamodb.recovery", "GB-month", stored)
        elif service == "events:putEvents":
            yield Usage(where, "decisions published", "events.custom", "events", calls)
        elif service == "sqs:sendMessage":
            yield Usage(where, "photos for a person", "sqs.requests", "requests",
                        calls * self.assumed["requests_a_message"])  # fmt: skip
        elif service == "sns:publish":
            yield Usage(where, "alerts published", "sns.publishes", "requests", calls)
            emails = sum(each["inputs"]["protocol"] == "email" for each in self.of("TopicSubscription"))
            if emails:
                yield Usage(where, "alerts by e-mail", "sns.emails", "e-mails", calls * emails)
        else:
            yield Usage(where, service, service, "calls", calls)

    def _function(self, arn: str) -> Entry:
        return next(
            each for each in self.of("Function") if re.search(rf":{re.escape(each['name'])}(-[0-9a-f]{{7}})?(:|$)", arn)
        )

    def _invocations(self, function: Entry, calls: float) -> Iterator[Usage]:
        inputs, where = function["inputs"], self.component(function)
        role = inputs["environment"]["variables"].get("POWERTOOLS_SERVICE_NAME", function["name"])
        seconds = self.assumed.get(f"seconds_of_{role}", self.assumed["seconds_of_others"])
        architecture = (inputs.get("architectures") or ["x86_64"])[0]
        yield Usage(where, f"{role}: invocations", "lambda.requests", "requests", calls)
        yield Usage(where, f"{role}: {inputs['memorySize']:g} MB for {seconds:g} s",
                    f"lambda.gb_seconds.{architecture}", "GB-s",
                    calls * seconds * inputs["memorySize"] / 1024)  # fmt: skip
        yield Usage(where, f"{role}: logs", "logs.ingested", "GB",
                    calls * self.assumed["log_kilobytes_an_invocation"] / 1_000_000)  # fmt: skip

    def _observing(self) -> Iterator[Usage]:
        """The function that is called for each capture file and each execution that ended, and its metrics."""
        for function in self.of("Function"):
            variables = function["inputs"]["environment"]["variables"]
            if "METRIC_NAMESPACE" not in variables:
                continue
            where, calls = self.component(function), self.photos + self.captured / self.assumed["captures_a_file"]
            yield from self._invocations(function, calls)
            yield Usage(where, "PutMetricData", "cloudwatch.requests", "requests", calls)
            labels, bays = len(json.loads(variables["CLASSES"])), len(self._bays())
            metrics = len(OUTCOMES) + bays + (CAPTURED_METRICS + labels if self.captured else 0)
            yield Usage(where, "custom metrics", "cloudwatch.metrics", "metrics", metrics, fixed=True)

    def _bays(self) -> set[str]:
        bays = [each["inputs"]["environment"]["variables"].get("LOADING_BAYS") for each in self.of("Function")]
        return {bay for text in bays if text for bay in json.loads(text).values()}

    def _watching(self) -> Iterator[Usage]:
        alarms = Counter[str]()
        for alarm in self.of("MetricAlarm"):
            queries: Sequence[Entry] = alarm["inputs"].get("metricQueries") or ()
            # one that is made by an expression is charged by the metrics in it
            alarms[self.component(alarm)] += sum("metric" in query for query in queries) or 1
        for where, metrics in alarms.items():
            yield Usage(where, "alarms", "cloudwatch.alarms", "metrics in alarms", metrics, fixed=True)
        for board in self.of("Dashboard"):
            yield Usage(self.component(board), "dashboard", "cloudwatch.dashboards", "dashboards", 1, fixed=True)
        for queue in self.of("Queue"):
            if queue["inputs"].get("kmsMasterKeyId"):
                yield Usage(self.component(queue), "requests to the customer's key", "kms.requests", "requests", None)
                return


def _is_batch(definition: str) -> bool:
    """Whether no photo that arrives starts it; what a batch costs is said before it is started."""
    return any(state["Type"] == "Map" for state in json.loads(definition)["States"].values())


def _service(state: Mapping[str, Any]) -> tuple[str, str]:
    """`lambda:invoke` and the function's ARN, or `sqs:sendMessage` and nothing."""
    service = str(state["Resource"]).split(":::", 1)[1]
    return service, str(state["Arguments"]["FunctionName"]) if service == "lambda:invoke" else ""
