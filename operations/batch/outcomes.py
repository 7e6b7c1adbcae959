"""What became of each photo of a batch, counted from the files that its ResultWriter left.

A line is a child: what ended well says in its output what was decided (components/parts/state_machine.py,
`states_in_batch`), what did not has the name of its error.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

from contract import prefixes
from contract.decisions import outcome_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(slots=True)
class BatchCounts:
    """All objects of a batch, each counted once."""

    accepted: Counter[str] = field(default_factory=Counter[str])
    """By class."""
    review: int = 0
    neither: int = 0
    again: int = 0
    """Versions that were decided before."""
    faults: Counter[str] = field(default_factory=Counter[str])
    """By error."""
    folders: int = 0
    pending: int = 0
    """Objects that no child was begun for, in a batch that was stopped."""

    @property
    def total(self) -> int:
        """All of them."""
        return (
            self.accepted.total() + self.review + self.neither + self.again + self.faults.total()
            + self.folders + self.pending
        )  # fmt: skip

    def add(self, child: Mapping[str, Any]) -> None:
        """Count a child that ended."""
        if child.get("Status") != "SUCCEEDED":
            # also one whose photo is for a person, and that no queue took
            self.faults[str(child.get("Error") or child.get("Status"))] += 1
            return
        output = cast("Mapping[str, Any]", json.loads(child.get("Output") or "{}"))
        if output.get("again"):
            self.again += 1
        elif output.get("decision") == "accepted":
            self.accepted[str(output.get("label"))] += 1
        elif (error := output.get("error")) is None:
            self.folders += 1
        elif outcome_of("FAILED", error) == "neither":
            self.neither += 1
        else:
            self.review += 1


def manifest_of(map_run: str) -> str:
    """Key of the file that names the others."""
    return f"{prefixes.BATCH_RESULTS}{map_run.rpartition(':')[2]}/manifest.json"


def count_outcomes(s3: S3Client, bucket: str, map_run: str) -> BatchCounts | None:
    """Count what became of the objects of a run; None while its results are not written, or when they have expired."""
    try:
        body = s3.get_object(Bucket=bucket, Key=manifest_of(map_run))["Body"].read()
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in ("NoSuchKey", "404"):
            return None
        raise
    files = cast("Mapping[str, Iterable[Mapping[str, str]]]", json.loads(body)["ResultFiles"])
    counts = BatchCounts()
    for status, parts in files.items():
        for part in parts:
            for line in s3.get_object(Bucket=bucket, Key=part["Key"])["Body"].iter_lines():
                if not line.strip():
                    continue
                if status == "PENDING":
                    counts.pending += 1
                else:
                    counts.add(json.loads(line))
    return counts
