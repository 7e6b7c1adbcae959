"""How good a model is on held-out photos, and which threshold that supports."""

from __future__ import annotations

WORKERS = 8
"""Requests that an evaluation has under way at once."""
