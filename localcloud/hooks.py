"""Resource hooks: functions of the program that run before or after a step, called as Pulumi's engine calls them.

The program registers each with its monitor, by a name and the address of a callbacks server that it serves itself
(RegisterResourceHook); the engine calls that server before or after it creates, updates or deletes a resource to
which the hook is bound (CallbackInvoke).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

import grpc
from pulumi.runtime import rpc
from pulumi.runtime.proto import callback_pb2, callback_pb2_grpc, resource_pb2
from pulumi.runtime.sync_await import _ensure_event_loop, _sync_await  # pyright: ignore[reportPrivateUsage]

from contract.errors import UserError

Moment = Literal["before_create", "after_create", "before_update", "after_update", "before_delete", "after_delete"]
MOMENTS: tuple[Moment, ...] = (
    "before_create", "after_create", "before_update", "after_update", "before_delete", "after_delete",
)  # fmt: skip
POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Step:
    """What is done to a resource, as a hook is told: inputs and outputs before and after, where there are any."""

    urn: str
    name: str
    type: str
    id: str = ""
    old_inputs: Mapping[str, Any] | None = None
    new_inputs: Mapping[str, Any] | None = None
    old_outputs: Mapping[str, Any] | None = None
    new_outputs: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Hook:
    """A hook that the program has registered.

    `interrupted` ends the waiting for it: a hook has no time limit of its own.
    """

    name: str
    target: str
    token: str
    ignore_errors: bool
    on_dry_run: bool
    interrupted: threading.Event

    def run(self, step: Step) -> None:
        """Call the program's function, and wait for it.

        Raises:
            UserError: the function raised, with what it said; or the run was interrupted.
        """
        error = self._call(_request(step))
        if error and not self.ignore_errors:
            raise UserError(error)

    def _call(self, request: resource_pb2.ResourceHookRequest) -> str:
        message = callback_pb2.CallbackInvokeRequest(token=self.token, request=request.SerializeToString())
        with grpc.insecure_channel(self.target) as channel:
            call = cast("Any", callback_pb2_grpc.CallbacksStub(channel).Invoke.future(message))
            while True:
                try:
                    answer = cast("callback_pb2.CallbackInvokeResponse", call.result(timeout=POLL_SECONDS))
                    break
                except grpc.FutureTimeoutError:
                    if self.interrupted.is_set():
                        call.cancel()
                        raise UserError(f"interrupted while the hook {self.name} was running") from None
                except grpc.RpcError as fault:
                    return f"the hook {self.name} could not be run: {fault}"
        return resource_pb2.ResourceHookResponse.FromString(answer.response).error


def _request(step: Step) -> resource_pb2.ResourceHookRequest:
    _ensure_event_loop()
    structures: Any = {
        name: _sync_await(rpc.serialize_properties(dict(values), {}))
        for name in ("old_inputs", "new_inputs", "old_outputs", "new_outputs")
        if (values := getattr(step, name)) is not None
    }
    return resource_pb2.ResourceHookRequest(urn=step.urn, id=step.id, name=step.name, type=step.type, **structures)
