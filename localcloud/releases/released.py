"""A graph as a release keeps it: small, and the same whatever the dataset, the layer and the checkout."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict, cast

from contract.errors import UserError
from localcloud.releases.replacing import JOB, MAKES_THE_MODEL, REPLACING
from training.job.hyperparameters import FROM_THE_DATASET

FOLDER = Path("releases")
UNKNOWN = "unknown"
"""How a graph writes what only AWS would tell."""
CONTENT, DIGEST, THE_JOB = "(content)", "(digest)", "(job)"
"""What stands for a file's content, for a hash of the dataset and for the name of the training job."""


class Released(TypedDict):
    """A resource of a release."""

    type: str
    parent: str
    """URN of its component."""
    inputs: dict[str, Any]
    """Those whose change replaces it."""


Release = dict[str, Released]
"""The resources by URN."""


def released(graph: Sequence[Mapping[str, Any]]) -> Release:
    """What a release keeps of a graph that was made as in a preview, where what AWS would tell is unknown."""
    job = job_of(graph)
    return {
        lasting(str(each["urn"]), job): Released(
            type=each["type"], parent=lasting(str(each["parent"]), job), inputs=_kept(each, job)
        )
        for each in graph
    }


def job_of(graph: Sequence[Mapping[str, Any]]) -> str | None:
    """The name of the training job, which changes with the dataset."""
    return next((str(each["inputs"]["trainingJobName"]) for each in graph if each["type"] == JOB), None)


def lasting(text: str, job: str | None) -> str:
    """A text without what changes with the dataset."""
    return re.sub(r"\b[0-9a-f]{12,64}\b", DIGEST, text.replace(job, THE_JOB) if job else text)


def _kept(entry: Mapping[str, Any], job: str | None) -> dict[str, Any]:
    inputs: Mapping[str, Any] = entry["inputs"]
    if entry["type"] == JOB:
        kept = {key: inputs[key] for key in MAKES_THE_MODEL if key in inputs}
        parameters: Mapping[str, str] = kept.get("hyperParameters", {})
        kept["hyperParameters"] = {key: value for key, value in parameters.items() if key not in FROM_THE_DATASET}
    else:
        # None is what the provider is not told
        kept = {key: inputs[key] for key in REPLACING.get(entry["type"], {}) if inputs.get(key) is not None}
    return {key: _plain(value, job) for key, value in sorted(kept.items())}


def _plain(value: Any, job: str | None) -> Any:
    if isinstance(value, Mapping):
        structure = cast("Mapping[str, Any]", value)
        if structure.keys() & {"asset", "archive"}:
            return CONTENT
        return {key: _plain(item, job) for key, item in structure.items() if item is not None}
    if isinstance(value, list):
        return [_plain(item, job) for item in cast("list[Any]", value)]
    if isinstance(value, str):
        return lasting(value, job)
    return value


def file_of(root: Path, stack: str) -> Path:
    """Where a stack's last release is kept."""
    return root / FOLDER / f"graph-{stack}.json"


def read_release(root: Path, stack: str) -> Release:
    """The last release of a stack.

    Raises:
        UserError: there is none.
    """
    path = file_of(root, stack)
    try:
        return json.loads(path.read_text(encoding="utf-8"))["resources"]
    except FileNotFoundError as error:
        raise UserError(
            f"{path.relative_to(root)} is not there: no graph of stack {stack} was ever released (graph --release)"
        ) from error


def write_release(root: Path, stack: str, version: str, release: Release) -> Path:
    """Keep a stack's graph as the last release."""
    path = file_of(root, stack)
    path.parent.mkdir(exist_ok=True)
    # a line a resource, so that a diff of two releases reads like one
    lines = (f"{json.dumps(urn)}: {json.dumps(kept, sort_keys=True)}" for urn, kept in sorted(release.items()))
    head = f'"version": {json.dumps(version)},\n"stack": {json.dumps(stack)}'
    text = ",\n".join(lines)
    path.write_text(f'{{\n{head},\n"resources": {{\n{text}\n}}\n}}\n', encoding="utf-8")
    return path
