"""No right is idle and none is missing: what roles are granted, beside what code, definitions and graph need."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from contract import prefixes
from localcloud.registration import Registration
from tests.assertions import at_least_one
from tests.components.dataset import write_dataset
from tests.components.stack import Found, run
from tests.permissions.granted import Need, compare, statements_by_role, too_wide
from tests.permissions.in_code import OF_A_VERSION, calls_of
from tests.permissions.in_definition import needs_of

KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
STACKS: dict[str, tuple[str, dict[str, Any]]] = {
    "dev": ("dev", {}),
    "dev that retrains": ("dev", {"retrainOnDrift": True}),
    "prod": ("prod", {}),
    "prod with a customer's key": ("prod", {"kmsKeyArn": KEY, "retrainOnDrift": True}),
    "dev with a customer's key, trained on disks": ("dev", {"kmsKeyArn": KEY, "endpointInstanceType": "ml.m5d.large"}),
    "serverless": ("dev", {"endpointMode": "serverless", "capturePercentage": 0}),
    "prod, serverless, with a key": ("prod", {"endpointMode": "serverless", "capturePercentage": 0, "kmsKeyArn": KEY}),
}


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Found]:
    folder = tmp_path_factory.mktemp("permissions")
    (folder / "layer.zip").write_bytes(b"PK\x05\x06" + bytes(18))
    files = {"datasetDir": str(write_dataset(folder / "dataset")), "layerPath": str(folder / "layer.zip")}
    return {name: run(stack, **files, **more) for name, (stack, more) in STACKS.items()}


def needs(found: Found) -> dict[str, list[Need]]:
    """Role -> what it needs."""
    wanted: dict[str, list[Need]] = {}
    for function in found.of("Function"):
        wanted[role_of(function, "role")] = list(of_function(found, function))
    for machine in found.of("StateMachine"):
        wanted[role_of(machine, "roleArn")] = list(of_machine(found, machine))
    for target in found.of("EventTarget"):
        if target.inputs.get("roleArn"):
            arn = target.inputs["arn"]
            action = STARTS.get(arn.split(":")[2])
            if action is None:
                raise AssertionError(f"{target.name}: what it needs is not known here")
            wanted[role_of(target, "roleArn")] = [Need(action, arn, target.name)]
    for build in found.of("Project"):
        wanted[role_of(build, "serviceRole")] = list(of_build(found, build))
    for model in found.of("Model"):
        wanted[role_of(model, "executionRoleArn")] = list(of_model(found, model))
    return wanted


STARTS = {"states": "states:StartExecution", "codebuild": "codebuild:StartBuild"}
"""What a rule's target of a service is started by."""


def of_build(found: Found, build: Registration) -> Iterator[Need]:
    """What `operations retrain` calls, and what CodeBuild does on its behalf, with examples of the names."""
    bucket, here, job = (
        bucket_arn(found),
        "arn:aws:sagemaker:us-east-1:123456789012",
        f"{found.outputs['endpointName']}-1a",
    )
    for key in ("retraining/source.zip", "retraining/outputs.json", "corrections/a/b.png", "models/job/materials.zip"):
        yield Need("s3:GetObject", f"{bucket}/{key}", "source, outputs, samples, and what a model was made of")
    for key in ("dataset/1/train/train.rec", "models/job/materials.zip"):
        yield Need("s3:PutObject", f"{bucket}/{key}", "a dataset, and what a candidate is made of and measured by")
    for key in ("asked/1.png", "answered/1.png.out", "proposal.json"):
        yield Need("s3:DeleteObject", f"{bucket}/models/job/{key}", "what was asked, and what nobody could be told")
    yield Need("s3:ListBucket", bucket, "samples and answers")
    for kind, actions in (
        ("training-job", ("CreateTrainingJob", "DescribeTrainingJob")),
        ("model", ("CreateModel", "DeleteModel")),
        ("transform-job", ("CreateTransformJob", "DescribeTransformJob")),
    ):
        for action in (*actions, "AddTags"):
            yield Need(f"sagemaker:{action}", f"{here}:{kind}/{job}", "a training, and who is asked")
    yield Need("iam:PassRole", str(found.outputs["retraining"]["role_arn"]), "what trains and answers")
    group = str(found.outputs["modelPackageGroup"])
    version = group.replace(":model-package-group/", ":model-package/") + "/1"
    yield Need("sagemaker:ListModelPackages", "*", "the register")
    for place in (group, version):
        yield Need("sagemaker:CreateModelPackage", place, "the register")
    for action in ("DescribeModelPackage", "UpdateModelPackage"):
        yield Need(f"sagemaker:{action}", version, "the register")
    yield Need("sagemaker:InvokeEndpoint", f"{here}:endpoint/{found.outputs['endpointName']}", "what serves")
    trainings = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/sagemaker/TrainingJobs"
    yield Need("logs:DescribeLogStreams", trainings, "how a training goes")
    yield Need("logs:GetLogEvents", f"{trainings}:log-stream:x", "how a training goes")
    own = build.inputs["logsConfig"]["cloudwatchLogs"]["groupName"]
    for action in ("CreateLogStream", "PutLogEvents"):
        yield Need(f"logs:{action}", f"arn:aws:logs:us-east-1:123456789012:log-group:{own}:log-stream:x", "its log")
    yield Need("sns:Publish", str(found.outputs["alertTopicArn"]), "proposals")
    if key_of(found):
        for action in ("Decrypt", "GenerateDataKey", "Encrypt"):
            yield Need(f"kms:{action}", KEY, "objects and messages")
        yield Need("kms:CreateGrant", KEY, "the volumes of a transform")


def role_of(resource: Registration, key: str) -> str:
    return str(resource.inputs[key]).rpartition("/")[2].rpartition("-")[0]


def key_of(found: Found) -> str:
    """The customer's key; empty without one."""
    return str(found.of("Queue")[0].inputs.get("kmsMasterKeyId") or "")


def retrains(found: Found) -> bool:
    """Whether a model may be trained beside the one that serves."""
    return any(each.inputs["environment"]["variables"].get("RETRAIN_EVENT_BUS") for each in found.of("Function"))


def bucket_arn(found: Found) -> str:
    return f"arn:aws:s3:::{found.outputs['bucket']}"


def of_function(found: Found, function: Registration) -> Iterator[Need]:
    """What its code calls, and what Lambda does on its behalf."""
    group = function.inputs["loggingConfig"]["logGroup"]
    for action in ("CreateLogStream", "PutLogEvents"):
        yield Need(f"logs:{action}", f"arn:aws:logs:us-east-1:123456789012:log-group:{group}:log-stream:x", "its log")
    if key_of(found):
        yield Need("kms:Decrypt", KEY, "its settings, and the objects that it reads")
    variables = function.inputs["environment"]["variables"]
    calls = list(calls_of(str(function.inputs["handler"]).removesuffix(".handler")))
    for call in calls:
        if call.action == "events:PutEvents":
            if variables["RETRAIN_EVENT_BUS"]:
                yield Need(call.action, variables["RETRAIN_EVENT_BUS"], call.place)
                if key_of(found):
                    yield Need("kms:GenerateDataKey", KEY, f"{call.place}, on a bus that the key encrypts")
        elif call.action == "cloudwatch:PutMetricData":
            yield Need(call.action, "*", call.place)
        elif call.action == "s3:ListBucket":
            yield Need(call.action, bucket_arn(found), call.place)
        elif call.action in ("s3:GetObject", OF_A_VERSION):
            for place in read_by(variables):
                yield Need(call.action, f"{bucket_arn(found)}/{place}", call.place)
        elif "ENDPOINT_NAME" in variables and "Endpoint" in call.action:
            name = variables["ENDPOINT_NAME"]
            yield Need(call.action, f"arn:aws:sagemaker:us-east-1:123456789012:endpoint/{name}", call.place)
        else:
            yield Need(call.action, "?", call.place)


def read_by(variables: Mapping[str, str]) -> tuple[str, ...]:
    """Objects that a function reads, by what its settings say that it does."""
    if "MAX_IMAGE_BYTES" in variables:
        return tuple(f"{prefix}a/photo.jpg" for prefix in prefixes.PHOTOS)
    return (f"{prefixes.CAPTURE}endpoint/file.jsonl", variables["BASELINE_KEY"])


def of_machine(found: Found, machine: Registration) -> Iterator[Need]:
    arn = f"arn:aws:states:us-east-1:123456789012:stateMachine:{machine.name}-1a2b3c4"
    names = {("Bucket", str(found.outputs["bucket"])): bucket_arn(found)}
    for kind, key in (("Table", "name"), ("EventBus", "name"), ("Queue", "url")):
        told = [found.resource_outputs[each.urn] for each in found.of(kind)]
        names |= {(kind, str(outputs[key])): str(outputs["arn"]) for outputs in told}
    yield from needs_of(json.loads(machine.inputs["definition"]), arn, names)
    if key_of(found):
        for action in ("kms:Decrypt", "kms:GenerateDataKey"):
            yield Need(action, KEY, "queue, topic, table and bus, which the key encrypts")


def of_model(found: Found, model: Registration) -> Iterator[Need]:
    """SageMaker Developer Guide, "Execution roles": of CreateTrainingJob and CreateModel, for what the graph says."""
    bucket, endpoint = bucket_arn(found), str(found.outputs["endpointName"])
    reads = [model.inputs["primaryContainer"]["modelDataUrl"]]
    writes, groups = list[str](), [f"/aws/sagemaker/Endpoints/{endpoint}"]
    for job in found.of("TrainingJob"):
        inputs = job.inputs
        reads += [f"{each['dataSource']['s3DataSource']['s3Uri']}file" for each in inputs["inputDataConfigs"]]
        writes += [inputs["outputDataConfig"]["s3OutputPath"] + "job/output/model.tar.gz"]
        if "checkpointConfig" in inputs:
            reads += [inputs["checkpointConfig"]["s3Uri"] + "epoch"]
            writes += [inputs["checkpointConfig"]["s3Uri"] + "epoch"]
        groups += ["/aws/sagemaker/TrainingJobs"]
    if retrains(found) and not found.of("TrainingJob"):
        reads += [f"s3://{found.outputs['bucket']}/dataset/1/train/file"]
        writes += [f"s3://{found.outputs['bucket']}/models/job/output/model.tar.gz"]
        groups += ["/aws/sagemaker/TrainingJobs"]
    for configuration in found.of("EndpointConfiguration"):
        if "dataCaptureConfig" in configuration.inputs:
            writes += [configuration.inputs["dataCaptureConfig"]["destinationS3Uri"] + "/endpoint/file.jsonl"]
    for uri in reads:
        yield Need("s3:GetObject", uri.replace("s3://", "arn:aws:s3:::"), "training and model")
    for uri in writes:
        yield Need("s3:PutObject", uri.replace("s3://", "arn:aws:s3:::"), "training and captures")
    yield Need("s3:ListBucket", bucket, "training and model")
    for group in groups:
        arn = f"arn:aws:logs:us-east-1:123456789012:log-group:{group}"
        for action in ("CreateLogGroup", "DescribeLogStreams"):
            yield Need(f"logs:{action}", arn, "the group of its logs")
        for action in ("CreateLogStream", "PutLogEvents"):
            yield Need(f"logs:{action}", f"{arn}:log-stream:x", "its logs")
    yield Need("cloudwatch:PutMetricData", "*", "metrics of trainings and endpoints")
    registry, _, image = model.inputs["primaryContainer"]["image"].partition("/")
    repository = f"arn:aws:ecr:us-east-1:{registry.split('.')[0]}:repository/{image.partition(':')[0]}"
    for action in ("BatchCheckLayerAvailability", "GetDownloadUrlForLayer", "BatchGetImage"):
        yield Need(f"ecr:{action}", repository, "the image")
    yield Need("ecr:GetAuthorizationToken", "*", "the image's registry")
    for endpoint_ in found.of("Endpoint"):
        rollback = (endpoint_.inputs.get("deploymentConfig") or {}).get("autoRollbackConfiguration", {"alarms": []})
        for alarm in rollback["alarms"]:
            name = f"arn:aws:cloudwatch:us-east-1:123456789012:alarm:{alarm['alarmName']}"
            yield Need("cloudwatch:DescribeAlarms", name, "a roll-out that alarms take back")
    volumes = [c.inputs.get("kmsKeyArn") for c in found.of("EndpointConfiguration")]
    volumes += [job.inputs["resourceConfig"].get("volumeKmsKeyId") for job in found.of("TrainingJob")]
    if key_of(found):
        yield Need("kms:Decrypt", KEY, "what it reads")
        if writes:
            yield Need("kms:GenerateDataKey", KEY, "what it writes")
            yield Need("kms:Encrypt", KEY, "model and captures")
        if any(volumes):
            yield Need("kms:CreateGrant", KEY, "the volumes of instances")


@pytest.mark.parametrize("stack", STACKS)
def test_every_role_may_do_what_it_needs_and_nothing_else(stacks: dict[str, Found], stack: str) -> None:
    wanted, granted = needs(stacks[stack]), statements_by_role(stacks[stack])
    assert set(granted) == set(wanted), "a role that nobody here knows takes rights: say in `needs` what it does"
    problems = {role: compare(granted[role], wanted[role]) for role in granted}
    assert {role: found for role, found in problems.items() if found} == {}


@pytest.mark.parametrize("stack", STACKS)
def test_without_any_one_statement_something_is_missing(stacks: dict[str, Found], stack: str) -> None:
    wanted = needs(stacks[stack])
    for role, statements in at_least_one(statements_by_role(stacks[stack]).items()):
        for index, (policy, statement) in enumerate(at_least_one(statements)):
            rest = statements[:index] + statements[index + 1 :]
            missing = [each for each in compare(rest, wanted[role]) if each.startswith("missing")]
            assert missing, f"{policy}: nobody misses {statement['Sid']}"


@pytest.mark.parametrize("stack", STACKS)
def test_no_role_reaches_other_folders_or_what_is_not_the_stack_s(stacks: dict[str, Found], stack: str) -> None:
    wanted = needs(stacks[stack])
    for role, statements in at_least_one(statements_by_role(stacks[stack]).items()):
        assert too_wide(statements, wanted[role]) == []


@pytest.mark.parametrize(
    ("role", "action", "resource"),
    [
        ("workflow-serialize-role", "s3:GetObject", "arn:aws:s3:::data-bucket-1a2b3c4/*"),
        ("workflow-classify-role", "sagemaker:InvokeEndpoint", "arn:aws:sagemaker:us-east-1:123456789012:endpoint/*"),
        ("workflow-machine-role", "lambda:InvokeFunction", "arn:aws:lambda:us-east-1:123456789012:function:*"),
    ],
)
def test_a_wider_resource_is_told(stacks: dict[str, Found], role: str, action: str, resource: str) -> None:
    wide = {"Sid": "Wide", "Effect": "Allow", "Action": [action], "Resource": [resource]}
    granted, wanted = statements_by_role(stacks["dev"])[role], needs(stacks["dev"])[role]
    assert all("Wide" in each for each in at_least_one(too_wide([*granted, ("policy", wide)], wanted)))


@pytest.mark.parametrize(
    ("action", "resource", "idle"),
    [
        ("s3:PutObject", "arn:aws:s3:::data-bucket-1a2b3c4/incoming/*", "idle: policy More s3:PutObject"),
        ("s3:GetObject", "arn:aws:s3:::data-bucket-1a2b3c4/models/*", "idle: policy More s3:GetObject"),
        ("sagemaker:InvokeEndpoint", "*", "idle: policy More sagemaker:InvokeEndpoint"),
    ],
)
def test_one_right_more_is_idle(stacks: dict[str, Found], action: str, resource: str, idle: str) -> None:
    role = "workflow-serialize-role"
    more = {"Sid": "More", "Effect": "Allow", "Action": [action], "Resource": [resource]}
    granted, wanted = statements_by_role(stacks["dev"])[role], needs(stacks["dev"])[role]
    assert compare([*granted, ("policy", more)], wanted) == [idle]


@pytest.mark.parametrize("stack", STACKS)
def test_a_queue_takes_from_the_rules_that_send_to_it_and_from_no_others(stacks: dict[str, Found], stack: str) -> None:
    found = stacks[stack]
    sending: dict[str, set[str]] = {}
    for target in found.of("EventTarget"):
        rule = next(each for each in found.of("EventRule") if str(target.inputs["rule"]).startswith(each.name))
        for queue in (target.inputs["arn"], (target.inputs.get("deadLetterConfig") or {}).get("arn", "")):
            if ":sqs:" in queue:
                sending.setdefault(queue, set()).add(str(found.resource_outputs[rule.urn]["arn"]))
    allowed: dict[str, set[str]] = {}
    for policy in found.of("QueuePolicy"):
        for statement in json.loads(policy.inputs["policy"])["Statement"]:
            if statement["Effect"] == "Allow":
                (queue,) = statement["Resource"]
                allowed.setdefault(queue, set()).update(statement["Condition"]["ArnEquals"]["aws:SourceArn"])
    assert allowed == sending


@pytest.mark.parametrize("stack", STACKS)
def test_a_function_is_invoked_by_the_rules_and_alarms_that_name_it_and_by_no_others(
    stacks: dict[str, Found], stack: str
) -> None:
    found = stacks[stack]
    by_name = {str(found.resource_outputs[each.urn]["name"]): each for each in found.of("Function")}
    permitted = {(p.inputs["function"], p.inputs["principal"], p.inputs["sourceArn"]) for p in found.of("Permission")}
    calling: set[tuple[str, str, str]] = set()
    for target in found.of("EventTarget"):
        rule = next(each for each in found.of("EventRule") if str(target.inputs["rule"]).startswith(each.name))
        if ":function:" in target.inputs["arn"]:
            function = target.inputs["arn"].rpartition(":")[2]
            calling.add((function, "events.amazonaws.com", str(found.resource_outputs[rule.urn]["arn"])))
    for alarm in found.of("MetricAlarm"):
        for action in alarm.inputs["alarmActions"]:
            if ":function:" in action:
                arn = str(found.resource_outputs[alarm.urn]["arn"])
                calling.add((action.rpartition(":")[2], "lambda.alarms.cloudwatch.amazonaws.com", arn))
    assert permitted == calling and {function for function, _, _ in calling} <= set(by_name)
