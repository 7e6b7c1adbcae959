"""Every policy of the pack."""

from __future__ import annotations

from pulumi_policy import Policy

from policy.rule import RULES
from policy.rules import access, compute, messages, model, observation, storage, whole

FILES = (storage, access, compute, messages, model, observation, whole)
"""Where the rules are declared; importing them is what fills the list."""


def policies() -> list[Policy]:
    """The policies, in the order of declaration."""
    return [rule.policy for rule in RULES.values()]
