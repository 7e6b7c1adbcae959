"""Tells the register which model serves, since when, and who put it there: once its endpoint was seen to serve it.

A small object in the bucket names the model that serves. It is made, or changed, after the endpoint was confirmed to
serve another model than before, and a hook of it writes into the register first: if that fails, so does `pulumi up`,
and the next one tries again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypedDict

import pulumi
from botocore.exceptions import BotoCoreError, ClientError
from pulumi_aws import s3

from components.parts.model_source import ModelSource
from components.parts.provider_client import provider_clients
from contract import prefixes
from contract.errors import UserError
from contract.promotion import s3_place
from contract.register import Serving, region_of
from contract.versions import find, model_of, note_serving, register

if TYPE_CHECKING:
    from components.parts.hosting import HostedModel

Clients = Callable[[str], Any]
"""boto3's clients by service."""


class RegisterError(pulumi.RunError):
    """The register can't be written; the message says why."""


class RegisterEntryArgs(TypedDict):
    """Where a model that serves is registered, and in whose name."""

    group: pulumi.Input[str]
    """ARN of the register's group."""
    deployed_by: str
    """ARN of whoever deploys."""
    target_risk: float
    """The share of accepted photos that may be wrong, above 0 and below 1: the figures are those at that target."""


@dataclass(frozen=True, slots=True)
class ToRegister:
    """What is registered, beyond what the bucket and the training job tell."""

    group: str
    image: str
    target_risk: float
    serving: Serving
    approve: bool
    """Whether serving it approves it: somebody chose a model that was measured."""
    dataset: str = ""
    """The identity of the dataset, if it is known."""
    origin: str = ""
    """ARN of the register of the stack that it was taken from."""


def register_serving(
    name: str,
    source: ModelSource,
    hosted: HostedModel,
    entry: RegisterEntryArgs,
    *,
    bucket: pulumi.Input[str],
    region: str,
    image: str,
    parent: pulumi.Resource,
) -> None:
    """Name the model that serves in the bucket, and register it.

    Args:
        name: what the resources' names begin with.
        source: the model.
        hosted: the endpoint.
        entry: the register.
        bucket: takes the object.
        region: the stack's.
        image: the algorithm's.
        parent: the component.
    """
    client, stack = provider_clients(region), pulumi.get_stack()
    elsewhere = provider_clients(region_of(source.origin) or region)

    async def registered(args: pulumi.ResourceHookArgs) -> None:
        serving: Mapping[str, str] = json.loads((args.new_inputs or {})["content"])
        group = str(await pulumi.Output.from_input(entry["group"]).future())
        said = Serving(stack, datetime.now(UTC), entry["deployed_by"])
        known = ToRegister(group, image, entry["target_risk"], said, source.chosen, source.dataset, source.origin)
        tell(serving, known, client, elsewhere, warn=pulumi.log.warn)

    hook = pulumi.ResourceHook(f"{name}-registered", registered)
    s3.BucketObject(
        f"{name}-serving",
        bucket=bucket,
        key=prefixes.SERVING_FILE,
        content=pulumi.Output.json_dumps(
            {
                "job": hosted.once_serving(source.job_name),
                "artifact": source.artifact,
                "evidence": source.evidence,
            }
        ),
        content_type="application/json",
        opts=pulumi.ResourceOptions(
            parent=parent, hooks=pulumi.ResourceHookBinding(before_create=[hook], before_update=[hook])
        ),
    )


def tell(
    serving: Mapping[str, str], entry: ToRegister, client: Clients, elsewhere: Clients, *, warn: Callable[[str], object]
) -> None:
    """Put a model that serves into the stack's register, and say so in the one that it was taken from.

    What can't be said there is a warning: it may be another account's, whose owner has the last word.

    Args:
        serving: job, artifact and evidence of the model.
        entry: the rest.
        client: makes boto3's clients, by service.
        elsewhere: the same, for the other register's region.
        warn: takes a sentence.

    Raises:
        RegisterError: the stack's own register can't be written.
    """
    job, uri = serving["job"], serving["evidence"]
    try:
        model = model_of(
            client("sagemaker"),
            job,
            artifact=serving["artifact"],
            image=entry.image,
            dataset=entry.dataset,
            evidence=_read(client("s3"), uri),
            evidence_uri=uri,
            target=entry.target_risk,
        )
        if entry.origin:
            try:
                told = note_serving(elsewhere("sagemaker"), entry.origin, job, entry.serving, approve=True)
            except (ClientError, BotoCoreError) as error:
                warn(f"the register {entry.origin} is not told that {job} serves in {entry.serving.stack}: {error}")
                told = None
            else:
                if told is None:
                    warn(f"the register {entry.origin} does not hold {job}: it was evaluated before there was one")
            if told is not None:
                first = told.model
                model = replace(
                    model,
                    dataset=model.dataset or first.dataset,
                    trained=first.trained,
                    hyperparameters=first.hyperparameters,
                )
        known = find(client("sagemaker"), entry.group, job)
        if known and known.model.measured and model.measured and known.model.measured.digest == model.measured.digest:
            # whoever evaluated it may have had another target than the stack's
            model = replace(model, measured=None)
        register(client("sagemaker"), entry.group, model)
        note_serving(client("sagemaker"), entry.group, job, entry.serving, approve=entry.approve)
    except (ClientError, BotoCoreError, UserError) as error:
        raise RegisterError(
            f"the endpoint serves {job}, but the register {entry.group} can't be told: {error}. Run `pulumi up` again"
        ) from error


def _read(client: Any, uri: str) -> bytes | None:
    """A model's evidence; None before it was evaluated."""
    bucket, key = s3_place(uri)
    try:
        return client.get_object(Bucket=bucket, Key=key)["Body"].read()
    except client.exceptions.NoSuchKey:
        return None
