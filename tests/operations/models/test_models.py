"""`operations models`: which there are, and what is kept of those that serve no more."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from contract.versions import listed
from operations.cli import main
from operations.models import command
from operations.models.listing import age
from tests.operations.models.stack import GROUP, TAGS, running_stack


@pytest.fixture
def stack(tmp_path, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with running_stack(tmp_path) as made:
        monkeypatch.setattr(command, "_sagemaker", lambda outputs: made.sagemaker)
        yield made


def said(capsys, *words: str) -> str:
    assert main(["models", *words]) == 0
    return capsys.readouterr().out


def refused(capsys, *words: str) -> str:
    assert main(["models", *words]) == 2
    return capsys.readouterr().err


def test_every_model_is_listed_with_what_it_is_made_of_how_good_it_is_and_where_it_serves(stack, capsys):
    stack.model("job-a", wrong=3, served={"dev": 20, "prod": 21})
    stack.model("job-b", wrong=60, served={"dev": 22})
    stack.model("job-c", wrong=1)
    head, *lines = said(capsys, "--outputs", stack.outputs("job-b")).splitlines()
    names = head.split("\t")
    c, b, a = (dict(zip(names, line.split("\t"), strict=True)) for line in lines)
    assert [each["version"] for each in (c, b, a)] == ["3", "2", "1"]
    assert (a["training job"], a["trained"], a["dataset"]) == ("job-a", "20 Nov 2026, 08:00", "1f1f1f1f1f1f")
    assert a["accuracy (95 %)"].startswith("0.990 (0.97") and a["threshold"] == "0.9 for 2 %" and a["accepts"] == "99 %"
    assert [each["serves"] for each in (c, b, a)] == ["", "dev", "prod"]
    assert [each["status"] for each in (c, b, a)] == ["not approved", "not approved", "approved"]
    assert (a["since"], a["by"]) == ("21 Nov 2026, 12:00", "user/alice") and (c["since"], c["by"]) == ("", "")


def test_a_model_that_another_one_followed_serves_no_more(stack, capsys):
    stack.model("job-a", served={"dev": 20})
    stack.model("job-b", served={"dev": 21})
    document = json.loads(said(capsys, "--json", "--outputs", stack.outputs("job-b")))
    assert [(each["model"]["job"], each["serves"], each["serves_here"]) for each in document] == [
        ("job-b", ["dev"], True),
        ("job-a", [], False),
    ]
    assert document[0]["served"][0]["at"] == "2026-11-21T12:00:00+00:00"
    assert document[0]["accuracy"]["value"] == 1 and document[0]["model"]["measured"]["digest"]
    assert "no more" in said(capsys, "--outputs", stack.outputs("job-b"))


def test_an_empty_register_is_said(stack, capsys):
    assert said(capsys, "--outputs", stack.outputs("job-a")) == f"the register {GROUP} holds no model yet\n"


def kept(stack, capsys, *words: str) -> dict[str, str | None]:
    """Name -> why it stays."""
    outputs = stack.outputs("job-5")
    document = json.loads(said(capsys, "--retained", "--json", "--outputs", outputs, *words))
    return {each["name"]: each["stays"] for each in document["retained"]}


def seven(stack) -> None:
    """Seven models: the sixth serves, the second serves in prod."""
    for number in range(7):
        stack.model(f"job-{number}", served={5: {"dev": 25}, 1: {"prod": 21}}.get(number))
    stack.hosted("now", serves=True)


def test_what_serves_anywhere_and_the_newest_stay_and_the_rest_may_go(stack, capsys):
    seven(stack)
    newest = "one of the newest 3"
    assert kept(stack, capsys) == {
        "job-6": newest, "job-4": newest, "job-3": newest, "job-2": None, "job-1": "serves in prod", "job-0": None,
    }  # fmt: skip
    assert [name for name, why in kept(stack, capsys, "--keep", "0").items() if why is None] == [
        "job-6", "job-4", "job-3", "job-2", "job-0",
    ]  # fmt: skip


def test_each_is_told_with_its_size_its_age_and_what_there_is_of_it(stack, capsys):
    seven(stack)
    stack.put("models/checkpoints/job-0/e1", bytes(500))
    head, *lines = said(capsys, "--retained", "--outputs", stack.outputs("job-5")).splitlines()
    told = {row["name"]: row for row in (dict(zip(head.split("\t"), line.split("\t"), strict=True)) for line in lines)}
    assert told["job-0"]["kind"] == "model" and told["job-0"]["removal"] == "may go"
    assert set(told["job-0"]["holds"].split(", ")) == {"artifact", "card", "evidence", "checkpoints", "version 1"}
    assert told["job-0"]["size"].endswith("kB") and told["job-0"]["age"].endswith(" s")
    assert told["job-6"]["removal"] == "stays: one of the newest 3"


def test_removal_takes_every_version_of_what_may_go_and_nothing_else(stack, capsys):
    seven(stack)
    stack.put("models/job-0/evidence.json", b"again")
    stack.put("models/checkpoints/job-2/e1", b"state")
    before = stack.objects()
    out = said(capsys, "--remove", "--yes", "--outputs", stack.outputs("job-5"))
    assert out.startswith("2 things removed, ") and out.endswith("; 4 stay\n")
    gone = {
        f"models/{job}/{file}"
        for job in ("job-0", "job-2")
        for file in ("output/model.tar.gz", "evidence.json", "card.md")
    }
    assert set(before) - set(stack.objects()) == {*gone, "models/checkpoints/job-2/e1"}
    assert sorted(each.model.job for each in listed(stack.sagemaker, GROUP)) == [
        "job-1",
        "job-3",
        "job-4",
        "job-5",
        "job-6",
    ]
    assert "models/serving.json" in stack.objects()
    assert [why for why in kept(stack, capsys).values() if why is None] == []
    assert "nothing may go: 4 things" in said(capsys, "--remove", "--yes", "--outputs", stack.outputs("job-5"))


def test_nothing_is_removed_unasked(stack, capsys):
    seven(stack)
    before = stack.objects()
    assert "nothing was removed: it takes a yes, or --yes" in refused(
        capsys, "--remove", "--outputs", stack.outputs("job-5")
    )
    assert stack.objects() == before and len(listed(stack.sagemaker, GROUP)) == 7


def test_a_model_that_is_being_trained_stays(stack, capsys, monkeypatch):
    seven(stack)
    stack.put("models/checkpoints/job-2/e1", b"state")
    monkeypatch.setattr("operations.models.retained._training", lambda _: iter(["job-2", "job-9"]))
    assert kept(stack, capsys)["job-2"] == "is being trained"


def test_configurations_and_models_that_a_roll_back_left_go_and_what_is_wanted_or_another_stack_s_stays(stack, capsys):
    other = [{**TAGS[0]}, {"Key": "stack", "Value": "prod"}]
    stack.hosted("old")
    stack.hosted("theirs", tags=other)
    stack.hosted("nobodys", tags=[])
    stack.hosted("now", serves=True)
    stack.hosted("wanted")
    found = kept(stack, capsys)
    assert found == {
        "model-configuration-wanted": "newer than what serves",
        "model-configuration-old": None,
        "model-model-old": None,
    }
    said(capsys, "--remove", "--yes", "--outputs", stack.outputs("job-5"))
    assert stack.hosting() == sorted(
        f"model-{kind}-{name}" for kind in ("configuration", "model") for name in ("now", "wanted", "theirs", "nobodys")
    )


def test_while_a_roll_out_is_under_way_nothing_is_said(stack, capsys, monkeypatch):
    stack.hosted("now", serves=True)
    described = stack.sagemaker.describe_endpoint(EndpointName="scones-dev") | {"EndpointStatus": "Updating"}
    stack.sagemaker.describe_endpoint = lambda **_: described
    assert "the endpoint scones-dev is Updating" in refused(capsys, "--retained", "--outputs", stack.outputs("job-5"))


def test_a_stack_that_keeps_nothing_is_told_so(stack, capsys):
    stack.model("job-5")
    stack.hosted("now", serves=True)
    assert said(capsys, "--retained", "--outputs", stack.outputs("job-5")) == "nothing is kept that serves nothing\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--keep", "1"], "--keep and --yes belong to --retained and --remove"),
        (["--retained", "--keep", "-1"], "--keep must be 0 or more, got -1"),
        ([], "which stack? give --outputs FILE or set SCONES_OUTPUTS"),
    ],
)
def test_mistakes_are_one_sentence(words, message, capsys, monkeypatch):
    monkeypatch.delenv("SCONES_OUTPUTS", raising=False)
    assert message in refused(capsys, *words)


def test_a_stack_from_before_there_was_a_register_is_told(stack, capsys):
    assert "the outputs name no modelPackageGroup" in refused(
        capsys, "--outputs", stack.outputs("job-5", modelPackageGroup="")
    )


def test_an_age_is_in_the_largest_unit():
    now = datetime(2026, 11, 25, tzinfo=UTC)
    ages = [
        age(now - timedelta(**ago), now) for ago in ({"days": 3}, {"hours": 30}, {"minutes": 61}, {"seconds": 5}, {})
    ]
    assert ages == ["3 d", "1 d", "1 h", "5 s", "0 s"]
