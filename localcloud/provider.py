"""The emulators alone, where Pulumi's provider looks for them: what `start` does.

Pulumi.local.yaml says where that is, so that no command has to write into a file that git keeps.
"""

from __future__ import annotations

import shlex
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from contract.errors import UserError
from contract.invocation import command
from contract.stacks import Stack, read_stack
from localcloud.cloud import SAGEMAKER_SERVICES, Cloud
from localcloud.daemon import State, last_words, read_state, start_daemon
from localcloud.lock import at_work
from localcloud.places import FOLDER

STACK = "local"
FILE = f"Pulumi.{STACK}.yaml"
ENVIRONMENT = "environment"
"""The file of lines for a shell, in the folder of the emulators."""
HOST = "127.0.0.1"
OURS = tuple(service.replace("-", "") for service in SAGEMAKER_SERVICES)
"""The services of SageMaker's stand-in, as the provider spells them."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the provider looks: the region, and the port of each emulator."""

    region: str
    aws_port: int
    sagemaker_port: int


def place_of(stack: Stack) -> Place:
    """Where a stack's `aws:endpoints` lead.

    Raises:
        UserError: one leads elsewhere than to this machine, or they do not agree.
    """
    configured = stack.values.get("aws:endpoints")
    listed = cast("list[object]", configured) if isinstance(configured, list) else []
    endpoints = listed[0] if len(listed) == 1 else None
    if not isinstance(endpoints, dict):
        raise UserError(f"{FILE}: aws:endpoints must be a list of one map from service to URL, got {configured!r:.60}")
    ports: dict[bool, dict[int, str]] = {True: {}, False: {}}
    for service, url in cast("dict[str, object]", endpoints).items():
        parts = urlsplit(str(url))
        try:
            port = parts.port
        except ValueError:
            port = None
        if parts.scheme != "http" or parts.hostname != HOST or not port or parts.path or parts.query:
            raise UserError(f"{FILE}: aws:endpoints.{service} must be http://{HOST}:PORT, got {url!r:.60}")
        ports[service in OURS].setdefault(port, service)
    for ours, found in ports.items():
        what = ", ".join(OURS) if ours else f"all but {', '.join(OURS)}"
        if len(found) != 1:
            raise UserError(f"{FILE}: aws:endpoints of {what} must have one port, got {sorted(found)}")
    (aws,), (sagemaker,) = ports[False], ports[True]
    if aws == sagemaker:
        raise UserError(f"{FILE}: aws:endpoints.{ports[True][aws]} must have another port than the rest, got {aws}")
    return Place(str(stack.values.get("aws:region")), aws, sagemaker)


def start(root: Path, say: Callable[[str], None]) -> tuple[State, bool]:
    """Have the emulators run where the provider looks.

    Args:
        root: the project's folder.
        say: takes lines worth a person's while.

    Returns:
        Where they are, and whether they were started just now.

    Raises:
        UserError: they run elsewhere, a port is taken, or they did not get ready.
    """
    with at_work(root, "start", say):
        place, folder = place_of(read_stack(root, STACK)), root / FOLDER
        wanted = (f"http://{HOST}:{place.aws_port}", f"http://{HOST}:{place.sagemaker_port}")
        running = read_state(folder)
        if running and (running.aws_url, running.sagemaker_url, running.region) == (*wanted, place.region):
            return running, False
        if running:
            raise UserError(
                f"the emulators run at {running.aws_url} in {running.region}, as `up` started them, and {FILE} looks "
                f"for them at {wanted[0]} in {place.region}; end them first, with what they hold: "
                f"{command('localcloud', 'down')}"
            )
        if words := last_words(folder):
            say(f"the emulators had ended by themselves, and what they held is lost: {words}")
        for port in (place.aws_port, place.sagemaker_port):
            if taken(port):
                raise UserError(
                    f"port {port} is taken, by another checkout's emulators perhaps: end what listens there, or "
                    f"write other ports into aws:endpoints and aws:httpProxy of {FILE}"
                )
        state = start_daemon(folder, place.region, (place.aws_port, place.sagemaker_port))
        cloud = Cloud(root, STACK, state.region, state.aws_url, state.sagemaker_url)
        lines = [f"export {key}={shlex.quote(value)}" for key, value in cloud.environment().items()]
        (folder / ENVIRONMENT).write_text("\n".join(lines) + "\n")
        return state, True


def taken(port: int) -> bool:
    """Whether something listens on a port of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False
