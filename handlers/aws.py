"""The process's one session with AWS, and clients that cost a photo little."""

from __future__ import annotations

from functools import cache
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.session import Session


@cache
def session() -> Session:
    """The session of botocore; boto3 would add its resources and s3transfer, which no function needs."""
    return botocore.session.get_session()


def quick_client(service: str, *, connect_timeout: float, read_timeout: float, attempts: int) -> Any:
    """A client for what happens once a photo: of a request's 0.6 ms of CPU it saves 0.1 (docs/decisions.md).

    It does not hold arguments against the service's model, which types and `contract.photos.read_photo` do, and
    names itself in one word, where botocore puts its user agent together anew for each request.

    Args:
        service: as botocore names it.
        connect_timeout: seconds.
        read_timeout: seconds.
        attempts: how often a request is sent in all.
    """
    config = Config(
        connect_timeout=connect_timeout,
        read_timeout=read_timeout,
        retries={"total_max_attempts": attempts},
        parameter_validation=False,
        user_agent="Scones",
    )
    return session().create_client(service, config=config)
