"""Configuration as the `pulumi` command would put it together, and refuse it."""

import json
import re

import pytest

from contract.errors import UserError
from localcloud.project import stack_configuration

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
    assert stack_configuration(project, "dev", {}) == {
        "aws:region": "eu-west-1",
        "scones:classes": '["a", "b"]',
        "scones:threshold": "0.80",
        "scones:minutes": "5",
        "scones:spot": "true",
        "scones:bays": '{"a": "bay 1"}',
    }


def test_a_stack_file_without_settings_is_all_defaults(project):
    assert json.loads(stack_configuration(project, "prod", {})["scones:minutes"]) == 60


def test_overrides_win_over_the_stack_with_or_without_namespace(project):
    got = stack_configuration(project, "dev", {"minutes": "7", "scones:threshold": "0.9", "aws:region": "us-east-1"})
    assert (got["scones:minutes"], got["scones:threshold"], got["aws:region"]) == ("7", "0.9", "us-east-1")


def test_a_missing_stack_lists_the_ones_that_are_there(project):
    with pytest.raises(UserError, match=re.escape("no stack 'tset' here: the stacks are dev, prod")):
        stack_configuration(project, "tset", {})


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
        stack_configuration(project, "dev", {key: value})


def test_a_key_that_the_schema_does_not_declare_is_refused(project):
    with pytest.raises(UserError, match=r"scones:minute is not declared in Pulumi\.yaml: known are classes, "):
        stack_configuration(project, "dev", {"minute": "5"})
