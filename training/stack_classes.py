"""The labels of a stack, so that a dataset is made of those that the stack will route."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import yaml

from contract.errors import UserError
from contract.names import setting


def stack_classes(stack: str, root: Path = Path()) -> list[str]:
    """The stack's classes: its own setting, or the default of Pulumi.yaml.

    Args:
        stack: its name, such as dev.
        root: the folder of Pulumi.yaml.

    Raises:
        UserError: there is no such stack, or what it says is not a list of names.
    """
    path, value = _setting("classes", stack, root)
    if not isinstance(value, list) or not all(isinstance(name, str) for name in cast("list[object]", value)):
        raise UserError(f"{path}: {setting('classes')} must be a list of names, got {value!r}")
    return cast("list[str]", value)


def stack_neither(stack: str | None, root: Path = Path()) -> bool:
    """Whether the stack's model has a label for pictures of none of the classes.

    Args:
        stack: its name; None for the default of Pulumi.yaml.
        root: the folder of Pulumi.yaml.

    Raises:
        UserError: there is no such stack, or what it says is neither true nor false.
    """
    if stack is None and not (root / "Pulumi.yaml").is_file():
        return False
    path, value = _setting("neitherClass", stack, root)
    if value is None:
        return False
    if str(value).lower() not in ("true", "false"):
        raise UserError(f"{path}: {setting('neitherClass')} must be true or false, got {value!r}")
    return str(value).lower() == "true"


def _setting(name: str, stack: str | None, root: Path) -> tuple[Path, object]:
    """A setting's value, and the file that says so."""
    if stack is not None:
        path = root / f"Pulumi.{stack}.yaml"
        if not path.is_file():
            known = sorted(each.name.split(".")[1] for each in root.glob("Pulumi.*.yaml"))
            raise UserError(f"there is no stack {stack!r}: the stacks are {', '.join(known) or 'none here'}")
        configured = _mapping(_read(path), "config")
        if setting(name) in configured:
            return path, configured[setting(name)]
    path = root / "Pulumi.yaml"
    return path, _mapping(_mapping(_read(path), "config"), name).get("default")


def _read(path: Path) -> object:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"there is no {path}") from error
    except yaml.YAMLError as error:
        raise UserError(f"{path} is not YAML: {error}") from error


def _mapping(value: object, key: str) -> dict[str, object]:
    found = cast("dict[str, object]", value).get(key) if isinstance(value, dict) else None
    return cast("dict[str, object]", found) if isinstance(found, dict) else {}
