"""Whether one model alone answers an endpoint: SageMaker says so when it is asked, and no photo waits for that long.

InvokeEndpoint's answer names the variant, which is the same in every deployment. So what is known comes from
DescribeEndpoint, asked before an invocation.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import NoCredentialsError
from botocore.httpsession import URLLib3Session

if TYPE_CHECKING:
    from botocore.session import Session

STANDS_SECONDS = 60
"""How long what SageMaker said stands. A deployment that begins right after it sends no photo to new instances before
they are up, which "takes several minutes" (SageMaker Developer Guide, "Scale an endpoint to zero instances").
Serverless endpoints go through the same process ("Update a serverless endpoint"), and were seen to take ten (the
Terraform AWS provider's pull request 39090)."""
TIMEOUT_SECONDS = 1
"""For the connection, and for the answer: a photo waits no longer for what only names its model."""
ONE_MODEL = frozenset({"InService", "Updating", "SystemUpdating"})
"""Statuses in which one model serves unless a deployment is pending: a scaling is Updating too, and maintenance changes
no model (SageMaker API reference, DescribeEndpoint)."""


def serves_alone(description: Mapping[str, object], configuration: str) -> bool:
    """Whether an endpoint as DescribeEndpoint tells it serves this configuration and is not about to change it.

    `PendingDeploymentSummary` is there from a deployment's beginning to its end, and in no scaling (SageMaker API
    reference, DescribeEndpoint).
    """
    return (
        description.get("EndpointConfigName") == configuration
        and description.get("EndpointStatus") in ONE_MODEL
        and not description.get("PendingDeploymentSummary")
    )


@dataclass(slots=True)
class Watch:
    """What a process knows of one endpoint: `look` before an invocation, `was_alone` after it."""

    configuration: str
    """The endpoint configuration of the model."""
    describe: Callable[[], Mapping[str, object]]
    """Asks SageMaker; whatever it raises means that nothing is known."""
    say: Callable[[str], object]
    """Takes why SageMaker did not answer."""
    stands: float = STANDS_SECONDS
    clock: Callable[[], float] = time.time
    """Seconds. Not the monotonic clock, which may stand still while Lambda freezes the process."""
    _asked: float = field(default=-math.inf, init=False)
    _seen: float = field(default=-math.inf, init=False)

    def look(self) -> None:
        """Ask SageMaker, unless it was asked within half of the time for which its answer stands.

        A failure is not repeated before that either, so that a fault of SageMaker's control plane delays few photos.
        """
        now = self.clock()
        if 0 <= now - self._asked < self.stands / 2:
            return
        self._asked = now
        try:
            alone = serves_alone(self.describe(), self.configuration)
        except Exception as error:
            # the photo is worth more than the name of its model
            self.say(f"SageMaker does not say which model serves: {type(error).__name__}: {error}")
            return
        # as old as the question: what it says was true at some moment after that
        self._seen = now if alone else -math.inf

    def was_alone(self) -> bool:
        """Whether an invocation that began after the last `look`, and has ended now, was answered by this model."""
        return 0 <= self.clock() - self._seen <= self.stands


def describe_endpoint(session: Session, name: str) -> Mapping[str, object]:
    """One DescribeEndpoint: signed by botocore, sent once, without the `sagemaker` client and its megabytes of model.

    Raises:
        OSError: SageMaker refused.
        Exception: it could not be asked, or answered something else.
    """
    region = session.get_config_variable("region")
    resolver: Any = session.get_component("endpoint_resolver")
    url = (
        os.environ.get("AWS_ENDPOINT_URL_SAGEMAKER")
        or os.environ.get("AWS_ENDPOINT_URL")
        or f"https://{resolver.construct_endpoint('api.sagemaker', region)['hostname']}"
    )
    headers = {"X-Amz-Target": "SageMaker.DescribeEndpoint", "Content-Type": "application/x-amz-json-1.1"}
    request = AWSRequest("POST", f"{url}/", headers=headers, data=json.dumps({"EndpointName": name}))
    credentials = session.get_credentials()
    if credentials is None:
        raise NoCredentialsError
    SigV4Auth(credentials, "sagemaker", region).add_auth(request)
    answer = URLLib3Session(timeout=TIMEOUT_SECONDS).send(request.prepare())
    if answer.status_code != 200:
        raise OSError(f"{answer.status_code} {answer.text[:300]}")
    return cast("Mapping[str, object]", json.loads(answer.content))
