"""A stack with a register, a bucket and an endpoint: the stand-in's register, moto for the rest."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from moto import mock_aws

from contract.evidence import to_document
from contract.register import RegisteredModel, Serving, measured_by
from contract.versions import note_serving, register
from localcloud.sagemaker.server import SageMakerServer
from tests.contract.evidence_builders import evidence_of

GROUP = "arn:aws:sagemaker:us-east-1:000000000000:model-package-group/scones-dev"
IMAGE = "811284229777.dkr.ecr.us-east-1.amazonaws.com/image-classification:1"
TAGS = [{"Key": "project", "Value": "scones"}, {"Key": "stack", "Value": "dev"}]
BUCKET = "own"


class Sagemaker:
    """The register of the stand-in, and moto's SageMaker."""

    def __init__(self, registry: Any, rest: Any) -> None:
        self.registry, self.rest = registry, rest

    def __getattr__(self, name: str) -> Any:
        return getattr(self.registry if "model_package" in name else self.rest, name)

    def get_paginator(self, name: str) -> Any:
        return (self.registry if "model_package" in name else self.rest).get_paginator(name)


class Stack:
    """What a test puts into it."""

    def __init__(self, folder: Path, sagemaker: Sagemaker) -> None:
        self.folder, self.sagemaker, self.s3 = folder, sagemaker, boto3.client("s3", "us-east-1")
        self.s3.create_bucket(Bucket=BUCKET)
        self.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        self.put("models/serving.json", b"{}")

    def outputs(self, serving: str, **more: str) -> str:
        """A file of outputs: `serving` is the training job of the model that serves."""
        path = self.folder / "outputs.json"
        told = {"bucket": BUCKET, "endpointName": "scones-dev", "modelPackageGroup": GROUP}
        path.write_text(json.dumps({**told, "trainingJobName": serving, **more}))
        return str(path)

    def put(self, key: str, content: bytes) -> None:
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=content)

    def objects(self) -> list[str]:
        """Of all versions and delete markers."""
        told = self.s3.list_object_versions(Bucket=BUCKET)
        return sorted({each["Key"] for each in (*told.get("Versions", []), *told.get("DeleteMarkers", []))})

    def model(self, job: str, wrong: int = 0, *, served: dict[str, int] | None = None, **hyperparameters: str) -> None:
        """A model that was trained and measured, some of 300 photos wrong; `served` is the day, by stack."""
        evidence = evidence_of([*[(0.9, True)] * (300 - wrong), *[(0.6, False)] * wrong])
        content = json.dumps({**to_document(evidence), "model": job}).encode()
        folder = f"models/{job}/"
        for name, data in (("output/model.tar.gz", bytes(1000)), ("evidence.json", content), ("card.md", b"# Card")):
            self.put(folder + name, data)
        uri = f"s3://{BUCKET}/{folder}evidence.json"
        register(self.sagemaker, GROUP, RegisteredModel(
            job, IMAGE, f"s3://{BUCKET}/{folder}output/model.tar.gz", "1f" * 32, datetime(2026, 11, 20, 8, tzinfo=UTC),
            hyperparameters, measured_by(evidence, content, uri, 0.02),
        ))  # type: ignore[arg-type]  # fmt: skip
        for stack, day in (served or {}).items():
            said = Serving(stack, datetime(2026, 11, day, 12, tzinfo=UTC), "arn:aws:iam::000000000000:user/alice")
            note_serving(self.sagemaker, GROUP, job, said, approve=stack == "prod")  # type: ignore[arg-type]

    def hosted(self, name: str, *, tags: list[dict[str, str]] = TAGS, serves: bool = False) -> None:
        """A model of SageMaker and a configuration with it, which the endpoint serves or not."""
        self.sagemaker.create_model(
            ModelName=f"model-model-{name}", ExecutionRoleArn="arn:aws:iam::000000000000:role/r", Tags=tags,
            PrimaryContainer={"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/models/{name}/output/model.tar.gz"},
        )  # fmt: skip
        variant = {"VariantName": "AllTraffic", "ModelName": f"model-model-{name}", "InstanceType": "ml.m5.large",
                   "InitialInstanceCount": 1}  # fmt: skip
        configuration = f"model-configuration-{name}"
        self.sagemaker.create_endpoint_config(EndpointConfigName=configuration, ProductionVariants=[variant], Tags=tags)
        if serves:
            self.sagemaker.create_endpoint(EndpointName="scones-dev", EndpointConfigName=configuration)

    def hosting(self) -> list[str]:
        """The names of all configurations and models."""
        configurations = self.sagemaker.list_endpoint_configs()["EndpointConfigs"]
        models = self.sagemaker.list_models()["Models"]
        return sorted(
            [*(each["EndpointConfigName"] for each in configurations), *(each["ModelName"] for each in models)]
        )


@contextlib.contextmanager
def running_stack(folder: Path) -> Iterator[Stack]:
    """A stack, while it is needed."""
    server = SageMakerServer(aws_endpoint_url="http://127.0.0.1:9")
    address = server.start()
    try:
        with mock_aws(config={"core": {"passthrough": {"urls": ["http://127.0.0.1"]}}}):
            registry = boto3.client("sagemaker", "us-east-1", endpoint_url=address)
            registry.create_model_package_group(ModelPackageGroupName="scones-dev")
            yield Stack(folder, Sagemaker(registry, boto3.client("sagemaker", "us-east-1")))
    finally:
        server.stop()
