"""One HTTP server for SageMaker's control plane, its runtime, and endpoint scaling.

moto keeps the records; what moto only pretends (training, serving, capturing) is done here.
"""

from __future__ import annotations

import io
import json
import os
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import boto3
from moto.sagemaker.models import FakeEndpointConfig, sagemaker_backends
from moto.server import DomainDispatcherApplication, create_backend_app  # pyright: ignore[reportPrivateImportUsage]
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from localcloud.cloud import ACCOUNT
from localcloud.sagemaker.capture import Capture
from localcloud.sagemaker.endpoint import MAX_PAYLOAD, ContainerError, Endpoint, error_body
from localcloud.sagemaker.model import unpack
from localcloud.sagemaker.trainings import Training

CREATIONS = {
    "CreateTrainingJob": ("TrainingJobName", "training_jobs", "training job"),
    "CreateModel": ("ModelName", "_models", "model"),
    "CreateEndpointConfig": ("EndpointConfigName", "endpoint_configs", "endpoint configuration"),
    "CreateEndpoint": ("EndpointName", "endpoints", "endpoint"),
}
"""Which request parameter names what is created, and where moto keeps it."""
INVOCATION = re.compile(r"/endpoints/([^/]+)/invocations")
# moto's list of instance types ends before today's: the program's own settings check them
FakeEndpointConfig.validate_instance_type = lambda self, instance_type: None  # type: ignore[method-assign]
Environ = dict[str, Any]
StartResponse = Callable[..., Any]


class SageMakerServer:
    """SageMaker on 127.0.0.1, for boto3's `sagemaker`, `sagemaker-runtime` and `application-autoscaling`.

    Args:
        aws_endpoint_url: where S3 and CloudWatch Logs are.
        region: the region of all records.
        capture_flush_seconds: how long captured inferences wait before a file of them is written.
    """

    def __init__(self, *, aws_endpoint_url: str, region: str = "us-east-1", capture_flush_seconds: float = 1.0) -> None:
        self.region = region
        self.capture_flush_seconds = capture_flush_seconds
        self.environment = {
            "AWS_ENDPOINT_URL": aws_endpoint_url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": region,
        }
        session = boto3.Session("test", "test", region_name=region)
        self.s3 = session.client("s3", endpoint_url=aws_endpoint_url)
        self.logs = session.client("logs", endpoint_url=aws_endpoint_url)
        self.moto = DomainDispatcherApplication(create_backend_app)
        self.trainings: dict[str, Training] = {}
        self.endpoints: dict[str, Endpoint] = {}
        self.lock = threading.Lock()
        self.http: BaseWSGIServer | None = None

    def start(self) -> str:
        """Serve, on a free port.

        Returns:
            The base URL.
        """
        self.account_before = os.environ.get("MOTO_ACCOUNT_ID")
        # moto reads it with each request; ministack has the same
        os.environ["MOTO_ACCOUNT_ID"] = ACCOUNT
        self.http = make_server("127.0.0.1", 0, self._answer, threaded=True, request_handler=_QuietHandler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.http.server_port}"

    def stop(self) -> None:
        """Stop serving, end all trainings, and write all captures."""
        if self.http:
            self.http.shutdown()
            self.http.server_close()
            os.environ.pop("MOTO_ACCOUNT_ID")
            if self.account_before:
                os.environ["MOTO_ACCOUNT_ID"] = self.account_before
            self.http = None
        for training in self.trainings.values():
            if training.process.poll() is None:
                training.stop()
            training.join()
        with self.lock:
            endpoints, self.endpoints = self.endpoints, {}
        for endpoint in endpoints.values():
            endpoint.stop()

    def _answer(self, environ: Environ, start: StartResponse) -> Iterable[bytes]:
        if match := INVOCATION.fullmatch(environ.get("PATH_INFO", "")):
            return self._invocation(match[1], Request(environ))(environ, start)
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        if not target.startswith("SageMaker."):
            return self.moto(environ, start)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        request: dict[str, Any] = json.loads(body or b"{}")
        action = target.removeprefix("SageMaker.")
        if action in ("StopTrainingJob", "DeleteTrainingJob", "UpdateEndpoint"):
            return self._ours(action, request)(environ, start)
        if taken := self._taken(action, request):
            return taken(environ, start)
        status = ""

        def remember(line: str, *rest: Any) -> Any:
            nonlocal status
            status = line
            return start(line, *rest)

        answer = list(self.moto(environ, remember))
        if status.startswith("200"):
            self._follow_up(action, request)
        return answer

    @property
    def _records(self) -> Any:
        return sagemaker_backends[ACCOUNT][self.region]

    def _taken(self, action: str, request: Mapping[str, Any]) -> Response | None:
        """The refusal of a name that is in use, which moto would replace."""
        if action not in CREATIONS:
            return None
        parameter, collection, kind = CREATIONS[action]
        name = request.get(parameter)
        if name not in getattr(self._records, collection):
            return None
        if action == "CreateTrainingJob":
            return _refusal(
                "Training job names must be unique within an AWS account and region, and a training job with this "
                f"name already exists ({self._records.training_jobs[name].arn})",
                "ResourceInUse",
            )
        return _refusal(f'Cannot create already existing {kind} "{name}".', "ValidationException")

    def _follow_up(self, action: str, request: Mapping[str, Any]) -> None:
        if action == "CreateTrainingJob":
            name = request["TrainingJobName"]
            self.trainings[name] = Training(request, self._records.training_jobs[name], self.logs, self.environment)
        elif action == "CreateEndpoint":
            record = self._records.endpoints[request["EndpointName"]]
            record.endpoint_status = "Creating"
            self._load_later(record, request["EndpointConfigName"])
        elif action == "DeleteEndpoint":
            with self.lock:
                gone = self.endpoints.pop(request["EndpointName"], None)
            if gone:
                gone.stop()

    def _ours(self, action: str, request: Mapping[str, Any]) -> Response:
        if action in ("StopTrainingJob", "DeleteTrainingJob"):
            name = request["TrainingJobName"]
            training = self.trainings.get(name)
            if training is None:
                return _refusal(f"Requested resource not found: training job {name}", "ResourceNotFound")
            if action == "DeleteTrainingJob":
                return self._delete_training(name, training)
            if training.process.poll() is not None:
                return _refusal(
                    f"The request was rejected because the training job {name} is in status "
                    f"{training.record.training_job_status}.",
                    "ValidationException",
                )
            training.stop()
            return _json({})
        record = self._records.endpoints.get(request["EndpointName"])
        config = request["EndpointConfigName"]
        if record is None:
            return _refusal(f'Could not find endpoint "{request["EndpointName"]}".', "ValidationException")
        if config not in self._records.endpoint_configs:
            return _refusal(f'Could not find endpoint configuration "{config}".', "ValidationException")
        if record.endpoint_status in ("Creating", "Updating"):
            return _refusal(f'Cannot update in-progress endpoint "{record.arn}".', "ValidationException")
        record.endpoint_status = "Updating"
        self._load_later(record, config)
        return _json({"EndpointArn": record.arn})

    def _delete_training(self, name: str, training: Training) -> Response:
        status = training.record.training_job_status
        if status in ("InProgress", "Stopping"):
            return _refusal(f"The training job {name} is in status {status}.", "ValidationException")
        del self.trainings[name], self._records.training_jobs[name]
        return _json({})

    def _load_later(self, record: Any, config_name: str) -> None:
        threading.Thread(target=self._load, args=(record, config_name), daemon=True).start()

    def _load(self, record: Any, config_name: str) -> None:
        """Put a configuration's model into service; until then, what was in service stays in service."""
        name = record.endpoint_name
        try:
            config = self._records.endpoint_configs[config_name]
            variant = config.production_variants[0]
            model = self._records._models[variant["ModelName"]]
            uri = model.primary_container["ModelDataUrl"].removeprefix("s3://")
            bucket, _, key = uri.partition("/")
            network = unpack(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        except Exception as error:
            record.failure_reason = f"The model could not be loaded: {error}"
            record.endpoint_status = "Failed" if name not in self.endpoints else "InService"
            return
        wanted: dict[str, Any] = config.data_capture_config or {}
        capturing = bool(wanted.get("EnableCapture"))
        with self.lock:
            if self._records.endpoints.get(name) is not record:
                # deleted meanwhile
                return
            previous = self.endpoints.get(name)
            capture = (
                Capture(self.s3, name, variant["VariantName"], wanted, self.capture_flush_seconds)
                if capturing
                else None
            )
            self.endpoints[name] = Endpoint(variant["VariantName"], network, capture)
        if previous:
            previous.stop()
        record.endpoint_config_name = config_name
        record.production_variants = record._process_production_variants(config.production_variants)
        record.data_capture_config = (
            {
                "EnableCapture": capturing,
                "CaptureStatus": "Started" if capturing else "Stopped",
                "CurrentSamplingPercentage": wanted.get("InitialSamplingPercentage", 0),
                "DestinationS3Uri": wanted.get("DestinationS3Uri", ""),
            }
            if wanted
            else None
        )
        record.failure_reason = None
        record.last_modified_time = datetime.now(UTC).replace(tzinfo=None)
        record.endpoint_status = "InService"

    def _invocation(self, name: str, request: Request) -> Response:
        endpoint = self.endpoints.get(name)
        if endpoint is None:
            return _refusal(f"Endpoint {name} of account {ACCOUNT} not found.", "ValidationError")
        body = request.get_data()
        if len(body) > MAX_PAYLOAD:
            return _refusal(f"The body has {len(body)} bytes; at most {MAX_PAYLOAD} are allowed.", "ValidationError")
        try:
            identity = request.headers.get("X-Amzn-SageMaker-Inference-Id")
            answer = endpoint.invoke(request.headers.get("Content-Type", ""), body, identity)
        except ContainerError as error:
            details = error_body(error, name, self.region, ACCOUNT)
            return _json(details, 424, {"x-amzn-errortype": "ModelError"})
        headers = {"x-Amzn-Invoked-Production-Variant": endpoint.variant}
        return Response(answer, 200, headers, content_type="application/json")


class _QuietHandler(WSGIRequestHandler):
    """Keeps connections open, as AWS does, and a log of nothing."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:
        """Drop the line: every invocation would be one."""


def _json(body: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(json.dumps(body), status, dict(headers or {}), content_type="application/x-amz-json-1.1")


def _refusal(message: str, code: str) -> Response:
    return _json({"__type": code, "Message": message, "message": message}, 400, {"x-amzn-errortype": code})
