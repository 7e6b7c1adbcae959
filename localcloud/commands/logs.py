"""`logs`: what functions and trainings logged."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from contract.errors import UserError
from localcloud.commands.options import add_chosen_stack

if TYPE_CHECKING:
    from mypy_boto3_logs.client import CloudWatchLogsClient

HELP = "print what functions and trainings logged"
MORE = ""
TRAINING = "training"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `logs` takes."""
    add_chosen_stack(parser)
    parser.add_argument("name", nargs="?", help="serialize, classify, filter, observe, or training (all of them)")
    parser.add_argument("--follow", action="store_true", help="go on until interrupted")


def run(arguments: argparse.Namespace) -> int:
    """Print the lines, each once."""
    from contract.names import PROJECT, TRAINING_LOG_GROUP
    from localcloud.deployment import connect
    from localcloud.places import stack_folder
    from localcloud.state import read_stack_state

    cloud, deployment = connect(Path.cwd(), arguments.stack)
    logs = cloud.client("logs")
    names = [*deployment.outputs["functions"], TRAINING]
    if arguments.name and arguments.name not in names:
        raise UserError(f"there are logs of {', '.join(names)}, got {arguments.name!r}")
    wanted = TRAINING_LOG_GROUP if arguments.name == TRAINING else arguments.name or ""
    held = read_stack_state(stack_folder(Path.cwd(), deployment.stack)).resources.values()
    groups = [TRAINING_LOG_GROUP, *(each.id for each in held if each.type == "aws:cloudwatch/logGroup:LogGroup")]
    jobs = f"{PROJECT}-{deployment.stack}-"
    told: set[tuple[str | int, ...]] = set()
    while True:
        there = {group.get("logGroupName", "") for group in logs.describe_log_groups()["logGroups"]}
        for stamp, line in _lines(logs, [group for group in groups if wanted in group and group in there], told, jobs):
            print(time.strftime("%H:%M:%S", time.gmtime(stamp / 1000)), line, flush=True)
        if not arguments.follow:
            return 0
        time.sleep(1)


def _lines(
    logs: CloudWatchLogsClient, groups: Sequence[str], told: set[tuple[str | int, ...]], jobs: str
) -> list[tuple[int, str]]:
    from contract.names import TRAINING_LOG_GROUP

    lines: list[tuple[int, str]] = []
    for group in groups:
        # all stacks' trainings share a group, and the emulator takes no prefix of streams here
        stack = jobs if group == TRAINING_LOG_GROUP else ""
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group):
            for event in page["events"]:
                stamp, message = event.get("timestamp", 0), event.get("message", "")
                # the emulator gives events no id
                identity = (group, event.get("logStreamName", ""), stamp, message)
                if identity not in told and identity[1].startswith(stack):
                    told.add(identity)
                    lines.append((stamp, message.rstrip()))
    # in the order of their logs within a millisecond
    return sorted(lines, key=lambda line: line[0])
