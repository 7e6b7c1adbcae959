"""Photos through an endpoint, in parallel, prepared as the running system prepares them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import numpy as np
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from contract.aws_errors import explained
from contract.captures import EVALUATION_PREFIX
from contract.errors import InvalidInference, SconesError, UserError
from contract.formats import SUFFIXES
from contract.inferences import read_inferences
from contract.limits import MEGA, MOST_IMAGE_MEGAPIXELS
from contract.pictures import to_model_image
from training.evaluation import WORKERS
from training.evaluation.statistics import Floats

CONTENT_TYPE = "application/x-image"
IMAGE_SUFFIXES = frozenset(suffix for suffixes in SUFFIXES.values() for suffix in suffixes)
MAX_PIXELS = MOST_IMAGE_MEGAPIXELS * MEGA
"""What a photo of an evaluation may have: no more than any stack can be set to."""


def photos_in(folder: Path) -> list[Path]:
    """The image files anywhere below `folder`, sorted. Raises UserError when there is none."""
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file())
    if not found:
        raise UserError(f"the folder {folder} must hold photos ({', '.join(sorted(IMAGE_SUFFIXES))})")
    return found


def as_sent(path: Path, size: int) -> bytes:
    """The photo at `path` as the serializer sends it to the model, byte for byte (`to_model_image`).

    Args:
        path: the file.
        size: the side of the model's square, in pixels.

    Raises:
        UserError: the file can't be read, or the serializer would refuse it.
    """
    try:
        return to_model_image(path.read_bytes(), size=size, max_pixels=MAX_PIXELS)
    except (SconesError, OSError) as error:
        raise UserError(f"the photo {path} can't be read as an image: {error}") from error


def score(
    photos: Sequence[Path],
    *,
    endpoint: str,
    classes: int,
    size: int,
    on_scored: Callable[[], object] = lambda: None,
    workers: int = WORKERS,
) -> tuple[Floats, Floats]:
    """Ask `endpoint` about `photos`: a row of probabilities per photo, and how many seconds each took.

    `on_scored` is called after each photo. Throttled and failed calls are tried again (five times in
    all) before UserError says which photo failed and why.
    """
    client = boto3.client(
        "sagemaker-runtime",
        config=Config(retries={"mode": "standard", "total_max_attempts": 5}, max_pool_connections=workers),
    )

    def ask(path: Path) -> tuple[Sequence[float], float]:
        body = as_sent(path, size)
        began = time.perf_counter()
        try:
            answer = client.invoke_endpoint(
                EndpointName=endpoint,
                ContentType=CONTENT_TYPE,
                Body=body,
                InferenceId=f"{EVALUATION_PREFIX}{uuid.uuid4().hex}",
            )
            text = answer["Body"].read()
        except ClientError as error:
            message = error.response.get("Error", {}).get("Message", str(error))
            raise UserError(f"endpoint {endpoint} refused {path.name}: {message}") from error
        except BotoCoreError as error:
            raise UserError(f"endpoint {endpoint} can't be asked: {explained(error)}") from error
        took = time.perf_counter() - began
        try:
            scores = read_inferences(text, classes)
        except InvalidInference as error:
            raise UserError(f"endpoint {endpoint} answered {path.name} with no distribution: {error}") from error
        on_scored()
        return scores, took

    pool = ThreadPoolExecutor(workers)
    try:
        answers = list(pool.map(ask, photos))
    finally:
        pool.shutdown(cancel_futures=True)
    return (
        np.array([scores for scores, _ in answers], dtype=np.float64).reshape(len(answers), classes),
        np.array([took for _, took in answers], dtype=np.float64),
    )
