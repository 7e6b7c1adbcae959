"""Photos through an endpoint, in parallel, prepared as the running system prepares them."""

from __future__ import annotations

import io
import json
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import numpy as np
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from PIL import Image, ImageOps, UnidentifiedImageError

from contract.captures import EVALUATION_PREFIX
from contract.errors import UserError
from training.evaluation.predictions import PredictionsError, check_scores
from training.evaluation.statistics import Floats

CONTENT_TYPE = "application/x-image"
IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"})
WORKERS = 8


def photos_in(folder: Path) -> list[Path]:
    """The image files anywhere below `folder`, sorted. Raises UserError when there is none."""
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file())
    if not found:
        raise UserError(f"the folder {folder} must hold photos ({', '.join(sorted(IMAGE_SUFFIXES))})")
    return found


def as_sent(path: Path, size: int) -> bytes:
    """The photo at `path` as the serializer sends it: upright, colour, square, `size` pixels a side, PNG.

    A PNG that is all that already is sent as it is. Raises UserError for a file that is no image.
    """
    try:
        content = path.read_bytes()
        with Image.open(io.BytesIO(content)) as image:
            if image.format == "PNG" and image.mode == "RGB" and image.size == (size, size):
                return content
            upright = ImageOps.exif_transpose(image).convert("RGB")
        buffer = io.BytesIO()
        ImageOps.fit(upright, (size, size)).save(buffer, format="PNG")
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise UserError(f"the photo {path} can't be read as an image: {error}") from error
    return buffer.getvalue()


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

    def ask(path: Path) -> tuple[list[float], float]:
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
            raise UserError(f"endpoint {endpoint} can't be asked: {error}") from error
        took = time.perf_counter() - began
        try:
            scores = check_scores(json.loads(text), classes)
        except (PredictionsError, ValueError) as error:
            raise UserError(f"endpoint {endpoint} answered nonsense about {path.name}: {error}") from error
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
