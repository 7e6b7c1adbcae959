"""Configuration as the `pulumi` command would put it together, and refuse it."""

from __future__ import annotations

import json
import re

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract.errors import UserError
from contract.stacks import read_stack

PROJECT = """
name: scones
config:
  classes: {type: array, items: {type: string}, default: [a, b]}
  threshold: {type: string, default: "0.80"}
  minutes: {type: integer, default: 60}
  spot: {type: boolean, default: true}
  bays: {type: object, default: {a: bay 1}}
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "Pulumi.yaml").write_text(PROJECT)
    (tmp_path / "Pulumi.dev.yaml").write_text('config: {"aws:region": eu-west-1, "scones:minutes": 5}')
    (tmp_path / "Pulumi.prod.yaml").write_text("")
    return tmp_path


def test_the_stack_s_own_values_win_over_the_defaults_and_all_are_texts(project):
    assert read_stack(project, "dev", {}).delivered() == {
        "aws:region": "eu-west-1",
        "scones:classes": '["a", "b"]',
        "scones:threshold": "0.80",
        "scones:minutes": "5",
        "scones:spot": "true",
        "scones:bays": '{"a": "bay 1"}',
    }


def test_a_stack_file_without_settings_is_all_defaults(project):
    assert json.loads(read_stack(project, "prod", {}).delivered()["scones:minutes"]) == 60


def test_overrides_win_over_the_stack_with_or_without_namespace(project):
    got = read_stack(project, "dev", {"minutes": "7", "scones:threshold": "0.9", "aws:region": "us-east-1"}).delivered()
    assert (got["scones:minutes"], got["scones:threshold"], got["aws:region"]) == ("7", "0.9", "us-east-1")


def test_a_missing_stack_lists_the_ones_that_are_there(project):
    with pytest.raises(UserError, match=re.escape("no stack 'tset': the stacks are dev, prod")):
        read_stack(project, "tset", {}).delivered()


@pytest.mark.parametrize(
    ("key", "value", "kind", "shown"),
    [
        ("minutes", "many", "integer", '"many"'),
        ("minutes", "true", "integer", "true"),
        ("minutes", "1.5", "integer", "1.5"),
        ("spot", "1", "boolean", "1"),
        ("classes", '{"a": 1}', "array", '{"a": 1}'),
        ("bays", "[1]", "object", "[1]"),
    ],
)
def test_a_value_of_another_type_than_the_schema_s_is_refused(project, key, value, kind, shown):
    with pytest.raises(UserError, match=re.escape(f"scones:{key} must be of type {kind}, got {shown}")):
        read_stack(project, "dev", {key: value}).require()


def test_a_key_that_the_schema_does_not_declare_is_refused(project):
    reason = "--config: scones:minute is not declared in Pulumi.yaml: did you mean minutes?"
    with pytest.raises(UserError, match=re.escape(reason)):
        read_stack(project, "dev", {"minute": "5"}).require()


def test_every_mistake_comes_out_at_once_and_says_where_it_was_made(project):
    (project / "Pulumi.dev.yaml").write_text("config:\n  threshold: 0.8\n  clases: [a]\n  scones:minutes: many\n")
    with pytest.raises(UserError) as caught:
        read_stack(project, "dev", {"spot": "perhaps"}).require()
    assert str(caught.value).splitlines() == [
        "4 problems in the configuration of stack dev:",
        "  - Pulumi.dev.yaml:2: scones:threshold must be of type string, got 0.8 (quote it)",
        '  - Pulumi.dev.yaml:4: scones:minutes must be of type integer, got "many"',
        '  - --config: scones:spot must be of type boolean, got "perhaps"',
        "  - Pulumi.dev.yaml:3: scones:clases is not declared in Pulumi.yaml: did you mean classes?",
    ]


def test_what_the_program_says_is_told_with_its_place_and_instead_of_what_the_types_say(project):
    (project / "Pulumi.dev.yaml").write_text("config:\n  threshold: 0.8\n  minutes: many\n  bays: {secure: abc}\n")
    found = [
        'scones:minutes must be a whole number from 5 to 7200, got "many"',
        "scones:bays must be a mapping, got nothing",
        "scones:classes.a is wrong",
        "aws:region is missing",
    ]
    assert read_stack(project, "dev", {"spot": "1"}).problems(found) == [
        "Pulumi.dev.yaml:4: scones:bays is encrypted (secure:), and only the pulumi command has the key to it; "
        "give it with --config",
        'Pulumi.dev.yaml:3: scones:minutes must be a whole number from 5 to 7200, got "many"',
        "Pulumi.yaml:4: scones:classes.a is wrong",
        "aws:region is missing",
        "Pulumi.dev.yaml:2: scones:threshold must be of type string, got 0.8 (quote it)",
        "--config: scones:spot must be of type boolean, got 1",
    ]


def test_an_encrypted_value_can_be_given_on_the_command_line(project):
    (project / "Pulumi.dev.yaml").write_text("config: {threshold: {secure: abc}}")
    assert read_stack(project, "dev", {"threshold": "0.9"}).problems() == []


@pytest.mark.parametrize(
    "text",
    ["config: {threshold: {secure: abc}}", "config: {bays: {a: {secure: abc}}}", "config: {classes: [{secure: abc}]}"],
)
def test_encrypted_values_are_refused_by_name_and_not_delivered(project, text):
    (project / "Pulumi.dev.yaml").write_text(text)
    stack = read_stack(project, "dev")
    (problem,) = stack.problems()
    assert re.match(r"Pulumi.dev.yaml:1: scones:\w+ is encrypted \(secure:\)", problem)
    assert "secure" not in json.dumps(stack.delivered())


def test_an_environment_is_refused_by_name(project):
    (project / "Pulumi.dev.yaml").write_text("environment: [shared]\nconfig: {minutes: many}")
    assert [problem.split(" ")[1] for problem in read_stack(project, "dev").problems()] == [
        "environment:",
        "scones:minutes",
    ]


def test_a_key_without_namespace_is_the_project_s(project):
    (project / "Pulumi.dev.yaml").write_text("config: {minutes: 5}")
    assert read_stack(project, "dev").setting("minutes") == 5
    assert read_stack(project, None).setting("minutes") == 60


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("config:\n  a: [", "Pulumi.dev.yaml:2: not YAML: "),
        ("\t", "Pulumi.dev.yaml:1: not YAML: "),
        ("- a", "Pulumi.dev.yaml:1: must be a mapping of strings to values, got ['a']"),
        ("a: 1\nconfig: [a]", "Pulumi.dev.yaml:2: config: must be a mapping of settings by name, got ['a']"),
        ("config: text", "Pulumi.dev.yaml:1: config: must be a mapping of settings by name, got 'text'"),
        ("config: {1: 2}", "Pulumi.dev.yaml:1: config: must be a mapping of settings by name, got {'1': 2}"),
        ("a: b: c", "Pulumi.dev.yaml:1: not YAML: mapping values are not allowed here"),
        ("config:\n  minutes: 5\n  minutes: 6", "Pulumi.dev.yaml:3: not YAML: minutes is there twice, first in line 2"),
        ("config:\n  minutes: 5\n  scones:minutes: 6", "Pulumi.dev.yaml:3: scones:minutes is there twice, first at"),
        ("config: {minutes: !!int many}", "Pulumi.dev.yaml: not YAML that can be read: "),
        ("config: {minutes: !!python/name:os.system a}", "Pulumi.dev.yaml:1: not YAML: could not determine"),
        ("config: {bays: &a [*a]}", "Pulumi.dev.yaml:1: not YAML: found unconstructable recursive node"),
        ("config: " + "[" * 5000, "Pulumi.dev.yaml"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line_that_names_it(project, text, reason):
    (project / "Pulumi.dev.yaml").write_text(text)
    with pytest.raises(UserError) as caught:
        read_stack(project, "dev")
    assert str(caught.value).startswith(reason)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "config:", "config: {}", "# nothing", "config: ~", "\ufeffconfig: {}"])
def test_a_file_without_values_is_all_defaults_as_for_the_command(project, text):
    (project / "Pulumi.dev.yaml").write_text(text)
    assert read_stack(project, "dev").delivered() == read_stack(project, None).delivered()


@pytest.mark.parametrize(
    ("written", "delivered"),
    [
        ("5", "5"),
        ('"5"', "5"),
        ("true", "true"),
        ("0.8", "0.8"),
        ("yes", "yes"),
        ("on", "on"),
        ("1:30", "1:30"),
        ("2026-11-25", "2026-11-25"),
        ("0o17", "0o17"),
        ("[a, 1, true]", '["a", 1, true]'),
        ("{a: {b: 1}}", '{"a": {"b": 1}}'),
        ("|-\n    two\n    lines", "two\nlines"),
    ],
)
def test_each_kind_of_value_is_delivered_as_the_command_delivers_it(project, written, delivered):
    (project / "Pulumi.dev.yaml").write_text(f"config:\n  other:key: {written}\n")
    assert read_stack(project, "dev").delivered()["other:key"] == delivered


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | st.dates()
SHAPES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=4) | st.integers() | st.sampled_from(["secure", "default"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SHAPES | st.fixed_dictionaries({"config": SHAPES}), st.text(max_size=30) | st.none())
def test_no_shape_of_yaml_and_no_text_is_more_than_a_user_s_mistake(project, document, text):
    written = yaml.safe_dump(document) if text is None else text
    (project / "Pulumi.dev.yaml").write_text(written, encoding="utf-8", errors="surrogatepass")
    try:
        stack = read_stack(project, "dev")
        assert all(isinstance(value, str) for value in stack.delivered().values())
        assert all("\n" not in problem for problem in stack.problems())
    except UserError as error:
        assert "\n" not in str(error)


def test_a_folder_without_a_project_is_said_to_be_one(tmp_path):
    with pytest.raises(UserError, match=re.escape("there is no Pulumi.yaml in ")):
        read_stack(tmp_path, None)
