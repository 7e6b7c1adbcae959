"""`synthesize`: an archive in CIFAR-100's very format, with drawn pictures in it."""

from __future__ import annotations

import argparse
from pathlib import Path

from training.commands.options import count, positive
from training.synthetic import ARCHIVE, OTHERS_PER_KIND

HELP = "draw an archive in CIFAR-100's format, to try things without the real one"
MORE = (
    "Draws pictures of vehicles, plants, animals and things in clutter, noise, occlusion and blur, and writes them in "
    "the very format of CIFAR-100's python archive. The same options give the same bytes."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `synthesize` takes."""
    parser.add_argument("--output", type=Path, default=ARCHIVE, metavar="PATH", help="[%(default)s]")
    parser.add_argument(
        "--classes",
        nargs="+",
        default=["bicycle", "motorcycle"],
        metavar="NAME",
        help="the classes [bicycle motorcycle]; a name without a drawing is told which names have one",
    )
    parser.add_argument("--train-per-class", type=positive, default=500, metavar="N", help="[%(default)s]")
    parser.add_argument("--test-per-class", type=positive, default=200, metavar="N", help="[%(default)s]")
    parser.add_argument(
        "--others-per-kind",
        type=count,
        default=OTHERS_PER_KIND,
        metavar="N",
        help="pictures of every other kind, in the train part and in the test part, of which `prepare` makes the "
        "class neither; 0 for none [%(default)s]",
    )
    parser.add_argument("--seed", type=count, default=0, metavar="N", help="which pictures [%(default)s]")


def run(arguments: argparse.Namespace) -> int:
    """Write the archive."""
    from training.synthetic.drawings import DRAWINGS
    from training.synthetic.synthesize import write_archive

    classes: list[str] = arguments.classes
    others: int = arguments.others_per_kind
    path = write_archive(
        arguments.output,
        classes=classes,
        train_per_class=arguments.train_per_class,
        test_per_class=arguments.test_per_class,
        others_per_kind=others,
        seed=arguments.seed,
    )
    print(
        f"{path}: {arguments.train_per_class} + {arguments.test_per_class} pictures each of {', '.join(classes)}; "
        f"{others} + {others} each of {len(DRAWINGS) - len(set(classes))} other kinds"
    )
    return 0
