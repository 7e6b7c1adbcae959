"""What runs below a process, and on which addresses it listens."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator

import psutil


def _processes(pids: Iterable[int]) -> Iterator[psutil.Process]:
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            if process.status() != psutil.STATUS_ZOMBIE:
                yield process


def family(pid: int) -> set[int]:
    """The process and all that descend from it."""
    below = {child.pid for process in _processes([pid]) for child in process.children(recursive=True)}
    return {pid, *alive(below)}


def alive(pids: Iterable[int]) -> set[int]:
    return {process.pid for process in _processes(pids)}


def command(pid: int) -> str:
    return "".join(" ".join(process.cmdline()) for process in _processes([pid]))


def listening(pids: Iterable[int]) -> set[str]:
    """Addresses on which any of the processes takes TCP connections."""
    return {
        connection.laddr.ip
        for process in _processes(pids)
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    }


def eventually(true: Callable[[], object], seconds: float = 15.0) -> bool:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
