"""One HTTP server for SageMaker's control plane, its runtime, and endpoint scaling.

moto keeps the records; what moto only pretends (training, serving, capturing) is done here.
"""

import io
import json
import os
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import boto3

os.environ.setdefault("MOTO_ACCOUNT_ID", "000000000000")

from moto.sagemaker.models import sagemaker_backends
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from localcloud.sagemaker.capture import Capture
from localcloud.sagemaker.endpoint import MAX_PAYLOAD, ContainerError, Endpoint, error_body
from localcloud.sagemaker.model import unpack
from localcloud.sagemaker.trainings import Training

INVOCATION = re.compile(r"/endpoints/([^/]+)/invocations")
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
        self.http = make_server("127.0.0.1", 0, self._answer, threaded=True, request_handler=_QuietHandler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.http.server_port}"

    def stop(self) -> None:
        """End all trainings, write all captures, and stop serving."""
        for training in self.trainings.values():
            if training.process.poll() is None:
                training.stop()
            training.join()
        for endpoint in self.endpoints.values():
            endpoint.stop()
        if self.http:
            self.http.shutdown()
            self.http.server_close()

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
        if action in ("StopTrainingJob", "UpdateEndpoint"):
            return self._ours(action, request)(environ, start)
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
        return sagemaker_backends[os.environ["MOTO_ACCOUNT_ID"]][self.region]

    def _follow_up(self, action: str, request: Mapping[str, Any]) -> None:
        if action == "CreateTrainingJob":
            name = request["TrainingJobName"]
            self.trainings[name] = Training(request, self._records.training_jobs[name], self.logs, self.environment)
        elif action == "CreateEndpoint":
            name = request["EndpointName"]
            self._records.endpoints[name].endpoint_status = "Creating"
            threading.Thread(target=self._load, args=(name,), daemon=True).start()
        elif action == "DeleteEndpoint":
            with self.lock:
                gone = self.endpoints.pop(request["EndpointName"], None)
            if gone:
                gone.stop()

    def _ours(self, action: str, request: Mapping[str, Any]) -> Response:
        if action == "StopTrainingJob":
            training = self.trainings.get(request["TrainingJobName"])
            if training is None or training.process.poll() is not None:
                return _validation(f"The request was rejected because the training job is not running: {request}")
            training.stop()
            return _json({})
        record = self._records.endpoints.get(request["EndpointName"])
        if record is None:
            return _validation(f'Could not find endpoint "{request["EndpointName"]}".')
        if request["EndpointConfigName"] not in self._records.endpoint_configs:
            return _validation(f'Could not find endpoint configuration "{request["EndpointConfigName"]}".')
        record.endpoint_config_name = request["EndpointConfigName"]
        record.endpoint_status = "Updating"
        threading.Thread(target=self._load, args=(record.endpoint_name,), daemon=True).start()
        return _json({"EndpointArn": record.arn})

    def _load(self, name: str) -> None:
        """Load the model of an endpoint's configuration; until then, what was in service stays in service."""
        record = self._records.endpoints[name]
        try:
            config = self._records.endpoint_configs[record.endpoint_config_name]
            variant = config.production_variants[0]
            model = self._records._models[variant["ModelName"]]
            uri = model.primary_container["ModelDataUrl"].removeprefix("s3://")
            bucket, _, key = uri.partition("/")
            network = unpack(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        except Exception as error:
            record.failure_reason = f"The model could not be loaded: {error}"
            record.endpoint_status = "Failed" if name not in self.endpoints else "InService"
            return
        wanted = config.data_capture_config or {}
        capture = None
        if wanted.get("EnableCapture"):
            capture = Capture(self.s3, name, variant["VariantName"], wanted, self.capture_flush_seconds)
        with self.lock:
            previous = self.endpoints.get(name)
            self.endpoints[name] = Endpoint(variant["VariantName"], network, capture)
        if previous:
            previous.stop()
        record.endpoint_status = "InService"

    def _invocation(self, name: str, request: Request) -> Response:
        endpoint = self.endpoints.get(name)
        if endpoint is None:
            return _validation(f"Endpoint {name} of account {os.environ['MOTO_ACCOUNT_ID']} not found.")
        body = request.get_data()
        if len(body) > MAX_PAYLOAD:
            return _validation(f"1 validation error detected: the body has {len(body)} bytes, at most {MAX_PAYLOAD}")
        try:
            identity = request.headers.get("X-Amzn-SageMaker-Inference-Id")
            answer = endpoint.invoke(request.headers.get("Content-Type", ""), body, identity)
        except ContainerError as error:
            details = error_body(error, name, self.region)
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


def _validation(message: str) -> Response:
    return _json({"Message": message, "message": message}, 400, {"x-amzn-errortype": "ValidationError"})
