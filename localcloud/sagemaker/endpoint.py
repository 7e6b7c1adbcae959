"""One endpoint: a model in memory that answers as the built-in algorithm's container does."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass

from PIL import Image, UnidentifiedImageError

from contract.names import ENDPOINT_LOG_GROUP
from localcloud.sagemaker.capture import Capture
from localcloud.sagemaker.model import Network, to_pixels

CONTENT_TYPES = ("image/png", "image/jpeg", "application/x-image")
MAX_PAYLOAD = 6 * 1024 * 1024


class ContainerError(Exception):
    """What the container answers instead of probabilities: a status and a message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(slots=True)
class Endpoint:
    """An endpoint in service."""

    variant: str
    network: Network
    capture: Capture | None

    def invoke(self, content_type: str, body: bytes, inference_id: str | None) -> bytes:
        """A JSON array of probabilities in label order.

        Raises:
            ContainerError: the content type or the image is not one that the container takes.
        """
        if content_type not in CONTENT_TYPES:
            raise ContainerError(
                415, f"unsupported content type {content_type!r}; use one of {', '.join(CONTENT_TYPES)}"
            )
        try:
            image = Image.open(io.BytesIO(body), formats=("PNG", "JPEG"))
            pixels = to_pixels(image)
        except UnidentifiedImageError as error:
            raise ContainerError(400, "the payload is not a PNG or JPEG image") from error
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise ContainerError(400, f"unable to decode the payload as an image: {error}") from error
        answer = json.dumps([float(value) for value in self.network.probabilities(pixels[None])[0]]).encode()
        if self.capture:
            self.capture.add(content_type, body, "application/json", answer, inference_id)
        return answer

    def stop(self) -> None:
        """Write the captures that wait."""
        if self.capture:
            self.capture.stop()


def error_body(error: ContainerError, endpoint: str, region: str, account: str) -> Mapping[str, object]:
    """The body of SageMaker's `ModelError` (HTTP 424) for a container's error."""
    group = f"{ENDPOINT_LOG_GROUP}/{endpoint}"
    return {
        "Code": "ModelError",
        "LogStreamArn": f"arn:aws:logs:{region}:{account}:log-group:{group}",
        "Message": f'Received client error ({error.status}) from primary with message "{error}". See {group}.',
        "OriginalMessage": str(error),
        "OriginalStatusCode": error.status,
    }
