"""What CI runs and what the guides name is there, and is what a person would run."""

from __future__ import annotations

import os
import re

import pytest
import yaml

from tests.installation.locks import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^(\w+):", MAKEFILE, re.MULTILINE))
JOB = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]["ci"]
STEPS = [step["run"] for step in JOB["steps"] if "run" in step]
HERE = [line for line in (ROOT / ".ci/run").read_text().splitlines() if line.startswith(("make ", ".ci/"))]
PROMISED = ["make check", "make test", "make graph STACK=dev", "make graph STACK=prod"]


def targets(text: str) -> set[str]:
    """The targets that the `make` commands in `text` name."""
    return {name for line in re.findall(r"\bmake((?: [\w=-]+)+)", text) for name in line.split() if "=" not in name}


@pytest.mark.parametrize("commands", [STEPS, HERE], ids=["github", "here"])
def test_ci_runs_the_commands_of_the_readme_and_registers_both_stacks(commands: list[str]):
    assert commands[0] == ".ci/prepare"
    assert sorted(command.removesuffix(" >/dev/null") for command in commands[1:]) == sorted(PROMISED)


@pytest.mark.parametrize("script", [".ci/prepare", ".ci/run"])
def test_ci_scripts_can_be_run_and_stop_at_the_first_error(script: str):
    assert os.access(ROOT / script, os.X_OK)
    assert "set -euo pipefail" in (ROOT / script).read_text()


def test_the_tests_are_the_last_that_ci_runs_here():
    assert HERE[-1] == "make test"


@pytest.mark.parametrize("command", PROMISED)
def test_every_command_of_ci_is_in_the_makefile(command: str):
    assert targets(command) and targets(command) <= TARGETS


def test_ci_runs_the_pythons_that_the_locks_were_made_for():
    (pythons,) = re.findall(r"^PYTHONS := (.+)$", MAKEFILE, re.MULTILINE)
    assert JOB["strategy"]["matrix"]["python"] == pythons.split()


def test_every_target_that_the_guide_for_contributors_names_exists():
    guide = (ROOT / "CONTRIBUTING.md").read_text()
    commands = [first or second for first, second in re.findall(r"```sh\n(.*?)```|`(make [^`]+)`", guide, re.DOTALL)]
    named = {name for command in commands for name in targets(command)}
    assert {"check", "test", "lock"} <= named <= TARGETS


def test_the_changelog_names_the_version_of_the_project():
    (version,) = re.findall(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[:2] == ["Unreleased", version]
