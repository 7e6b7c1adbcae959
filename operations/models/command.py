"""`python -m operations models`: the models of the register, two of them side by side, and what is kept."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from contract.errors import UserError
from contract.outputs import VARIABLE, StackOutputs, require_outputs

if TYPE_CHECKING:
    from operations.models.retained import Kept


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "models",
        description="Lists the models of the stack's register, the newest first: what each was made of, how good it "
        "is, where it serves, since when and by whose hand. With two of them, compares these: what differs in how they "
        "were trained, their figures with intervals, and whether one is better on the very same photos. With "
        "--retained, lists what is kept that serves nothing, and with --remove removes it.",
    )
    parser.add_argument("which", nargs="*", metavar="MODEL", help="two versions or training jobs, to be compared")
    parser.add_argument("--retained", action="store_true", help="list what is kept that serves nothing")
    parser.add_argument("--remove", action="store_true", help="remove that, but for the newest models")
    parser.add_argument("--keep", type=int, metavar="N", help="how many of the newest models stay [3]")
    parser.add_argument("--yes", action="store_true", help="remove without asking")
    parser.add_argument("--outputs", metavar="FILE", help=f"stack outputs as JSON (default: ${VARIABLE})")
    parser.add_argument("--json", action="store_true", help="everything as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command.

    Raises:
        UserError: an option or the stack's outputs can't be used, or a model is not in the register.
    """
    retained = args.retained or args.remove
    if args.which and (retained or len(args.which) != 2):
        raise UserError(f"name two models to compare them, or none, got {' '.join(args.which)}")
    if (args.keep is not None or args.yes) and not retained:
        raise UserError("--keep and --yes belong to --retained and --remove")
    if args.keep is not None and args.keep < 0:
        raise UserError(f"--keep must be 0 or more, got {args.keep}")
    if retained:
        return _retained(args, require_outputs(args.outputs, "bucket", "endpoint_name", "training_job_name"))
    outputs = require_outputs(args.outputs, "model_package_group", "training_job_name")
    return _compare(args, outputs) if args.which else _list(args, outputs)


def _sagemaker(outputs: StackOutputs) -> Any:
    import boto3

    from contract.register import region_of

    return boto3.client("sagemaker", region_name=region_of(outputs.model_package_group) or None)


def _list(args: argparse.Namespace, outputs: StackOutputs) -> int:
    from contract.screen import SCREEN, write_json, write_line, write_table
    from contract.versions import listed
    from operations.models.listing import COLUMNS, document, rows

    versions = listed(_sagemaker(outputs), outputs.model_package_group)
    if args.json:
        write_json(document(versions, outputs.training_job_name))
        return 0
    if not versions:
        write_line(f"the register {outputs.model_package_group} holds no model yet")
        return 0
    write_table(COLUMNS, rows(versions, outputs.training_job_name), SCREEN)
    return 0


def _compare(args: argparse.Namespace, outputs: StackOutputs) -> int:
    from contract.screen import SCREEN, write_json, write_line, write_table
    from contract.versions import listed
    from operations.models.comparing import columns, compare_versions, document, rows
    from operations.models.listing import pick

    versions = listed(_sagemaker(outputs), outputs.model_package_group)
    first, second = (pick(versions, word) for word in args.which)
    if first.arn == second.arn:
        raise UserError(f"both are version {first.number}: name two different models")
    import boto3

    compared = compare_versions(first, second, boto3.client("s3"))
    if args.json:
        write_json(document(compared))
        return 0
    write_table(columns(compared), rows(compared), SCREEN)
    for line in compared.told:
        write_line(line)
    return 0


def _retained(args: argparse.Namespace, outputs: StackOutputs) -> int:
    import boto3

    from contract.screen import ERRORS, SCREEN, agreed, counted, write_json, write_line, write_table
    from operations.forget.objects import Bucket
    from operations.models.retained import KEEP, find_kept

    keep = KEEP if args.keep is None else args.keep
    found = find_kept(Bucket(boto3.client("s3"), outputs.bucket), _sagemaker(outputs), outputs, keep)
    going = [each for each in found if not each.why]
    removed = False
    if args.remove and going:
        if not args.json:
            write_table(_columns(), _rows(found), ERRORS)
        if not (args.yes or agreed([f"{each.kind} {each.name}" for each in going])):
            raise UserError("nothing was removed: it takes a yes, or --yes")
        for each in going:
            each.remove()
        removed = True
    if args.json:
        write_json({
            "keep": keep, "removed": removed,
            "retained": [
                {"kind": each.kind, "name": each.name, "at": each.at, "bytes": each.size, "holds": each.holds,
                 "stays": each.why or None}
                for each in found
            ],
        })  # fmt: skip
        return 0
    if not found:
        write_line("nothing is kept that serves nothing")
    elif args.remove and not going:
        write_line(f"nothing may go: {counted(len(found), 'thing')} stay")
    elif removed:
        size = sum(each.size for each in going)
        write_line(f"{counted(len(going), 'thing')} removed, {_bytes(size)}; {len(found) - len(going)} stay")
    else:
        write_table(_columns(), _rows(found), SCREEN)
        write_line(f"{len(going)} of {counted(len(found), 'thing')} would go with --remove", ERRORS)
    return 0


def _rows(found: list[Kept]) -> list[list[Any]]:
    from operations.models.listing import age

    now = datetime.now(UTC)
    return [
        [
            each.kind,
            each.name,
            _bytes(each.size) if each.size else "",
            age(each.at, now),
            (f"stays: {each.why}", "dim") if each.why else "may go",
            ", ".join(each.holds),
        ]
        for each in found
    ]


def _bytes(size: int) -> str:
    amount = float(size)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.3g} {unit}"
        amount /= 1000
    return f"{amount:.3g} GB"


def _columns() -> tuple[Any, ...]:
    from contract.screen import Column

    return (
        Column("kind"), Column("name"), Column("size", right=True), Column("age", right=True), Column("removal"),
        Column("holds", more=True),
    )  # fmt: skip
