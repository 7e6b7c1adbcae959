"""`up`: deploy a stack."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from localcloud.commands.options import add_json, add_settings, add_yes, overrides_of

if TYPE_CHECKING:
    from rich.console import Console

    from localcloud.deployment import Deployment

HELP = "deploy a stack on emulators"
MORE = (
    "Only what differs is changed: photos, reviews, captures and decisions survive. Before data are lost, it asks. "
    "Other stacks on the same emulators are left alone."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `up` takes."""
    add_settings(parser)
    add_yes(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Deploy, and say what there is."""
    from dataclasses import asdict

    from contract.invocation import command
    from contract.screen import SCREEN, write_json, write_line

    deployment = bring_up(arguments.stack, overrides_of(arguments.config), yes=arguments.yes)
    if arguments.json:
        write_json(asdict(deployment))
        return 0
    write_resources(deployment, SCREEN)
    write_line(f"The stack {deployment.stack} is up. Try: {command('localcloud', 'classify', '--random', '8')}")
    return 0


def bring_up(stack: str, overrides: Mapping[str, str], *, yes: bool = False) -> Deployment:
    """Deploy with a progress bar on the screen's error stream."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from contract.screen import ERRORS, agreed, write_line
    from localcloud.deployment import Listener, deploy

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=ERRORS, transient=True, disable=not ERRORS.is_terminal) as bar:
        task = bar.add_task("looking at what is there", total=None)

        def progress(count: int, total: int, latest: str) -> None:
            bar.update(task, completed=count, total=total, description=latest.split("/")[-1][:48].ljust(48))

        def confirm(losses: Sequence[str]) -> bool:
            bar.stop()
            answer = yes or agreed(losses)
            bar.start()
            return answer

        def say(line: str) -> None:
            write_line(f"  {line}", ERRORS)

        return deploy(Path.cwd(), stack, overrides, Listener(progress, say, confirm))


def write_resources(deployment: Deployment, console: Console) -> None:
    """Write the resources by type."""
    from contract.screen import Column, write_table

    rows = [(type_, str(count)) for type_, count in deployment.resources.items()]
    rows.append(("all", str(sum(deployment.resources.values()))))
    write_table((Column("resource type"), Column("count", right=True)), rows, console)
