"""What the README says must be so: its commands exist, its settings are the program's settings."""

import functools
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
LINES = [line.strip() for block in BLOCKS for line in block.splitlines() if line.strip()]
COMMANDS = sorted(
    {match.groups() for line in LINES for match in re.finditer(r"python -m (\w+)(?: (?!-)(\w+))?", line)},
    key=str,
)


@functools.cache
def help_page(module: str, subcommand: str | None) -> str:
    words = [sys.executable, "-m", module, *([subcommand] if subcommand else []), "--help"]
    finished = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


@pytest.mark.parametrize(("module", "subcommand"), COMMANDS)
def test_every_command_in_the_readme_has_a_help_page(module: str, subcommand: str | None):
    assert "usage:" in help_page(module, subcommand)


def test_every_make_target_in_the_readme_exists():
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {name for line in LINES for name in re.findall(r"\bmake (\w+)", line)}
    assert named
    assert named <= targets


def test_the_settings_table_is_the_schema_of_the_project():
    schema = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    in_schema = {key.removeprefix("scones:") for key in schema}
    in_table = set(re.findall(r"^\| `(\w+)` \|", README, re.MULTILINE))
    assert in_table == in_schema


def test_the_columns_of_the_settings_table_are_what_the_files_say():
    rows = re.findall(r"^\| `(\w+)` \| .* \| (.*?) \| (.*?) \| (.*?) \|$", README, re.MULTILINE)
    assert len(rows) > 20
    default = {
        key: entry["default"] for key, entry in yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"].items()
    }
    stacks = [yaml.safe_load((ROOT / f"Pulumi.{name}.yaml").read_text())["config"] for name in ("dev", "prod")]

    def shown(value: object) -> str:
        if value == "":
            return "none"
        return f"`{value}`" if isinstance(value, str) else f"`{json.dumps(value)}`"

    for key, *columns in rows:
        own = [shown(stack[f"scones:{key}"]) if f"scones:{key}" in stack else "" for stack in stacks]
        assert [column.strip() for column in columns] == [shown(default[key]), *own], key


def test_every_option_that_the_readme_gives_to_a_command_is_in_its_help():
    commands = [match for line in LINES if (match := re.search(r"python -m (\w+)(?: (?!-)(\w+))?(.*)", line))]
    given = [
        (command[1], command[2], option)
        for command in commands
        if " -- " not in command[3]
        for option in re.findall(r"(?<!\S)--[a-z][a-z-]+", command[3].split("#")[0])
    ]
    assert len(given) > 5
    assert [each for each in given if each[2] not in help_page(each[0], each[1])] == []
