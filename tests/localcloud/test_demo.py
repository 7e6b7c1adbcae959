"""The demo, whole, in a folder of its own."""

import json
import os
import subprocess
import sys
import time

import pytest

from tests.localcloud.local_stack import REPOSITORY


def run_demo(root, *words):
    command = [sys.executable, "-m", "localcloud", "demo", "--photos", "6", *words]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.long
def test_the_demo_ends_well_and_says_how_in_one_file(root):
    started = time.monotonic()
    finished = run_demo(root, "--json")
    passed = time.monotonic() - started
    assert finished.returncode == 0, finished.stderr[-2000:]
    summary = json.loads(finished.stdout)
    assert summary == json.loads((root / "build/demo/summary.json").read_text())
    assert summary["photos"] == 8 and summary["fault"] == 1
    assert summary["accepted"] + summary["review"] + summary["neither"] == 7
    assert 0 < summary["accepted_correct"] <= summary["accepted"]
    assert [*summary["seconds"]] == [
        "start",
        "data",
        "up",
        "evaluate",
        "classify",
        "review",
        "report",
        "promote",
        "stop",
    ]
    # the rest is Python's own start and end; a phase that is left out is far more
    assert 0.7 * passed < sum(summary["seconds"].values()) < passed + 0.5
    assert summary["resources"]["aws:lambda/function:Function"] == 5
    assert summary["results"][-1]["error"] == "InvalidImage"
    promotion = summary["promotion"]
    assert promotion["stack"] == "prod" and promotion["decision"] in ("accepted", "review", "neither")
    assert "scones:confidenceThreshold must be" in promotion["refusal"] and promotion["threshold"] > 0.34
    assert "(the same bytes as dev's)" in finished.stderr
    assert ": epoch 1/" in finished.stderr
    # a sentence is one line where nobody's screen wraps it
    total, headline = [line for line in finished.stderr.splitlines() if line.startswith("8 photos: ")]
    assert total.endswith(" accepted labels are right")
    # the report counts what the workflow did, and says it in the same words
    report = json.loads((root / "build/demo/report/summary.json").read_text())
    assert report["outcomes"] == {outcome: summary[outcome] for outcome in report["outcomes"]}
    assert report["headline"] == headline
    # the 1,000 photos of the evaluation were captured too, and are no traffic
    assert "8 photos:" in (root / "build/demo/report/index.html").read_text()
    assert (root / "build/demo/evaluation/evaluation.json").is_file()
    assert not (root / ".localcloud").exists()


def test_a_demo_of_classes_that_nobody_draws_says_which_there_are(root):
    finished = run_demo(root, "--classes", "bicycle", "lobster")
    assert finished.returncode == 2
    assert finished.stderr.splitlines()[-1].startswith("error: there is no drawing of lobster; there are bicycle,")
