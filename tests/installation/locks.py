"""The locks as the tests read them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
RUN, DEVELOP, LAYER = "requirements.txt", "requirements-dev.txt", "handlers/requirements.txt"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def pins(lock: str) -> list[Requirement]:
    """What a lock pins, markers included."""
    lines = (ROOT / lock).read_text().splitlines()
    return [Requirement(line.rstrip("\\ ")) for line in lines if re.match(r"\w", line)]


def pins_here(lock: str) -> dict[str, Requirement]:
    """What a lock pins for this Python and machine, by name."""
    return {canonicalize_name(pin.name): pin for pin in pins(lock) if not pin.marker or pin.marker.evaluate()}


def version(pin: Requirement) -> str:
    """The version that `pin` pins."""
    (specifier,) = pin.specifier
    return specifier.version


def declared(group: str | None = None) -> dict[str, Requirement]:
    """What pyproject.toml asks for, by name: to run, or in a dependency group."""
    words = PROJECT["dependency-groups"][group] if group else PROJECT["project"]["dependencies"]
    return {canonicalize_name(asked.name): asked for asked in map(Requirement, words)}
