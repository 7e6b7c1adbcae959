"""Looks at the model that a stack serves, and at its evidence, while the program starts: before anything is created.

The outputs are read by the engine's own function, as a StackReference reads them, and not by that resource: its
outputs come when other resources are registered already, and nothing may be before a model is known to be fit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import cast

import pulumi
from pulumi_aws import s3

from components.parts.promoted_model import BaselineArgs, PromotedModelArgs
from contract.errors import UserError
from contract.evidence import Evidence, parse_evidence
from contract.invocation import command
from contract.outputs import parse_outputs
from contract.prefixes import ARTIFACT_FILE, EVIDENCE_FILE, MATERIALS_FILE, MEASURED_FILES, MODEL_BASELINE_FILE
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
    beside: Mapping[str, str] = field(default_factory=dict[str, str])
    """What else the evaluation left, each with its e-tag."""

    @property
    def baseline(self) -> BaselineArgs | None:
        """The model's baseline, if the evaluation left one."""
        etag = self.beside.get(MODEL_BASELINE_FILE)
        folder = "/".join(s3_place(self.model.evidence)).removesuffix(EVIDENCE_FILE)
        return {"source": folder + MODEL_BASELINE_FILE, "etag": etag} if etag else None

    def as_promoted(self) -> PromotedModelArgs:
        """The model as a TrainingEndpoint takes it."""
        artifact, evidence = ("/".join(s3_place(uri)) for uri in (self.model.artifact, self.model.evidence))
        materials = artifact.removesuffix(ARTIFACT_FILE) + MATERIALS_FILE
        args: PromotedModelArgs = {"job_name": self.model.name, "artifact": artifact, "materials": materials}
        if self.etag:
            files = {name: etag for name, etag in self.beside.items() if name != MODEL_BASELINE_FILE}
            args.update({"evidence": evidence, "evidence_etag": self.etag})
            if files:
                args["beside"] = files
        if self.model.register:
            args["register"] = self.model.register
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
    # a stack's own model is where it is already
    beside = _beside(model) if job or stack != pulumi.get_stack() else {}
    return MeasuredModel(model, evidence, found.etag, beside)


def _beside(model: ServedModel) -> dict[str, str]:
    """What an evaluation left of a model, beside its evidence: file -> e-tag."""
    bucket, key = s3_place(model.evidence)
    folder, found = key.removesuffix(EVIDENCE_FILE), dict[str, str]()
    for name in MEASURED_FILES:
        if name == EVIDENCE_FILE:
            continue
        try:
            found[name] = s3.get_object(bucket=bucket, key=folder + name, region=model.region or None).etag
        except Exception as error:
            # it may be from before an evaluation left this; or be forbidden, and then the copy would fail
            pulumi.log.debug(f"{folder}{name} is not taken along: {_reason(error)}")
    return found


def _reason(error: Exception) -> str:
    """What an engine or a provider says, without what every one of their messages begins with."""
    text = str(error)
    return " ".join((text.partition(" failed: ")[2] or text).split())
