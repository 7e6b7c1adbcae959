"""What `make` installs: the packages of a lock into the environment that runs this, with one line and a bar.

`.venv/bin/python scripts/install.py requirements.txt` does nothing where all of them are installed already, as
`pulumi install` leaves them. It needs nothing but the standard library and the environment's own pip.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^]]*\])?==(?P<version>[^\s;\\]+)(?:\s*;\s*(?P<marker>[^\\]+))?")
PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--progress-bar=off", "--require-hashes")
# what is imported is compiled then; compiling all of it here takes as long as the download, and a third of the disk
OPTIONS = ("--no-compile", "--root-user-action=ignore")
BAR = 30
"""The width of the bar, in characters."""
CLEAR = "\x1b[K"
POLL_SECONDS = 0.2


def missing(lock: Path) -> list[str]:
    """The pins of `lock` that hold for this Python and machine and are not installed, as `name==version`."""
    from pip._vendor.packaging.markers import Marker

    pins = [match for line in lock.read_text().splitlines() if (match := PIN.match(line))]
    wanted = [pin for pin in pins if not pin["marker"] or Marker(pin["marker"]).evaluate()]
    return [f"{pin['name']}=={pin['version']}" for pin in wanted if not _is_installed(pin["name"], pin["version"])]


def _is_installed(name: str, version: str) -> bool:
    try:
        found = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    # the record is the last file that an installer writes: without it, somebody stopped the installation
    return found.version == version and found.read_text("RECORD") is not None


def install(lock: Path, wanted: int, screen: TextIO) -> int:
    """Run pip on `lock`, of which `wanted` packages are missing; what pip has to say of errors goes to stderr.

    Returns:
        pip's exit code.
    """
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "pip.log"
        words = [sys.executable, *PIP, *OPTIONS, f"--requirement={lock}"]
        with log.open("w") as out, subprocess.Popen(words, stdout=out) as pip:
            while pip.poll() is None:
                collected = len(re.findall("^Collecting ", log.read_text(), re.MULTILINE))
                _show(screen, min(collected, wanted) + wanted - len(missing(lock)), 2 * wanted)
                time.sleep(POLL_SECONDS)
    if not pip.returncode:
        _show(screen, 1, 1)
    return pip.returncode


def _show(screen: TextIO, done: int, total: int) -> None:
    """Draw the bar on a terminal, and leave the cursor at its start: whatever is printed next replaces it."""
    if screen.isatty():
        filled = BAR * done // total
        screen.write(f"  [{'#' * filled}{'.' * (BAR - filled)}] {100 * done // total:3d} %\r")
        screen.flush()


def main(words: Sequence[str]) -> int:
    """Install the lock that `words` name."""
    (name,) = words
    lock = Path(name)
    if importlib.util.find_spec("pip") is None:
        print(f"error: {sys.prefix} has no pip; remove that folder, and run make again", file=sys.stderr)
        return 1
    wanted = len(missing(lock))
    if not wanted:
        return 0
    packages = "1 package" if wanted == 1 else f"{wanted} packages"
    print(f"Installing {packages} of {lock} into {Path(sys.prefix).name}: once, a minute or two", flush=True)
    started = time.monotonic()
    try:
        code = install(lock, wanted, sys.stdout)
    except KeyboardInterrupt:
        code = 130
    if code:
        print(f"error: {lock} is not installed: pip ended with exit code {code}", file=sys.stderr)
        return code
    print(f"{CLEAR if sys.stdout.isatty() else ''}Installed in {time.monotonic() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
