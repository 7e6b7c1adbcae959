"""Runs the unmodified `__main__.py` of a folder for one of its stacks, with somebody else as Pulumi's engine."""

from __future__ import annotations

import gc
import os
import runpy
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pulumi

from components.settings import SettingsError
from contract.errors import UserError
from contract.stacks import read_stack, told_together
from localcloud.registration import Engine, Monitor, Run, register


def run_program(
    root: Path,
    stack: str,
    engine: Engine,
    *,
    overrides: Mapping[str, str] | None = None,
    preview: bool = False,
    environment: Mapping[str, str] | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Run:
    """Run `__main__.py` in `root` for `stack`.

    Args:
        root: the project's folder.
        stack: dev, prod, …
        engine: makes the resources.
        overrides: configuration beyond the stack's file.
        preview: whether outputs that the engine leaves out are unknown.
        environment: variables that the program and its hooks see, instead of all `AWS_…` of this process.
        say: takes what the program says by `pulumi.log`.

    Raises:
        UserError: the configuration, the program or the engine refused; the message says what.
    """
    configured = read_stack(root, stack, overrides)
    # with problems the program runs all the same, so that its own complaints come out with these; nothing is created
    problems = configured.problems()
    monitor = Monitor(engine, UserError(told_together(problems, stack)) if problems else None)
    try:
        # here and not in the program's thread, which an interrupt leaves behind: the folder is the whole process's
        with _environment(environment), _inside(root), _uncollected():
            return register(
                lambda: runpy.run_path("__main__.py", run_name="__main__"),
                monitor,
                project=configured.project,
                stack=stack,
                configuration=_without_provider(configured.delivered()),
                preview=preview,
                say=say,
            )
    except SystemExit as stop:
        raise UserError(str(stop.code)) from stop
    except SettingsError as refusal:
        raise UserError(told_together(configured.problems(refusal.problems), stack)) from refusal
    except Exception as fault:
        first = monitor.fault or fault
        raise _readable(first) from (None if first is fault else fault)


def _without_provider(configuration: Mapping[str, str]) -> dict[str, str]:
    """A configuration without what it says to Pulumi's provider, the region aside: here the emulators are elsewhere."""
    return {key: value for key, value in configuration.items() if not key.startswith("aws:") or key == "aws:region"}


def _readable(fault: BaseException) -> BaseException:
    """What the program tells its user is one sentence here too; anything else is a bug and stays as it is."""
    told = isinstance(fault, UserError | pulumi.RunError)
    return UserError(str(fault)) if told else fault


@contextmanager
def _environment(variables: Mapping[str, str] | None) -> Generator[None]:
    before = dict(os.environ)
    if variables is not None:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            del os.environ[name]
        os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _inside(root: Path) -> Generator[None]:
    before, path = Path.cwd(), list(sys.path)
    os.chdir(root)
    sys.path.insert(0, str(root))
    try:
        yield
    finally:
        os.chdir(before)
        sys.path[:] = path


@contextmanager
def _uncollected() -> Generator[None]:
    """Leave garbage alone: the provider's package makes hundreds of thousands of objects, and they all stay."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()
