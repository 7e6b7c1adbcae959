"""Endpoints: their models are loaded, put into service, rolled out under watch, and taken back.

As SageMaker does it: the new instances come up beside the old ones; a canary of them, or all, get photos while alarms
are watched; an instance that does not answer its health check, or an alarm that goes off, leaves the endpoint InService
on its old configuration, with a FailureReason. What takes minutes there takes seconds here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from localcloud.sagemaker.capture import Capture
from localcloud.sagemaker.endpoint import Endpoint
from localcloud.sagemaker.model import unpack
from localcloud.sagemaker.pace import PROVISIONING_SECONDS, SECONDS_PER_MINUTE
from localcloud.sagemaker.rollout import (
    LOOK_SECONDS,
    Canary,
    Pending,
    Rehearsal,
    RolledBackError,
    bake,
    canary_problem,
    one_in,
)


@dataclass(slots=True)
class Hosting:
    """All endpoints of a server.

    `records` gives moto's records; `clients` are boto3's for S3 and CloudWatch.
    """

    s3: Any
    cloudwatch: Any
    records: Callable[[], Any]
    flush_seconds: float
    seconds_per_minute: float = SECONDS_PER_MINUTE
    provisioning_seconds: float = PROVISIONING_SECONDS
    endpoints: dict[str, Endpoint] = field(default_factory=dict[str, Endpoint])
    canaries: dict[str, Canary] = field(default_factory=dict[str, Canary])
    pending: dict[str, Pending] = field(default_factory=dict[str, Pending])
    rehearsals: dict[str, Rehearsal] = field(default_factory=dict[str, Rehearsal])
    lock: threading.Lock = field(default_factory=threading.Lock)

    def create(self, record: Any, configuration: str) -> None:
        """Begin to put a configuration into service that nothing served before."""
        record.endpoint_status = "Creating"
        self._begin(record, configuration)
        self._later(self._create, record, configuration)

    def refusal(self, record: Any, configuration: str, deployment: Mapping[str, Any]) -> str:
        """Why an endpoint can't be updated, as SageMaker refuses it; "" when it can."""
        if configuration not in self.records().endpoint_configs:
            return f'Could not find endpoint configuration "{configuration}".'
        if record.endpoint_status != "InService":
            return f'Cannot update in-progress endpoint "{record.arn}".'
        variant = self._variant(configuration)
        served = self._variant(record.endpoint_config_name)
        if variant.get("VariantName") != served.get("VariantName"):
            return "The variants of an endpoint must keep their names in a deployment."
        if variant.get("InstanceType") != served.get("InstanceType") and self._is_scaled(record):
            return f'The variants of the endpoint "{record.arn}" are registered with Application Auto Scaling.'
        return canary_problem(deployment, int(variant.get("InitialInstanceCount", 0)))

    def update(self, record: Any, configuration: str, deployment: Mapping[str, Any]) -> None:
        """Begin a roll-out that `refusal` has nothing against."""
        self._begin(record, configuration)
        record.endpoint_status, record.failure_reason = "Updating", None
        self._later(self._roll_out, record, configuration, deployment)

    def pending_deployment(self, name: str) -> dict[str, Any] | None:
        """What DescribeEndpoint tells of a deployment that is under way; None when there is none."""
        pending = self.pending.get(name)
        return pending.summary("Baking" if name in self.canaries else "Creating") if pending else None

    def delete(self, name: str) -> None:
        """Take an endpoint out of service."""
        with self.lock:
            self.pending.pop(name, None)
            gone = [self.endpoints.pop(name, None), self.canaries.pop(name, None)]
        for each in gone:
            if each:
                (each.endpoint if isinstance(each, Canary) else each).stop()

    def stop(self) -> None:
        """Take all out of service, and write their captures."""
        for name in {*self.endpoints, *self.canaries}:
            self.delete(name)

    def invoke(self, name: str, content_type: str, body: bytes, inference_id: str | None) -> tuple[bytes, str]:
        """The answer of an endpoint, and the variant that gave it.

        Raises:
            KeyError: there is no such endpoint in service.
            ContainerError: the container answers with an error.
        """
        endpoint, canary = self.endpoints[name], self.canaries.get(name)
        if canary and canary.is_next():
            return canary.invoke(self.cloudwatch, content_type, body, inference_id), canary.endpoint.variant
        return endpoint.invoke(content_type, body, inference_id), endpoint.variant

    def _begin(self, record: Any, configuration: str) -> None:
        variant = self._variant(configuration).get("VariantName", "")
        self.pending[record.endpoint_name] = Pending(configuration, variant, time.time())

    def _end(self, record: Any, status: str) -> None:
        """The last that changes: who sees no pending deployment sees what serves."""
        record.endpoint_status = status
        self.pending.pop(record.endpoint_name, None)

    @staticmethod
    def _later(act: Callable[..., None], *arguments: Any) -> None:
        threading.Thread(target=act, args=arguments, daemon=True).start()

    def _create(self, record: Any, configuration: str) -> None:
        try:
            endpoint = self._provision(record.endpoint_name, configuration)
        except Exception as error:
            record.failure_reason = str(error)
            self._end(record, "Failed")
            return
        self._serve(record, configuration, endpoint)

    def _roll_out(self, record: Any, configuration: str, deployment: Mapping[str, Any]) -> None:
        name = record.endpoint_name
        rehearsal = self.rehearsals.pop(name, None)
        try:
            variant = self._variant(configuration)
            if rehearsal == "health-check":
                time.sleep(LOOK_SECONDS)
                raise RolledBackError(
                    f"The primary container for production variant {variant['VariantName']} did not pass the ping "
                    "health check. Please check CloudWatch logs for this endpoint."
                )
            green = self._provision(name, configuration)
            time.sleep(self.provisioning_seconds)
            share = one_in(deployment, int(variant.get("InitialInstanceCount", 1)))
            canary = Canary(name, configuration, green, share, fails=rehearsal == "errors")
            with self.lock:
                self.canaries[name] = canary
            try:
                bake(deployment, self.cloudwatch, self.seconds_per_minute, lambda: name in self.canaries)
            except RolledBackError:
                green.stop()
                raise
            finally:
                with self.lock:
                    self.canaries.pop(name, None)
        except Exception as error:
            record.failure_reason = str(error)
            # what was in service has been all the time
            self._end(record, "InService")
            return
        self._serve(record, configuration, green)

    def _provision(self, name: str, configuration: str) -> Endpoint:
        """Load a configuration's model.

        Raises:
            Exception: the model can't be loaded; the message says why.
        """
        try:
            variant = self._variant(configuration)
            model = self.records()._models[variant["ModelName"]]
            bucket, _, key = model.primary_container["ModelDataUrl"].removeprefix("s3://").partition("/")
            network = unpack(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        except Exception as error:
            raise RolledBackError(f"The model could not be loaded: {error}") from error
        wanted: dict[str, Any] = self.records().endpoint_configs[configuration].data_capture_config or {}
        capturing = bool(wanted.get("EnableCapture"))
        capture = Capture(self.s3, name, variant["VariantName"], wanted, self.flush_seconds) if capturing else None
        return Endpoint(variant["VariantName"], network, capture)

    def _serve(self, record: Any, configuration: str, endpoint: Endpoint) -> None:
        """Put new instances into service in place of the old ones."""
        name = record.endpoint_name
        with self.lock:
            if self.records().endpoints.get(name) is not record:
                # deleted meanwhile
                endpoint.stop()
                return
            previous, self.endpoints[name] = self.endpoints.get(name), endpoint
        if previous:
            previous.stop()
        configured = self.records().endpoint_configs[configuration]
        wanted: dict[str, Any] = configured.data_capture_config or {}
        capturing = endpoint.capture is not None
        record.endpoint_config_name = configuration
        record.production_variants = record._process_production_variants(configured.production_variants)
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
        self._end(record, "InService")

    def _variant(self, configuration: str) -> Mapping[str, Any]:
        found = self.records().endpoint_configs.get(configuration)
        return found.production_variants[0] if found else {}

    def _is_scaled(self, record: Any) -> bool:
        from moto.applicationautoscaling.models import applicationautoscaling_backends

        backend = applicationautoscaling_backends[record.arn.split(":")[4]][record.arn.split(":")[3]]
        prefix = f"endpoint/{record.endpoint_name}/variant/"
        return any(
            target.resource_id.startswith(prefix)
            for target in backend.describe_scalable_targets("sagemaker", None, None)
        )
