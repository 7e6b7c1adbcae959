"""What a program registers, on Pulumi's Python runtime, with somebody else as its engine.

Pulumi's mocks hook hands every resource that a program registers, in dependency order, to `Engine`, and gives the
program what the engine returns as the resource's outputs (Pulumi, "Unit testing").
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

import pulumi
from google.protobuf import empty_pb2
from pulumi.runtime import mocks, rpc
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.settings import get_root_resource
from pulumi.runtime.sync_await import _ensure_event_loop, _sync_await  # pyright: ignore[reportPrivateUsage]

from contract.errors import UserError
from localcloud.functions import Refused
from localcloud.hooks import MOMENTS, Hook, Moment, Step
from localcloud.releases.aliases import Earlier, earlier


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
    deleted_first: bool = False
    """Whether the program wants it deleted before its successor is created."""
    timeouts: Mapping[str, str] = field(default_factory=dict[str, str])
    """How long the engine may take for a step, such as `{"create": "15m"}` (Pulumi's option `custom_timeouts`)."""
    hooks: Mapping[Moment, tuple[Hook, ...]] = field(default_factory=dict[Moment, tuple[Hook, ...]])
    aliases: tuple[Earlier, ...] = ()
    """What it was called before."""
    protected: bool = False
    """Whether the program wants nobody to delete it."""

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

    def read(self, type_: str, identity: str) -> Mapping[str, Any]:
        """The outputs of a resource that the program only looks at, by its type and id."""
        ...

    def invoke(self, token: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answer of a provider's function."""
        ...


@dataclass(slots=True)
class Run:
    """What a run of the program left: its resources in order of registration, and its stack outputs."""

    registrations: list[Registration] = field(default_factory=list[Registration])
    outputs: dict[str, Any] = field(default_factory=dict[str, Any])
    resource_outputs: dict[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    """What the engine made of each resource and what each component registered as its outputs, by URN."""


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


class Monitor(mocks.MockMonitor):
    """The mocks' monitor, which also sees what `new_resource` is not told: parent, dependencies, options, faults.

    The first `fault` ends the run; one that is there from the start lets the program speak and creates nothing.
    """

    def __init__(self, engine: Engine, fault: BaseException | None = None) -> None:
        super().__init__(_Mocks(engine))
        self.engine, self.fault, self.run = engine, fault, Run()
        self.hooks: dict[str, Hook] = {}
        self.looked_at: dict[str, set[str]] = {}
        """What each resource that is only looked at depends on, by URN."""
        self.interrupted = threading.Event()
        self.loops: set[asyncio.AbstractEventLoop] = set()
        """An event loop a thread that has handed something over."""

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """As the engine builds it; the mocks' own name the stack's type in it and no more than one parent."""
        above = parent.split("::")[2] if parent else "pulumi:pulumi:Stack"
        qualified = type_ if above == "pulumi:pulumi:Stack" else f"{above}${type_}"
        return "urn:pulumi:" + "::".join([pulumi.get_stack(), pulumi.get_project(), qualified, name])

    def RegisterResource(self, request: Any) -> Any:
        """Hand a resource to the engine, and its outputs to the program."""
        urn = self.make_urn(request.parent, request.type, request.name)
        if request.type == "pulumi:pulumi:Stack":
            return resource_pb2.RegisterResourceResponse(urn=urn)
        self.loops.add(_ensure_event_loop())
        named = {urn for entry in request.propertyDependencies.values() for urn in entry.urns}
        needed = {each for urn in named | set(request.dependencies) for each in self.looked_at.get(urn, {urn})}
        limits = request.customTimeouts
        registration = Registration(
            urn,
            request.type,
            request.name,
            request.parent,
            bool(request.custom),
            rpc.deserialize_properties(request.object, keep_unknowns=True),
            tuple(sorted(needed)),
            tuple(request.ignoreChanges),
            bool(request.retainOnDelete),
            bool(request.deleteBeforeReplace),
            {step: limit for step in ("create", "update", "delete") if (limit := str(getattr(limits, step)))},
            {moment: tuple(self.hooks[name] for name in getattr(request.hooks, moment)) for moment in MOMENTS},
            tuple(map(earlier, request.aliases)),
            bool(request.protect),
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
        self.run.resource_outputs[urn] = outputs
        properties = _sync_await(rpc.serialize_properties(dict(outputs), {}))
        return resource_pb2.RegisterResourceResponse(urn=urn, id=identity, object=properties)

    def ReadResource(self, request: Any) -> Any:
        """Tell the program of a resource that it only looks at."""
        self.loops.add(_ensure_event_loop())
        urn = self.make_urn(request.parent, request.type, request.name)
        try:
            if self.fault:
                raise UserError("not looked at, since another resource failed")
            known = request.id not in ("", rpc.UNKNOWN)
            outputs = self.engine.read(request.type, request.id) if known else dict[str, Any]()
        except BaseException as fault:
            self.fault = self.fault or fault
            raise
        self.resources[urn] = mocks.MockMonitor.ResourceRegistration(urn, request.id, dict(outputs))
        self.looked_at[urn] = {each for urn in request.dependencies for each in self.looked_at.get(urn, {urn})}
        properties = _sync_await(rpc.serialize_properties(dict(outputs), {}))
        return resource_pb2.ReadResourceResponse(urn=urn, properties=properties)

    def RegisterResourceOutputs(self, request: Any) -> Any:
        """Note what a component says that it has made."""
        self.loops.add(_ensure_event_loop())
        if request.urn in self.run.resource_outputs:
            found = rpc.deserialize_properties(request.outputs, keep_unknowns=True)
            self.run.resource_outputs[request.urn] = found
        return empty_pb2.Empty()

    def RegisterResourceHook(self, request: Any) -> Any:
        """Note a function of the program that resources may bind to their steps."""
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


def register(
    program: Callable[[], object],
    monitor: Monitor,
    *,
    project: str,
    stack: str,
    configuration: Mapping[str, str] | None = None,
    preview: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> Run:
    """Run `program` until all that it registers is there.

    Args:
        program: makes resources and exports outputs.
        monitor: hands over to the engine; its `fault` came before what is raised here, if there are both.
        project: the project's name.
        stack: the stack's name.
        configuration: settings by full key, as Pulumi delivers them.
        preview: whether outputs that the engine leaves out are unknown.
        say: takes what the program says by `pulumi.log`.

    Raises:
        BaseException: what the program or the engine raised.
    """

    # Pulumi's own runner for programs under mocks: it waits for every output before it returns
    @pulumi.runtime.test
    def whole() -> Any:
        program()
        exported: dict[str, Any] = dict(get_root_resource().outputs)  # type: ignore[union-attr]
        return pulumi.Output.all(**exported).apply(monitor.run.outputs.update)

    def work() -> None:
        pulumi.runtime.set_mocks(
            mocks=monitor.mocks, project=project, stack=stack, preview=preview, monitor=monitor, logger=_logger(say)
        )
        pulumi.runtime.set_all_config(dict(configuration or {}))
        whole()

    try:
        _aside(work, monitor.loops)
    except KeyboardInterrupt as interrupt:
        # what is still to be registered comes to nothing
        monitor.fault = monitor.fault or interrupt
        monitor.interrupted.set()
        raise
    if monitor.fault:
        raise monitor.fault
    return monitor.run


def _aside(work: Callable[[], None], loops: set[asyncio.AbstractEventLoop]) -> None:
    """Work in another thread: Ctrl-C ends the waiting and not an arbitrary step of Pulumi's event loop.

    A thread also has a context of its own, and so a Pulumi stack that holds no exports of an earlier run. Threads and
    `loops` of the work end with it.
    """
    done: Future[None] = Future()

    def target() -> None:
        # a thread has no event loop before it is given one
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        try:
            done.set_result(work())
        except BaseException as fault:
            # told once: asyncio would tell it again for every output that waited for it
            logging.getLogger("asyncio").setLevel(logging.CRITICAL)
            done.set_exception(fault)
        finally:
            loop.run_until_complete(loop.shutdown_default_executor())
            for each in (loop, *loops):
                each.close()

    threading.Thread(target=target, daemon=True).start()
    done.result()


def _logger(say: Callable[[str], None]) -> logging.Logger:
    """A logger whose lines go to `say`, debugging aside."""

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            prefix = "" if record.levelno == logging.INFO else f"{record.levelname.lower()}: "
            say(f"{prefix}{record.getMessage()}")

    logger = logging.Logger("pulumi", logging.INFO)
    logger.addHandler(Handler())
    return logger
