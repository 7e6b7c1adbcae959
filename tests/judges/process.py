"""The judges that are written in JavaScript, as one process that answers line by line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent


class JsonataError(Exception):
    """The reference implementation refuses an expression, or has no result."""


class Judge:
    """asl-validator and the reference JSONata."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def _ask(self, request: dict[str, object]) -> dict[str, Any]:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the judges' process has ended"
        return json.loads(line)

    def faults_of(self, definition: object) -> list[str]:
        """What asl-validator finds wrong with a definition."""
        return self._ask({"definition": definition})["errors"]

    def evaluate(self, expression: str) -> Any:
        """What an expression gives, without input; raises JsonataError."""
        answer = self._ask({"expression": expression})
        if "error" in answer:
            raise JsonataError(answer["error"])
        return answer["result"]


def missing() -> str:
    """What the judges lack on this machine, and where it comes from; empty when nothing."""
    if not shutil.which("node"):
        return "the judges of the state machine need node and npm: run .ci/prepare, then make judges"
    if not (FOLDER / "node_modules/.package-lock.json").is_file():
        return "the judges of the state machine are not installed: run make judges (.ci/prepare installs npm)"
    return ""


@contextmanager
def judge() -> Iterator[Judge]:
    """A running judge; skips the test where node or its packages are missing, but never in CI."""
    if reason := missing():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    process = subprocess.Popen(
        ["node", "judge.js"], cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    )
    try:
        yield Judge(process)
    finally:
        assert process.stdin
        process.stdin.close()
        process.wait(10)
