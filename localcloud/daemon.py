"""The process behind a local cloud: it holds the emulators, and takes them along when it ends.

`python -m localcloud.daemon FOLDER REGION AWS_PORT SAGEMAKER_PORT` writes FOLDER/state.json when all is ready, and
lives until it is told to end; a port of 0 is a free one.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from contract.errors import UserError
from localcloud.sagemaker.pace import WATCH_SECONDS

STATE = "state.json"
LOG = "daemon.log"
READY_SECONDS = 60
GROUP_SECONDS = 5.0
"""What killed processes may take to end."""


@dataclass(frozen=True, slots=True)
class State:
    """A running daemon: its process (an id may be used again, so when it began counts too) and its URLs.

    The URLs are empty while it starts.
    """

    pid: int
    began: str
    aws_url: str
    sagemaker_url: str
    region: str = ""


def process_began(pid: int) -> str:
    """When a process began, in seconds since this machine did, or "" when there is none.

    As the difference it stays the same when somebody sets the clock.
    """
    try:
        process = psutil.Process(pid)
        # a zombie is dead, only not yet buried
        dead = process.status() == psutil.STATUS_ZOMBIE
        return "" if dead else f"{process.create_time() - psutil.boot_time():.2f}"
    except psutil.NoSuchProcess:
        return ""


def read_state(folder: Path) -> State | None:
    """The daemon that is running from `folder`, or None; what a killed one left is cleaned up."""
    path = folder / STATE
    try:
        state = State(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None
    began = process_began(state.pid)
    if began == state.began:
        return state
    if not began:
        _end_group(state.pid)
    _keep_the_log(folder)
    return None


def _keep_the_log(folder: Path) -> None:
    """Remove all but the log of a daemon that ended by itself, which says why."""
    log = folder / LOG
    kept = log.read_bytes() if log.is_file() else None
    shutil.rmtree(folder, ignore_errors=True)
    if kept is not None:
        folder.mkdir(parents=True)
        log.write_bytes(kept)


def last_words(folder: Path) -> str:
    """Where the log of a daemon that ended by itself is, and its last line; "" when there is none."""
    log = folder / LOG
    if not log.is_file():
        return ""
    lines = log.read_text(errors="replace").strip().splitlines()
    return f"{log} ends with: {lines[-1]}" if lines else f"{log} is empty, as after a kill"


def _end_group(pid: int) -> None:
    """End what a daemon that is gone started, functions and trainings: they are all in its process group.

    The kernel gives the id to no new process while anything is left in the group. What is killed holds its ports for
    a moment longer, in which the next daemon would find them taken.
    """
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
        until = time.monotonic() + GROUP_SECONDS
        while _in_group(pid) and time.monotonic() < until:
            time.sleep(0.05)


def _in_group(pid: int) -> bool:
    """Whether a process of that group lives; zombies hold nothing."""
    for process in psutil.process_iter(["status"]):
        with contextlib.suppress(ProcessLookupError, psutil.NoSuchProcess):
            if os.getpgid(process.pid) == pid and process.info["status"] != psutil.STATUS_ZOMBIE:
                return True
    return False


def write_state(folder: Path, state: State) -> None:
    """Write the state at once, as a whole."""
    partial = folder / f"{STATE}.{os.getpid()}"
    partial.write_text(json.dumps(asdict(state)))
    partial.replace(folder / STATE)


def start_daemon(folder: Path, region: str, ports: tuple[int, int] = (0, 0)) -> State:
    """Start a daemon and wait until its emulators answer; one that runs from `folder` is ended before.

    Args:
        folder: what it keeps is in there.
        region: the emulators' region.
        ports: of AWS and of SageMaker; 0 is a free one.

    Raises:
        UserError: it ended, or did not get ready in `READY_SECONDS`; the message holds its last words.
    """
    stop_daemon(folder)
    folder.mkdir(parents=True)
    log = folder / LOG
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "localcloud.daemon", str(folder), region, *map(str, ports)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        # the next start finds it even if this process is killed while it waits
        write_state(folder, State(process.pid, process_began(process.pid), "", "", region))
        deadline = time.monotonic() + READY_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            state = read_state(folder)
            if state and state.aws_url:
                return state
            time.sleep(0.05)
        words = log.read_text(errors="replace").strip().splitlines()[-5:]
        raise UserError("the emulators did not start: " + " | ".join(words))
    except BaseException:
        stop_daemon(folder)
        raise


def stop_daemon(folder: Path) -> bool:
    """End the daemon of `folder` and remove what it kept.

    Returns:
        Whether there was one.
    """
    state = read_state(folder)
    if state is None:
        shutil.rmtree(folder, ignore_errors=True)
        return False
    for number, patience in ((signal.SIGTERM, 15.0), (signal.SIGKILL, 5.0)):
        try:
            os.kill(state.pid, number)
        except ProcessLookupError:
            break
        deadline = time.monotonic() + patience
        while process_began(state.pid) == state.began and time.monotonic() < deadline:
            time.sleep(0.05)
        if process_began(state.pid) != state.began:
            break
    if not process_began(state.pid):
        _end_group(state.pid)
    shutil.rmtree(folder, ignore_errors=True)
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def die_with_parent() -> None:
    """Have the kernel end this process with the one that started it, even when that one is killed (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _ministack_environment(folder: Path, port: int, sagemaker_port: int, region: str) -> Mapping[str, str]:
    temporary = folder / "tmp"
    temporary.mkdir()
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "PYTHON"))}
    return {
        **kept,
        # it would listen on every interface, and for MQTT too
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "AUTH": "true",
        "TMPDIR": str(temporary.resolve()),
        "AWS_DEFAULT_REGION": region,
        # functions inherit these
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ENDPOINT_URL_SAGEMAKER": f"http://127.0.0.1:{sagemaker_port}",
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": f"http://127.0.0.1:{sagemaker_port}",
        "ENDPOINT_WATCH_SECONDS": str(WATCH_SECONDS),
    }


def main(words: list[str]) -> int:
    """Run the emulators until SIGTERM or SIGINT."""
    folder, region = Path(words[0]), words[1]
    port, sagemaker_port = (int(word) or _free_port() for word in words[2:])
    ending = threading.Event()

    def end(number: int, frame: object) -> None:
        ending.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    ministack = subprocess.Popen(
        # by path, and with no folder of ours on the module path: functions must not see this repository
        [sys.executable, "-P", str(Path(__file__).with_name("emulator.py"))],
        cwd=folder,
        env=_ministack_environment(folder, port, sagemaker_port, region),
        stdin=subprocess.DEVNULL,
        preexec_fn=die_with_parent,
    )
    # imported while ministack starts: moto takes a second
    from localcloud.sagemaker.server import SageMakerServer

    aws_url = f"http://127.0.0.1:{port}"
    server = SageMakerServer(aws_endpoint_url=aws_url, region=region)
    try:
        sagemaker_url = server.start(sagemaker_port)
        while not ending.is_set() and ministack.poll() is None and not _answers(aws_url):
            ending.wait(0.05)
        if not ending.is_set() and ministack.poll() is None:
            write_state(folder, State(os.getpid(), process_began(os.getpid()), aws_url, sagemaker_url, region))
        while not ending.wait(0.2) and ministack.poll() is None:
            pass
        return 0 if ending.is_set() else 1
    finally:
        server.stop()
        ministack.terminate()
        try:
            # it ends function after function, a third of a second each; what is left goes with the process group
            ministack.wait(3)
        except subprocess.TimeoutExpired:
            ministack.kill()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_ministack/health", timeout=1):
            return True
    except OSError as error:
        # an error page is an answer too
        return hasattr(error, "code")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
