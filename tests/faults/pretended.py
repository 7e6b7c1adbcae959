"""A cloud that is only pretended: it refuses what is there already, and to delete what is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud.adapter import ADAPTERS, Adapter, Request
from localcloud.cloud import Cloud
from localcloud.engine import Emulation
from localcloud.places import stack_folder
from localcloud.registration import Registration
from localcloud.state import Held, StackState, read_stack_state

Place = tuple[str, str]
"""Type and id."""


def refusal(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Pretended")


class Pretended:
    """The adapters with their own knowledge of what they take, and a dictionary in place of the emulators."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.there: Counter[Place] = Counter()
        for module in ("adapter", "engine"):
            monkeypatch.setattr(f"localcloud.{module}.ADAPTERS", {kind: self._of(kind) for kind in ADAPTERS})

    def make(self, kind: str, name: str) -> Place:
        self.there[kind, name] += 1
        return kind, name

    def up(self, registrations: Sequence[Registration]) -> None:
        """As an `up`: the state is read from its file, and what is no longer registered goes."""
        self.step(registrations).delete_rest(lambda line: None)

    def step(self, registrations: Sequence[Registration]) -> Emulation:
        """As an `up` that is killed after these."""
        cloud = Cloud(self.root, "dev", "us-east-1", "http://127.0.0.1:1", "http://127.0.0.1:1")
        engine = Emulation(cloud, read_stack_state(stack_folder(self.root, "dev")))
        for each in registrations:
            engine.create(each)
        return engine

    def is_whole(self, registrations: Sequence[Registration]) -> None:
        """Each is there once, and nothing else is."""
        state = read_stack_state(stack_folder(self.root, "dev"))
        assert {*state.resources} == {each.urn for each in registrations}
        assert not state.replaced and not state.begun and not state.leaving
        held = [(each.type, each.id) for each in state.resources.values() if ADAPTERS[each.type].delete]
        assert +self.there == Counter(held)

    def noted(self) -> dict[str, Held]:
        return read_stack_state(stack_folder(self.root, "dev")).resources

    def notes(self, patches: pytest.MonkeyPatch, *, most: int) -> None:
        """So many creations are noted; the next one is killed after it was made."""
        self._only(patches, "put", most)

    def forgets(self, patches: pytest.MonkeyPatch, *, most: int) -> None:
        """So many deletions are noted; the next one is killed after it was made."""
        self._only(patches, "forget", most)

    @staticmethod
    def _only(patches: pytest.MonkeyPatch, name: str, most: int) -> None:
        act, done = getattr(StackState, name), Counter[str]()

        def acts(state: StackState, held: Held, **more: Any) -> None:
            if done.total() == most:
                raise Killed
            done[held.urn] += 1
            act(state, held, **more)

        patches.setattr(StackState, name, acts)

    def _of(self, kind: str) -> Adapter:
        real = ADAPTERS[kind]
        named = ("name", "bucket", "trainingJobName", "dashboardName", "key", "logGroupName")

        def create(request: Request) -> tuple[str, Mapping[str, Any]]:
            identity = self._identity(kind, request, named)
            if not real.delete:
                # a setting of another resource, with which it goes
                return identity, {}
            if self.there[kind, identity]:
                if not real.put:
                    raise refusal("ResourceInUse", f"{identity} already exists")
                return identity, {}
            self.there[kind, identity] += 1
            return identity, {}

        def delete(request: Request) -> None:
            if not self.there[kind, request.id]:
                raise refusal("NotFound", f"there is no {request.id}")
            self.there[kind, request.id] -= 1

        return replace(
            real,
            create=create,
            update=None,
            delete=real.delete and delete,
            foretold=lambda each: self._identity(kind, each, named),
        )

    def _identity(self, kind: str, request: Request, named: Sequence[str]) -> str:
        given = [str(request.inputs[key]) for key in named if request.inputs.get(key)] if kind.endswith("Job") else []
        return given[0] if given else request.auto_name


class Killed(BaseException):
    """As SIGKILL: nobody handles it."""
