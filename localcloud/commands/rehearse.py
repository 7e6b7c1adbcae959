"""`rehearse`: a roll-out that is taken back."""

from __future__ import annotations

import argparse
from pathlib import Path

from contract.errors import UserError
from localcloud.commands.options import add_chosen_stack

HELP = "make the next roll-out of the endpoint fail"
MORE = (
    "health-check: no new instance comes up. errors: the new model answers every request with a server error, which "
    "the alarm hears when photos are sent meanwhile. The next `up` with a new model is taken back, as on AWS."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `rehearse` takes."""
    parser.add_argument("how", choices=("health-check", "errors"), help="what goes wrong")
    add_chosen_stack(parser)


def run(arguments: argparse.Namespace) -> int:
    """Tell the local SageMaker."""
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
