"""`python -m operations retrain`: train on what people answered, compare with what serves, and propose."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from contract.errors import UserError
from contract.outputs import VARIABLE, StackOutputs, parse_outputs, require_outputs

if TYPE_CHECKING:
    from operations.retrain.steps import Retrainer, Terms

LEAST_CORRECTIONS = 20
NEEDED = (
    *("bucket", "endpoint_name", "training_job_name", "model_artifact", "alert_topic_arn", "labels"),
    *("image_size", "model_package_group", "target_risk_percent"),
    "retraining",
)
FAILED = "Scones {}: a retraining failed"
REFUSED = "Scones {}: nothing was retrained"


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "retrain",
        description="Trains the serving model's successor on its dataset and what people answered since, asks both"
        " about the same held-out photos, and proposes it: a message on the alert topic with the figures and the"
        " commands that adopt it. Nothing is deployed. The same corrections are trained and proposed once. The exit"
        " code is 1 when there are too few new corrections or a step failed, which the topic is told too.",
    )
    add = parser.add_argument
    add("--outputs", metavar="FILE", help=f"stack outputs as JSON, or s3://BUCKET/KEY (default: ${VARIABLE})")
    add("--least-corrections", type=_count, default=LEAST_CORRECTIONS, metavar="N", help="new corrections below which"
        " nothing is trained (default: %(default)s)")  # fmt: skip
    add("--force", action="store_true", help="train with fewer")
    add("--because", default="somebody asked for it", metavar="TEXT", help="why, for the message")
    add("--attempt", type=_positive, default=1, metavar="N", help="the next one trains the same anew, after a job that"
        " failed (default: 1)")  # fmt: skip
    add("--interval", type=float, default=5.0, metavar="SECONDS", help="between looks at the job (default: 5)")
    add("--json", action="store_true", help="for scripts")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command.

    Raises:
        UserError: an option or the stack's outputs can't be used.
    """
    import boto3

    from contract.retraining import parse_plan
    from contract.screen import ERRORS, SCREEN, write_json, write_line
    from operations.retrain.bucket import StackBucket
    from operations.retrain.steps import Retrainer, Terms
    from training.job.watch import is_local

    if not 0 < args.interval <= 3600:
        raise UserError(f"--interval must be above 0 and at most 3600 seconds, got {args.interval:g}")
    outputs = _outputs(args.outputs)
    sagemaker = boto3.client("sagemaker")
    retraining = Retrainer(
        outputs,
        parse_plan(outputs.retraining),
        StackBucket(boto3.client("s3"), outputs.bucket),
        sagemaker,
        boto3.client("logs"),
        is_local(sagemaker.meta.endpoint_url),
        lambda line: write_line(line, ERRORS),
    )
    terms = Terms(args.because, args.least_corrections, args.force, args.attempt, args.interval)
    outcome = _told(retraining, terms)
    if outcome is None:
        return 1
    document, is_new = outcome
    if args.json:
        write_json({**document, "new": is_new})
        return 0
    if not is_new:
        write_line(
            f"Proposed already, on {document['created']}: of the same corrections there is one proposal.", ERRORS
        )
    write_line(str(document["text"]).rstrip(), SCREEN)
    return 0


def _outputs(given: str | None) -> StackOutputs:
    if not (given or "").startswith("s3://"):
        return require_outputs(given, *NEEDED)
    import boto3

    from contract.promotion import s3_place

    bucket, key = s3_place(str(given))
    body = boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    import json

    return parse_outputs(json.loads(body), str(given))


def _told(retraining: Retrainer, terms: Terms) -> tuple[dict[str, Any], bool] | None:
    """Run it, and tell the topic how it ended; None when it did not end in a proposal."""
    import boto3

    from contract.aws_errors import explained
    from contract.screen import ERRORS, write_line
    from operations.retrain.steps import NotWorthwhileError

    sns, topic, stack = boto3.client("sns"), retraining.outputs.alert_topic_arn, retraining.plan.stack

    def tell(subject: str, message: str) -> None:
        sns.publish(TopicArn=topic, Subject=subject.encode("ascii", "replace").decode()[:99], Message=message)

    try:
        document, is_new = retraining.run(terms)
    except Exception as error:
        message = str(error) if isinstance(error, UserError) else explained(error)
        refused = isinstance(error, NotWorthwhileError)
        subject = (REFUSED if refused else FAILED).format(stack)
        tell(subject, f"{message or f'{type(error).__name__}: {error}'}\n\nWhy it ran: {terms.because}.\n")
        if message is None:
            raise
        write_line(f"{'refused' if refused else 'error'}: {message}", ERRORS)
        return None
    if is_new:
        try:
            tell(str(document["subject"]), str(document["text"]))
        except BaseException:
            retraining.withdraw(str(document["new"]["model"]))
            raise
    return document, is_new


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise argparse.ArgumentTypeError(f"must be a whole number from 0 on, got {text!r}")
    return int(text)


def _positive(text: str) -> int:
    if _count(text) < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {text}")
    return _count(text)
