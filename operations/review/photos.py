"""A photo as a person sees it: fetched from the bucket, and made into what every browser and many terminals show."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from PIL import Image, ImageOps

from contract.errors import UserError
from contract.pictures import read_heic
from operations.review.queue import UNKNOWN_VERSION, Waiting

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

GONE = ("NoSuchKey", "NoSuchVersion", "NoSuchBucket", "404")
LONGEST_SIDE = 1600
"""Pixels of the picture that the page gets."""
SMALLEST_SIDE = 480
"""A picture of fewer pixels is enlarged to this, without smoothing: people have to see each of them."""
MOST_BYTES = 200_000_000
MOST_PIXELS = 120_000_000


class Gone(UserError):
    """The photo is no longer in the bucket: expired, or deleted."""


class NotShown(UserError):
    """The photo is there, and can't be shown."""


def fetch(s3: S3Client, waiting: Waiting) -> bytes:
    """The photo's bytes, of the version that waits.

    Raises:
        Gone: the bucket has no such object any more.
        NotShown: it is too large.
    """
    if not waiting.key:
        raise Gone("the message names no photo")
    version: Any = {} if waiting.version == UNKNOWN_VERSION else {"VersionId": waiting.version}
    try:
        found = s3.get_object(Bucket=waiting.bucket, Key=waiting.key, **version)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in GONE:
            raise Gone("the photo is no longer in the bucket: it has expired or was deleted") from error
        raise
    size = found["ContentLength"]
    if size > MOST_BYTES:
        raise NotShown(f"the photo has {size / 1e6:,.0f} MB; at most {MOST_BYTES / 1e6:,.0f} are shown")
    return found["Body"].read()


def to_jpeg(data: bytes) -> bytes:
    """The photo, upright, as a JPEG of at most LONGEST_SIDE pixels a side.

    Raises:
        NotShown: Pillow can't read it, or it has too many pixels.
    """
    output = io.BytesIO()
    _upright(data, LONGEST_SIDE).save(output, "JPEG", quality=88)
    return output.getvalue()


def to_blocks(data: bytes, columns: int) -> str:
    """The photo in lines of half blocks with 24-bit colours, two pixels a character.

    Args:
        data: the file's bytes.
        columns: characters of a line.

    Raises:
        NotShown: as `to_jpeg`.
    """
    image = _upright(data, LONGEST_SIDE)
    rows = max(2, round(image.height * columns / image.width / 2) * 2)
    image = image.resize((columns, rows), Image.Resampling.LANCZOS)
    colour = image.tobytes()

    def at(x: int, y: int) -> str:
        start = 3 * (y * columns + x)
        return ";".join(map(str, colour[start : start + 3]))

    lines = (
        "".join(f"\x1b[38;2;{at(x, y)}m\x1b[48;2;{at(x, y + 1)}m▀" for x in range(columns)) + "\x1b[0m"
        for y in range(0, rows, 2)
    )
    return "\n".join(lines)


def _upright(data: bytes, side: int) -> Image.Image:
    read_heic()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data)) as image:
                if image.width * image.height > MOST_PIXELS:
                    raise NotShown(f"the photo has {image.width} x {image.height} pixels, which is too many to show")
                image.draft("RGB", (side, side))
                turned = ImageOps.exif_transpose(image)
                layered = turned.convert("RGBA")
    except NotShown:
        raise
    except Exception as error:  # Pillow's decoders raise nearly anything on damaged files
        raise NotShown(f"the photo can't be shown: {error}") from error
    layered.thumbnail((side, side))
    white = Image.new("RGB", layered.size, "white")
    white.paste(layered, mask=layered)
    if max(white.size) < SMALLEST_SIDE:
        factor = SMALLEST_SIDE // max(white.size)
        return white.resize((white.width * factor, white.height * factor), Image.Resampling.NEAREST)
    return white
