"""A drawn archive in CIFAR-100's format, for machines that cannot download the real one."""

from __future__ import annotations

from pathlib import Path

ARCHIVE = Path("build/cifar-100-like.tar.gz")
"""Where `synthesize` writes, unless told otherwise."""
OTHERS_PER_KIND = 50
"""Pictures of each kind that is not asked for as a class, in the part `train` and in the part `test`."""
