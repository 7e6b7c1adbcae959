"""The one choice about encryption: a customer's key where there is one, else what AWS manages."""

from __future__ import annotations

from components.parts.iam import Statement, use_key


def key_grant(key_arn: str | None) -> list[Statement]:
    """What a role needs beside its other rights when things are encrypted with a customer's key."""
    return [use_key(key_arn)] if key_arn else []
