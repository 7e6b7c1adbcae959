"""The process's one session with AWS: what botocore has read of its data serves every client of it."""

from __future__ import annotations

from functools import cache

import botocore.session
from botocore.session import Session


@cache
def session() -> Session:
    """The session of botocore; boto3 would add its resources and s3transfer, which no function needs."""
    return botocore.session.get_session()
