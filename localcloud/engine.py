"""Creates what the program registers: one adapter a resource type, and nothing that no adapter knows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypedDict, cast

from contract.errors import UserError
from localcloud.cloud import ACCOUNT, Cloud
from localcloud.program import Registration


@dataclass(frozen=True, slots=True)
class Request:
    """A resource to create: its inputs, and the name that it gets when the program gives none."""

    cloud: Cloud
    registration: Registration
    inputs: Mapping[str, Any]
    auto_name: str

    def __getitem__(self, key: str) -> Any:
        return self.inputs[key]

    def get(self, key: str, default: Any = None) -> Any:
        """An input, or `default` when the program leaves it out."""
        value = self.inputs.get(key)
        return default if value is None else value


Created = tuple[str, Mapping[str, Any]]
Adapter = Callable[[Request], Created]
ADAPTERS: dict[str, tuple[Adapter, frozenset[str]]] = {}


def adapter(type_: str, takes: Iterable[str], ignores: Mapping[str, str] | None = None) -> Callable[[Adapter], Adapter]:
    """Register a function that creates resources of a type.

    Args:
        type_: the type's token.
        takes: the inputs that the function hands to the emulator.
        ignores: the inputs that it leaves out, each with the reason; any other input is refused.
    """

    def register(function: Adapter) -> Adapter:
        ADAPTERS[type_] = (function, frozenset(takes) | frozenset(ignores or {}))
        return function

    return register


class Emulation:
    """The engine behind the program: every resource is created in an emulator."""

    def __init__(self, cloud: Cloud, done: Callable[[Registration], None]) -> None:
        self.cloud, self.done = cloud, done

    def create(self, registration: Registration) -> Created:
        """Create a resource.

        Raises:
            UserError: no adapter for its type or one of its inputs, or the emulator refused.
        """
        if registration.type not in ADAPTERS:
            raise UserError(f"{registration.urn}: the local cloud has no adapter for {registration.type}")
        function, takes = ADAPTERS[registration.type]
        inputs = {key: value for key, value in registration.inputs.items() if value is not None}
        unknown = sorted(set(inputs) - takes)
        if unknown:
            raise UserError(
                f"{registration.urn}: the local cloud's adapter of {registration.type} does not know "
                f"{', '.join(unknown)}"
            )
        digest = hashlib.sha256(f"{self.cloud.stack}\n{registration.urn}".encode()).hexdigest()
        request = Request(self.cloud, registration, inputs, f"{registration.name}-{digest[:7]}")
        try:
            registration.run_hooks("before_create", new_inputs=inputs)
            identity, outputs = function(request)
            registration.run_hooks("after_create", id=identity, new_inputs=inputs, new_outputs={**inputs, **outputs})
        except UserError as error:
            raise UserError(f"{registration.urn}: {error}") from error
        except Exception as error:
            raise UserError(f"{registration.urn} could not be created: {type(error).__name__}: {error}") from error
        self.done(registration)
        return identity, {**inputs, **outputs}

    def invoke(self, token: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Answer a provider's function."""
        answers = {
            "aws:index/getCallerIdentity:getCallerIdentity": {
                "accountId": ACCOUNT,
                "arn": f"arn:aws:iam::{ACCOUNT}:root",
                "userId": ACCOUNT,
            },
            "aws:index/getRegion:getRegion": {"region": self.cloud.region, "name": self.cloud.region},
            "aws:index/getPartition:getPartition": {"partition": "aws"},
        }
        if token not in answers:
            raise UserError(f"the local cloud has no answer to the function {token}")
        return answers[token]


def pascal(value: Any, names: Mapping[str, str] = {}) -> Any:
    """A provider's structure as the AWS API spells it; `names` are those that are not just capitalized."""
    if isinstance(value, Mapping):
        structure = cast("Mapping[str, Any]", value)
        return {
            names.get(key, key[:1].upper() + key[1:]): pascal(item, names)
            for key, item in structure.items()
            if item is not None
        }
    if isinstance(value, list):
        return [pascal(item, names) for item in cast("list[Any]", value)]
    return whole(value)


def whole(value: Any) -> Any:
    """Pulumi hands every number over as a float; the API wants whole ones as integers."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class Tag(TypedDict):
    """A tag, as most of the API takes it."""

    Key: str
    Value: str


def tag_list(request: Request) -> list[Tag]:
    """A resource's tags as most of the API takes them."""
    return [{"Key": key, "Value": value} for key, value in request.get("tags", {}).items()]
