"""Every benchmark starts as the README says it is started."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "benchmarks").glob("*.py")))
def test_a_benchmark_finds_what_it_measures(name: str, tmp_path: Path) -> None:
    words = [sys.executable, ROOT / "benchmarks" / name, "--help"]
    done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: ")


def test_the_functions_benchmark_sends_its_photos_through_the_functions() -> None:
    words = [
        sys.executable,
        ROOT / "benchmarks/handlers.py",
        "--photos",
        "2",
        "--large",
        "0",
        "--starts",
        "0",
        "--json",
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    (table,) = json.loads(done.stdout).values()
    assert [row["ratio"] for row in table if row["way"] == "the chain again"]
    assert len(table) == 6
