"""61 faults of 102 photos: terminal, page, `watch` and summary.json call everything the same, with the same numbers."""

import io
import json
import re
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import timedelta

import boto3
import pytest

from contract.decisions import OUTCOMES, WORDS
from operations.cli import main
from tests.browser import browse
from tests.operations.builders import LABELS, MACHINE, START, Cloud, decisions, record, write_captures

COUNTS = {"accepted": 33, "review": 5, "neither": 3, "fault": 61}
SHARES = {"accepted": "32 %", "review": "5 %", "neither": "3 %", "fault": "60 %"}


@dataclass
class Told:
    terminal: list[str]
    html: str
    summary: dict


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What `report` says; the account that it asked is there for the whole module."""
    folder = tmp_path_factory.mktemp("sample")
    scores = [[0.95, 0.05, 0.0]] * 33 + [[0.4, 0.6, 0.0]] * 5 + [[0.02, 0.03, 0.95]] * 3
    records = [
        record(each, time=START + timedelta(minutes=index), inference_id=f"{index:032x}")
        for index, each in enumerate(scores)
    ]
    cloud = Cloud()
    for row in decisions(records):
        cloud.run_of(row)
    for number in range(61):
        error = "ImageTooLarge" if number % 10 == 0 else "InvalidImage"
        cloud.run(f"f{number}", error=error, cause="a cause", start=START + timedelta(minutes=number))
    outputs = {
        "captureUri": str(write_captures(folder / "captures", records)),
        "decisionsTable": "decisions",
        "stateMachineArn": MACHINE,
        "classes": list(LABELS[:2]),
        "labels": list(LABELS),
        "confidenceThreshold": 0.8,
    }
    (folder / "outputs.json").write_text(json.dumps(outputs))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boto3, "client", lambda name: cloud)
        patch.setattr(boto3, "resource", lambda name: cloud)
        patch.chdir(folder)
        with redirect_stdout(io.StringIO()) as out:
            assert main(["report", "--outputs", "outputs.json"]) == 0
        written = folder / "build/report"
        summary = json.loads((written / "summary.json").read_text())
        yield Told(out.getvalue().splitlines(), (written / "index.html").read_text(), summary)


@pytest.fixture
def summary(told):
    return told.summary


def test_the_summary_has_the_words_and_the_numbers(summary):
    assert summary["photos"] == 102
    assert summary["outcomes"] == COUNTS
    assert summary["words"] == dict(WORDS)
    assert summary["shares"] == SHARES
    assert [(each["error"], each["count"]) for each in summary["faults"]] == [
        ("InvalidImage", 54),
        ("ImageTooLarge", 7),
    ]
    assert summary["faults_are_many"] is True


def test_the_shares_sum_to_100(summary):
    assert sum(int(share.removesuffix(" %")) for share in summary["shares"].values()) == 100


def test_the_terminal_says_the_same(told):
    headline, faults, *_ = told.terminal
    assert headline.startswith("102 photos: ")
    for outcome in OUTCOMES:
        assert f"{SHARES[outcome]} {WORDS[outcome]}" in headline
    assert faults == "Faults: InvalidImage 54, ImageTooLarge 7."


def test_the_json_says_the_same(told, summary, capsys):
    assert main(["report", "--outputs", "outputs.json", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert {**printed, "created": 0} == {**summary, "created": 0}


def test_the_page_says_the_same(told, summary):
    seen = browse(told.html).facts
    text = seen["text"].replace("\u00a0", " ")
    assert seen["heading"].replace("\u00a0", " ") == summary["headline"]
    for outcome in OUTCOMES:
        tile = rf"{WORDS[outcome]}\s+{SHARES[outcome]}\s+{COUNTS[outcome]} photos"
        assert re.search(tile, text, re.IGNORECASE), outcome
    assert "61 photos ended in a fault" in text
    assert re.search(r"InvalidImage\s+54\s+89 %", text) and re.search(r"ImageTooLarge\s+7\s+11 %", text)
    assert 'class="card fault many"' in told.html
    (chart,) = [each["label"] for each in seen["pictures"] if each["label"].startswith("Photos over time")]
    assert all(f"{COUNTS[outcome]} {WORDS[outcome]}" in chart for outcome in OUTCOMES)


def test_watch_says_the_same(told, capsys):
    assert main(["watch", "--outputs", "outputs.json", "--once"]) == 0
    *_, totals = capsys.readouterr().out.splitlines()
    clauses = (f"{COUNTS[outcome]} {WORDS[outcome]} ({SHARES[outcome]})" for outcome in OUTCOMES)
    assert totals == f"102 photos: {', '.join(clauses)}"


def test_watch_tells_scripts_the_same_under_the_same_names(told, summary, capsys):
    assert main(["watch", "--outputs", "outputs.json", "--once", "--json"]) == 0
    *events, totals = map(json.loads, capsys.readouterr().out.splitlines())
    assert len(events) == 102
    for name in ("photos", "outcomes", "words", "shares"):
        assert totals[name] == summary[name]
