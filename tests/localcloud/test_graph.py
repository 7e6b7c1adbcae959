"""What the real program registers, without creating anything."""

import json
import re

import pytest

from contract.errors import UserError
from localcloud.cli import main
from localcloud.graph import graph
from tests.assertions import at_least_one


@pytest.fixture(scope="module")
def dev(root):
    return graph(root, "dev")


def by_name(entries, kind, name):
    (found,) = [each for each in entries if each["type"].endswith(f":{kind}") and each["name"] == name]
    return found


def test_the_same_program_and_configuration_give_the_same_bytes(root, monkeypatch, capsys):
    monkeypatch.chdir(root)
    printed = []
    for _ in range(2):
        assert main(["graph", "--stack", "dev", "--json"]) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    assert json.loads(printed[0])


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_a_preview_with_every_output_unknown_registers_the_same_resources(root, stack):
    overrides = {"trainingRecipe": "small"}
    known, unknown = graph(root, stack, overrides), graph(root, stack, overrides, preview=True)
    assert [(each["urn"], each["parent"]) for each in known] == [(each["urn"], each["parent"]) for each in unknown]
    machine = by_name(unknown, "StateMachine", "workflow-machine")
    assert machine["inputs"].get("definition", "unknown") == "unknown"
    assert by_name(known, "StateMachine", "workflow-machine")["inputs"]["definition"].startswith("{")


def test_every_resource_says_what_it_depends_on_and_it_is_in_the_graph(dev):
    urns = {each["urn"] for each in dev}
    assert {urn for each in dev for urn in each["dependencies"]} <= urns
    machine = by_name(dev, "StateMachine", "workflow-machine")
    functions = {each["urn"] for each in dev if each["type"] == "aws:lambda/function:Function"}
    assert len(functions & set(machine["dependencies"])) == 3


def test_every_resource_hangs_below_one_of_the_components(dev):
    components = {each["urn"] for each in dev if not each["custom"]}
    names = {urn.split("::")[-1] for urn in components}
    assert names == {"data", "register", "model", "workflow", "batch", "observability"}
    assert all(each["parent"] in components for each in at_least_one(dev) if each["custom"])


def test_assets_are_told_by_hash_and_by_no_path_of_this_machine(dev, root):
    text = json.dumps(dev)
    assert str(root) not in text
    assert not re.search(r'"asset": "/', text)
    code = by_name(dev, "Function", "workflow-filter")["inputs"]["code"]["archive"]
    assert "handlers/filter.py" in code and "handlers/serialize.py" not in code
    assert all(re.fullmatch("[0-9a-f]{64}", asset["sha256"]) for asset in at_least_one(code.values()))


def test_what_the_program_refuses_is_one_message_and_no_traceback(root, monkeypatch, capsys):
    monkeypatch.chdir(root)
    assert main(["graph", "--config", "confidenceThreshold=0.1"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ") and "confidenceThreshold must be a number above" in said
    assert "Traceback" not in said


def test_the_tree_shows_every_resource_below_its_component(root, dev, monkeypatch, capsys):
    monkeypatch.chdir(root)
    assert main(["graph"]) == 0
    out = capsys.readouterr().out
    assert f"dev: {sum(each['custom'] for each in dev)} resources" in out
    assert out.index("scones:components:DataBucket") < out.index("data-bucket")


def test_an_unknown_stack_is_refused(root):
    with pytest.raises(UserError, match="the stacks are dev, local, prod"):
        graph(root, "staging")
