"""`start`: the emulators alone, where Pulumi.local.yaml says, and what the provider is told of them."""

import contextlib
import inspect
import json
import os
import random
import re
import signal
import socket
import subprocess
import urllib.request
import zipfile
from io import BytesIO
from pathlib import Path
from urllib.parse import urlencode

import boto3
import pytest
import yaml
from pulumi_aws import ProviderArgs
from pulumi_aws._inputs import ProviderEndpointArgs

from contract.errors import UserError
from contract.stacks import read_stack
from localcloud.cli import main
from localcloud.daemon import read_state
from localcloud.deployment import shut_down
from localcloud.emulator import structure, told, xml
from localcloud.engine import ADAPTERS
from localcloud.graph import graph
from localcloud.provider import ENVIRONMENT, FILE, STACK, place_of, start
from tests.localcloud.local_stack import REPOSITORY
from tests.localcloud.processes import eventually

AWS, SAGEMAKER = "24566", "24567"
CONFIGURED = yaml.safe_load((REPOSITORY / FILE).read_text())["config"]
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def free_port() -> int:
    """A port that nobody listens on, and that the kernel gives to nobody who asks for any (ip_local_port_range)."""
    # not the seeded generator: two workers would look in the same order
    for port in random.SystemRandom().sample(range(20_000, 30_000), 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no free port among a hundred")


def on_free_ports(root: Path) -> Path:
    """Let a project's stack `local` look at ports that nobody uses: a person's own may be in use."""
    text = (REPOSITORY / FILE).read_text().replace(AWS, str(free_port())).replace(SAGEMAKER, str(free_port()))
    (root / FILE).unlink(missing_ok=True)
    (root / FILE).write_text(text)
    return root


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project whose emulators run."""
    root = tmp_path_factory.mktemp("project")
    (root / "Pulumi.yaml").symlink_to(REPOSITORY / "Pulumi.yaml")
    on_free_ports(root)
    (root / "Pulumi.dev.yaml").symlink_to(REPOSITORY / "Pulumi.dev.yaml")
    start(root, print)
    yield root
    shut_down(root)


def provider_client(root, service):
    """boto3's client as the provider is told to reach a service."""
    values = read_stack(root, STACK).values
    name = {"stepfunctions": "sfn", "application-autoscaling": "applicationautoscaling"}.get(service, service)
    return boto3.client(
        service,
        endpoint_url=values["aws:endpoints"][0][name],
        region_name=values["aws:region"],
        aws_access_key_id=values["aws:accessKey"],
        aws_secret_access_key=values["aws:secretKey"],
    )


def test_every_key_is_one_of_the_provider_s_and_every_service_one_that_it_knows():
    keys = {key.removeprefix("aws:") for key in CONFIGURED if key.startswith("aws:")}
    known = {camel_case(name) for name in inspect.signature(ProviderArgs.__init__).parameters}
    assert keys <= known, keys - known
    services = {name.removesuffix("_") for name in inspect.signature(ProviderEndpointArgs.__init__).parameters}
    (endpoints,) = CONFIGURED["aws:endpoints"]
    assert set(endpoints) <= services, set(endpoints) - services


def test_the_stack_has_the_project_s_defaults_and_no_mistakes(root):
    assert not [key for key in CONFIGURED if not key.startswith("aws:")]
    assert read_stack(REPOSITORY, STACK).problems() == []
    local, dev = graph(root, STACK, preview=True), graph(root, "dev", {"endpointMaxInstances": "2"}, preview=True)
    assert sorted(each["type"] for each in local) == sorted(each["type"] for each in dev)


def test_the_provider_asks_for_its_account_since_s3_control_is_asked_with_it():
    assert "skipRequestingAccountId" in {camel_case(name) for name in inspect.signature(ProviderArgs).parameters}
    assert "aws:skipRequestingAccountId" not in CONFIGURED


def camel_case(name: str) -> str:
    return re.sub(r"_(\w)", lambda match: match[1].upper(), name)


def test_every_service_that_the_program_uses_is_led_to_the_emulators():
    also = {"cloudwatch": {"cloudwatch", "events", "logs"}, "s3": {"s3", "s3control"}}
    named = {type_.split(":")[1].split("/")[0] for type_ in ADAPTERS}
    needed = {"sts"}.union(*(also.get(name, {name.replace("appauto", "applicationauto")}) for name in named))
    assert needed <= set(CONFIGURED["aws:endpoints"][0])


def test_what_is_started_answers_where_the_provider_looks(project):
    assert provider_client(project, "sts").get_caller_identity()["Account"] == "000000000000"
    provider_client(project, "s3").create_bucket(Bucket="started")
    for service in ("sagemaker", "application-autoscaling"):
        assert provider_client(project, service).meta.endpoint_url.endswith(
            str(place_of(read_stack(project, STACK)).sagemaker_port)
        )
    assert provider_client(project, "sagemaker").list_models()["Models"] == []


def test_starting_twice_is_starting_once(project, monkeypatch, capsys):
    monkeypatch.chdir(project)
    before = read_state(project / ".localcloud")
    assert main(["start", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["started"] is False
    assert read_state(project / ".localcloud") == before


def test_a_shell_that_reads_the_environment_talks_to_the_emulators(project):
    code = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"
    line = f'. .localcloud/{ENVIRONMENT}; python -c "{code}"'
    kept = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    path = f"{REPOSITORY / '.venv/bin'}:{kept['PATH']}"
    said = subprocess.run(["sh", "-c", line], cwd=project, env={**kept, "PATH": path}, capture_output=True, text=True)
    assert said.stdout.strip() == "000000000000", said.stderr


def test_a_bucket_s_tags_are_read_as_s3_control_s_clients_ask_for_them(project):
    values = read_stack(project, STACK).values
    client = provider_client(project, "s3")
    client.create_bucket(Bucket="tagged")
    client.put_bucket_tagging(Bucket="tagged", Tagging={"TagSet": [{"Key": "stack", "Value": "local"}]})
    # the account before the host, which no resolver knows: by the proxy
    control = boto3.client(
        "s3control",
        endpoint_url=values["aws:endpoints"][0]["s3control"],
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=boto3.session.Config(proxies={"http": values["aws:httpProxy"]}),
    )
    asked = {"AccountId": "000000000000", "ResourceArn": "arn:aws:s3:::tagged"}
    assert control.list_tags_for_resource(**asked)["Tags"] == [{"Key": "stack", "Value": "local"}]
    control.tag_resource(**asked, Tags=[{"Key": "more", "Value": "1"}])
    assert {tag["Key"] for tag in client.get_bucket_tagging(Bucket="tagged")["TagSet"]} == {"stack", "more"}


def test_a_function_runs_under_its_runtime_s_name_and_its_errors_have_theirs(project):
    code = "import os\nclass Unsure(Exception): pass\ndef run(event, context):\n"
    code += "    if event: raise Unsure('hm')\n    return os.environ['AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME']\n"
    client = function(project, "f", code)
    assert client.get_function_configuration(FunctionName="f")["Runtime"] == "python3.13"
    answer = json.loads(client.invoke(FunctionName="f", Payload=b"{}")["Payload"].read())
    assert answer.endswith(str(place_of(read_stack(project, STACK)).sagemaker_port))
    failed = json.loads(client.invoke(FunctionName="f", Payload=b'{"x": 1}')["Payload"].read())
    assert failed["errorType"] == "Unsure"


def function(project, name, code, **also):
    """Create a function whose role may do nothing yet; the client that did."""
    role = provider_client(project, "iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
    client = provider_client(project, "lambda")
    client.create_function(
        FunctionName=name, Runtime="python3.13", Architectures=["arm64"], Handler="handler.run",
        Role=role["Role"]["Arn"], Code={"ZipFile": archive(code)}, **also,
    )  # fmt: skip
    return client


def archive(code):
    written = BytesIO()
    with zipfile.ZipFile(written, "w") as files:
        files.writestr("handler.py", code)
    return written.getvalue()


def test_a_version_has_its_own_arn_however_it_was_published(project):
    client = function(project, "versions", "run = print", Publish=True)
    client.update_function_code(FunctionName="versions", ZipFile=archive("run = repr"), Publish=True)
    client.update_function_configuration(FunctionName="versions", Timeout=5)
    client.publish_version(FunctionName="versions")
    latest, *published = client.list_versions_by_function(FunctionName="versions")["Versions"]
    assert [each["FunctionArn"] for each in published] == [f"{latest['FunctionArn']}:{n}" for n in (1, 2, 3)]
    one = client.get_function(FunctionName="versions", Qualifier="1")["Configuration"]
    assert one["FunctionArn"] == published[0]["FunctionArn"] and one["CodeSha256"] != published[1]["CodeSha256"]


def test_a_role_may_read_from_a_bucket_that_demands_tls_and_nothing_else_is_let_go(project):
    store, iam = provider_client(project, "s3"), provider_client(project, "iam")
    store.create_bucket(Bucket="demanding")
    for key in ("open", "closed"):
        store.put_object(Bucket="demanding", Key=key, Body=b"x")
    every = {"Principal": "*", "Effect": "Deny", "Action": "s3:*"}
    refusals = [
        {**every, "Resource": "arn:aws:s3:::demanding/*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        {**every, "Resource": "arn:aws:s3:::demanding/closed"},
    ]
    policy = {"Version": "2012-10-17", "Statement": refusals}
    store.put_bucket_policy(Bucket="demanding", Policy=json.dumps(policy))
    code = "import boto3\ndef run(event, context):\n"
    code += "    return len(boto3.client('s3').get_object(Bucket='demanding', Key=event)['Body'].read())\n"
    client = function(project, "reader", code)
    allowed = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::demanding/*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_role_policy(RoleName="reader", PolicyName="read", PolicyDocument=document)
    read = client.invoke(FunctionName="reader", Payload=b'"open"')["Payload"].read()
    assert read == b"1"
    refused = json.loads(client.invoke(FunctionName="reader", Payload=b'"closed"')["Payload"].read())
    assert "AccessDenied" in refused["errorMessage"]


def test_an_alarm_is_told_as_it_was_put_whichever_protocol_is_spoken(project):
    url = read_stack(project, STACK).values["aws:endpoints"][0]["cloudwatch"]
    metric = {"Namespace": "N", "MetricName": "M", "Dimensions.member.1.Name": "a", "Dimensions.member.1.Value": "<b>"}
    maths = {f"Metrics.member.1.MetricStat.Metric.{key}": value for key, value in metric.items()}
    single = {**metric, "Statistic": "Sum", "Period": 60}
    common = {"EvaluationPeriods": 1, "Threshold": 0, "ComparisonOperator": "GreaterThanThreshold",
              "AlarmActions.member.1": "arn:aws:sns:us-east-1:000000000000:t", "AlarmDescription": "why & what",
              "TreatMissingData": "breaching"}  # fmt: skip
    several = {
        **maths, "Metrics.member.1.Id": "m", "Metrics.member.1.MetricStat.Period": 60,
        "Metrics.member.1.MetricStat.Stat": "Sum", "Metrics.member.1.ReturnData": "true",
    }  # fmt: skip
    for name, own in (("single", single), ("several", several)):
        asked = {"Action": "PutMetricAlarm", "Version": "2010-08-01", "AlarmName": name, **common, **own}
        query(url, asked)
        described = query(url, {"Action": "DescribeAlarms", "Version": "2010-08-01", "AlarmNames.member.1": name})
        for part in ("why &amp; what", "&lt;b&gt;", "<member>arn:aws:sns", "<TreatMissingData>breaching", "<Period>60"):
            assert part in described, part
        assert described.count("<AlarmName>") == 1
        (alarm,) = provider_client(project, "cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
        assert alarm["TreatMissingData"] == "breaching" and bool(alarm.get("Metrics")) == (name == "several")


def query(url, asked):
    """What a service answers in the Query protocol."""
    scope = "test/20260101/us-east-1/monitoring/aws4_request"
    headers = {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"}
    with urllib.request.urlopen(urllib.request.Request(url, urlencode(asked).encode(), headers)) as answer:
        return answer.read().decode()


def test_parameters_become_a_structure_and_a_structure_xml():
    parameters = {"A": ["1"], "B.member.2": ["y"], "B.member.1": ["x"], "C.member.1.D": ["z"]}
    assert structure(parameters) == {"A": "1", "B": ["x", "y"], "C": [{"D": "z"}]}
    assert xml({"B": ["x", {"D": True}]}) == "<B><member>x</member><member><D>true</D></member></B>"


def test_what_an_alarm_was_not_given_is_not_told():
    times = {"StateUpdatedTimestamp": 0, "AlarmConfigurationUpdatedTimestamp": 0}
    alarm = {"AlarmName": "a", "Statistic": "Average", "ExtendedStatistic": "p90", "Unit": None, "Metrics": [], **times}
    assert set(told(alarm)) == {"AlarmName", "ExtendedStatistic", *times}


def test_a_port_that_is_taken_is_named(tmp_path):
    (tmp_path / "Pulumi.yaml").symlink_to(REPOSITORY / "Pulumi.yaml")
    on_free_ports(tmp_path)
    port = place_of(read_stack(tmp_path, STACK)).sagemaker_port
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        with pytest.raises(UserError, match=f"port {port} is taken.*aws:endpoints"):
            start(tmp_path, print)
    assert not (tmp_path / ".localcloud").exists()


@pytest.mark.parametrize(
    ("endpoints", "said"),
    [
        ("http://127.0.0.1:1", "aws:endpoints must be a list of one map"),
        ([], "aws:endpoints must be a list of one map"),
        ([{"s3": "https://s3.amazonaws.com"}], r"aws:endpoints.s3 must be http://127.0.0.1:PORT, got 'https://s3"),
        ([{"s3": "http://127.0.0.1"}], "aws:endpoints.s3 must be"),
        ([{"s3": "http://127.0.0.1:99999"}], "aws:endpoints.s3 must be"),
        ([{"s3": "http://127.0.0.1:1"}], r"aws:endpoints of sagemaker, .* must have one port, got \[\]"),
        (
            [{"s3": "http://127.0.0.1:1", "sns": "http://127.0.0.1:2", "sagemaker": "http://127.0.0.1:3"}],
            r"aws:endpoints of all but .* must have one port, got \[1, 2\]",
        ),
        ([{"s3": "http://127.0.0.1:1", "sagemaker": "http://127.0.0.1:1"}], "must have another port than the rest"),
    ],
)
def test_endpoints_that_lead_elsewhere_are_refused(tmp_path, endpoints, said):
    (tmp_path / "Pulumi.yaml").symlink_to(REPOSITORY / "Pulumi.yaml")
    (tmp_path / FILE).write_text(yaml.safe_dump({"config": {**CONFIGURED, "aws:endpoints": endpoints}}))
    with pytest.raises(UserError, match=said):
        place_of(read_stack(tmp_path, STACK))


def test_emulators_that_up_started_are_not_taken_for_these(project, tmp_path, monkeypatch):
    on_free_ports(tmp_path)
    (tmp_path / "Pulumi.yaml").symlink_to(REPOSITORY / "Pulumi.yaml")
    (tmp_path / ".localcloud").symlink_to(project / ".localcloud")
    with pytest.raises(UserError, match=r"the emulators run at .* looks for them at .* down"):
        start(tmp_path, print)


def test_who_finds_the_emulators_dead_is_told_so(tmp_path):
    (tmp_path / "Pulumi.yaml").symlink_to(REPOSITORY / "Pulumi.yaml")
    on_free_ports(tmp_path)
    try:
        dead, _ = start(tmp_path, print)
        os.kill(dead.pid, signal.SIGKILL)
        assert eventually(lambda: read_state(tmp_path / ".localcloud") is None)
        said = []
        alive, started = start(tmp_path, said.append)
        assert started and alive.aws_url == dead.aws_url
        assert len(said) == 1 and said[0].startswith(
            "the emulators had ended by themselves, and what they held is lost"
        )
    finally:
        shut_down(tmp_path)
