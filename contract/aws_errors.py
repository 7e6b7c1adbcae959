"""What a person can do about an error of the AWS client."""

from __future__ import annotations

from contract.invocation import command

ABSENT = frozenset({"NoSuchBucket", "ResourceNotFoundException", "StateMachineDoesNotExist"})
"""AWS's codes for a resource that is not there."""
REFUSED = frozenset({"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"})
"""AWS's codes for credentials that it does not take."""


def explained(error: BaseException) -> str | None:
    """One sentence about an error of the AWS client and what to do; None for any other error."""
    # most errors come before anything of AWS is imported
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

    local = f"for the local cloud, begin with: {command('localcloud', 'run', '--')}"
    match error:
        case NoRegionError():
            return f"which region? set AWS_DEFAULT_REGION, or a profile that has one (AWS_PROFILE); {local}"
        case NoCredentialsError():
            return (
                "there are no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; "
                f"{local}"
            )
        case ClientError():
            described = error.response.get("Error", {})
            code = described.get("Code", "unknown")
            said = f"AWS refused {error.operation_name}: {described.get('Message', error)} ({code})"
            if code in ABSENT:
                return f"{said}; is the stack up, and are these its outputs?"
            return f"{said}; log in again" if code in REFUSED else said
        case BotoCoreError():
            return f"AWS can't be reached: {error}"
        case _:
            return None
