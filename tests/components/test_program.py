"""The unmodified program on strict mocks: what it registers, as an operations team would audit it."""

import json
import re
from typing import ClassVar

import pytest
from botocore.exceptions import ClientError

from contract.errors import UserError
from contract.outputs import OUTPUT_NAMES, parse_outputs
from localcloud.functions import GET_OBJECT, Refused
from localcloud.planning import Planned
from tests.assertions import at_least_one
from tests.components.dataset import write_dataset
from tests.components.stack import ROOT, Found, run

TAGGABLE = {
    "Bucket", "BucketObject", "Role", "TrainingJob", "Model", "EndpointConfiguration", "Endpoint", "Target",
    "Function", "LogGroup", "Budget", "EventBus", "EventRule", "MetricAlarm", "Table", "Queue", "Topic", "StateMachine",
}  # fmt: skip
KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    folder = tmp_path_factory.mktemp("program")
    layer = folder / "layer.zip"
    layer.write_bytes(b"PK\x05\x06" + bytes(18))
    return {"datasetDir": str(write_dataset(folder / "dataset")), "layerPath": str(layer)}


@pytest.fixture(scope="module")
def dev(places) -> Found:
    return run("dev", **places)


@pytest.fixture(scope="module")
def prod(places) -> Found:
    return run("prod", **places)


def documents(found: Found):
    """Every JSON text among the inputs, by resource and property."""
    for resource in found.resources:
        for key, value in resource.inputs.items():
            if isinstance(value, str) and value.startswith("{"):
                yield resource, key, json.loads(value)


def statements(found: Found):
    for resource, _, document in documents(found):
        for statement in document.get("Statement", []):
            yield resource, statement


def short(kind: str) -> str:
    return kind.rsplit(":", 1)[1]


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_no_urn_is_registered_twice_and_every_resource_has_a_component_for_a_parent(stack, request):
    found = request.getfixturevalue(stack)
    assert len(set(found.urns)) == len(found.urns) == len(found.resources)
    components = [resource for resource in found.resources if not resource.custom]
    assert {resource.type for resource in components} == {
        f"scones:components:{name}"
        for name in (
            *("DataBucket", "ModelRegister", "TrainingEndpoint", "ClassificationWorkflow"),
            *("BatchClassification", "Observability"),
            *(("Retraining",) if stack == "prod" else ()),
        )
    }
    above = {resource.urn for resource in components}
    assert {resource.parent for resource in found.resources if resource.custom} == above


def test_a_preview_registers_the_same_resources(dev, places):
    assert sorted(run("dev", preview=True, **places).urns) == sorted(dev.urns)


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_no_document_holds_an_output_that_was_never_known(stack, request):
    found = request.getfixturevalue(stack)
    for resource in at_least_one(found.resources):
        text = json.dumps(resource.inputs, default=str)
        assert not re.search(r"\bNone\b|Output\[|Calling __str__", text), (resource.name, text)


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_everything_that_takes_tags_says_whose_it_is(stack, request):
    for resource in at_least_one(request.getfixturevalue(stack).resources):
        if resource.type.startswith("aws:") and short(resource.type) in TAGGABLE:
            assert resource.inputs["tags"]["project"] == "scones", resource.name
            assert resource.inputs["tags"]["stack"] == stack
            assert resource.inputs["tags"]["component"]


def test_nobody_may_do_everything_and_a_bare_resource_is_one_that_aws_cannot_name(dev):
    bare = {"cloudwatch:PutMetricData", "ecr:GetAuthorizationToken", "sagemaker:ListModelPackages"}
    seen = 0
    for resource, statement in at_least_one(statements(dev)):
        if statement["Effect"] == "Allow":
            seen += 1
            assert not [a for a in statement["Action"] if "*" in a], (resource.name, statement)
            if "*" in statement.get("Resource", []):
                assert set(statement["Action"]) <= bare, (resource.name, statement)
    assert seen > 15


def test_the_serialize_function_may_read_photos_and_nothing_of_the_training(dev):
    policy = json.loads(dev.named("workflow-serialize-policy").inputs["policy"])
    resources = {r for s in policy["Statement"] for r in s["Resource"]}
    assert "arn:aws:s3:::data-bucket-1a2b3c4/incoming/*" in resources
    assert not [r for r in resources if "dataset" in r or "models" in r]
    actions = {a for s in policy["Statement"] for a in s["Action"]}
    assert {"s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket"} <= actions
    assert not [a for a in actions if a.startswith("s3:Put")]


def test_the_state_machine_pins_versions_and_may_invoke_exactly_the_three(dev):
    definition = json.loads(dev.named("workflow-machine").inputs["definition"])
    invoked = [
        s["Arguments"]["FunctionName"] for s in definition["States"].values() if "lambda" in s.get("Resource", "")
    ]
    assert len(invoked) == 3 and all(re.search(r":function:[\w-]+:\d+$", arn) for arn in invoked)
    policy = json.loads(dev.named("workflow-machine-policy").inputs["policy"])
    (allowed,) = [s["Resource"] for s in policy["Statement"] if s["Action"] == ["lambda:InvokeFunction"]]
    assert sorted(allowed) == sorted(arn.rsplit(":", 1)[0] + ":*" for arn in invoked)


def test_an_upload_starts_the_machine_with_the_input_everybody_uses(dev):
    target = dev.named("workflow-uploads-target").inputs
    template = target["inputTransformer"]["inputTemplate"]
    for name in target["inputTransformer"]["inputPaths"]:
        template = template.replace(f"<{name}>", f'"{name}"')
    assert json.loads(template) == {
        "s3_bucket": "bucket", "s3_key": "key", "s3_version": "version", "image_data": "",
    }  # fmt: skip
    assert target["deadLetterConfig"]["arn"].endswith(":workflow-dead-letters-1a2b3c4")
    pattern = json.loads(dev.named("workflow-uploads").inputs["eventPattern"])
    assert pattern["detail"]["bucket"]["name"][0].startswith("data-bucket")


def test_the_bucket_is_closed_versioned_encrypted_and_refuses_plain_http(dev):
    block = dev.of("BucketPublicAccessBlock")[0].inputs
    flags = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    assert [block[flag] for flag in flags] == [True] * 4
    assert dev.of("BucketVersioning")[0].inputs["versioningConfiguration"]["status"] == "Enabled"
    assert dev.of("BucketNotification")[0].inputs["eventbridge"] is True
    policy = json.loads(dev.of("BucketPolicy")[0].inputs["policy"])["Statement"][0]
    assert policy["Effect"] == "Deny" and policy["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_a_customers_key_encrypts_all_that_keeps_data_and_its_users_may_use_it(places):
    found = run("prod", kmsKeyArn=KEY, **places)
    for kind, prop in {
        "Queue": "kmsMasterKeyId", "Topic": "kmsMasterKeyId", "LogGroup": "kmsKeyId", "EventBus": "kmsKeyIdentifier",
        "Function": "kmsKeyArn",
    }.items():  # fmt: skip
        assert found.of(kind) and all(r.inputs[prop] == KEY for r in found.of(kind)), kind
    assert found.of("Table")[0].inputs["serverSideEncryption"]["kmsKeyArn"] == KEY
    text = json.dumps(found.of("BucketServerSideEncryptionConfiguration")[0].inputs)
    assert "aws:kms" in text and KEY in text
    configuration = found.of("EndpointConfiguration")[0].inputs
    assert configuration["kmsKeyArn"] == configuration["dataCaptureConfig"]["kmsKeyId"] == KEY
    for policy in ("model-role-policy", "workflow-serialize-policy", "workflow-machine-policy"):
        assert "kms:Decrypt" in found.named(policy).inputs["policy"], policy


@pytest.mark.parametrize(
    ("kind", "takes_key"), [("ml.m5.large", True), ("ml.c5d.large", False), ("ml.g5.xlarge", False)]
)
def test_an_endpoint_s_volume_takes_the_key_unless_its_instances_have_disks_of_their_own(places, kind, takes_key):
    found = run("prod", kmsKeyArn=KEY, endpointInstanceType=kind, **places)
    assert found.of("EndpointConfiguration")[0].inputs.get("kmsKeyArn") == (KEY if takes_key else None)


@pytest.mark.parametrize(("kind", "takes_key"), [("ml.p3.2xlarge", True), ("ml.g4dn.xlarge", False)])
def test_a_training_s_volume_takes_the_key_unless_its_instances_have_disks_of_their_own(places, kind, takes_key):
    job = run("dev", kmsKeyArn=KEY, trainingInstanceType=kind, **places).of("TrainingJob")[0].inputs
    assert job["resourceConfig"].get("volumeKmsKeyId") == (KEY if takes_key else None)
    assert job["outputDataConfig"]["kmsKeyId"] == KEY


def test_sagemaker_may_give_its_volumes_the_key_and_nobody_else_may_pass_it_on(places):
    found = run("dev", kmsKeyArn=KEY, **places)
    granting = {r.name: s for r, s in statements(found) if "kms:CreateGrant" in s["Action"]}
    assert set(granting) == {"model-role-policy"}
    statement = granting["model-role-policy"]
    assert statement["Resource"] == [KEY]
    assert statement["Condition"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}}


def test_an_execution_s_events_must_stay_readable_so_that_its_history_keeps_aws_s_own_key(places):
    # with a customer's key its events have no input, output, error and cause: docs/decisions.md
    assert "encryptionConfiguration" not in run("prod", kmsKeyArn=KEY, **places).of("StateMachine")[0].inputs


def test_the_model_and_its_training_have_no_way_out(dev, prod):
    assert dev.of("TrainingJob")[0].inputs["enableNetworkIsolation"] is True
    assert dev.of("Model")[0].inputs["enableNetworkIsolation"] is True
    assert prod.of("Model")[0].inputs["enableNetworkIsolation"] is True


def test_a_serverless_endpoint_s_model_is_not_isolated_which_aws_refuses(places):
    found = run("dev", endpointMode="serverless", capturePercentage=0, **places)
    assert found.of("Model")[0].inputs["enableNetworkIsolation"] is False
    assert found.of("TrainingJob")[0].inputs["enableNetworkIsolation"] is True


def test_a_training_that_starts_from_weights_which_the_algorithm_fetches_is_not_isolated(places):
    found = run("dev", trainingRecipe="transfer", **places)
    assert found.of("TrainingJob")[0].inputs["enableNetworkIsolation"] is False


def test_bucket_queues_and_topic_refuse_what_is_not_encrypted_on_the_way(dev):
    denied = {}
    for resource, statement in at_least_one(statements(dev)):
        if statement["Effect"] == "Deny":
            assert (
                statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}} and statement["Principal"] == "*"
            )
            denied[resource.name] = (statement["Action"], statement["Resource"])
    bucket = "arn:aws:s3:::data-bucket-1a2b3c4"
    assert denied.pop("data-policy") == (["s3:*"], [bucket, f"{bucket}/*"])
    for kind, action in (("QueuePolicy", "sqs:*"), ("TopicPolicy", "sns:Publish")):
        guarded = {name: denied.pop(name) for name in [each.name for each in dev.of(kind)]}
        assert all(actions == [action] for actions, _ in guarded.values())
        kind_of = kind.removesuffix("Policy")
        assert len({arns[0] for _, arns in guarded.values()}) == len(dev.of(kind_of)) == len(guarded) > 0
    assert not denied


def test_queues_without_a_key_are_encrypted_too(dev):
    assert all(queue.inputs["sqsManagedSseEnabled"] is True for queue in at_least_one(dev.of("Queue")))


def test_a_configuration_has_no_name_of_its_own_and_captures_what_can_be_read(dev):
    inputs = dev.of("EndpointConfiguration")[0].inputs
    assert "name" not in inputs
    capture = inputs["dataCaptureConfig"]
    assert capture["initialSamplingPercentage"] == 100
    assert capture["captureContentTypeHeader"] == {"jsonContentTypes": ["application/json"]}


def test_a_serverless_endpoint_has_no_instances_capture_or_scaling(places):
    found = run("prod", endpointMode="serverless", capturePercentage=0, **places)
    inputs = found.of("EndpointConfiguration")[0].inputs
    assert "dataCaptureConfig" not in inputs
    assert inputs["productionVariants"][0]["serverlessConfig"] == {"memorySizeInMb": 2048, "maxConcurrency": 5}
    assert "instanceType" not in inputs["productionVariants"][0] and not found.of("Target")


def test_scaling_exists_where_there_is_room_for_it(dev, prod):
    assert not dev.of("Target") and not dev.of("Policy")
    target = prod.of("Target")[0].inputs
    assert (target["minCapacity"], target["maxCapacity"]) == (2, 4)
    assert target["resourceId"] == "endpoint/scones-prod/variant/AllTraffic"


def job_name(places, **overrides) -> str:
    return run("dev", **(places | overrides)).of("TrainingJob")[0].inputs["trainingJobName"]


@pytest.mark.parametrize(
    "change",
    [
        {"hyperparameters": {"epochs": 41}}, {"trainingInstanceType": "ml.g5.xlarge"}, {"trainingSpot": False},
        {"trainingAttempt": 2},
    ],
)  # fmt: skip
def test_what_makes_the_model_names_another_job(dev, places, change):
    assert job_name(places, **change) != dev.of("TrainingJob")[0].inputs["trainingJobName"]


def test_another_dataset_names_another_job(dev, places, tmp_path):
    other = str(write_dataset(tmp_path / "other", seed=b"other"))
    assert job_name(places, datasetDir=other) != dev.of("TrainingJob")[0].inputs["trainingJobName"]


@pytest.mark.parametrize(
    "change",
    [
        {"confidenceThreshold": "0.9"}, {"trainingMaxMinutes": 90}, {"kmsKeyArn": KEY}, {"logRetentionDays": 14},
        {"endpointInstanceType": "ml.c5.large"}, {"capturePercentage": 20}, {"alertEmail": "a@b.example"},
    ],
)  # fmt: skip
def test_what_does_not_make_the_model_leaves_the_job_alone(dev, places, change):
    assert job_name(places, **change) == dev.of("TrainingJob")[0].inputs["trainingJobName"]


def test_a_spot_job_may_wait_longer_than_it_runs_and_goes_on_where_it_was_interrupted(dev, places):
    spot = dev.of("TrainingJob")[0].inputs
    steady = run("dev", trainingSpot=False, **places).of("TrainingJob")[0].inputs
    limits = spot["stoppingCondition"]
    assert limits["maxWaitTimeInSeconds"] >= limits["maxRuntimeInSeconds"] == 3600
    assert "/models/checkpoints/" in spot["checkpointConfig"]["s3Uri"]
    assert spot["checkpointConfig"]["localPath"] == "/opt/ml/checkpoints"
    assert "maxWaitTimeInSeconds" not in steady["stoppingCondition"] and "checkpointConfig" not in steady


def test_image_files_travel_in_four_channels(places, tmp_path):
    folder = str(write_dataset(tmp_path / "images", format="image"))
    found = run("dev", **(places | {"datasetDir": folder}))
    channels = found.of("TrainingJob")[0].inputs["inputDataConfigs"]
    names = [c["channelName"] for c in channels]
    assert names == ["train", "validation", "train_lst", "validation_lst"]
    keys = {r.inputs["key"] for r in found.of("BucketObject")}
    for channel in at_least_one(channels):
        uri = channel["dataSource"]["s3DataSource"]["s3Uri"]
        assert uri.endswith(f"/{channel['channelName']}/")
        assert [k for k in keys if uri.endswith(k.rpartition("/")[0] + "/")]


def test_the_outputs_are_those_that_the_tools_read(dev):
    assert list(dev.outputs) == list(OUTPUT_NAMES.values())
    read = parse_outputs(dev.outputs)
    assert (read.bucket, read.classes) == (dev.outputs["bucket"], ("bicycle", "motorcycle"))
    assert dev.outputs["modelArtifact"].endswith(f"/{dev.outputs['trainingJobName']}/output/model.tar.gz")
    assert set(dev.outputs["functions"]) == {"serialize", "classify", "filter", "observe"}
    assert json.loads(json.dumps(dev.outputs)) == dev.outputs


def test_every_component_tells_whoever_uses_it_what_it_has_made(dev):
    told = {each.name: dev.resource_outputs[each.urn] for each in dev.resources if not each.custom}
    assert told["data"] == {"bucket": dev.outputs["bucket"], "arn": f"arn:aws:s3:::{dev.outputs['bucket']}"}
    assert told["model"]["endpointName"] == dev.outputs["endpointName"]
    assert told["workflow"]["stateMachineArn"] == dev.outputs["stateMachineArn"]
    assert told["observability"]["functionName"] == dev.outputs["functions"]["observe"]


def test_the_map_fits_on_a_screen_or_two():
    assert len((ROOT / "__main__.py").read_text().splitlines()) < 100


def test_an_alert_address_is_subscribed_when_there_is_one(dev, prod):
    assert not dev.of("TopicSubscription")
    assert prod.of("TopicSubscription")[0].inputs["endpoint"] == "loading-bays@example.com"


def test_functions_run_on_what_the_layer_is_built_for(dev):
    layer = dev.of("LayerVersion")[0].inputs
    for function in at_least_one(dev.of("Function")):
        assert [function.inputs["runtime"]] == layer["compatibleRuntimes"] == ["python3.13"]
        assert function.inputs["architectures"] == layer["compatibleArchitectures"] == ["arm64"]


def test_without_a_layer_the_program_says_what_to_do_and_shows_no_traceback(places):
    with pytest.raises(UserError, match="make layer"):
        run("dev", **(places | {"layerPath": "build/none.zip"}))


def test_what_is_wrong_with_region_and_dataset_comes_in_one_report(places):
    with pytest.raises(UserError, match=r"2 problems in the configuration of stack dev") as caught:
        run("dev", region="mars-1", **(places | {"datasetDir": "build/none"}))
    assert "mars-1" in str(caught.value) and "training prepare" in str(caught.value)


def test_a_configuration_and_a_model_go_with_the_stack_and_no_sooner_than_their_successors_are_there(dev):
    assert not [each.name for each in dev.resources if each.retained and "sagemaker" in each.type], (
        "destroy leaves them"
    )
    assert not [resource.name for resource in dev.resources if resource.deleted_first]


@pytest.mark.parametrize(("stack", "routing", "seconds"), [("dev", "ALL_AT_ONCE", 180), ("prod", "CANARY", 600)])
def test_dev_rolls_out_at_once_and_prod_by_a_canary_and_alarms_take_both_back(stack, routing, seconds, request):
    found = request.getfixturevalue(stack)
    deployment = found.of("Endpoint")[0].inputs["deploymentConfig"]
    traffic = deployment["blueGreenUpdatePolicy"]["trafficRoutingConfiguration"]
    assert (traffic["type"], traffic["waitIntervalInSeconds"]) == (routing, seconds)
    assert traffic.get("canarySize") == ({"type": "INSTANCE_COUNT", "value": 1} if routing == "CANARY" else None)
    watching = [each["alarmName"] for each in deployment["autoRollbackConfiguration"]["alarms"]]
    alarms = {r.name: r for r in found.of("MetricAlarm") if "-rollback-" in r.name}
    assert len(watching) == len(alarms) == 2
    order = [r.name for r in found.resources]
    assert all(order.index(name) < order.index("model-endpoint") for name in alarms), "made before the endpoint"
    for alarm in alarms.values():
        # the new instances alone: an endpoint in trouble keeps no model that repairs it from being rolled out
        assert alarm.inputs["dimensions"] == {
            "EndpointName": f"scones-{stack}",
            "VariantName": "AllTraffic",
            "EndpointConfigName": found.of("Endpoint")[0].inputs["endpointConfigName"],
        }
        assert alarm.inputs["treatMissingData"] == "notBreaching"
        longest = alarm.inputs["period"] * alarm.inputs["evaluationPeriods"]
        assert longest <= seconds, "an alarm needs longer than new instances are watched"


def test_the_endpoints_role_may_see_the_alarms_that_take_a_model_back(prod):
    allowed = json.loads(prod.named("model-role-policy").inputs["policy"])["Statement"]
    (statement,) = [each for each in allowed if "cloudwatch:DescribeAlarms" in each["Action"]]
    assert statement["Resource"] == ["arn:aws:cloudwatch:us-east-1:123456789012:alarm:model-rollback-*"]


def test_the_endpoints_log_is_the_stacks_and_is_there_before_sagemaker_would_make_it(dev):
    group = dev.named("model-endpoint-logs").inputs
    assert (group["name"], group["retentionInDays"]) == ("/aws/sagemaker/Endpoints/scones-dev", 7)
    endpoint = dev.named("model-endpoint")
    assert [urn for urn in endpoint.dependencies if urn.endswith("::model-endpoint-logs")]


def test_a_job_gets_the_time_that_it_may_take_and_is_not_run_again_for_what_makes_no_model(dev):
    (job,) = dev.of("TrainingJob")
    assert job.name.endswith(dev.outputs["trainingJobName"])
    # the provider hears of its own input only
    assert not job.timeouts and job.inputs["timeouts"] == {"create": "15m"}
    assert set(job.inputs) - set(job.ignore_changes) == {"trainingJobName", "tags"}


def test_every_version_of_the_machine_and_of_what_it_invokes_is_published(dev):
    for role in ("serialize", "classify", "filter"):
        assert dev.named(f"workflow-{role}").inputs["publish"] is True
    assert all(machine.inputs["publish"] is True for machine in at_least_one(dev.of("StateMachine")))


class Described:
    """SageMaker with one training job and no endpoint."""

    def __init__(self, **record):
        self.record, self.asked = record, []

    def describe_training_job(self, TrainingJobName):
        self.asked.append(TrainingJobName)
        if not self.record:
            raise ClientError({"Error": {"Code": "ValidationException", "Message": "not found"}}, "DescribeTrainingJob")
        return {"ResourceConfig": {}, **self.record}

    def describe_endpoint(self, EndpointName):
        raise ClientError({"Error": {"Code": "ValidationException", "Message": "Could not find endpoint"}}, "x")


class Hooked(Planned):
    """Runs what the program wants before a kind of resource is created."""

    def __init__(self, kind):
        super().__init__()
        self.kind, self.created = kind, []

    def create(self, registration):
        if short(registration.type) == self.kind:
            registration.run_hooks("before_create", new_inputs=registration.inputs)
        self.created.append(short(registration.type))
        return super().create(registration)


def with_sagemaker(monkeypatch, client):
    monkeypatch.setattr("boto3.Session.client", lambda _, service, **given: client if service == "sagemaker" else None)


def test_no_model_is_made_of_a_job_that_was_stopped(dev, places, monkeypatch):
    client, engine = Described(TrainingJobStatus="Stopped", SecondaryStatus="MaxRuntimeExceeded"), Hooked("Model")
    with_sagemaker(monkeypatch, client)
    monkeypatch.setattr("components.parts.training_wait.LogTail.new_lines", lambda self: [])
    with pytest.raises(UserError, match="Stopped"):
        run("dev", engine=engine, **places)
    assert client.asked == [dev.outputs["trainingJobName"]]
    assert "TrainingJob" in engine.created and not {"Model", "EndpointConfiguration"} & set(engine.created)


def test_a_job_is_created_under_a_name_that_nobody_has(places, monkeypatch):
    engine = Hooked("TrainingJob")
    with_sagemaker(monkeypatch, Described())
    run("dev", engine=engine, **places)
    assert "TrainingJob" in engine.created


def test_no_job_is_created_under_a_name_that_is_used_up(dev, places, monkeypatch):
    client, engine = Described(TrainingJobStatus="Failed", FailureReason="no capacity"), Hooked("TrainingJob")
    with_sagemaker(monkeypatch, client)
    with pytest.raises(UserError, match=r"no capacity(.|\n)*trainingAttempt 2"):
        run("dev", engine=engine, **places)
    assert client.asked == [dev.outputs["trainingJobName"]]
    assert "TrainingJob" not in engine.created


class Unmeasured(Planned):
    """Knows what dev exports, and no evidence."""

    def invoke(self, token, arguments):
        if token == GET_OBJECT:
            raise Refused("key", "couldn't find resource")
        return super().invoke(token, arguments)

    def create(self, registration):
        raise AssertionError(f"{registration.urn} would be created")


def test_a_stack_that_takes_its_model_copies_it_with_its_evidence_and_trains_nothing(dev, prod):
    assert not prod.of("TrainingJob")
    retraining = {"retraining-source", "retraining-outputs"}
    assert {each.name for each in prod.of("BucketObject")} == {"model-serving", *retraining}
    job, source = dev.outputs["trainingJobName"], dev.outputs["modelArtifact"].removeprefix("s3://")
    artifact, evidence = prod.named("model-artifact"), prod.named("model-evidence")
    assert artifact.inputs["source"] == source and artifact.inputs["bucket"] == prod.outputs["bucket"]
    assert artifact.inputs["key"] == f"models/{job}/output/model.tar.gz"
    assert evidence.inputs["key"] == f"models/{job}/evidence.json" and evidence.inputs["copyIfMatch"]
    assert artifact.retained and evidence.retained
    served = prod.of("Model")[0].inputs["primaryContainer"]["modelDataUrl"]
    assert served == prod.outputs["modelArtifact"] == f"s3://{prod.outputs['bucket']}/{artifact.inputs['key']}"
    assert prod.outputs["evidenceUri"] == f"s3://{prod.outputs['bucket']}/{evidence.inputs['key']}"
    assert (prod.outputs["trainingJobName"], prod.outputs["imageSize"]) == (job, dev.outputs["imageSize"])


def test_what_an_evaluation_left_comes_along_and_drift_is_measured_from_the_first_day(dev, prod):
    source = dev.outputs["evidenceUri"].removeprefix("s3://").removesuffix("evidence.json")
    copies = {each.inputs["key"]: each for each in prod.of("ObjectCopy")}
    folder = f"models/{dev.outputs['trainingJobName']}/"
    for key, file in (
        (f"{folder}card.md", "card.md"),
        (f"{folder}predictions.jsonl", "predictions.jsonl"),
        ("baseline/baseline.json", "baseline.json"),
    ):
        assert copies[key].inputs["source"] == source + file and copies[key].inputs["copyIfMatch"]
        assert copies[key].retained
    assert prod.outputs["baselineUri"].endswith("baseline/baseline.json")
    assert not dev.of("ObjectCopy")


def test_what_serves_is_named_in_the_bucket_and_registered_before_that(dev, prod):
    for found in (dev, prod):
        serving = found.named("model-serving")
        told = json.loads(serving.inputs["content"])
        assert told["job"] == found.outputs["trainingJobName"] and told["evidence"] == found.outputs["evidenceUri"]
        assert serving.hooks["before_create"] == serving.hooks["before_update"] != ()
        assert found.named("model-serving").urn and found.named("register-group").inputs["modelPackageGroupName"]


def object_rights(found: Found, role: str) -> dict[str, list[str]]:
    policy = json.loads(found.named(f"{role}-policy").inputs["policy"])
    by_sid = {statement["Sid"]: statement["Resource"] for statement in policy["Statement"]}
    return {
        sid: [arn.rpartition(":")[2].partition("/")[2] for arn in by_sid[sid]]
        for sid in ("ReadObjects", "WriteObjects")
    }


def test_the_role_of_a_stack_that_trains_nothing_reads_no_dataset_and_writes_no_model(places, prod):
    alone = run("prod", retrainOnDrift=False, **places)
    assert object_rights(alone, "model-role") == {"ReadObjects": ["models/*"], "WriteObjects": ["capture/*"]}
    assert object_rights(prod, "model-role") == {
        "ReadObjects": ["dataset/*", "models/*"],
        "WriteObjects": ["models/*", "capture/*"],
    }


def test_what_a_promoted_model_was_made_of_comes_along_only_where_models_are_trained_beside_it(places, dev, prod):
    (made,) = [each for each in dev.resources if each.name.startswith("model-materials-")]
    assert made.inputs["key"] == f"models/{dev.outputs['trainingJobName']}/materials.zip" and made.retained
    held = made.inputs["source"].assets
    assert {"hyperparameters.json", "dataset/manifest.json", "dataset/train/train.rec"} <= {*held}
    assert json.loads(held["hyperparameters.json"].text)["num_classes"] == "3"
    copied = prod.named("model-materials").inputs
    assert (copied["source"], copied["key"]) == (f"{dev.outputs['bucket']}/{made.inputs['key']}", made.inputs["key"])
    assert "model-materials" not in [each.name for each in run("prod", retrainOnDrift=False, **places).resources]


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_model_of_a_finished_job_is_served_where_it_lies_and_nothing_is_trained(places, stack):
    found = run(stack, modelJob="scones-dev-1a2b3c", **places)
    bucket = found.outputs["bucket"]
    assert not found.of("TrainingJob")
    (baseline,) = found.of("ObjectCopy")
    assert baseline.inputs["source"] == f"{bucket}/models/scones-dev-1a2b3c/baseline.json"
    assert found.outputs["trainingJobName"] == "scones-dev-1a2b3c"
    assert found.outputs["modelArtifact"] == f"s3://{bucket}/models/scones-dev-1a2b3c/output/model.tar.gz"
    assert found.of("Model")[0].inputs["primaryContainer"]["modelDataUrl"] == found.outputs["modelArtifact"]
    assert found.outputs["evidenceUri"] == f"s3://{bucket}/models/scones-dev-1a2b3c/evidence.json"
    assert found.outputs["imageSize"] == 32


@pytest.mark.parametrize("preview", [True, False])
def test_without_evidence_the_program_is_refused_before_anything_is_created_in_a_preview_and_without_one(
    dev, places, preview
):
    engine = Unmeasured(preview=preview, stacks={"dev": dev.outputs})
    with pytest.raises(UserError, match=r"Pulumi.prod.yaml:\d+: scones:requireEvidence: the model .* has no evidence"):
        run("prod", preview=preview, engine=engine, **places)


def test_a_stack_that_is_not_up_is_named(places):
    with pytest.raises(UserError, match='scones:modelFrom is "dev": that stack serves no model yet'):
        run("prod", engine=Unmeasured(), **places)


@pytest.mark.parametrize("kind", ["TrainingJob", "Model", "EndpointConfiguration"])
def test_nothing_is_made_for_an_endpoint_that_can_not_be_updated_now(kind, places, monkeypatch):
    class Busy(Described):
        def describe_endpoint(self, EndpointName):
            assert EndpointName == "scones-dev"
            return {"EndpointStatus": "Updating", "EndpointConfigName": "old", "ProductionVariants": []}

        def describe_endpoint_config(self, EndpointConfigName):
            return {"ProductionVariants": []}

        def describe_scalable_targets(self, **asked):
            return {"ScalableTargets": []}

    client, engine = Busy(TrainingJobStatus="Completed"), Hooked(kind)
    monkeypatch.setattr("boto3.Session.client", lambda _, service, **given: client)
    monkeypatch.setattr("components.parts.training_wait.LogTail.new_lines", lambda self: [])
    with pytest.raises(UserError, match="the endpoint scones-dev is Updating: wait"):
        run("dev", engine=engine, **places)
    assert kind not in engine.created


def test_the_function_that_names_the_model_knows_its_configuration(dev):
    variables = dev.named("workflow-classify").inputs["environment"]["variables"]
    assert variables["MODEL_NAME"] == dev.outputs["trainingJobName"]
    assert variables["ENDPOINT_CONFIGURATION"] == dev.named("model-endpoint").inputs["endpointConfigName"]


def test_nothing_names_a_model_that_does_not_serve(dev, places, monkeypatch):
    class RolledBack(Planned):
        created: ClassVar[list[str]] = []

        def create(self, registration):
            self.created.append(registration.name)
            return super().create(registration)

        def read(self, type_, identity):
            return {**super().read(type_, identity), "endpointConfigName": "the-old-one"}

    with_sagemaker(monkeypatch, Described())
    wanted = dev.named("model-endpoint").inputs["endpointConfigName"]
    with pytest.raises(UserError, match=f"scones-dev serves the configuration the-old-one, not {wanted}"):
        run("dev", engine=RolledBack(), **places)
    named = {r.name for r in dev.resources if dev.outputs["trainingJobName"] in json.dumps(r.inputs, default=str)}
    told = {name for name in named if name.startswith(("workflow-", "observability-"))}
    assert told and not told & set(RolledBack.created)
    assert "model-endpoint" in RolledBack.created
