"""Every model of the register, as rows for people and for scripts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from contract.errors import UserError
from contract.intervals import wilson_interval
from contract.moments import moment
from contract.register import Measured, Version, serving_now
from contract.screen import Cell, Column
from contract.shares import percent

COLUMNS = (
    Column("version", right=True),
    Column("training job"),
    Column("trained", more=True),
    Column("dataset", more=True),
    Column("accuracy (95 %)", right=True),
    Column("threshold", right=True),
    Column("accepts", right=True),
    Column("status", more=True),
    Column("serves"),
    Column("since", more=True),
    Column("by", more=True),
)
SHORT = 12
"""Digits of a dataset's identity: as its folder in the bucket has them."""


def rows(versions: Sequence[Version], serving: str) -> list[list[Cell]]:
    """A row a version.

    Args:
        versions: of the register, the newest first.
        serving: the training job of the model that the stack's endpoint serves, as its outputs say.
    """
    latest = serving_now(versions)
    found: list[list[Cell]] = []
    for version in versions:
        model, measured = version.model, version.model.measured
        where = [each for each in version.served if latest[each.stack] is version]
        last = max(version.served, key=lambda each: each.at, default=None)
        told = ", ".join(each.stack for each in where) or ("no more" if last else "")
        found.append([
            str(version.number),
            model.job or "?",
            moment(model.trained, UTC) if model.trained else "",
            model.dataset[:SHORT],
            accuracy(measured),
            threshold(measured),
            percent(measured.accepts / measured.photos) if measured and measured.supported is not None else "",
            STATUS.get(version.status, version.status),
            (told or "now", "bold green") if model.job == serving else told,
            moment(last.at, UTC) if last else "",
            who(last.by) if last else "",
        ])  # fmt: skip
    return found


def threshold(measured: Measured | None) -> str:
    """The lowest threshold that is supported, and for what share wrong; "" before the model was measured."""
    if measured is None:
        return ""
    return f"{'none' if measured.supported is None else f'{measured.supported:g}'} for {100 * measured.target:g} %"


def who(arn: str) -> str:
    """Whoever an ARN names, without account and partition, such as `user/alice`."""
    return arn.split(":", 5)[-1]


STATUS = {"PendingManualApproval": "not approved", "Approved": "approved", "Rejected": "rejected"}
"""What SageMaker's words mean here."""


def accuracy(measured: Measured | None) -> str:
    """A model's accuracy between the classes, with its interval; "" before it was measured."""
    if measured is None:
        return ""
    low, high = wilson_interval(measured.right, measured.photos)
    return f"{measured.accuracy:.3f} ({low:.3f} to {high:.3f})"


def document(versions: Sequence[Version], serving: str) -> list[dict[str, object]]:
    """The same for scripts: all that the register holds, and `serves`, the stacks that serve it now."""
    latest = serving_now(versions)
    return [
        {
            **plain(version),
            "serves": [each.stack for each in version.served if latest[each.stack] is version],
            "serves_here": version.model.job == serving,
            "accuracy": None
            if version.model.measured is None
            else {
                "value": version.model.measured.accuracy,
                "interval": list(wilson_interval(version.model.measured.right, version.model.measured.photos)),
            },
        }
        for version in versions
    ]


def plain(version: Version) -> dict[str, object]:
    """A version as JSON has it, with times as ISO 8601 writes them."""
    return json.loads(json.dumps(asdict(version), default=datetime.isoformat))


def pick(versions: Sequence[Version], word: str) -> Version:
    """The version that somebody names: by its number, or its training job, of which the end is enough.

    Raises:
        UserError: none is meant, or several are.
    """
    exact = [each for each in versions if word in (str(each.number), each.model.job)]
    found = exact or [each for each in versions if word and each.model.job.endswith(word)]
    if len(found) == 1:
        return found[0]
    known = ", ".join(f"{each.number} ({each.model.job})" for each in versions) or "none"
    what = "no version" if not found else "more than one version"
    raise UserError(f"{word!r} is {what} of the register, which holds {known}")


def age(at: datetime, now: datetime) -> str:
    """How long ago something was, in the largest unit that is not 0."""
    seconds = max(0, int((now - at).total_seconds()))
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
