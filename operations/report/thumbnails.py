"""Captured inputs as pictures that a page can show."""

from __future__ import annotations

import base64
import binascii
import io

from PIL import Image

from operations.captures.records import Picture

LARGEST_THUMBNAIL = 1 << 20
"""Base64 characters beyond which a picture is not shown."""
_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg"}


def data_uri(picture: Picture | None) -> str | None:
    """The captured input as a `data:` URI; None when it is no whole PNG or JPEG picture."""
    if picture is None or picture[0] != "BASE64" or len(picture[1]) > LARGEST_THUMBNAIL:
        return None
    try:
        content = base64.b64decode(picture[1], validate=True)
        with Image.open(io.BytesIO(content), formats=list(_TYPES)) as image:
            image.load()
            kind = _TYPES[image.format or ""]
    except (binascii.Error, OSError, ValueError, SyntaxError, KeyError, Image.DecompressionBombError):
        return None
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
