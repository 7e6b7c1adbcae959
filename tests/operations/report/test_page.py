"""The whole report in a browser."""

import json
import re
from datetime import timedelta

import pytest

from contract.baseline import parse_baseline
from operations.captures.period import Period
from operations.report import page
from operations.report.build import Order, build
from operations.report.command import to_json
from operations.report.decisions import Decisions
from operations.report.executions import read_executions
from operations.report.thumbnails import data_uri
from tests.assertions import at_least_one
from tests.browser import browse
from tests.operations.builders import (
    CLASSES,
    LABELS,
    MACHINE,
    START,
    Cloud,
    baseline,
    decisions,
    png,
    some_records,
    write_captures,
)
from training.evaluation.page import FILE as EVALUATION_FILE
from training.evaluation.page import REPORT

KEY = "incoming/gate-north/2026-05-03_0f90627bd84c4a7e9d3a1c55e0b2f6a8.jpg"
CAUSE = "the photo is damaged or cut off: <i>Truncated</i> File Read"


def render(folder, records, evaluation=None, **changes):
    write_captures(folder / "captures", records)
    (folder / "captures").mkdir(exist_ok=True)
    order = Order(**({"capture": str(folder / "captures"), "threshold": 0.8, "labels": CLASSES} | changes))
    summary, photos = build(order)
    drawn = page.draw_pictures(summary, order.zone)
    return summary, drawn, page.render(summary, photos, drawn, order.zone, evaluation)


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    folder = tmp_path_factory.mktemp("full")
    records = some_records(1200, drift_from=0.7, pictures=True, strangers=0.1)
    path = folder / "captures" / "cut-off.jsonl"
    path.parent.mkdir()
    path.write_bytes(b'{"captureData": <script>alert(1)</script>\n')
    cloud = Cloud()
    for row in decisions(records):
        cloud.run_of(row)
    for number in range(20):
        cloud.run(f"f{number}", error="InvalidImage", cause=CAUSE, photo=KEY, start=START + timedelta(hours=number))
    found = Decisions(cloud.rows)
    return render(
        folder,
        records,
        labels=LABELS,
        baseline=parse_baseline(baseline(strangers=0.02)),
        decisions=found,
        executions=read_executions(cloud, MACHINE, Period(), found.for_people),
        notes=("a note with <b>markup</b>",),
        evaluation=page.EVALUATION,
    )


@pytest.fixture(scope="module")
def seen(full):
    return browse(full[2])


def test_the_console_stays_silent(seen):
    assert seen.console == []


def test_nothing_is_asked_of_any_host(seen, full):
    assert seen.requests == []
    addresses = re.findall(r'(?:\b(?:src|href)\s*=|url\()\s*["\']?(?!data:|#)([^"\'\s>)]+)', full[2])
    assert not [address for address in addresses if "//" in address]


def test_every_picture_is_there_with_its_alternative_text(seen, full):
    _, drawn, _ = full
    labels = [picture["label"] for picture in seen.facts["pictures"]]
    assert sorted(labels) == sorted(one.alternative for one in drawn)
    assert len(drawn) == 8
    assert all(p["role"] == "img" and p["height"] > 100 for p in at_least_one(seen.facts["pictures"]))
    assert len(seen.facts["images"]) == 36
    assert all(image["alt"] and image["loaded"] for image in seen.facts["images"])


def test_ids_are_unique(seen):
    ids = seen.facts["ids"]
    assert len(ids) == len(set(ids))


def test_the_headline_and_the_story_are_in_words(seen, full):
    summary = full[0]
    assert plain(seen.facts["heading"]) == summary.headline
    assert "1,220 photos" in summary.headline
    assert "Since 4 May 2026" in seen.facts["text"]
    assert "less sure than at evaluation" in seen.facts["text"]


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def test_the_drift_section_says_how_many_strangers_came_and_how_many_were_to_be_expected(seen, full):
    strangers = full[0].strangers
    text = plain(seen.facts["text"])
    assert f"{strangers.count} showed none of the classes" in text
    assert f"about {strangers.expected:.0f} would be expected here" in text
    assert "More came" in text


def test_faults_are_in_a_table_by_error_with_the_latest_examples(seen, full):
    text = seen.facts["text"]
    assert "20 photos ended in a fault" in text
    row = next(line for line in text.splitlines() if line.startswith("InvalidImage\t20\t100 %"))
    assert KEY in row.replace("\u200b", "") and "4 May 2026, 03:00:02" in row and CAUSE in row
    assert text.count(KEY) == 3


def test_a_key_never_breaks_within_a_word(full):
    assert "/<wbr>gate-<wbr>north/<wbr>2026-<wbr>05-<wbr>03_<wbr>0f90" in full[2]
    assert page.breakable("a/<b>.png") == "a/<wbr>&lt;b&gt;.<wbr>png"


def test_report_and_evaluation_link_to_each_other(full, tmp_path):
    assert f'href="{page.EVALUATION}"' in full[2]
    report, evaluation = tmp_path / "report", tmp_path / "evaluation"
    assert page.evaluation_beside(report) is None
    evaluation.mkdir()
    (evaluation / EVALUATION_FILE).touch()
    assert page.evaluation_beside(report) == page.EVALUATION
    report.mkdir()
    (report / page.FILE).touch()
    assert (evaluation / REPORT).resolve() == (report / page.FILE).resolve()


def test_what_was_captured_can_not_inject_markup(seen, full):
    assert "<script" not in full[2]
    assert "a note with <b>markup</b>" in seen.facts["text"]
    assert "cut-off.jsonl" in seen.facts["text"]


def test_on_a_phone_nothing_sticks_out_and_text_in_pictures_is_readable(full):
    phone = browse(full[2], width=390)
    assert phone.facts["width"] == 390
    assert phone.facts["scrollWidth"] <= 390
    assert phone.facts["smallestText"] >= 8
    assert all(p["height"] > 100 for p in at_least_one(phone.facts["pictures"]))


def test_dark_is_dark_and_light_is_light(seen, full):
    assert seen.facts["background"] == "rgb(244, 245, 247)"
    assert browse(full[2], dark=True).facts["background"] == "rgb(20, 23, 27)"


@pytest.mark.parametrize(
    ("count", "headline"),
    [
        (0, "No photos arrived in this period."),
        (1, "1 photo: accepted; too few photos to compare with the evaluation."),
    ],
)
def test_zero_and_one_photo_make_a_sensible_page(tmp_path, count, headline):
    summary, drawn, html = render(tmp_path, some_records(count, pictures=True), baseline=parse_baseline(baseline()))
    seen = browse(html)
    assert seen.facts["heading"] == headline == summary.headline
    assert seen.console == []
    assert len(seen.facts["pictures"]) == len(drawn) == (3 if count else 0)
    assert ("Nothing captured" in seen.facts["text"]) == (count == 0)
    assert "nan" not in seen.facts["text"].lower()


def test_faults_alone_make_a_page_too(tmp_path):
    cloud = Cloud()
    cloud.run(1, error="InvalidImage", cause=CAUSE)
    executions = read_executions(cloud, MACHINE, Period())
    summary, drawn, html = render(tmp_path, [], executions=executions)
    assert summary.headline.startswith("1 photo: a fault (InvalidImage); ")
    assert [one.name for one in drawn] == ["outcomes-over-time"]
    assert "1 photo ended in a fault" in browse(html).facts["text"]


def test_without_a_baseline_and_decisions_the_page_says_so(tmp_path):
    _, _, html = render(tmp_path, some_records(60))
    assert "There is no baseline to compare with" in html
    assert "was not measured" in html
    assert "not known without the stack's executions" in html


def test_a_request_of_a_page_would_be_noticed():
    probe = browse('<h1>x</h1><img src="http://127.0.0.1:9/x.png" alt=""><script>console.error("boo")</script>')
    assert probe.requests == ["http://127.0.0.1:9/x.png"]
    assert any("boo" in line for line in probe.console)


def test_a_captured_input_is_shown_only_when_it_is_a_whole_picture():
    whole = png()
    assert data_uri(("BASE64", whole)) == f"data:image/png;base64,{whole}"
    for broken in (None, ("CSV", "1,2"), ("BASE64", "!!"), ("BASE64", whole[:400]), ("BASE64", "PHN2Zz48L3N2Zz4=")):
        assert data_uri(broken) is None


def test_the_pictures_are_written_as_png_beside_the_page(full, tmp_path):
    _, drawn, html = full
    written = page.write(tmp_path / "new" / "report", html, drawn)
    assert written.read_text() == html
    assert {path.name for path in written.parent.glob("*.png")} == {f"{one.name}.png" for one in drawn}


def test_the_numbers_survive_as_json(full):
    numbers = json.loads(to_json(full[0]))
    assert numbers["photos"] == 1220 and len(numbers["confidence_over_time"]["times"]) == 1200
    assert numbers["sources"]["damaged"] == 1
    assert numbers["sources"]["damaged_examples"][0]["line"] == 1
    assert numbers["sources"]["decided_photos"] == 1200
    assert sum(numbers["review_rate"]["counts"]) == 1200
    assert numbers["drift"]["windows"][0]["confidence_psi"]["critical"] > 0
    assert len(numbers["least_sure"]) == 12
