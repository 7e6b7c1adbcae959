"""How a user runs our commands: every message that names one names it so that it can be pasted."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path


def command(module: str, *words: str) -> str:
    """`python -m MODULE WORDS…`, with the Python that runs now: as short as it can be typed in this folder."""
    return shlex.join([_python(), "-m", module, *words])


def _python() -> str:
    """`python` where the shell finds this very one under that name, else its path, relative below this folder."""
    if shutil.which("python") == sys.executable:
        return "python"
    path = Path(sys.executable)
    try:
        return os.fspath(path.relative_to(Path.cwd()))
    except ValueError:
        return os.fspath(path)
