"""`demo`: everything once."""

from __future__ import annotations

import argparse

from localcloud.commands.options import add_json, add_settings, count, overrides_of

HELP = "show everything: data, training, photos, evaluation, report"
MORE = "Leaves nothing running."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `demo` takes."""
    add_settings(parser)
    parser.add_argument(
        "--photos", type=count, default=40, metavar="N", help="held-out photos to classify (%(default)s)"
    )
    parser.add_argument("--classes", nargs="+", metavar="NAME", help="instead of the stack's")
    parser.add_argument("--keep", action="store_true", help="leave the stack up at the end")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Show it."""
    from localcloud.demo import demo

    return demo(
        arguments.stack,
        overrides_of(arguments.config),
        photos=arguments.photos,
        classes=arguments.classes,
        keep=arguments.keep,
        as_json=arguments.json,
    )
