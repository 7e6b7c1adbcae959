"""`up` by difference: what is there stays, what differs is changed, and what is replaced goes last."""

import re
from dataclasses import replace

import pytest

from contract.errors import UserError
from localcloud.adapter import ADAPTERS, adapter
from localcloud.cloud import Cloud
from localcloud.difference import Change, decide, settings_changed, summary
from localcloud.engine import Emulation, Preview
from localcloud.program import run_program
from localcloud.state import FILE, Held, dependents_first, read_stack_state

TYPE = "test:index/thing:Thing"


def held(inputs=None, **what):
    return Held(**{"urn": "u", "type": TYPE, "name": "n", "id": "i", "inputs": inputs or {}, "outputs": {},
                   "dependencies": (), "generation": 0, "retained": False, **what})  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "operation", "keys"),
    [
        (None, {"size": 1}, "create", ()),
        ({"size": 1}, {"size": 1}, "same", ()),
        ({"size": 1}, {"size": 2}, "update", ("size",)),
        ({"size": 1}, {}, "update", ("size",)),
        ({}, {"size": 1}, "update", ("size",)),
        ({"name": "a", "size": 1}, {"name": "b", "size": 2}, "replace", ("name", "size")),
    ],
)
def test_what_differs_decides_what_is_done(before, after, operation, keys):
    there = None if before is None else held(before)
    assert decide(there, after, replaces={"name"}, updates=True) == (operation, keys)


def test_what_can_not_be_updated_is_replaced():
    assert decide(held({"size": 1}), {"size": 2}, replaces=(), updates=False)[0] == "replace"


def test_the_summary_counts_what_is_unchanged_too():
    changes = [Change(operation, "u", TYPE, "n") for operation in ("update", "update", "delete", "create")]
    assert summary(changes, 10) == "1 to create, 2 to update, 1 to delete, 7 unchanged"
    assert summary([], 3) == "3 unchanged"


def test_settings_that_differ_are_told_with_both_values():
    before, after = {"scones:a": "0.80", "scones:b": "x"}, {"scones:a": "0.95", "scones:b": "x", "scones:c": "1"}
    assert settings_changed(before, after) == ["a 0.80 -> 0.95", "c none -> 1"]


def test_what_depends_on_another_is_deleted_before_it():
    one, two, three = (held(urn=urn) for urn in ("one", "two", "three"))
    two, three = replace(two, dependencies=("one", "gone before")), replace(three, dependencies=("two",))
    for order in ([one, two, three], [three, one, two]):
        assert [each.urn for each in dependents_first(order)] == ["three", "two", "one"]


PROGRAM = """
import pulumi
class Thing(pulumi.CustomResource):
    arn: pulumi.Output[str]
    def __init__(self, name, opts=None, **inputs):
        super().__init__("test:index/thing:Thing", name, {"arn": None, **inputs}, opts)
BODY
"""
TWO = "one = Thing('one', size=1, colour='red')\nThing('two', size=5, above=one.arn)"


class World:
    """Things, in an emulator that is a dictionary."""

    def __init__(self, root, monkeypatch):
        self.root, self.things, self.events, self.failing = root, {}, [], ""
        adapters = dict(ADAPTERS)
        for module in ("adapter", "engine"):
            monkeypatch.setattr(f"localcloud.{module}.ADAPTERS", adapters)

        @adapter(TYPE, takes=("size", "above", "colour"), replaces=("colour",), ignores={"note": "unseen"})
        def thing(request):
            if request.name == self.failing:
                raise ValueError("out of luck")
            self.things[request.auto_name] = dict(request.inputs)
            self.events.append(f"create {request.name}")
            return request.auto_name, {"arn": f"arn:{request.auto_name}"}

        @thing.updates
        def update(request):
            self.things[request.id] = dict(request.inputs)
            self.events.append(f"update {request.name}")
            return {}

        @thing.deletes
        def delete(request):
            del self.things[request.id]
            self.events.append(f"delete {request.name}")

    def up(self, body):
        (self.root / "Pulumi.yaml").write_text("name: scones\n")
        (self.root / "Pulumi.dev.yaml").write_text("")
        (self.root / "__main__.py").write_text(PROGRAM.replace("BODY", body))
        self.events = []
        cloud, state = Cloud(self.root, "dev", "us-east-1", "", ""), read_stack_state(self.root / "state")
        preview = Preview(cloud, state)
        run_program(self.root, "dev", preview, preview=True)
        changes = sorted((each.operation, each.name) for each in preview.all_changes())
        assert not self.events
        engine = Emulation(cloud, state)
        run_program(self.root, "dev", engine)
        engine.delete_rest(self.events.append)
        return changes


@pytest.fixture
def world(tmp_path, monkeypatch):
    return World(tmp_path, monkeypatch)


def test_a_second_run_changes_nothing(world):
    assert world.up(TWO) == [("create", "one"), ("create", "two")]
    assert world.events == ["create one", "create two"]
    assert world.up(TWO) == [] and world.events == []


def test_a_changed_input_is_updated_and_the_rest_is_left_alone(world):
    world.up(TWO)
    names = set(world.things)
    assert world.up(TWO.replace("size=1", "size=2")) == [("update", "one")]
    assert world.events == ["update one"] and set(world.things) == names


def test_a_successor_is_there_before_what_it_replaces_goes(world):
    world.up(TWO)
    before = set(world.things)
    assert world.up(TWO.replace("red", "blue")) == [("replace", "one"), ("update", "two")]
    assert world.events == ["create one", "update two", "delete one"]
    assert len(world.things) == 2 and len(before & set(world.things)) == 1


def test_what_the_program_no_longer_registers_goes_after_what_needed_it(world):
    world.up(TWO)
    assert world.up("") == [("delete", "one"), ("delete", "two")]
    assert world.events == ["delete two", "delete one"] and not world.things


def test_what_is_to_be_retained_is_forgotten_and_stays(world):
    kept = TWO.replace("colour='red'", "colour='red', opts=pulumi.ResourceOptions(retain_on_delete=True)")
    world.up(kept)
    world.up(kept.replace("red", "blue"))
    assert len(world.things) == 3 and "kept, since the program says retain_on_delete" in world.events[-1]
    assert world.up(kept.replace("red", "blue")) == []


def test_a_change_that_the_program_ignores_is_none(world):
    ignoring = TWO.replace("colour='red'", "colour='red', opts=pulumi.ResourceOptions(ignore_changes=['colour'])")
    world.up(ignoring)
    assert world.up(ignoring.replace("'red'", "'blue'", 1)) == []


def test_a_change_of_what_the_adapter_leaves_out_is_noted_and_changes_nothing(world):
    world.up(TWO)
    assert world.up(TWO.replace("size=1", "size=1, note='x'")) == [("update", "one")]
    assert world.events == []
    assert world.up(TWO.replace("size=1", "size=1, note='x'")) == []


def test_a_run_that_failed_goes_on_where_it_stopped(world):
    world.failing = "two"
    with pytest.raises(UserError, match=re.escape("::two could not be created: ValueError: out of luck")):
        world.up(TWO)
    world.failing = ""
    assert world.up(TWO) == [("create", "two")] and world.events == ["create two"]


def test_what_was_replaced_is_deleted_by_the_next_run_when_the_first_failed(world):
    world.up(TWO)
    world.failing = "three"
    changed = TWO.replace("red", "blue")
    with pytest.raises(UserError):
        world.up(f"{changed}\nThing('three', above=one.arn)")
    assert len(world.things) == 3
    world.failing = ""
    assert ("delete", "one") in world.up(changed)
    assert "delete one" in world.events and len(world.things) == 2


def test_the_state_is_what_was_written(world):
    world.up(TWO)
    state = read_stack_state(world.root / "state")
    assert {each.name for each in state.resources.values()} == {"one", "two"}
    (two,) = [each for each in state.resources.values() if each.name == "two"]
    assert two.dependencies == (next(urn for urn in state.resources if urn.endswith("::one")),)
    assert (world.root / "state" / FILE).is_file()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("hooks=pulumi.ResourceHookBinding(before_delete=[hook])", "runs no hooks around deletions"),
        ("delete_before_replace=True", "creates a successor first, not as delete_before_replace"),
        ("custom_timeouts=pulumi.CustomTimeouts(create='5m')", "keeps no custom_timeouts"),
    ],
)
def test_an_option_that_nobody_here_would_keep_is_refused(world, options, said):
    body = f"""
hook = pulumi.ResourceHook("h", lambda args: None)
Thing("one", opts=pulumi.ResourceOptions({options}))
"""
    with pytest.raises(UserError, match=f"::one: the local cloud {said}"):
        world.up(body)
    assert not world.events


def test_hooks_run_around_updates(world):
    hooked = """
def tell(args): print(args.old_inputs["size"], args.new_inputs["size"], flush=True)
hook = pulumi.ResourceHook("h", tell)
Thing("one", size=SIZE, opts=pulumi.ResourceOptions(hooks=pulumi.ResourceHookBinding(before_update=[hook])))
"""
    world.up(hooked.replace("SIZE", "1"))
    world.up(hooked.replace("SIZE", "2"))
    assert world.events == ["update one"]
