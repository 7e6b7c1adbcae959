"""Configuration as the `pulumi` command would put it together, and refuse it."""

from __future__ import annotations

import json
import re

import pytest

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
        read_stack(project, "dev", {key: value}).delivered()


def test_a_key_that_the_schema_does_not_declare_is_refused(project):
    reason = "--config: scones:minute is not declared in Pulumi.yaml: did you mean minutes?"
    with pytest.raises(UserError, match=re.escape(reason)):
        read_stack(project, "dev", {"minute": "5"}).delivered()


def test_every_mistake_comes_out_at_once_and_says_where_it_was_made(project):
    (project / "Pulumi.dev.yaml").write_text("config: {threshold: 0.8, clases: [a], scones:minutes: many}")
    with pytest.raises(UserError) as caught:
        read_stack(project, "dev", {"spot": "perhaps"}).delivered()
    assert str(caught.value).splitlines() == [
        "Pulumi.dev.yaml: scones:threshold must be of type string, got 0.8 (quote it)",
        'Pulumi.dev.yaml: scones:minutes must be of type integer, got "many"',
        '--config: scones:spot must be of type boolean, got "perhaps"',
        "Pulumi.dev.yaml: scones:clases is not declared in Pulumi.yaml: did you mean classes?",
    ]


def test_a_key_without_namespace_is_the_project_s(project):
    (project / "Pulumi.dev.yaml").write_text("config: {minutes: 5}")
    assert read_stack(project, "dev").setting("minutes") == 5
    assert read_stack(project, None).setting("minutes") == 60


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("config:\n  a: [", "Pulumi.dev.yaml, line 2 is not YAML: "),
        ("\t", "Pulumi.dev.yaml, line 1 is not YAML: "),
        ("- a", "Pulumi.dev.yaml must be a mapping, got ['a']"),
        ("config: [a]", "Pulumi.dev.yaml: config: must be a mapping of settings by name, got ['a']"),
        ("config: {1: 2}", "Pulumi.dev.yaml: config: must be a mapping of settings by name, got {1: 2}"),
        ("config: {threshold: {secure: abc}}", "Pulumi.dev.yaml: threshold is encrypted (secure:)"),
        ("environment: [shared]", "Pulumi.dev.yaml: environment: is read by the pulumi command alone"),
        ("a: b: c", "Pulumi.dev.yaml, line 1 is not YAML: mapping values are not allowed here"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line_that_names_it(project, text, reason):
    (project / "Pulumi.dev.yaml").write_text(text)
    with pytest.raises(UserError) as caught:
        read_stack(project, "dev")
    assert str(caught.value).startswith(reason)
    assert "\n" not in str(caught.value)


def test_a_folder_without_a_project_is_said_to_be_one(tmp_path):
    with pytest.raises(UserError, match=re.escape("there is no Pulumi.yaml in ")):
        read_stack(tmp_path, None)
