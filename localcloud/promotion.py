"""The demo's promotion: a stack takes the model of another one, once with a threshold that is too low."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console

from contract.errors import UserError
from contract.evidence import parse_evidence
from contract.names import setting
from contract.promotion import DECIMALS, lowest_named, s3_place
from contract.screen import write_line
from contract.stacks import read_stack, stack_names
from localcloud.cloud import Cloud
from localcloud.commands.up import bring_up
from localcloud.deployment import Deployment, connect
from localcloud.photos import Classification, Photo

THRESHOLD = "confidenceThreshold"


@dataclass(frozen=True, slots=True)
class Promotion:
    """What came of it: the refusal in the program's words, and the threshold with which the stack came up."""

    stack: str
    refusal: str
    threshold: float | None = None
    """None when the evidence supports no threshold, so that the stack did not come up."""
    decision: str = ""
    """Of one photo, by the promoted model."""

    def as_plain(self) -> dict[str, object]:
        """For the summary."""
        return asdict(self)


def source_of(root: Path, stack: str, overrides: Mapping[str, str] | None = None) -> str:
    """The stack whose model a stack takes, or "" when it trains its own."""
    return read_stack(root, stack, overrides).delivered().get(setting("modelFrom"), "")


def target_of(root: Path, source: str) -> str | None:
    """The first stack that takes its model from `source`."""
    return next((name for name in stack_names(root) if source_of(root, name) == source), None)


def promote(stack: str, settings: Mapping[str, str], evidence: Path, photo: Photo | None, out: Console) -> Promotion:
    """Bring a stack up with another one's model: refused first, then with a threshold that is supported.

    Args:
        stack: which.
        settings: beyond the stack's file.
        evidence: what the evaluation left.
        photo: is classified at the end, if there is one.
        out: where it is told.
    """
    measured = parse_evidence(evidence.read_bytes(), str(evidence))
    given = {key: value for key, value in settings.items() if key.rpartition(":")[2] != THRESHOLD}
    delivered = read_stack(Path.cwd(), stack, given).delivered()
    target = float(delivered[setting("targetRiskPercent")]) / 100
    # as low as the settings allow: nearly everything would be accepted
    low = 1 / len(measured.labels) + 10**-DECIMALS
    refusal = ""
    try:
        bring_up(stack, {**given, THRESHOLD: f"{low:.{DECIMALS}f}"})
    except UserError as error:
        refusal = str(error)
        write_line(f"refused: {refusal}", out)
    wanted = float(delivered[setting(THRESHOLD)])
    threshold = wanted if measured.supports(wanted, target) else lowest_named(measured, target)
    if threshold is None:
        write_line(f"no threshold is supported, so {stack} does not come up", out)
        return Promotion(stack, refusal)
    bring_up(stack, {**given, THRESHOLD: f"{threshold:g}"})
    cloud, deployment = connect(Path.cwd(), stack)
    same = "the same bytes" if artifact_of(cloud, deployment) == _source_artifact(deployment) else "OTHER BYTES"
    source = delivered[setting("modelFrom")]
    write_line(f"{stack} serves {deployment.outputs['trainingJobName']} ({same} as {source}'s) at {threshold:g}", out)
    if photo is None:
        return Promotion(stack, refusal, threshold)
    (result,) = Classification(cloud, deployment).run([photo], lambda _: None)
    write_line(f"{result.photo}: {result.word}, {result.label} at {result.confidence or 0:.3f}", out)
    return Promotion(stack, refusal, threshold, result.decision)


def artifact_of(cloud: Cloud, deployment: Deployment) -> bytes:
    """The bytes of the model that a stack serves."""
    bucket, key = s3_place(str(deployment.outputs["modelArtifact"]))
    return cloud.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()


def _source_artifact(deployment: Deployment) -> bytes:
    source, other = connect(Path.cwd(), deployment.settings[setting("modelFrom")])
    return artifact_of(source, other)
