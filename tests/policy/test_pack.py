"""The policy pack in the analyzer that Pulumi's engine would start: its rules one by one, and on whole graphs."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from localcloud.graph import graph
from policy.exceptions import EXCUSED
from policy.pack import policies
from policy.rule import RULES
from tests.assertions import at_least_one
from tests.components.dataset import write_dataset
from tests.policy.analyzer import ROOT, UNKNOWN, Analyzer, running, told
from tests.policy.examples import EXAMPLES, STACK_EXAMPLES

KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
GRAPHS: dict[str, tuple[str, dict[str, str]]] = {
    "dev": ("dev", {}),
    "prod": ("prod", {}),
    "prod with a customer's key": ("prod", {"kmsKeyArn": KEY}),
    "prod, serverless": ("prod", {"endpointMode": "serverless", "capturePercentage": "0"}),
}
BROKEN = [(rule, props) for rule, example in EXAMPLES.items() for props in example.breaks]
BROKEN_STACKS = [(rule, entries) for rule, (_, broken) in STACK_EXAMPLES.items() for entries in broken]


@pytest.fixture(scope="session")
def pack() -> Iterator[Analyzer]:
    with running() as analyzer:
        yield analyzer


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("policy")
    layer = folder / "layer.zip"
    layer.write_bytes(b"PK\x05\x06" + bytes(18))
    return {"datasetDir": str(write_dataset(folder / "dataset")), "layerPath": str(layer)}


@pytest.fixture(scope="session")
def graphs(files: dict[str, str]) -> dict[str, list[dict[str, Any]]]:
    made = {name: graph(ROOT, stack, {**files, **settings}) for name, (stack, settings) in GRAPHS.items()}
    made["warehouse"] = graph(ROOT / "examples/warehouse", "dev", {"layerPath": files["layerPath"]})
    return made


def resource(rule: str, props: dict[str, Any]) -> dict[str, Any]:
    return {"type": EXAMPLES[rule].type, "name": "example", "urn": "urn:example", "inputs": props}


def test_the_engine_is_told_of_every_rule_with_its_reason_and_its_level(pack: Analyzer) -> None:
    info = pack.info()
    assert info.name == "scones"
    levels = {each.name: (each.description, each.enforcementLevel) for each in info.policies}
    assert list(levels) == list(RULES) and len(levels) == len(policies()) >= 20
    for name, (why, level) in levels.items():
        assert why.endswith(".") and RULES[name].why == why
        # 0 is advisory and 1 mandatory to the engine
        assert level == (1 if RULES[name].level.value == "mandatory" else 0)


def test_every_rule_has_an_example_that_keeps_it_and_one_that_breaks_it() -> None:
    assert {*EXAMPLES, *STACK_EXAMPLES} == set(RULES)
    assert all(example.breaks for example in EXAMPLES.values())
    assert all(broken for _, broken in STACK_EXAMPLES.values())


@pytest.mark.parametrize("rule", EXAMPLES)
def test_what_keeps_a_rule_is_not_complained_about(pack: Analyzer, rule: str) -> None:
    said = told(pack.resource(resource(rule, EXAMPLES[rule].keeps), EXAMPLES[rule].region))
    assert [each for each in said if each[0] == rule] == []


@pytest.mark.parametrize(("rule", "props"), BROKEN, ids=lambda value: value if isinstance(value, str) else "")
def test_what_breaks_a_rule_is_complained_about_under_its_name(
    pack: Analyzer, rule: str, props: dict[str, Any]
) -> None:
    said = told(pack.resource(resource(rule, props), EXAMPLES[rule].region))
    assert [each for each in said if each[0] == rule]


@pytest.mark.parametrize("rule", STACK_EXAMPLES)
def test_a_stack_that_keeps_a_rule_is_not_complained_about(pack: Analyzer, rule: str) -> None:
    keeps, _ = STACK_EXAMPLES[rule]
    assert [each for each in told(pack.stack(keeps)) if each[0] == rule] == []


@pytest.mark.parametrize(("rule", "entries"), BROKEN_STACKS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_stack_that_breaks_a_rule_is_complained_about_with_the_resource(
    pack: Analyzer, rule: str, entries: list[dict[str, Any]]
) -> None:
    urns = {urn for name, urn, _ in told(pack.stack(entries)) if name == rule}
    assert urns and urns <= {each["urn"] for each in entries}


@pytest.mark.parametrize("name", [*GRAPHS, "warehouse"])
def test_the_whole_graph_keeps_every_rule(pack: Analyzer, graphs: dict[str, list[dict[str, Any]]], name: str) -> None:
    assert told(pack.graph(graphs[name])) == []


def test_every_exception_names_a_rule_gives_a_reason_and_is_needed(
    graphs: dict[str, list[dict[str, Any]]], tmp_path: Path
) -> None:
    shutil.copytree(ROOT / "policy", tmp_path / "policy")
    file = tmp_path / "policy/exceptions.py"
    strict = re.sub(r"^EXCUSED = \(.*?^\)", "EXCUSED: tuple[Excused, ...] = ()", file.read_text(), flags=re.M | re.S)
    file.write_text(strict, encoding="utf-8")
    with running(tmp_path / "policy") as severe:
        said = {(rule, urn) for entries in graphs.values() for rule, urn, _ in told(severe.graph(entries))}
    names = {(rule, urn.rsplit("::", 1)[1]) for rule, urn in said}
    for each in EXCUSED:
        assert each.rule in RULES and len(each.reason.split()) >= 5, each
        for pattern in at_least_one(each.resources):
            assert any(rule == each.rule and fnmatchcase(name, pattern) for rule, name in names), each


def test_in_a_preview_what_is_not_known_yet_is_said_and_stops_nothing(pack: Analyzer, files: dict[str, str]) -> None:
    text = json.dumps(graph(ROOT, "prod", files, preview=True)).replace('"unknown"', f'"{UNKNOWN}"')
    said = pack.graph(json.loads(text))
    assert [each.message for each in said if each.enforcementLevel != 0] == []
    assert said and all("can't be known during preview" in each.message for each in said)


def test_a_pack_that_is_broken_does_not_pass_for_one_that_is_content(tmp_path: Path) -> None:
    (tmp_path / "__main__.py").write_text("raise SystemExit('no')", encoding="utf-8")
    with pytest.raises(AssertionError, match="did not start"), running(tmp_path):
        pass


def test_the_file_of_the_pack_names_what_the_engine_needs() -> None:
    from contract.yaml_files import read_entries

    entries = read_entries(ROOT / "policy/PulumiPolicy.yaml")
    runtime = entries["runtime"].below
    assert runtime and runtime["name"].value == "python"
    asked = (ROOT / "policy/requirements.txt").read_text(encoding="utf-8")
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for name in ("pulumi", "pulumi-policy"):
        (floor,) = re.findall(rf"^{name}>=([\d.]+)", asked, re.M)
        assert f'"{name}>={floor}' in project
