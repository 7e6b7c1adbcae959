"""The labels of a stack, so that a dataset is made of those that the stack will route."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from contract.errors import UserError
from contract.stacks import read_stack


def stack_classes(stack: str, root: Path = Path()) -> list[str]:
    """The stack's classes: its own setting, or the default of Pulumi.yaml.

    Raises:
        UserError: there is no such stack, or what it says is not a list of names.
    """
    configured = read_stack(root, stack)
    value = configured.setting("classes")
    if not isinstance(value, list) or not all(isinstance(name, str) for name in cast("list[object]", value)):
        key = f"{configured.project}:classes"
        source = configured.sources.get(key, "Pulumi.yaml")
        raise UserError(f"{source}: {key} must be a list of names, got {value!r}")
    return cast("list[str]", value)


def stack_neither(stack: str | None, root: Path = Path()) -> bool:
    """Whether the stack's model has a label for pictures of none of the classes.

    Args:
        stack: its name; None for the project's default, and for none where no project is.
        root: the folder of Pulumi.yaml.

    Raises:
        UserError: there is no such stack, or what it says is neither true nor false.
    """
    if stack is None and not (root / "Pulumi.yaml").is_file():
        return False
    configured = read_stack(root, stack)
    value = configured.setting("neitherClass")
    if isinstance(value, str) and value in ("true", "false"):  # as `pulumi config set` writes it
        return value == "true"
    if value is not None and not isinstance(value, bool):
        key = f"{configured.project}:neitherClass"
        raise UserError(f"{configured.sources[key]}: {key} must be true or false, got {value!r}")
    return bool(value)
