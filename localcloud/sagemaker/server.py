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
from typing import Any

import boto3
from moto.sagemaker.models import FakeEndpointConfig, sagemaker_backends
from moto.server import DomainDispatcherApplication, create_backend_app  # pyright: ignore[reportPrivateImportUsage]
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from localcloud.cloud import ACCOUNT
from localcloud.sagemaker.endpoint import MAX_PAYLOAD, ContainerError, error_body
from localcloud.sagemaker.hosting import Hosting
from localcloud.sagemaker.pace import PROVISIONING_SECONDS, SECONDS_PER_MINUTE
from localcloud.sagemaker.readback import SCALING, TAGGING, Readback
from localcloud.sagemaker.register import Refusal, Register
from localcloud.sagemaker.rollout import REHEARSALS, Rehearsal
from localcloud.sagemaker.trainings import Training
from localcloud.sagemaker.transforms import begin_transform

CREATIONS = {
    "CreateTrainingJob": ("TrainingJobName", "training_jobs", "training job"),
    "CreateModel": ("ModelName", "_models", "model"),
    "CreateEndpointConfig": ("EndpointConfigName", "endpoint_configs", "endpoint configuration"),
    "CreateEndpoint": ("EndpointName", "endpoints", "endpoint"),
    "CreateTransformJob": ("TransformJobName", "transform_jobs", "transform job"),
}
"""Which request parameter names what is created, and where moto keeps it."""
INVOCATION = re.compile(r"/endpoints/([^/]+)/invocations")
REHEARSAL = re.compile(r"/_localcloud/rehearse/([^/]+)/([^/]+)")
"""A POST here makes the next roll-out of an endpoint fail: not of SageMaker's API, see `rollout.Rehearsal`."""
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
        seconds_per_minute: how long a minute of a roll-out takes here.
        provisioning_seconds: how long the new instances of a roll-out take to come up.
    """

    def __init__(
        self,
        *,
        aws_endpoint_url: str,
        region: str = "us-east-1",
        capture_flush_seconds: float = 1.0,
        seconds_per_minute: float = SECONDS_PER_MINUTE,
        provisioning_seconds: float = PROVISIONING_SECONDS,
    ) -> None:
        self.region = region
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
        cloudwatch = session.client("cloudwatch", endpoint_url=aws_endpoint_url)
        self.hosting = Hosting(
            self.s3, cloudwatch, lambda: self._records, capture_flush_seconds, seconds_per_minute, provisioning_seconds
        )
        self.readback = Readback()
        self.register = Register(f"{region}:{ACCOUNT}")
        self.http: BaseWSGIServer | None = None

    def start(self, port: int = 0) -> str:
        """Serve, on a port; 0 is a free one.

        Returns:
            The base URL.
        """
        self.account_before = os.environ.get("MOTO_ACCOUNT_ID")
        # moto reads it with each request; ministack has the same
        os.environ["MOTO_ACCOUNT_ID"] = ACCOUNT
        self.http = make_server("127.0.0.1", port, self._answer, threaded=True, request_handler=_QuietHandler)
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
        self.hosting.stop()

    def _answer(self, environ: Environ, start: StartResponse) -> Iterable[bytes]:
        if match := INVOCATION.fullmatch(environ.get("PATH_INFO", "")):
            return self._invocation(match[1], Request(environ))(environ, start)
        if match := REHEARSAL.fullmatch(environ.get("PATH_INFO", "")):
            return self._rehearse(match[1], match[2])(environ, start)
        service, _, action = environ.get("HTTP_X_AMZ_TARGET", "").partition(".")
        if service not in ("SageMaker", SCALING):
            return self.moto(environ, start)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        request: dict[str, Any] = json.loads(body or b"{}")
        if service == SCALING:
            told = self.readback.scaling(action, request)
            return self._moto(environ, start, action, request) if told is None else _json(told)(environ, start)
        try:
            told = self.register.answer(action, request)
        except Refusal as refused:
            return _refusal(str(refused), refused.code)(environ, start)
        if told is None and action in TAGGING:
            told = self.register.tagging(action, request)
        if told is not None:
            return _json(told)(environ, start)
        if action in ("StopTrainingJob", "DeleteTrainingJob", "UpdateEndpoint"):
            return self._ours(action, request)(environ, start)
        if taken := self._taken(action, request):
            return taken(environ, start)
        try:
            self.readback.prepare(action, request, self._records)
        except LookupError as unknown:
            return _refusal(f"Could not find {unknown}.", "ResourceNotFound")(environ, start)
        return self._moto(environ, start, action, request)

    def _moto(self, environ: Environ, start: StartResponse, action: str, request: Mapping[str, Any]) -> Iterable[bytes]:
        """Moto's answer, completed; what it took is followed up."""
        said: list[tuple[str, list[tuple[str, str]]]] = []

        def listen(status: str, headers: list[tuple[str, str]], *rest: Any) -> None:
            said.append((status, headers))

        # before the record is read: a deployment that ends in between is still pending in the answer
        pending = self.hosting.pending_deployment(request["EndpointName"]) if action == "DescribeEndpoint" else None
        data = b"".join(self.moto(environ, listen))
        status, headers = said[-1]
        if status.startswith("200"):
            self._follow_up(action, request)
            answer = self.readback.complete(action, request, json.loads(data or b"{}"))
            if pending:
                answer["PendingDeploymentSummary"] = pending
            data = json.dumps(answer).encode()
            headers = [(key, value) for key, value in headers if key.lower() != "content-length"]
            headers.append(("Content-Length", str(len(data))))
        start(status, headers)
        return [data]

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
            self.hosting.create(self._records.endpoints[request["EndpointName"]], request["EndpointConfigName"])
        elif action == "CreateTransformJob":
            begin_transform(request, self._records, self.s3)
        elif action == "DeleteEndpoint":
            self.hosting.delete(request["EndpointName"])

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
        if record is None:
            return _refusal(f'Could not find endpoint "{request["EndpointName"]}".', "ValidationException")
        configuration, deployment = request["EndpointConfigName"], dict[str, Any](request.get("DeploymentConfig") or {})
        if refusal := self.hosting.refusal(record, configuration, deployment):
            return _refusal(refusal, "ValidationException")
        self.hosting.update(record, configuration, deployment)
        return _json(self.readback.complete(action, request, {"EndpointArn": record.arn}))

    def _delete_training(self, name: str, training: Training) -> Response:
        status = training.record.training_job_status
        if status in ("InProgress", "Stopping"):
            return _refusal(f"The training job {name} is in status {status}.", "ValidationException")
        del self.trainings[name], self._records.training_jobs[name]
        return _json({})

    def _rehearse(self, name: str, how: str) -> Response:
        rehearsal: Rehearsal | None = next((each for each in REHEARSALS if each == how), None)
        if rehearsal is None or name not in self.hosting.endpoints:
            return _refusal(f"no endpoint {name}, or no rehearsal {how}", "ValidationException")
        self.hosting.rehearsals[name] = rehearsal
        return _json({})

    def _invocation(self, name: str, request: Request) -> Response:
        if name not in self.hosting.endpoints:
            return _refusal(f"Endpoint {name} of account {ACCOUNT} not found.", "ValidationError")
        body = request.get_data()
        if len(body) > MAX_PAYLOAD:
            return _refusal(f"The body has {len(body)} bytes; at most {MAX_PAYLOAD} are allowed.", "ValidationError")
        try:
            identity = request.headers.get("X-Amzn-SageMaker-Inference-Id")
            answer, variant = self.hosting.invoke(name, request.headers.get("Content-Type", ""), body, identity)
        except ContainerError as error:
            details = error_body(error, name, self.region, ACCOUNT)
            return _json(details, 424, {"x-amzn-errortype": "ModelError"})
        headers = {"x-Amzn-Invoked-Production-Variant": variant}
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
