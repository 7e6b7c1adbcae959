"""A roll-out that can be believed: refused before anything is made when it can't work, and confirmed by what serves.

The provider stays green when SageMaker takes a new configuration back. So what follows from a new model (its name in
decisions, the stack's outputs, the deletion of its predecessor) waits for the endpoint as it is read from SageMaker
after the update, in every `up` again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pulumi
from botocore.exceptions import BotoCoreError, ClientError

from components.parts.provider_client import provider_clients
from contract.names import setting

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

Clients = Callable[[str], Any]
"""boto3's clients by service."""
BEGINS_A_ROLLOUT = (
    "aws:sagemaker/trainingJob:TrainingJob",
    "aws:s3/objectCopy:ObjectCopy",
    "aws:sagemaker/model:Model",
    "aws:sagemaker/endpointConfiguration:EndpointConfiguration",
)
"""Resources that are only made for an endpoint that is to change."""
IN_PROGRESS = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")


class RolloutError(pulumi.RunError):
    """A roll-out that can't begin, or that did not end as wanted; the message says what to do."""


@dataclass(frozen=True, slots=True)
class LiveEndpoint:
    """An endpoint as SageMaker and Application Auto Scaling describe it."""

    name: str
    status: str
    configuration: str
    reason: str = ""
    """SageMaker's FailureReason."""
    instance_type: str = ""
    """"" when it is serverless."""
    instances: int = 0
    """How many are wanted now."""
    began_with: int = 0
    """How many its configuration began with."""
    scaled: bool = False
    """Whether it is registered with Application Auto Scaling."""


@dataclass(frozen=True, slots=True)
class WantedHosting:
    """What a roll-out would put into service."""

    instance_type: str
    min_instances: int
    max_instances: int


def problems_with_rollout(live: LiveEndpoint, wanted: WantedHosting | None) -> list[str]:
    """Why the endpoint can't be updated now, one sentence each with what to do.

    Args:
        live: the endpoint as it is.
        wanted: the instances that are wanted; None for a serverless endpoint.
    """
    if live.status in IN_PROGRESS:
        return [
            f"the endpoint {live.name} is {live.status}: wait until it is InService "
            f"(`aws sagemaker wait endpoint-in-service --endpoint-name {live.name}`), then run `pulumi up` again"
        ]
    if live.status != "InService":
        why = f" ({live.reason})" if live.reason else ""
        return [
            f"the endpoint {live.name} is {live.status}{why}, which no update repairs: delete it by `aws sagemaker "
            f"delete-endpoint --endpoint-name {live.name}`, run `pulumi refresh`, then `pulumi up`, which makes it anew"
        ]
    problems: list[str] = []
    wanted_type = wanted.instance_type if wanted else ""
    if live.scaled and live.instance_type != wanted_type:
        hosting = f"from {live.instance_type} to {wanted_type}" if wanted_type else "to serverless"
        changed = setting("endpointInstanceType" if wanted_type else "endpointMode")
        problems.append(
            f"{changed} can't change the endpoint {live.name} {hosting} while it is registered with Application Auto "
            f"Scaling: first give {setting('endpointMaxInstances')} the value of {setting('endpointMinInstances')}, "
            "leave the rest as it was, and run `pulumi up`, which deregisters it; then make this change and scale "
            "again, in one `pulumi up`"
        )
    # fewer than it began with is somebody's will; fewer than it was scaled out to would be nobody's
    if wanted and live.instances > max(wanted.min_instances, live.began_with):
        problems.append(
            f"the endpoint {live.name} is scaled out to {live.instances} instances, and a roll-out would begin with "
            f"{setting('endpointMinInstances')}, {wanted.min_instances}: set that to {live.instances} for this roll-out"
            f"{_and_max(live, wanted)}, or wait until it has scaled in"
        )
    return problems


def _and_max(live: LiveEndpoint, wanted: WantedHosting) -> str:
    if live.instances <= wanted.max_instances:
        return ""
    return f" ({setting('endpointMaxInstances')} too, which is {wanted.max_instances})"


def describe_live(name: str, variant: str, client: Clients) -> LiveEndpoint | None:
    """The endpoint as it is; None when there is none.

    Raises:
        RolloutError: AWS does not say.
    """
    try:
        sagemaker: SageMakerClient = client("sagemaker")
        record = _describe(sagemaker, name)
        if record is None:
            return None
        configuration = record.get("EndpointConfigName", "")
        served = _variant(record.get("ProductionVariants", []), variant)
        described = sagemaker.describe_endpoint_config(EndpointConfigName=configuration)
        configured = _variant(described["ProductionVariants"], variant)
        targets: Sequence[object] = client("application-autoscaling").describe_scalable_targets(
            ServiceNamespace="sagemaker",
            ResourceIds=[f"endpoint/{name}/variant/{variant}"],
            ScalableDimension="sagemaker:variant:DesiredInstanceCount",
        )["ScalableTargets"]
    except (ClientError, BotoCoreError) as error:
        raise RolloutError(f"the endpoint {name} can't be looked at before it is updated: {error}") from error
    return LiveEndpoint(
        name,
        record["EndpointStatus"],
        configuration,
        record.get("FailureReason", ""),
        str(configured.get("InstanceType", "")),
        int(served.get("DesiredInstanceCount", 0)),
        int(configured.get("InitialInstanceCount", 0)),
        bool(targets),
    )


def _describe(client: SageMakerClient, name: str) -> Mapping[str, Any] | None:
    try:
        return client.describe_endpoint(EndpointName=name)
    except ClientError as error:
        if "Could not find endpoint" in str(error):
            return None
        raise


def _variant(variants: Sequence[Mapping[str, Any]], name: str) -> Mapping[str, Any]:
    return next((each for each in variants if each.get("VariantName") == name), dict[str, Any]())


def guarded(
    name: str,
    endpoint_name: pulumi.Input[str],
    variant: str,
    wanted: WantedHosting | None,
    region: str,
) -> pulumi.ResourceOptions:
    """A component's options: a hook before whatever begins a roll-out refuses one that can't work.

    Args:
        name: what the hook's name begins with.
        endpoint_name: the endpoint.
        variant: its production variant.
        wanted: the instances that are wanted; None for a serverless endpoint.
        region: where it is.
    """
    client = provider_clients(region)

    async def can_begin(_: pulumi.ResourceHookArgs) -> None:
        known = await pulumi.Output.from_input(endpoint_name).future()
        live = describe_live(str(known), variant, client)
        if live and (problems := problems_with_rollout(live, wanted)):
            raise RolloutError("; ".join(problems))

    hook = pulumi.ResourceHook(f"{name}-rollout-can-begin", can_begin)

    def guard(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        if args.type_ not in BEGINS_A_ROLLOUT:
            return None
        first = pulumi.ResourceHookBinding(before_create=[hook])
        args.opts.hooks = pulumi.ResourceHookBinding.merge(first, args.opts.hooks)
        return pulumi.ResourceTransformationResult(args.props, args.opts)

    return pulumi.ResourceOptions(transformations=[guard])


def confirm(endpoint_name: str, wanted: str, serving: str, client: Clients) -> None:
    """Refuse to go on with a model that does not serve; in a preview, only say so.

    Args:
        endpoint_name: the endpoint.
        wanted: the configuration that the stack wants.
        serving: the configuration that SageMaker says it has.
        client: makes boto3's clients, by service.

    Raises:
        RolloutError: they differ.
    """
    if wanted == serving:
        return
    said = f"the endpoint {endpoint_name} serves the configuration {serving}, not {wanted}"
    if pulumi.runtime.is_dry_run():
        pulumi.log.warn(said)
        return
    status, reason = "", ""
    try:
        if record := _describe(client("sagemaker"), endpoint_name):
            status, reason = record["EndpointStatus"], record.get("FailureReason", "")
    except (ClientError, BotoCoreError):
        # what is known is told without the reason
        pass
    if status in IN_PROGRESS:
        raise RolloutError(f"{said} yet: it is {status}. Run `pulumi up` again when it is InService.")
    why = f" ({reason.rstrip('.')})" if reason else ""
    raise RolloutError(
        f"{said}: SageMaker took the roll-out back{why}. Decisions and outputs name the "
        "model that serves; configuration and model of both are kept, and every `pulumi up` fails until what serves is "
        "what the stack wants. Deploy another model, or the previous settings; `pulumi refresh` and `pulumi up` try "
        "this one again (docs/rollout.md)."
    )
