"""How a command is told which stack it is about."""

from __future__ import annotations

from contract.invocation import command
from contract.outputs import VARIABLE


def outputs_needed(*words: str) -> str:
    """How to give the outputs of a stack to a command of ours, in the middle of a sentence.

    Args:
        words: the command, such as `evaluate`, `--upload-baseline`.
    """
    local = command("localcloud", "run", "--", "python", "-m", "training", *words)
    return f"the stack's outputs with --outputs FILE or ${VARIABLE}; of the local cloud: {local}"
