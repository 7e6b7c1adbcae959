"""Where the local cloud keeps what it knows, below the project's folder."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(".localcloud")
STACKS = "stacks"
OUTPUTS = "outputs.json"


def stack_folder(root: Path, stack: str) -> Path:
    """Where a stack's state and outputs are."""
    return root / FOLDER / STACKS / stack


def outputs_file(root: Path, stack: str) -> Path:
    """What a stack exported at its last `up`; there is none before it."""
    return stack_folder(root, stack) / OUTPUTS
