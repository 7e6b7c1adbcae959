"""One change at a time: who wants to change what the emulators hold waits for whoever is at work."""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

POLL_SECONDS = 0.2


@contextmanager
def at_work(root: Path, what: str, say: Callable[[str], None]) -> Generator[None]:
    """Hold the project's folder, so to speak: the kernel lets go of it with the process, however that ends.

    Args:
        root: the project's folder, which is locked as such.
        what: what is about to be done, for whoever has to wait.
        say: told once whom this process waits for.
    """
    name = hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:16]
    note = Path(tempfile.gettempdir()) / f"scones-{name}.at-work"
    handle = os.open(root, os.O_RDONLY)
    try:
        told = False
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not told:
                    who = note.read_text() if note.is_file() else "another process"
                    say(f"{who} is at work here: waiting until it is done")
                    told = True
                time.sleep(POLL_SECONDS)
        note.write_text(f"`{what}` (process {os.getpid()}, since {time.strftime('%H:%M:%S')})")
        try:
            yield
        finally:
            note.unlink(missing_ok=True)
    finally:
        os.close(handle)
