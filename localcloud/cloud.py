"""Where the emulators are, and boto3's clients for them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast, overload

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient

ACCOUNT = "000000000000"
"""The one account of the local cloud: ministack's, and moto's once it is told."""
RETRIES = Config(retries={"total_max_attempts": 2, "mode": "standard"})
"""An emulator that does not answer at once is gone; a person who pressed Ctrl-C does not wait for retries."""
SAGEMAKER_SERVICES = {
    "sagemaker": "SAGEMAKER",
    "sagemaker-runtime": "SAGEMAKER_RUNTIME",
    "application-autoscaling": "APPLICATION_AUTO_SCALING",
}
"""What SageMaker's emulator serves, and how boto3 spells it in its environment variables: by the service's id."""
_making = threading.Lock()
"""Held while a session makes a client, which it can't do for two threads at once."""


@dataclass(slots=True)
class Cloud:
    """The emulators of a stack; `say` takes lines worth a person's while."""

    root: Path
    stack: str
    region: str
    aws_url: str
    sagemaker_url: str
    say: Callable[[str], None] = lambda line: None
    clients: dict[str, BaseClient] = field(default_factory=dict[str, "BaseClient"])

    @overload
    def client(self, service: Literal["cloudwatch"]) -> CloudWatchClient: ...
    @overload
    def client(self, service: Literal["codebuild"]) -> Any: ...
    @overload
    def client(self, service: Literal["dynamodb"]) -> DynamoDBClient: ...
    @overload
    def client(self, service: Literal["events"]) -> EventBridgeClient: ...
    @overload
    def client(self, service: Literal["iam"]) -> IAMClient: ...
    @overload
    def client(self, service: Literal["lambda"]) -> LambdaClient: ...
    @overload
    def client(self, service: Literal["logs"]) -> CloudWatchLogsClient: ...
    @overload
    def client(self, service: Literal["s3"]) -> S3Client: ...
    @overload
    def client(self, service: Literal["sagemaker"]) -> SageMakerClient: ...
    @overload
    def client(self, service: Literal["sagemaker-runtime"]) -> SageMakerRuntimeClient: ...
    @overload
    def client(self, service: Literal["sns"]) -> SNSClient: ...
    @overload
    def client(self, service: Literal["sqs"]) -> SQSClient: ...
    @overload
    def client(self, service: Literal["stepfunctions"]) -> SFNClient: ...
    @overload
    def client(self, service: Literal["application-autoscaling", "budgets"]) -> Any: ...
    def client(self, service: str) -> Any:
        """boto3's client of a service, as the account's root."""
        with _making:
            if service not in self.clients:
                url = self.sagemaker_url if service in SAGEMAKER_SERVICES else self.aws_url
                make = cast("Callable[..., BaseClient]", _session(self.region).client)
                self.clients[service] = make(service, endpoint_url=url, config=RETRIES)
            return self.clients[service]

    def environment(self) -> dict[str, str]:
        """What a command needs in its environment so that boto3 talks to the emulators."""
        urls = {f"AWS_ENDPOINT_URL_{name}": self.sagemaker_url for name in SAGEMAKER_SERVICES.values()}
        return {
            "AWS_ENDPOINT_URL": self.aws_url,
            **urls,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
        }


@cache
def _session(region: str) -> boto3.Session:
    """One for all: each reads the descriptions of AWS's endpoints and services anew, 0.1 s a client."""
    return boto3.Session("test", "test", region_name=region)
