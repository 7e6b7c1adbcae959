"""`rehearse`: a roll-out that is taken back, or a whole day."""

from __future__ import annotations

import argparse
from pathlib import Path

from contract.errors import UserError
from localcloud.commands.options import add_chosen_stack, count

HELP = "make the next roll-out of the endpoint fail, or play a day through"
MORE = (
    "health-check: no new instance comes up. errors: the new model answers every request with a server error, which "
    "the alarm hears when photos are sent meanwhile. The next `up` with a new model is taken back, as on AWS. day: "
    "photos arrive, some fail and are replayed, executions are aborted, people answer, and every photo is accounted "
    "for; the transcript is Markdown, and the exit code 1 when something is not as it should be."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `rehearse` takes."""
    parser.add_argument("how", choices=("health-check", "errors", "day"), help="what goes wrong")
    parser.add_argument("--photos", type=count, default=200, metavar="N", help="of a day (%(default)s)")
    parser.add_argument("--batch", type=count, default=500, metavar="N", help="and of its batch (%(default)s)")
    add_chosen_stack(parser)


def run(arguments: argparse.Namespace) -> int:
    """Tell the local SageMaker, or play the day."""
    return _day(arguments) if arguments.how == "day" else _roll_out(arguments)


def _day(arguments: argparse.Namespace) -> int:
    from contract.screen import ERRORS, write_line
    from localcloud.day.play import Day
    from localcloud.day.transcript import Transcript
    from localcloud.deployment import connect, environment_of

    cloud, deployment = connect(Path.cwd(), arguments.stack)
    # markup and wrapping are for screens, and this is for a file
    transcript = Transcript(lambda line: print(line, flush=True), environment_of(cloud))
    problems = Day(cloud, deployment, transcript, Path("build/day")).play(arguments.photos, arguments.batch)
    for problem in problems:
        write_line(f"not as it should be: {problem}", ERRORS)
    return 1 if problems else 0


def _roll_out(arguments: argparse.Namespace) -> int:
    import urllib.error
    import urllib.request

    from contract.screen import write_line
    from localcloud.deployment import connect

    cloud, deployment = connect(Path.cwd(), arguments.stack)
    name = deployment.outputs["endpointName"]
    path = f"{cloud.sagemaker_url}/_localcloud/rehearse/{name}/{arguments.how}"
    try:
        urllib.request.urlopen(urllib.request.Request(path, method="POST"), timeout=10).close()
    except urllib.error.HTTPError as refusal:
        raise UserError(f"the endpoint {name} is not in service, so no roll-out of it can be rehearsed") from refusal
    write_line(f"The next roll-out of {name} will fail ({arguments.how}). Change the model and run `up`.")
    return 0
