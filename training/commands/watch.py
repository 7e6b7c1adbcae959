"""`watch`: a training job, to its end."""

from __future__ import annotations

import argparse
from pathlib import Path

from contract.outputs import VARIABLE
from training.commands.options import dollars, seconds

HELP = "follow a training job: progress, accuracy, cost"
MORE = (
    "Follow a training job to its end. Exit code 0 when it completed, 1 when it failed or was stopped, 2 when there "
    "is no such job."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `watch` takes."""
    parser.add_argument("job", nargs="?", metavar="JOB", help="the training job's name [the stack's]")
    parser.add_argument("--outputs", type=Path, metavar="FILE", help=f"the stack's outputs as JSON [${VARIABLE}]")
    parser.add_argument("--interval", type=seconds, default=5.0, metavar="SECONDS", help="between looks [%(default)s]")
    parser.add_argument("--price-per-hour", type=dollars, metavar="USD", help="of one instance [a table for us-east-1]")
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Follow the job; the exit code is the job's own outcome."""
    from training.job.watch import run as watch

    return watch(arguments)
