"""Starting a photo's execution again, so that it is done once, whoever does it at the same time."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from contract.photos import StoredObject, inference_id
from operations.review.queue import UNKNOWN_VERSION

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


def name_of(photo: StoredObject, last: str) -> str:
    """The name of a photo's next execution: the same for whoever starts it again after the same last one.

    Step Functions takes a name once in 90 days, so that nobody starts it twice.

    Args:
        photo: the version.
        last: ARN of its last execution; empty when it had none.
    """
    return f"again-{inference_id(photo)}-{hashlib.sha256(last.encode()).hexdigest()[:12]}"


def arn_of(machine: str, name: str) -> str:
    """The ARN of a state machine's execution of that name (Step Functions Developer Guide, "Execution ARNs")."""
    return f"{machine.replace(':stateMachine:', ':execution:')}:{name}"


def start_again(states: SFNClient, machine: str, photo: StoredObject, last: str) -> bool:
    """Start a photo's execution, with the input that the rule on uploads gives; False when somebody did before."""
    version = {} if photo.version in ("", UNKNOWN_VERSION) else {"s3_version": photo.version}
    given = {"s3_bucket": photo.bucket, "s3_key": photo.key, **version, "image_data": ""}
    try:
        states.start_execution(stateMachineArn=machine, name=name_of(photo, last), input=json.dumps(given))
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "ExecutionAlreadyExists":
            raise
        return False
    return True
