"""Runs the program on mocks that answer as AWS does, and refuse what they were not told about."""

import json
import runpy
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pulumi

from contract.stacks import read_stack

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT, REGION = "123456789012", "us-east-1"


@dataclass
class Registered:
    type: str
    name: str
    inputs: dict
    parent: str = ""


def _arn(service: str, rest: str, region: str = REGION, account: str = ACCOUNT) -> str:
    return f"arn:aws:{service}:{region}:{account}:{rest}"


COMPUTED = {
    "aws:s3/bucket:Bucket": lambda n, i: {"bucket": f"{n}-1a2b3c4", "arn": f"arn:aws:s3:::{n}-1a2b3c4"},
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": None,
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": None,
    "aws:s3/bucketVersioning:BucketVersioning": None,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": None,
    "aws:s3/bucketPolicy:BucketPolicy": None,
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": None,
    "aws:s3/bucketNotification:BucketNotification": None,
    "aws:s3/bucketObject:BucketObject": None,
    "aws:iam/role:Role": lambda n, i: {"name": n, "arn": _arn("iam", f"role/{n}", "")},
    "aws:iam/rolePolicy:RolePolicy": None,
    "aws:sagemaker/trainingJob:TrainingJob": lambda n, i: {
        "arn": _arn("sagemaker", f"training-job/{i['trainingJobName']}")
    },
    "aws:sagemaker/model:Model": lambda n, i: {"name": f"{n}-1a2b3c4", "arn": _arn("sagemaker", f"model/{n}")},
    "aws:sagemaker/endpointConfiguration:EndpointConfiguration": lambda n, i: {
        "name": f"{n}-1a2b3c4",
        "arn": _arn("sagemaker", f"endpoint-config/{n}"),
    },
    "aws:sagemaker/endpoint:Endpoint": lambda n, i: {"arn": _arn("sagemaker", f"endpoint/{i['name']}")},
    "aws:appautoscaling/target:Target": None,
    "aws:appautoscaling/policy:Policy": None,
    "aws:lambda/layerVersion:LayerVersion": lambda n, i: {"arn": _arn("lambda", f"layer:{i['layerName']}:1")},
    "aws:lambda/function:Function": lambda n, i: {
        "name": f"{n}-1a2b3c4",
        "arn": _arn("lambda", f"function:{n}-1a2b3c4"),
        "qualifiedArn": _arn("lambda", f"function:{n}-1a2b3c4:7"),
        "version": "7",
    },
    "aws:lambda/permission:Permission": None,
    "aws:cloudwatch/logGroup:LogGroup": lambda n, i: {"name": n, "arn": _arn("logs", f"log-group:{n}")},
    "aws:cloudwatch/eventBus:EventBus": lambda n, i: {"name": n, "arn": _arn("events", f"event-bus/{n}")},
    "aws:cloudwatch/eventRule:EventRule": lambda n, i: {"name": n, "arn": _arn("events", f"rule/{n}")},
    "aws:cloudwatch/eventTarget:EventTarget": None,
    "aws:cloudwatch/metricAlarm:MetricAlarm": lambda n, i: {"name": n, "arn": _arn("cloudwatch", f"alarm:{n}")},
    "aws:cloudwatch/dashboard:Dashboard": None,
    "aws:dynamodb/table:Table": lambda n, i: {"name": n, "arn": _arn("dynamodb", f"table/{n}")},
    "aws:sqs/queue:Queue": lambda n, i: {
        "name": n,
        "arn": _arn("sqs", n),
        "url": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{n}",
    },
    "aws:sqs/queuePolicy:QueuePolicy": None,
    "aws:sns/topic:Topic": lambda n, i: {"name": n, "arn": _arn("sns", n)},
    "aws:sns/topicPolicy:TopicPolicy": None,
    "aws:sns/topicSubscription:TopicSubscription": None,
    "aws:sfn/stateMachine:StateMachine": lambda n, i: {"name": n, "arn": _arn("states", f"stateMachine:{n}")},
    "scones:components:DataBucket": None,
    "scones:components:TrainingEndpoint": None,
    "scones:components:ClassificationWorkflow": None,
    "scones:components:Observability": None,
}


ANSWERS = {
    "aws:index/getCallerIdentity:getCallerIdentity": {
        "accountId": ACCOUNT,
        "arn": _arn("iam", "user/u", ""),
        "userId": "u",
        "id": ACCOUNT,
    },
    "aws:index/getPartition:getPartition": {"partition": "aws", "id": "aws"},
    "aws:index/getRegion:getRegion": {"region": REGION, "id": REGION},
    "pulumi:pulumi:readStackOutputs": {"outputs": {}},
}


class Cloud(pulumi.runtime.Mocks):
    """Answers with real-shaped names and ARNs; with `preview`, nothing that AWS would tell is known."""

    def __init__(self, *, preview: bool = False) -> None:
        self.preview = preview
        self.resources: list[Registered] = []
        self._lock = threading.Lock()

    def new_resource(self, args):
        if args.typ not in COMPUTED:
            raise AssertionError(f"{args.name}: the mocks were not told about {args.typ}")
        with self._lock:
            self.resources.append(Registered(args.typ, args.name, dict(args.inputs)))
        compute = COMPUTED[args.typ]
        if self.preview:
            return "", dict(args.inputs)
        computed = compute(args.name, args.inputs) if compute else {}
        return f"{args.name}-id", {**computed, **args.inputs}

    def call(self, args):
        if args.token not in ANSWERS:
            raise AssertionError(f"the mocks were not told about {args.token}")
        return ANSWERS[args.token]


@dataclass
class Run:
    resources: list[Registered]
    requests: dict
    """What the mocks hide: options such as retainOnDelete, by resource name."""
    urns: list[str]
    outputs: dict = field(default_factory=dict)

    def of(self, kind: str) -> list[Registered]:
        return [r for r in self.resources if r.type.endswith(f":{kind}")]

    def named(self, name: str) -> Registered:
        (found,) = [r for r in self.resources if r.name == name]
        return found


def configuration(stack: str, *, region: str = REGION, **overrides: object) -> dict[str, object]:
    """The stack's keys with Pulumi.yaml's defaults, as the CLI merges them."""
    merged = {**read_stack(ROOT, stack).values, "aws:region": region}
    return merged | {f"scones:{key}": value for key, value in overrides.items()}


def as_delivered(config: dict[str, object]) -> dict[str, str]:
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}


def run(stack: str, *, preview: bool = False, **overrides: object) -> Run:
    """Run the unmodified program and return what it registers and exports."""
    return run_program(ROOT, "scones", stack, configuration(stack, **overrides), preview=preview)


def run_program(folder: Path, project: str, stack: str, config: dict[str, object], *, preview: bool = False) -> Run:
    """Run the program in a folder and return what it registers and exports."""
    cloud = Cloud(preview=preview)
    pulumi.runtime.set_mocks(cloud, project=project, stack=stack, preview=preview)
    pulumi.runtime.set_all_config(as_delivered(config))
    urns: list[str] = []
    requests: dict = {}
    monitor_class = pulumi.runtime.mocks.MockMonitor
    register, register_resource = monitor_class.make_urn, monitor_class.RegisterResource

    def remember(monitor, parent, type_, name):
        urn = register(monitor, parent, type_, name)
        urns.append(urn)
        return urn

    def keep(monitor, request):
        requests[request.name] = request
        return register_resource(monitor, request)

    outputs: dict = {}
    monitor_class.make_urn, monitor_class.RegisterResource = remember, keep
    exported = pulumi.export
    pulumi.export = lambda name, value: outputs.__setitem__(name, value)
    sys.path.insert(0, str(ROOT))
    resolved: dict = {}

    @pulumi.runtime.test
    def program():
        runpy.run_path(str(folder / "__main__.py"), run_name="__main__")
        return pulumi.Output.all(**outputs).apply(resolved.update)

    try:
        program()
    finally:
        monitor_class.make_urn, monitor_class.RegisterResource = register, register_resource
        pulumi.export = exported
        sys.path.remove(str(ROOT))
    return Run(cloud.resources, requests, [u for u in urns if u.split("::")[2] != "pulumi:pulumi:Stack"], resolved)
