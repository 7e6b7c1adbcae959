"""What a stack says of retraining: enough to train beside its program, as its program would.

It travels as one of the stack's outputs, which hold texts.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from contract.errors import UserError

YES, NO = "true", "false"
TRANSFORM_INSTANCE = "ml.m5.large"
"""What a candidate is asked on: a CPU, for which a thousand photos are minutes of work."""
ASKED, ANSWERED = "asked/", "answered/"
"""Beside a candidate's artifact, while it is asked: the held-out photos, and what it says of them."""


@dataclass(frozen=True, slots=True)
class RetrainingPlan:
    """How a stack retrains; every field is a text, as outputs are."""

    stack: str
    project: str
    role_arn: str
    """Of the role that trains and hosts."""
    image_uri: str
    instance_type: str
    spot: str
    """YES or NO."""
    max_minutes: str
    kms_key_arn: str
    """Empty for AWS's own keys."""
    requires_evidence: str
    """YES or NO."""


def parse_plan(given: Mapping[str, str]) -> RetrainingPlan:
    """The plan in a stack's output.

    Raises:
        UserError: the stack retrains nothing, or is of another version.
    """
    names = {each.name for each in dataclasses.fields(RetrainingPlan)}
    if not given:
        raise UserError("this stack retrains nothing: set retrainOnDrift true, and bring it up")
    if missing := sorted(names - given.keys()):
        raise UserError(f"the output retraining lacks {', '.join(missing)}: bring the stack up with this version")
    return RetrainingPlan(**{name: given[name] for name in names})
