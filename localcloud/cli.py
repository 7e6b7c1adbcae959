"""The subcommands of `python -m localcloud`."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.tree import Tree

from components.parts.layer import LayerError
from contract import prefixes
from contract.errors import UserError
from contract.outputs import VARIABLE
from localcloud.deployment import FOLDER, OUTPUTS, Deployment, connect, deploy, read_deployment, shut_down
from localcloud.engine import Cloud
from localcloud.graph import graph
from localcloud.photos import Classification, Photo, Result, given, review_queue, sample

ERRORS = Console(stderr=True, highlight=False)
SCREEN = Console(highlight=False)
if not SCREEN.is_terminal:
    # rich takes 80 columns for a file or a pipe, too few for the tables
    SCREEN.width = 120


def main(words: Sequence[str]) -> int:
    """Run one subcommand.

    Returns:
        The exit code: 0 done, 1 a photo's execution ended in a fault, 2 the user's mistake or a failed `up`.
    """
    arguments = _parser().parse_args(words)
    try:
        return int(arguments.run(arguments))
    except (UserError, LayerError) as error:
        ERRORS.print(f"error: {error}", markup=False, soft_wrap=True)
        return 2
    except KeyboardInterrupt:
        ERRORS.print("interrupted")
        return 130
    except BrokenPipeError:
        # whoever read the output has seen enough; nothing more may be written at exit either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m localcloud",
        description="Runs the whole system on this machine: the unmodified Pulumi program on emulators of AWS, a "
        "training that trains, an endpoint that answers. No AWS account; everything listens on 127.0.0.1 only.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Any, help: str, more: str = "", *, json: bool = True) -> argparse.ArgumentParser:
        child = commands.add_parser(name, help=help, description=f"{help[0].upper()}{help[1:]}. {more}".strip())
        child.set_defaults(run=run)
        if json:
            child.add_argument("--json", action="store_true", help="print JSON, for scripts")
        return child

    def with_stack(child: argparse.ArgumentParser) -> argparse.ArgumentParser:
        child.add_argument("--stack", default="dev", help="dev, prod, … (%(default)s)")
        child.add_argument(
            "--config", action="append", default=[], metavar="KEY=VALUE", help="a setting beyond the stack's file"
        )
        return child

    with_stack(command("up", _up, "deploy a stack on emulators", "A stack that is up and unchanged is left alone."))
    child = command(
        "classify", _classify, "send photos through the workflow", "Exit code 1 when an execution ended in a fault."
    )
    child.add_argument("photos", nargs="*", type=Path, metavar="PHOTO", help="files, or folders of them")
    child.add_argument("--random", type=int, default=0, metavar="N", help="N held-out photos of the dataset too")
    child.add_argument("--seed", type=int, default=0, help="which ones (%(default)s)")
    command("review", _review, "list what waits for a person", "The messages stay in the queue.")
    command("outputs", _outputs, "print the stack's outputs")
    child = command("logs", _logs, "print what functions and trainings logged", json=False)
    child.add_argument("name", nargs="?", help="serialize, classify, filter, observe, or training (all of them)")
    child.add_argument("--follow", action="store_true", help="go on until interrupted")
    child = command("run", _run, "run a command with boto3 pointed at the emulators", json=False)
    child.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND …")
    child = with_stack(command("graph", _graph, "print the resources that the program registers, creating none"))
    child.add_argument("--preview", action="store_true", help="as in a preview: every output unknown")
    command("status", _status, "say what is up")
    command("down", _down, "stop the emulators and forget what they held", json=False)
    child = with_stack(
        command("demo", _demo, "show everything: data, training, photos, evaluation, report", "Leaves nothing running.")
    )
    child.add_argument("--photos", type=int, default=40, metavar="N", help="held-out photos to classify (%(default)s)")
    child.add_argument("--classes", nargs="+", metavar="NAME", help="instead of the stack's")
    child.add_argument("--keep", action="store_true", help="leave the stack up at the end")
    return parser


def overrides_of(pairs: Sequence[str]) -> dict[str, str]:
    """What `--config KEY=VALUE` gives.

    Raises:
        UserError: one of them has no `=`.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise UserError(f"--config takes KEY=VALUE, got {pair!r}")
        found[key] = value
    return found


def bring_up(stack: str, overrides: Mapping[str, str]) -> Deployment:
    """Deploy with a progress bar on the screen's error stream."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=ERRORS, transient=True, disable=not ERRORS.is_terminal) as bar:
        task = bar.add_task("starting the emulators", total=None)

        def progress(count: int, total: int, latest: str) -> None:
            bar.update(task, completed=count, total=total, description=latest.split("/")[-1][:48].ljust(48))

        def say(line: str) -> None:
            bar.console.print(f"  {line}", markup=False, soft_wrap=True)

        return deploy(Path.cwd(), stack, overrides, progress=progress, say=say)


def follow(cloud: Cloud, deployment: Deployment, photos: Sequence[Photo]) -> list[Result]:
    """Classify with a progress bar on the screen's error stream."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=ERRORS, transient=True, disable=not ERRORS.is_terminal) as bar:
        task = bar.add_task("photos", total=len(photos))
        return Classification(cloud, deployment).run(photos, lambda result: bar.advance(task))


def result_table(results: Sequence[Result]) -> Table:
    """What became of each photo, for the screen."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, side in (("photo", "left"), ("is", "left"), ("decision", "left"), ("label", "left")):
        table.add_column(name, justify=side)  # type: ignore[arg-type]
    for name in ("confidence", "bay", "time"):
        table.add_column(name, justify="right" if name != "bay" else "left")
    colours = {"accepted": "green", "review": "yellow", "neither": "magenta", "fault": "red"}
    for result in results:
        wrong = result.decision == "accepted" and result.correct is False
        table.add_row(
            result.photo,
            result.truth or "",
            f"[{colours[result.decision]}]{result.decision}[/]",
            f"[red]{result.label} (wrong)[/]" if wrong else result.label or result.error or "",
            "" if result.confidence is None else f"{result.confidence:.3f}",
            result.loading_bay or "",
            f"{result.seconds:.2f} s",
        )
    return table


def totals(results: Sequence[Result]) -> str:
    """The results in one line."""
    counts = Counter(result.decision for result in results)
    line = f"{len(results)} photos: {counts['accepted']} accepted, {counts['review']} for a person, "
    line += f"{counts['fault']} fault{'s' if counts['fault'] != 1 else ''}"
    known = [result for result in results if result.decision == "accepted" and result.correct is not None]
    if known:
        line += f"; {sum(bool(result.correct) for result in known)} of {len(known)} accepted labels are right"
    return line


def _print_json(value: object) -> None:
    print(json.dumps(value, indent=2, default=str))


def _up(arguments: argparse.Namespace) -> int:
    deployment = bring_up(arguments.stack, overrides_of(arguments.config))
    if arguments.json:
        _print_json({key: value for key, value in asdict(deployment).items() if key != "graph"})
        return 0
    SCREEN.print(summary_table(deployment))
    SCREEN.print(f"The stack {deployment.stack} is up. Try: python -m localcloud classify --random 8")
    return 0


def summary_table(deployment: Deployment) -> Table:
    """Resources by type, for the screen."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("resource type")
    table.add_column("count", justify="right")
    for type_, count in deployment.resources.items():
        table.add_row(type_, str(count))
    table.add_row("[bold]all[/]", f"[bold]{sum(deployment.resources.values())}[/]")
    return table


def _classify(arguments: argparse.Namespace) -> int:
    cloud, deployment = connect(Path.cwd())
    photos = given(arguments.photos)
    if arguments.random:
        photos += sample(dataset_of(), arguments.random, arguments.seed)
    if not photos:
        raise UserError("name photos or folders, or give --random N")
    results = follow(cloud, deployment, photos)
    if arguments.json:
        _print_json([{**asdict(result), "correct": result.correct} for result in results])
    else:
        SCREEN.print(result_table(results))
        SCREEN.print(totals(results))
    return 1 if any(result.decision == "fault" for result in results) else 0


def dataset_of() -> Path:
    """The dataset that the stack which is up was trained on."""
    return Path(str(read_deployment(Path.cwd()).dataset))


def _review(arguments: argparse.Namespace) -> int:
    messages = review_queue(*connect(Path.cwd()))
    if arguments.json:
        _print_json(messages)
        return 0
    SCREEN.print(review_table(messages))
    return 0


def review_table(messages: Sequence[Mapping[str, Any]]) -> Table:
    """The review queue, for the screen."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("key", "error", "what was said"):
        table.add_column(name)
    for message in messages:
        said = str(message["message"])
        if message.get("confidence") is not None:
            said = f"{message['label']} at {message['confidence']:.3f}, threshold {message['threshold']}"
        table.add_row(str(message["key"]).removeprefix(prefixes.INCOMING), message["error"], said[:100])
    return table


def _outputs(arguments: argparse.Namespace) -> int:
    outputs = read_deployment(Path.cwd()).outputs
    if arguments.json:
        _print_json(outputs)
        return 0
    table = Table(box=None, pad_edge=False, show_header=False)
    for key, value in outputs.items():
        table.add_row(key, value if isinstance(value, str) else json.dumps(value))
    SCREEN.print(table)
    return 0


def _logs(arguments: argparse.Namespace) -> int:
    cloud, deployment = connect(Path.cwd())
    logs = cloud.client("logs")
    groups = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
    names = [*deployment.outputs["functions"], "training"]
    if arguments.name and arguments.name not in names:
        raise UserError(f"there are logs of {', '.join(names)}, got {arguments.name!r}")
    wanted = "TrainingJobs" if arguments.name == "training" else arguments.name
    told: set[tuple[Any, ...]] = set()
    while True:
        for stamp, line in _log_lines(logs, [group for group in groups if not wanted or wanted in group], told):
            print(time.strftime("%H:%M:%S", time.gmtime(stamp / 1000)), line, flush=True)
        if not arguments.follow:
            return 0
        time.sleep(1)


def _log_lines(logs: Any, groups: Sequence[str], told: set[tuple[Any, ...]]) -> list[tuple[int, str]]:
    lines: list[tuple[int, str]] = []
    for group in groups:
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group):
            for event in page["events"]:
                # the emulator gives events no id
                identity = (group, event["logStreamName"], event["timestamp"], event["message"])
                if identity not in told:
                    told.add(identity)
                    lines.append((event["timestamp"], str(event["message"]).rstrip()))
    # in the order of their logs within a millisecond
    return sorted(lines, key=lambda line: line[0])


def environment_of(cloud: Cloud) -> dict[str, str]:
    """The environment of a command, with boto3 pointed at the emulators and the tools at the stack's outputs."""
    outputs = (Path.cwd() / FOLDER / OUTPUTS).resolve()
    return {**os.environ, **cloud.environment(), VARIABLE: str(outputs)}


def _run(arguments: argparse.Namespace) -> int:
    words = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    if not words:
        raise UserError("give a command, such as: python -m localcloud run -- python -m training evaluate")
    cloud, _ = connect(Path.cwd())
    if words[0] == "python":
        words = [sys.executable, *words[1:]]
    try:
        return subprocess.run(words, env=environment_of(cloud), check=False).returncode
    except FileNotFoundError as error:
        raise UserError(f"there is no command {words[0]!r}") from error


def _graph(arguments: argparse.Namespace) -> int:
    entries = graph(Path.cwd(), arguments.stack, overrides_of(arguments.config), preview=arguments.preview)
    if arguments.json:
        _print_json(entries)
        return 0
    tree = Tree(f"[bold]{arguments.stack}[/]: {sum(entry['custom'] for entry in entries)} resources")
    branches: dict[str, Tree] = {}
    for entry in sorted(entries, key=lambda entry: (entry["custom"], entry["type"], entry["name"])):
        parent = branches.get(entry["parent"], tree)
        text = f"{entry['name']} [dim]{entry['type']}[/]"
        branches[entry["urn"]] = parent.add(text)
    SCREEN.print(tree)
    return 0


def _status(arguments: argparse.Namespace) -> int:
    try:
        cloud, deployment = connect(Path.cwd())
    except UserError as nothing:
        if arguments.json:
            _print_json(None)
        else:
            SCREEN.print(str(nothing))
        return 0
    facts = {"stack": deployment.stack, "aws": cloud.aws_url, "sagemaker": cloud.sagemaker_url}
    if arguments.json:
        _print_json(facts)
    else:
        SCREEN.print(f"The stack {facts['stack']} is up: AWS at {facts['aws']}, SageMaker at {facts['sagemaker']}")
    return 0


def _down(arguments: argparse.Namespace) -> int:
    SCREEN.print("stopped" if shut_down(Path.cwd()) else "nothing was up")
    return 0


def _demo(arguments: argparse.Namespace) -> int:
    from localcloud.demo import demo

    return demo(
        arguments.stack,
        overrides_of(arguments.config),
        photos=arguments.photos,
        classes=arguments.classes,
        keep=arguments.keep,
        as_json=arguments.json,
    )
