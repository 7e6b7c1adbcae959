"""Runs the unmodified `__main__.py` on Pulumi's Python runtime, with somebody else as its engine.

Pulumi's mocks hook hands every resource that the program registers, in dependency order, to `Engine`, and
gives the program what the engine returns as the resource's outputs (Pulumi, "Unit testing").
"""

from __future__ import annotations

import asyncio
import logging
import os
import runpy
import sys
import threading
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, cast

import pulumi
from google.protobuf import empty_pb2
from pulumi.runtime import mocks, rpc
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.settings import get_root_resource
from pulumi.runtime.sync_await import _ensure_event_loop, _sync_await  # pyright: ignore[reportPrivateUsage]

from components.settings import SettingsError
from contract.errors import UserError
from contract.names import PROJECT
from contract.stacks import read_stack, told_together
from localcloud.functions import Refused
from localcloud.hooks import MOMENTS, Hook, Moment, Step


@dataclass(frozen=True, slots=True)
class Registration:
    """One resource as the program registers it; `inputs` by their names in the provider's schema (camelCase)."""

    urn: str
    type: str
    name: str
    parent: str
    custom: bool
    inputs: Mapping[str, Any]
    dependencies: tuple[str, ...]
    ignore_changes: tuple[str, ...] = ()
    """Inputs whose change the program says to ignore."""
    retained: bool = False
    """Whether the program wants it kept when it is deleted."""
    hooks: Mapping[Moment, tuple[Hook, ...]] = field(default_factory=dict[Moment, tuple[Hook, ...]])

    def run_hooks(self, moment: Moment, **known: Any) -> None:
        """Run the hooks that the program bound to this moment of the resource; `known` as in `Step`.

        Raises:
            UserError: one of them failed.
        """
        for hook in self.hooks.get(moment, ()):
            hook.run(Step(self.urn, self.name, self.type, **known))


class Engine(Protocol):
    """Who makes resources of registrations."""

    def create(self, registration: Registration) -> tuple[str, Mapping[str, Any]]:
        """The resource's id, and its outputs; what is left out is unknown in a preview."""
        ...

    def invoke(self, token: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answer of a provider's function."""
        ...


@dataclass(slots=True)
class Run:
    """What a run of the program left: its resources in order of registration, and its stack outputs."""

    registrations: list[Registration] = field(default_factory=list[Registration])
    outputs: dict[str, Any] = field(default_factory=dict[str, Any])


class _Mocks(mocks.Mocks):
    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def call(self, args: mocks.MockCallArgs) -> Any:
        try:
            return dict(self.engine.invoke(args.token, cast("dict[str, Any]", args.args)))
        except Refused as refusal:
            return {}, [(refusal.argument, refusal.reason)]

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        raise AssertionError("the monitor below hands registrations over itself")


class _Monitor(mocks.MockMonitor):
    """The mocks' monitor, which also sees what `new_resource` is not told: parent, dependencies, faults."""

    def __init__(self, engine: Engine, run: Run) -> None:
        super().__init__(_Mocks(engine))
        self.engine, self.run = engine, run
        self.fault: BaseException | None = None
        self.hooks: dict[str, Hook] = {}
        self.interrupted = threading.Event()

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        # as the engine builds it; the mocks' own name the stack's type in it and no more than one parent
        above = parent.split("::")[2] if parent else "pulumi:pulumi:Stack"
        qualified = type_ if above == "pulumi:pulumi:Stack" else f"{above}${type_}"
        return "urn:pulumi:" + "::".join([pulumi.get_stack(), pulumi.get_project(), qualified, name])

    def RegisterResource(self, request: Any) -> Any:

        urn = self.make_urn(request.parent, request.type, request.name)
        if request.type == "pulumi:pulumi:Stack":
            return resource_pb2.RegisterResourceResponse(urn=urn)
        _ensure_event_loop()
        named = {urn for entry in request.propertyDependencies.values() for urn in entry.urns}
        registration = Registration(
            urn,
            request.type,
            request.name,
            request.parent,
            bool(request.custom),
            rpc.deserialize_properties(request.object, keep_unknowns=True),
            tuple(sorted(named | set(request.dependencies))),
            tuple(request.ignoreChanges),
            bool(request.retainOnDelete),
            {moment: tuple(self.hooks[name] for name in getattr(request.hooks, moment)) for moment in MOMENTS},
        )
        try:
            if self.fault:
                raise UserError("not created, since another resource failed")
            if urn in self.resources:
                raise UserError(f"{urn} is registered twice")
            identity: str = ""
            outputs: Mapping[str, Any] = {}
            if request.custom:
                identity, outputs = self.engine.create(registration)
        except BaseException as fault:
            self.fault = self.fault or fault
            raise
        self.resources[urn] = mocks.MockMonitor.ResourceRegistration(urn, identity, dict(outputs))
        self.run.registrations.append(registration)
        properties = _sync_await(rpc.serialize_properties(dict(outputs), {}))
        return resource_pb2.RegisterResourceResponse(urn=urn, id=identity, object=properties)

    def RegisterResourceHook(self, request: Any) -> Any:
        if request.name in self.hooks:
            raise UserError(f"the hook {request.name} is registered twice")
        self.hooks[request.name] = Hook(
            request.name,
            request.callback.target,
            request.callback.token,
            request.ignore_errors,
            request.on_dry_run,
            self.interrupted,
        )
        return empty_pb2.Empty()


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
    configuration = configured.delivered()
    run = Run()
    monitor = _Monitor(engine, run)

    # Pulumi's own runner for programs under mocks: it waits for every output before it returns
    @pulumi.runtime.test
    def program() -> Any:
        runpy.run_path("__main__.py", run_name="__main__")
        return pulumi.Output.all(**_exports()).apply(run.outputs.update)

    def work() -> None:
        pulumi.runtime.set_mocks(mocks=monitor.mocks, project=PROJECT, stack=stack, preview=preview, monitor=monitor,
                                 logger=_logger(say))  # fmt: skip
        pulumi.runtime.set_all_config(configuration)
        program()

    if problems := configured.problems():
        # the program runs all the same, so that its own complaints come out with these; nothing is created
        monitor.fault = UserError(told_together(problems, stack))
    try:
        # here and not in the thread, which an interrupt leaves behind: the folder is the whole process's
        with _environment(environment), _inside(root):
            _aside(work)
    except SystemExit as stop:
        raise UserError(str(stop.code)) from stop
    except SettingsError as refusal:
        raise UserError(told_together(configured.problems(refusal.problems), stack)) from refusal
    except Exception as fault:
        first = monitor.fault or fault
        raise _readable(first) from (None if first is fault else fault)
    except KeyboardInterrupt as interrupt:
        # what is still to be registered comes to nothing
        monitor.fault = monitor.fault or interrupt
        monitor.interrupted.set()
        raise
    if monitor.fault:
        raise _readable(monitor.fault)
    return run


def _aside(work: Callable[[], None]) -> None:
    """Work in another thread: Ctrl-C ends the waiting and not an arbitrary step of Pulumi's event loop.

    A thread also has a context of its own, and so a Pulumi stack that holds no exports of an earlier run.
    """
    done: Future[None] = Future()

    def target() -> None:
        # a thread has no event loop before it is given one
        asyncio.set_event_loop(asyncio.new_event_loop())
        try:
            done.set_result(work())
        except BaseException as fault:
            # told once: asyncio would tell it again for every output that waited for it
            logging.getLogger("asyncio").setLevel(logging.CRITICAL)
            done.set_exception(fault)

    threading.Thread(target=target, daemon=True).start()
    done.result()


def _exports() -> dict[str, Any]:
    return dict(get_root_resource().outputs)  # type: ignore[union-attr]


def _readable(fault: BaseException) -> BaseException:
    """What the program tells its user is one sentence here too; anything else is a bug and stays as it is."""
    told = isinstance(fault, UserError | pulumi.RunError)
    return UserError(str(fault)) if told else fault


def _logger(say: Callable[[str], None]) -> logging.Logger:
    """A logger whose lines go to `say`, debugging aside."""

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            prefix = "" if record.levelno == logging.INFO else f"{record.levelname.lower()}: "
            say(f"{prefix}{record.getMessage()}")

    logger = logging.Logger("pulumi", logging.INFO)
    logger.addHandler(Handler())
    return logger


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
