"""The process behind a local cloud: it holds the emulators, and takes them along when it ends.

`python -m localcloud.daemon FOLDER` writes FOLDER/state.json when all is ready, and lives until it is told to end.
"""

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

from localcloud.errors import LocalCloudError

STATE = "state.json"
READY_SECONDS = 60


@dataclass(frozen=True, slots=True)
class State:
    """A running daemon: its process (an id may be used again, so when it began counts too) and its URLs."""

    pid: int
    began: str
    aws_url: str
    sagemaker_url: str


def process_began(pid: int) -> str:
    """When a process began, as the kernel counts, or "" when there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return _began_by_ps(pid)
    fields = text.rpartition(")")[2].split()
    # state Z is dead, only not yet buried
    return "" if fields[0] == "Z" else fields[19]


def _began_by_ps(pid: int) -> str:
    if Path("/proc").is_dir():
        return ""
    finished = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return finished.stdout.strip()


def read_state(folder: Path) -> State | None:
    """The daemon that is running from `folder`, or None; what a killed one left is cleaned up."""
    path = folder / STATE
    try:
        state = State(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None
    if process_began(state.pid) == state.began:
        return state
    shutil.rmtree(folder, ignore_errors=True)
    return None


def start_daemon(folder: Path, region: str) -> State:
    """Start a daemon and wait until its emulators answer.

    Raises:
        LocalCloudError: it ended, or did not get ready in `READY_SECONDS`; the message holds its last words.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    log = folder / "daemon.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "localcloud.daemon", str(folder), region],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + READY_SECONDS
    try:
        while process.poll() is None and time.monotonic() < deadline:
            if state := read_state_when_written(folder):
                return state
            time.sleep(0.05)
    except BaseException:
        process.terminate()
        raise
    process.terminate()
    words = log.read_text(errors="replace").strip().splitlines()[-5:]
    raise LocalCloudError("the emulators did not start: " + " | ".join(words))


def read_state_when_written(folder: Path) -> State | None:
    """The state, once the file is there."""
    return read_state(folder) if (folder / STATE).is_file() else None


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


def _ministack_environment(folder: Path, port: int, region: str) -> Mapping[str, str]:
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
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def main(words: list[str]) -> int:
    """Run the emulators until SIGTERM or SIGINT."""
    folder, region = Path(words[0]), words[1]
    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    port = _free_port()
    ministack = subprocess.Popen(
        [str(Path(sys.executable).parent / "ministack")],
        cwd=folder,
        env=_ministack_environment(folder, port, region),
        stdin=subprocess.DEVNULL,
        preexec_fn=die_with_parent,
    )
    # imported while ministack starts: moto takes a second
    from localcloud.sagemaker.server import SageMakerServer

    aws_url = f"http://127.0.0.1:{port}"
    server = SageMakerServer(aws_endpoint_url=aws_url, region=region)
    try:
        sagemaker_url = server.start()
        while not ending.is_set() and ministack.poll() is None and not _answers(aws_url):
            ending.wait(0.05)
        if not ending.is_set() and ministack.poll() is None:
            state = State(os.getpid(), process_began(os.getpid()), aws_url, sagemaker_url)
            partial = folder / f"{STATE}.partial"
            partial.write_text(json.dumps(asdict(state)))
            partial.replace(folder / STATE)
        while not ending.wait(0.2) and ministack.poll() is None:
            pass
        return 0 if ending.is_set() else 1
    finally:
        server.stop()
        ministack.terminate()
        try:
            ministack.wait(10)
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
