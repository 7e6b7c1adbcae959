"""What the tests of the local SageMaker build: a server beside a moto S3, datasets of drawn shapes, jobs, endpoints."""

import io
import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3
import numpy as np
from botocore.config import Config
from moto.server import ThreadedMotoServer
from PIL import Image, ImageDraw

from localcloud.sagemaker.server import SageMakerServer
from training.dataset.recordio import Record, write_record

BUCKET = "scones-data"
ROLE = "arn:aws:iam::000000000000:role/training"
IMAGE = "811284229777.dkr.ecr.us-east-1.amazonaws.com/image-classification:1"
_numbers = itertools.count()


def picture(label: int, seed: int = 0, size: int = 32) -> bytes:
    """A PNG of a noisy ring (label 0), a box (1) or a cross (2) somewhere."""
    rng = np.random.default_rng((label, seed))
    noise = rng.integers(90, 160, (size, size, 3), dtype=np.uint8)
    image = Image.fromarray(noise)
    draw = ImageDraw.Draw(image)
    x, y = (int(value) for value in rng.integers(3, 10, 2) * size // 32)
    box = (x, y, x + size // 2, y + size // 2)
    ink = tuple(int(value) for value in rng.integers(0, 60, 3))
    if label == 0:
        draw.ellipse(box, outline=ink, width=2)
    elif label == 1:
        draw.rectangle(box, outline=ink, width=2)
    else:
        draw.line(box, fill=ink, width=2)
        draw.line((box[0], box[3], box[2], box[1]), fill=ink, width=2)
    data = io.BytesIO()
    image.save(data, "PNG")
    return data.getvalue()


def recordio(count: int, classes: int = 2, first: int = 0, size: int = 32) -> bytes:
    """`count` pictures of alternating classes as a `.rec` file."""
    file = io.BytesIO()
    for index in range(count):
        label = index % classes
        write_record(file, Record(label, index, picture(label, first + index, size)))
    return file.getvalue()


class Cloud:
    """A local SageMaker under test, and clients for it."""

    def __init__(self, server: SageMakerServer, url: str, aws_url: str) -> None:
        self.server, self.url, self.aws_url = server, url, aws_url
        self.s3, self.logs = self.client("s3", aws_url), self.client("logs", aws_url)
        self.sagemaker, self.runtime = self.client("sagemaker", url), self.client("sagemaker-runtime", url)

    @staticmethod
    def client(service: str, url: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}),
        )

    def put(self, key: str, data: bytes) -> None:
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=data)

    def dataset(self, classes: int = 2, train: int = 120, validation: int = 40, size: int = 32) -> str:
        """Upload a RecordIO dataset and return its prefix."""
        prefix = f"dataset/{next(_numbers)}"
        self.put(f"{prefix}/train/train.rec", recordio(train, classes, size=size))
        self.put(f"{prefix}/validation/validation.rec", recordio(validation, classes, 10_000, size))
        return prefix

    def create_job(self, prefix: str, channels: tuple[str, ...] = ("train", "validation"), **changes: Any) -> str:
        """Create a training job; `changes` to its hyperparameters, None for one that is left out."""
        name = f"job-{next(_numbers)}"
        content = "application/x-recordio" if len(channels) < 4 else "application/x-image"
        self.sagemaker.create_training_job(**job(name, prefix, channels, content, changes))
        return name

    def train(self, prefix: str, **changes: Any) -> str:
        """Train until completed and return the job's name."""
        name = self.create_job(prefix, **changes)
        record = self.finished(name)
        assert record["TrainingJobStatus"] == "Completed", record.get("FailureReason")
        return name

    def describe(self, name: str) -> dict[str, Any]:
        return self.sagemaker.describe_training_job(TrainingJobName=name)

    def finished(self, name: str) -> dict[str, Any]:
        return eventually(
            lambda: record if (record := self.describe(name))["TrainingJobStatus"] not in UNDER_WAY else None
        )

    def lines(self, name: str) -> list[str]:
        group = "/aws/sagemaker/TrainingJobs"
        streams = self.logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/algo-1-")
        (stream,) = streams["logStreams"]
        events = self.logs.get_log_events(
            logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True, limit=10_000
        )
        return [event["message"] for event in events["events"]]

    def artifact(self, name: str) -> bytes:
        return self.s3.get_object(Bucket=BUCKET, Key=f"models/{name}/output/model.tar.gz")["Body"].read()

    def configuration(
        self,
        uri: str,
        capture: Mapping[str, Any] | None = None,
        *,
        instances: int = 1,
        instance_type: str = "ml.m5.large",
    ) -> str:
        """A model and an endpoint configuration for an artifact."""
        name = f"model-{next(_numbers)}"
        self.sagemaker.create_model(
            ModelName=name, PrimaryContainer={"Image": IMAGE, "ModelDataUrl": uri}, ExecutionRoleArn=ROLE
        )
        variant = {"VariantName": "main", "ModelName": name, "InstanceType": instance_type,
                   "InitialInstanceCount": instances}  # fmt: skip
        more = {"DataCaptureConfig": capture} if capture else {}
        self.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant], **more)
        return name

    def endpoint(self, configuration: str) -> str:
        """An endpoint, whether in service or failed."""
        name = f"endpoint-{next(_numbers)}"
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=configuration)
        self.settled(name)
        return name

    def settled(self, name: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            record = self.sagemaker.describe_endpoint(EndpointName=name)
            return None if record["EndpointStatus"] in ("Creating", "Updating") else record

        return eventually(look)

    def invoke(self, endpoint: str, body: bytes, content_type: str = "application/x-image", **more: Any) -> Any:
        return self.runtime.invoke_endpoint(EndpointName=endpoint, Body=body, ContentType=content_type, **more)

    def captures(self, prefix: str) -> dict[str, list[str]]:
        """The lines of the capture files below a prefix, by key."""
        found = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
        return {
            item["Key"]: self.s3.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read().decode().splitlines()
            for item in found
        }


UNDER_WAY = ("InProgress", "Stopping")


def job(name: str, prefix: str, channels: tuple[str, ...], content: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """A `CreateTrainingJob` request."""
    hyperparameters: dict[str, Any] = {
        "num_classes": "2", "num_training_samples": "120", "image_shape": "3,32,32", "epochs": "8",
        "mini_batch_size": "20", "learning_rate": "0.05", **changes,
    }  # fmt: skip
    return {
        "TrainingJobName": name,
        "HyperParameters": {key: value for key, value in hyperparameters.items() if value is not None},
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "RoleArn": ROLE,
        "InputDataConfig": [
            {
                "ChannelName": channel,
                "ContentType": content,
                "DataSource": {
                    "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{prefix}/{channel}/"}
                },
            }
            for channel in channels
        ],
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models"},
        "ResourceConfig": {"InstanceType": "ml.g4dn.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    }


def eventually(look: Callable[[], Any], seconds: float = 30) -> Any:
    """What `look` finds, as soon as it finds something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if (found := look()) is not None and found is not False:
            return found
        time.sleep(0.02)
    raise AssertionError(f"nothing came of it in {seconds} s")


@contextmanager
def running_cloud(capture_flush_seconds: float = 0.1) -> Iterator[Cloud]:
    """A SageMaker server whose instances come up fast, and a moto server as its S3 and CloudWatch Logs."""
    aws = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    aws.start()
    host, port = aws.get_host_and_port()
    server = SageMakerServer(
        aws_endpoint_url=f"http://{host}:{port}", capture_flush_seconds=capture_flush_seconds, provisioning_seconds=0.2
    )
    try:
        cloud = Cloud(server, server.start(), f"http://{host}:{port}")
        cloud.s3.create_bucket(Bucket=BUCKET)
        yield cloud
    finally:
        server.stop()
        aws.stop()
