"""Looks at the model that a stack serves, and at its evidence, while the program starts: before anything is created.

The outputs are read by the engine's own function, as a StackReference reads them, and not by that resource: its
outputs come when other resources are registered already, and nothing may be before a model is known to be fit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

import pulumi
from pulumi_aws import s3

from components.parts.promoted_model import PromotedModelArgs
from contract.errors import UserError
from contract.evidence import Evidence, parse_evidence
from contract.invocation import command
from contract.outputs import parse_outputs
from contract.prefixes import ARTIFACT_FILE, MATERIALS_FILE
from contract.promotion import ServedModel, left_by, s3_place, served_model

READ_OUTPUTS = "pulumi:pulumi:readStackOutputs"
"""What answers a StackReference (Pulumi's source, pkg/resource/deploy/builtins.go)."""


@dataclass(frozen=True, slots=True)
class MeasuredModel:
    """The model that a stack serves, and what is known of it."""

    model: ServedModel
    evidence: Evidence | UserError
    """Or why there is none."""
    etag: str = ""
    """Of the evidence that was read; empty when none could be."""

    def as_promoted(self) -> PromotedModelArgs:
        """The model as a TrainingEndpoint takes it."""
        artifact, evidence = ("/".join(s3_place(uri)) for uri in (self.model.artifact, self.model.evidence))
        materials = artifact.removesuffix(ARTIFACT_FILE) + MATERIALS_FILE
        args: PromotedModelArgs = {"job_name": self.model.name, "artifact": artifact, "materials": materials}
        if self.etag:
            args.update({"evidence": evidence, "evidence_etag": self.etag})
        return args


def look_at(stack: str, job: str = "") -> MeasuredModel | UserError | None:
    """The model that a stack serves, or could serve.

    Args:
        stack: its name, or ORGANIZATION/PROJECT/STACK.
        job: the training job that left another model in the stack's bucket, whose evidence says what it answers.

    Returns:
        None when it has no outputs, as before its first `up`; an error when there is no such stack, or it serves none.
    """
    try:
        # the engine's error is a bare Exception
        answer = pulumi.runtime.invoke(READ_OUTPUTS, {"name": stack}).value
    except Exception as error:
        return UserError(_reason(error))
    outputs = cast("Mapping[str, object]", answer)["outputs"]
    if not outputs:
        return None
    try:
        model = served_model(parse_outputs(outputs, f"the outputs of the stack {stack}"), stack)
        if job:
            model = left_by(job, model)
        bucket, key = s3_place(model.evidence)
        s3_place(model.artifact)
    except UserError as error:
        return error
    try:
        found = s3.get_object(bucket=bucket, key=key, region=model.region or None)
    except Exception as error:
        evaluate = command("training", "evaluate", "--outputs", "FILE", "--upload-evidence")
        return MeasuredModel(
            model,
            UserError(
                f"the model {model.name} of the stack {stack} has no evidence that can be read in {model.evidence} "
                f"({_reason(error)}): measure it with {evaluate}"
            ),
        )
    try:
        evidence = parse_evidence(found.body or "", model.evidence)
    except UserError as error:
        return MeasuredModel(model, error)
    if job:
        model = replace(model, labels=evidence.labels, image_size=evidence.image_size)
    return MeasuredModel(model, evidence, found.etag)


def _reason(error: Exception) -> str:
    """What an engine or a provider says, without what every one of their messages begins with."""
    text = str(error)
    return " ".join((text.partition(" failed: ")[2] or text).split())
