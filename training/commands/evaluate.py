"""`evaluate`: how good a model is, and which threshold can be trusted."""

from __future__ import annotations

import argparse
from pathlib import Path

from contract.outputs import VARIABLE
from training.commands.options import share, workers
from training.evaluation import WORKERS

HELP = "score held-out photos, say how good the model is and which threshold can be trusted"
MORE = (
    "Score the held-out photos through an endpoint (or take saved predictions), and write index.html, "
    "evaluation.json, evidence.json, card.md, predictions.jsonl, baseline.json and pictures. The recommended "
    "threshold keeps the share wrong among accepted photos at or below the target with the confidence asked for."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `evaluate` takes."""
    parser.add_argument(
        "--dataset", type=Path, default=Path("build/dataset"), metavar="DIR", help="prepared dataset [%(default)s]"
    )
    parser.add_argument("--endpoint", metavar="NAME", help="endpoint to ask [the stack's]")
    parser.add_argument("--outputs", type=Path, metavar="FILE", help=f"the stack's outputs as JSON [${VARIABLE}]")
    parser.add_argument(
        "--predictions", type=Path, metavar="FILE", help="saved predictions.jsonl, instead of asking an endpoint"
    )
    parser.add_argument(
        "--strangers",
        type=Path,
        metavar="DIR",
        help="pictures of none of the classes, in folders GROUP/KIND [those of the dataset, if it has any]",
    )
    parser.add_argument(
        "--target-error",
        type=share,
        metavar="SHARE",
        help="share of accepted photos that may be wrong [the stack's targetRiskPercent, or 0.02]",
    )
    parser.add_argument(
        "--target-strangers",
        type=share,
        default=0.05,
        metavar="SHARE",
        help="share of strangers that may be routed as if they were of a class [%(default)s]",
    )
    parser.add_argument(
        "--confidence",
        type=share,
        default=0.95,
        metavar="SHARE",
        help="probability with which that holds [%(default)s]",
    )
    parser.add_argument(
        "--threshold", type=float, metavar="T", help="configured threshold to compare with [the stack's]"
    )
    parser.add_argument("--output", type=Path, default=Path("build/evaluation"), metavar="DIR", help="[%(default)s]")
    parser.add_argument(
        "--upload-baseline", action="store_true", help="put baseline.json where the stack's monitoring reads it"
    )
    parser.add_argument(
        "--upload-evidence",
        action="store_true",
        help="leave evidence, card, predictions and baseline beside the stack's model, for `pulumi up` to read, and "
        "put the model into the stack's register",
    )
    parser.add_argument("--workers", type=workers, default=WORKERS, metavar="N", help="requests at once [%(default)s]")
    parser.add_argument("--json", action="store_true", help="print evaluation.json instead of tables")


def run(arguments: argparse.Namespace) -> int:
    """Evaluate, write everything and show it."""
    from training.evaluation.evaluate import run as evaluate

    return evaluate(arguments)
