"""docs/operations.md: every alarm has its runbook, and every command in it exists, with these options."""

from __future__ import annotations

import argparse
import functools
import importlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from botocore.exceptions import UnknownServiceError

from contract.outputs import OUTPUT_NAMES
from localcloud.cli import parser as localcloud_parser
from operations.cli import COMMANDS
from tests.assertions import at_least_one
from tests.components.dataset import write_dataset
from tests.components.stack import run
from training.cli import parser as training_parser

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/operations.md"
TEXT = PAGE.read_text(encoding="utf-8")
PARTS = ("**Means:**", "**Look first:**", "**Do:**", "**Over when:**")
STACKS: dict[str, tuple[str, dict[str, Any]]] = {
    "dev": ("dev", {}),
    "prod": ("prod", {}),
    "local": ("local", {}),
    "serverless": ("dev", {"endpointMode": "serverless", "capturePercentage": 0}),
    "retrains": ("dev", {"retrainOnDrift": True}),
    "canary": ("dev", {"endpointMinInstances": 2, "endpointMaxInstances": 2, "rolloutBakeMinutes": 10}),
}
PULUMI = ("stack output", "up", "preview", "refresh", "config set", "login", "destroy")
OF_THE_CLI = {("logs", "tail"), ("s3", "ls"), ("s3", "cp")}
"""Commands of the AWS CLI's own, which no API has."""
GLOBAL = {"query", "output", "region", "profile"}


def slug(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def chapters() -> dict[str, str]:
    """Anchor -> text, of every heading."""
    found = re.split(r"^#+ (.+)$", TEXT, flags=re.MULTILINE)[1:]
    anchors = [slug(heading) for heading in found[::2]]
    assert len(set(anchors)) == len(anchors)
    return dict(zip(anchors, found[1::2], strict=True))


@pytest.fixture(scope="module")
def alarms(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """Stack -> alarm -> description."""
    folder = tmp_path_factory.mktemp("runbooks")
    (folder / "layer.zip").write_bytes(b"PK\x05\x06" + bytes(18))
    files = {"datasetDir": str(write_dataset(folder / "dataset")), "layerPath": str(folder / "layer.zip")}
    return {
        name: {
            each: inputs["alarmDescription"]
            for each, inputs in run(stack, **files, **more).inputs("MetricAlarm").items()
        }
        for name, (stack, more) in STACKS.items()
    }


@pytest.mark.parametrize("stack", STACKS)
def test_every_alarm_s_description_leads_to_a_runbook_that_is_there(alarms: Any, stack: str) -> None:
    known = chapters()
    for name, description in at_least_one(alarms[stack].items()):
        found = re.search(r" docs/operations\.md#([\w-]+)$", description)
        assert found, f"{name} ends with no address of a runbook: {description}"
        assert found[1] in known, f"{name} leads to #{found[1]}, and {PAGE.name} has no such heading: add one"
        assert found[1].removeprefix("alarm-") in name


def test_every_runbook_is_of_an_alarm_that_some_stack_has(alarms: Any) -> None:
    led = {text.rpartition("#")[2] for of_one in alarms.values() for text in of_one.values()}
    assert {anchor for anchor in chapters() if anchor.startswith("alarm-")} == led


@pytest.mark.parametrize("anchor", [each for each in chapters() if each.startswith("alarm-")])
def test_a_runbook_says_what_it_means_where_to_look_what_to_do_and_when_it_is_over(anchor: str) -> None:
    text = chapters()[anchor]
    places = [text.find(part) for part in PARTS]
    assert -1 not in places and places == sorted(places)
    assert re.search(r"```sh\n.+?\n```", text[places[1] : places[2]], re.DOTALL), "no command to look with"


def commands(page: Path) -> Iterator[list[str]]:
    """The words of every command in a page's code, what stands in `$(…)` included."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    for line in [line for block in blocks for line in block.replace("\\\n", " ").splitlines()] + inline:
        yield from _commands_in(line)


def _commands_in(line: str) -> Iterator[list[str]]:
    while found := re.search(r"\$\(([^()]*)\)", line):
        yield from _commands_in(found[1])
        line = line[: found.start()] + "PLACE" + line[found.end() :]
    try:
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
        lexer.whitespace_split = True
        words = list(lexer)
    except ValueError:  # an apostrophe: no command
        return
    command: list[str] = []
    for word in [*words, ";"]:
        if set(word) <= set("|&;<>"):
            yield command
            command = []
        else:
            command.append(word)


def of_program(page: Path, name: str) -> list[list[str]]:
    """The commands of a program, without its name."""
    found: list[list[str]] = []
    for words in commands(page):
        at = next((index for index, word in enumerate(words) if word.rpartition("/")[2] == name), None)
        if at is not None and len(words) > at + 1:
            found.append([word for word in words[at + 1 :] if word not in ("{", "}")])
    return found


MODULES = [words[1:] for words in of_program(PAGE, "python") if words[0] == "-m"]
AWS = of_program(PAGE, "aws")


@functools.cache
def parsers(command: str) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser()
    importlib.import_module(COMMANDS[command][0]).add_parser(made.add_subparsers())
    return made


@pytest.mark.parametrize("words", MODULES, ids=" ".join)
def test_a_command_of_ours_is_taken_by_its_parser(words: list[str]) -> None:
    module, *rest = words
    parser = {"training": training_parser, "localcloud": localcloud_parser}.get(module)
    if module == "operations":
        assert rest and rest[0] in COMMANDS
        parsers(rest[0]).parse_args(rest)
    else:
        assert parser, f"python -m {module} is not known here"
        parser().parse_args(rest)


def test_many_commands_were_found() -> None:
    assert len(MODULES) > 40 and len(AWS) > 30


@functools.cache
def service_model(name: str) -> Any:
    return botocore.session.get_session().get_service_model(name)


@pytest.mark.parametrize("words", AWS, ids=lambda words: " ".join(words)[:60])
def test_a_command_of_aws_is_one_that_it_describes_with_options_that_it_takes(words: list[str]) -> None:
    service, action, *rest = words
    if (service, action) in OF_THE_CLI:
        return
    service = {"s3api": "s3"}.get(service, service)
    try:
        model = service_model(service)
    except UnknownServiceError:
        pytest.fail(f"AWS has no service {service}")
    if action == "wait":
        waiters = botocore.session.get_session().get_waiter_model(service).waiter_names
        action, *rest = rest
        assert action in {xform_name(each, "-") for each in waiters}
        operation = botocore.session.get_session().get_waiter_model(service).get_waiter(
            next(each for each in waiters if xform_name(each, "-") == action)
        ).operation  # fmt: skip
    else:
        by_name = {xform_name(each, "-"): each for each in model.operation_names}
        assert action in by_name, f"{service} has no {action}"
        operation = by_name[action]
    shape = model.operation_model(operation).input_shape
    taken = {xform_name(each, "-") for each in shape.members} | GLOBAL
    given = {word.removeprefix("--") for word in rest if word.startswith("--")}
    assert given <= taken, f"{action} takes no {given - taken}"
    needed = {xform_name(each, "-") for each in shape.required_members}
    assert needed <= given or not given, f"{action} needs {needed - given}"


def test_what_pulumi_is_asked_for_exists() -> None:
    for words in at_least_one(of_program(PAGE, "pulumi")):
        assert " ".join(words).startswith(PULUMI), words


def test_outputs_are_called_as_the_stack_exports_them() -> None:
    names = re.findall(r"\$\(out (\w+)\)", TEXT)
    assert len(names) > 10 and set(names) <= set(OUTPUT_NAMES.values())
