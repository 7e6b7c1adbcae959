"""The engines behind the program: one makes the emulators hold what it registers, one only says what that would do."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from contract.errors import UserError
from contract.names import setting
from localcloud.adapter import ADAPTERS, Adapter, Created, Request
from localcloud.cloud import ACCOUNT, Cloud
from localcloud.difference import Change, as_json, decide
from localcloud.functions import read
from localcloud.graph import is_known, plain
from localcloud.planning import answer
from localcloud.registration import Registration
from localcloud.state import Held, StackState, Unfinished, dependents_first

IN_USE = re.compile("exist|in ?use|conflict", re.IGNORECASE)
"""How a service says that a name is taken."""


def adapter_of(registration: Registration) -> Adapter:
    """The adapter of a resource.

    Raises:
        UserError: there is none for its type, or it does not know one of the inputs or options.
    """
    if registration.type not in ADAPTERS:
        raise UserError(f"{registration.urn}: the local cloud has no adapter for {registration.type}")
    found = ADAPTERS[registration.type]
    given = {key for key, value in registration.inputs.items() if value is not None}
    if unknown := sorted(given - found.takes - found.ignores.keys()):
        raise UserError(
            f"{registration.urn}: the local cloud's adapter of {registration.type} does not know {', '.join(unknown)}"
        )
    if any(registration.hooks.get(moment) for moment in ("before_delete", "after_delete")):
        raise UserError(f"{registration.urn}: the local cloud runs no hooks around deletions")
    if registration.deleted_first:
        raise UserError(f"{registration.urn}: the local cloud creates a successor first, not as delete_before_replace")
    if registration.timeouts:
        raise UserError(f"{registration.urn}: the local cloud keeps no custom_timeouts")
    return found


def inputs_of(registration: Registration, held: Held | None) -> dict[str, Any]:
    """What the program wants; a change that it says is to be ignored is none."""
    inputs = {key: value for key, value in registration.inputs.items() if value is not None}
    for key in registration.ignore_changes if held else ():
        assert held
        inputs.pop(key, None)
        if key in held.inputs:
            inputs[key] = held.inputs[key]
    return inputs


def look(cloud: Cloud, type_: str, identity: str) -> Mapping[str, Any]:
    """What is there under an id; nothing when no emulator runs.

    Raises:
        UserError: no adapter looks at this type.
    """
    found = ADAPTERS.get(type_)
    if found is None or found.read is None:
        raise UserError(f"the local cloud does not look at {type_}")
    if not cloud.aws_url:
        return {}
    return found.read(Request(cloud, identity, {}, identity, identity))


class Preview:
    """Says what an `up` would do: outputs that only it would tell are unknown, as in Pulumi's own previews."""

    def __init__(self, cloud: Cloud, state: StackState) -> None:
        self.cloud, self.state = cloud, state
        self.changes: list[Change] = []
        self.wanted: set[str] = set()
        self.total = 0

    def create(self, registration: Registration) -> Created:
        """Note what would be done to a resource."""
        found, held = adapter_of(registration), self.state.resources.get(registration.urn)
        inputs = inputs_of(registration, held)
        wanted = as_json(plain(inputs, self.cloud.root))
        operation, keys = decide(held, wanted, replaces=found.replaces, updates=found.update is not None)
        self.wanted.add(registration.urn)
        self.total += 1
        if operation != "same":
            self.changes.append(Change(operation, registration.urn, registration.type, registration.name, keys))
        if held is None or operation == "replace":
            return "", {}
        hidden = found.moves if operation == "update" else frozenset[str]()
        known = {key: value for key, value in inputs.items() if is_known(value)}
        return held.id, {**known, **{key: value for key, value in held.outputs.items() if key not in hidden}}

    def read(self, type_: str, identity: str) -> Mapping[str, Any]:
        """Look at what is there."""
        return look(self.cloud, type_, identity)

    def invoke(self, token: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Answer a provider's function."""
        found = read(self.cloud, token, arguments)
        return answer(token, ACCOUNT, self.cloud.region) if found is None else found

    def all_changes(self) -> list[Change]:
        """The changes, with what the program no longer registers."""
        gone = [held for urn, held in self.state.resources.items() if urn not in self.wanted]
        gone += self.state.replaced
        return self.changes + [Change("delete", held.urn, held.type, held.name) for held in gone]


class Emulation:
    """Makes the emulators hold what the program registers: a step a resource, each noted in the state at once."""

    def __init__(
        self, cloud: Cloud, state: StackState, done: Callable[[Registration], None] = lambda registration: None
    ) -> None:
        self.cloud, self.state, self.done = cloud, state, done
        self.wanted: set[str] = set()
        self.lock = threading.Lock()

    def create(self, registration: Registration) -> Created:
        """Create, update or replace a resource, or leave it alone.

        Raises:
            UserError: no adapter for its type or one of its inputs, or the emulator refused.
        """
        found, held = adapter_of(registration), self.state.resources.get(registration.urn)
        inputs = inputs_of(registration, held)
        wanted = as_json(plain(inputs, self.cloud.root))
        operation, keys = decide(held, wanted, replaces=found.replaces, updates=found.update is not None)
        with self.lock:
            self.wanted.add(registration.urn)
        try:
            if held is None or operation in ("create", "replace"):
                held = self._make(registration, found, inputs, wanted, held)
            elif operation == "update":
                held = self._update(registration, found, inputs, wanted, held, keys)
            elif (now := _as_registered(held, registration)) != held:
                held = now
                self.state.put(held)
        except UserError as error:
            raise UserError(f"{registration.urn}: {error}") from error
        except Exception as error:
            verb = {"update": "updated"}.get(operation, "created")
            raise UserError(f"{registration.urn} could not be {verb}: {type(error).__name__}: {error}") from error
        self.done(registration)
        return held.id, {**inputs, **held.outputs}

    def _make(
        self, registration: Registration, found: Adapter, inputs: dict[str, Any], wanted: Any, before: Held | None
    ) -> Held:
        generation = before.generation + 1 if before else 0
        request = Request(self.cloud, registration.name, inputs, self._auto_name(registration, generation))
        if left := self.state.begun.get(registration.urn):
            undo(self.cloud, self.state, left)
        registration.run_hooks("before_create", new_inputs=inputs)
        self.state.begin(
            Unfinished(registration.urn, registration.type, registration.name, request.auto_name, wanted,
                  before.outputs if before else {})
        )  # fmt: skip
        try:
            identity, outputs = found.create(request)
        except ClientError as error:
            if IN_USE.search(str(error)):
                # somebody else's, which the next step must not undo
                self.state.give_up(registration.urn)
            raise
        held = Held(
            registration.urn, registration.type, registration.name, identity, wanted, as_json(dict(outputs)),
            registration.dependencies, generation, registration.retained, registration.protected,
        )  # fmt: skip
        self.state.put(held, instead_of=before)
        registration.run_hooks("after_create", id=identity, new_inputs=inputs, new_outputs={**inputs, **outputs})
        return held

    def _update(
        self, registration: Registration, found: Adapter, inputs: dict[str, Any], wanted: Any, before: Held,
        keys: tuple[str, ...],
    ) -> Held:  # fmt: skip
        assert found.update
        known = {"id": before.id, "old_inputs": before.inputs, "new_inputs": inputs}
        registration.run_hooks("before_update", **known, old_outputs=before.outputs)
        # what the adapter leaves out changes nothing in the emulator
        told = bool(set(keys) - found.ignores.keys())
        outputs: Mapping[str, Any] = found.update(self._request(before, inputs)) if told else {}
        outputs = {**before.outputs, **as_json(dict(outputs))}
        held = replace(_as_registered(before, registration), inputs=wanted, outputs=outputs)
        self.state.put(held)
        registration.run_hooks("after_update", **known, old_outputs=before.outputs, new_outputs=held.outputs)
        return held

    def delete_rest(self, say: Callable[[str], None]) -> None:
        """Delete what was replaced, and what the program no longer registers."""
        for begun in [begun for urn, begun in self.state.begun.items() if urn not in self.wanted]:
            undo(self.cloud, self.state, begun)
        gone = [held for urn, held in self.state.resources.items() if urn not in self.wanted]
        delete(self.cloud, self.state, [*gone, *self.state.replaced], say)

    def read(self, type_: str, identity: str) -> Mapping[str, Any]:
        """Look at what is there."""
        return look(self.cloud, type_, identity)

    def invoke(self, token: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Answer a provider's function."""
        found = read(self.cloud, token, arguments)
        return answer(token, ACCOUNT, self.cloud.region) if found is None else found

    def _auto_name(self, registration: Registration, generation: int) -> str:
        text = f"{self.cloud.stack}\n{registration.urn}" + (f"\n{generation}" if generation else "")
        return f"{registration.name}-{hashlib.sha256(text.encode()).hexdigest()[:7]}"

    def _request(self, held: Held, inputs: Mapping[str, Any]) -> Request:
        return request_of(self.cloud, held, inputs)


def _as_registered(held: Held, registration: Registration) -> Held:
    """What is there, with the options that the program gives it now."""
    return replace(
        held,
        dependencies=registration.dependencies,
        retained=registration.retained,
        protected=registration.protected,
    )


def refuse_protected(gone: Iterable[Held]) -> None:
    """Refuse to delete what the program protects, before anything is deleted.

    Raises:
        UserError: with their names.
    """
    if names := sorted({held.name for held in gone if held.protected}):
        raise UserError(
            f"nothing was deleted: {', '.join(names)} {'is' if len(names) == 1 else 'are'} protected; deploy "
            f"{setting('protectData')} false first"
        )


def request_of(cloud: Cloud, held: Held, inputs: Mapping[str, Any] | None = None) -> Request:
    """A request about what is there: to update it to `inputs`, or to delete it."""
    old = held.inputs
    return Request(cloud, held.name, old if inputs is None else inputs, held.name, held.id, held.outputs, old)


def undo(cloud: Cloud, state: StackState, begun: Unfinished) -> None:
    """Remove what a creation that was killed may have left.

    What the same call creates and updates needs no removing: the next creation puts it right.
    """
    found = ADAPTERS[begun.type]
    request = Request(cloud, begun.name, begun.inputs, begun.auto_name, begun.auto_name, begun.before, begun.inputs)
    identity = found.foretold(request) if found.foretold else begun.auto_name
    if identity and found.delete and not found.put:
        # mostly it was not created; what is left all the same is told by the creation that follows
        with suppress(Exception):
            found.delete(replace(request, id=identity, outputs={}))
    state.give_up(begun.urn)


def delete(cloud: Cloud, state: StackState, gone: Iterable[Held], say: Callable[[str], None]) -> None:
    """Delete resources, those that depend on others first; those that are to be retained are only forgotten.

    Raises:
        UserError: the emulator refused one; what was deleted before is gone.
    """
    gone = list(gone)
    refuse_protected(gone)
    for held in dependents_first(gone):
        act = ADAPTERS[held.type].delete
        if held.retained:
            say(f"{held.urn}: kept, since the program says retain_on_delete")
        elif act:
            again = state.leave(held)
            try:
                act(request_of(cloud, held))
            except Exception as error:
                if again and isinstance(error, ClientError):
                    # the one that was killed had done it
                    state.forget(held)
                    continue
                raise UserError(f"{held.urn} could not be deleted: {type(error).__name__}: {error}") from error
        state.forget(held)
