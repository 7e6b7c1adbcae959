"""Two versions of the register side by side."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from contract.errors import UserError
from contract.moments import moment
from contract.prefixes import EVIDENCE_FILE, PREDICTIONS_FILE
from contract.promotion import s3_place
from contract.register import Version
from contract.screen import Cell, Column
from contract.shares import percent
from operations.models.listing import STATUS, accuracy, plain, threshold
from operations.retrain.comparison import Comparison, Paired, compare
from training.evaluation.predictions import Predictions, read_predictions

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class SideBySide:
    """What two versions have in common, and what not."""

    first: Version
    second: Version
    differ: Sequence[str]
    """The hyperparameters of which they have different values."""
    paired: Comparison | None
    """On the very same photos; None when they were not asked about the same."""
    why_not: str
    """Why there is no paired test; empty when there is one."""

    @property
    def told(self) -> list[str]:
        """The paired test in sentences, or why there is none."""
        if self.paired is None:
            return [f"no paired test: {self.why_not}"]
        names = f"version {self.second.number} against version {self.first.number}"
        lines = [f"{name}: {_sentence(each)}" for name, each in self.paired.sets.items()]
        if self.paired.corrected:
            lines.append(f"corrections, held out: {_sentence(self.paired.corrected)}")
        return [*lines, f"{names}: {self.paired.verdict}"]


def compare_versions(first: Version, second: Version, s3: S3Client) -> SideBySide:
    """Compare two versions, on the photos that both were asked about, if they left their answers.

    Args:
        first: the one that is compared with.
        second: the other.
        s3: reads the predictions beside the evidence of each.
    """
    a, b = first.model.hyperparameters, second.model.hyperparameters
    differ = sorted(name for name in a.keys() | b.keys() if a.get(name) != b.get(name))
    try:
        paired, why_not = compare(_predictions(first, s3), _predictions(second, s3)), ""
    except UserError as error:
        paired, why_not = None, str(error)
    return SideBySide(first, second, differ, paired, why_not)


def columns(compared: SideBySide) -> tuple[Column, ...]:
    """What is compared, and a column a version."""
    return (Column(""), *(Column(f"version {each.number}") for each in (compared.first, compared.second)))


def rows(compared: SideBySide) -> list[list[Cell]]:
    """A row for each thing that is known of one of the two; hyperparameters only where they differ."""
    both = (compared.first, compared.second)

    def row(name: str, *told: str) -> list[Cell]:
        return [name, *told]

    found = [
        row("training job", *(each.model.job for each in both)),
        row("trained", *(moment(each.model.trained, UTC) if each.model.trained else "" for each in both)),
        row("dataset", *(each.model.dataset for each in both)),
        *(row(name, *(each.model.hyperparameters.get(name, "") for each in both)) for name in compared.differ),
        row("accuracy (95 %)", *(accuracy(each.model.measured) for each in both)),
        row("threshold", *(threshold(each.model.measured) for each in both)),
        row("accepts", *(_accepts(each) for each in both)),
        row("status", *(STATUS.get(each.status, each.status) for each in both)),
    ]
    return [each for each in found if any(each[1:])]


def document(compared: SideBySide) -> dict[str, Any]:
    """The same for scripts."""
    return {
        "versions": [plain(compared.first), plain(compared.second)],
        "hyperparameters_that_differ": list(compared.differ),
        "paired": None if compared.paired is None else asdict(compared.paired),
        "why_not_paired": compared.why_not or None,
    }


def _accepts(version: Version) -> str:
    measured = version.model.measured
    if measured is None or measured.supported is None:
        return ""
    return percent(measured.accepts / measured.photos)


def _sentence(paired: Paired) -> str:
    low, high = paired.difference
    return (
        f"{paired.now} and {paired.new} of {paired.photos} right, {paired.gained} only by the second, "
        f"{paired.lost} only by the first; difference {low:+.3f} to {high:+.3f} (95 %), "
        f"p = {paired.p:.3g} (McNemar, exact)"
    )


def _predictions(version: Version, s3: S3Client) -> Predictions:
    """What a version answered about held-out photos.

    Raises:
        UserError: it was not measured, or left no predictions that can be read.
    """
    if version.model.measured is None:
        raise UserError(f"version {version.number} was not evaluated")
    uri = version.model.measured.evidence.removesuffix(EVIDENCE_FILE) + PREDICTIONS_FILE
    bucket, key = s3_place(uri)
    try:
        content = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        raise UserError(f"the predictions of version {version.number} can't be read in {uri} ({error})") from error
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / PREDICTIONS_FILE
        path.write_bytes(content)
        return read_predictions(path)
