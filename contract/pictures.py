"""Any photo that a phone, a camera or a web page produces, made into what the model takes."""

from __future__ import annotations

import struct
import warnings
import zlib
from io import BytesIO

from PIL import ExifTags, Image, ImageChops, ImageOps, UnidentifiedImageError

from contract.errors import ImageTooLarge, InvalidImage

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
"""The decoders that photos need; no other is tried. JPEG's also reads MPO, some phones' .jpg."""

DAMAGE = (OSError, EOFError, SyntaxError, ValueError, TypeError, struct.error, zlib.error, IndexError, KeyError)
"""What Pillow's decoders raise on damaged data is not one class."""

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes a photo upright, by its EXIF orientation (CIPA DC-008, "Orientation")."""


def to_model_image(data: bytes, *, size: int, max_pixels: int) -> bytes:
    """Decode a photo, turn it upright, and fit it to the model's square.

    The photo is scaled to cover the square and cut evenly at the longer sides, so that its proportions stay;
    transparency becomes white; of an animation the first frame counts.

    Args:
        data: the file's bytes, in one of `FORMATS`.
        size: the side of the square, in pixels.
        max_pixels: the most pixels (width times height) that are decoded; above twice Pillow's own
            `Image.MAX_IMAGE_PIXELS` (179 million in all) that one is the limit.

    Returns:
        A PNG, 8-bit RGB, `size` x `size`, with nothing in it but the pixels.

    Raises:
        InvalidImage: empty, of another format, damaged or cut off.
        ImageTooLarge: more than `max_pixels`, by the file's own header.
    """
    if not data:
        raise InvalidImage("the file is empty")
    try:
        with warnings.catch_warnings():
            # our own limit below is the one that counts, and it is checked before anything is decoded
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(BytesIO(data), formats=FORMATS) as image:
                width, height = image.size
                if width * height > max_pixels:
                    raise ImageTooLarge(
                        f"the photo has {width} x {height} pixels, {width * height:,} in all; "
                        f"at most {max_pixels:,} are allowed"
                    )
                # a JPEG can be decoded at a fraction of its size, at a fraction of the cost
                image.draft("RGB", (size * 2, size * 2))
                image.load()
                square = ImageOps.fit(_to_rgb(image), (size, size), Image.Resampling.LANCZOS)
                # the cut is even, so that the small square can be turned instead of the photo
                square = _upright(square, image)
    except UnidentifiedImageError as error:
        raise InvalidImage(f"the file is not a photo in one of {', '.join(FORMATS)}") from error
    except Image.DecompressionBombError as error:
        raise ImageTooLarge(f"{error}; at most {max_pixels:,} pixels are allowed") from error
    except DAMAGE as error:
        raise InvalidImage(f"the photo is damaged or cut off: {error}") from error
    # Pillow would write the photo's colour profile, which can be larger than all that Step Functions passes on
    square.info.clear()
    output = BytesIO()
    square.save(output, "PNG")
    return output.getvalue()


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in ("I", "F"):
        raise InvalidImage("32-bit samples have no defined white level; send 8 or 16 bits")
    if image.mode.startswith("I;16"):
        # Pillow's own conversion clips instead of scaling
        wide = image.convert("I")
        grey = wide.point(lambda value: value * (1 / 257)).convert("L").convert("RGB")
        clear = image.info.get("transparency")
        if isinstance(clear, int):
            # how far each pixel lies above or below the one grey that a PNG may call transparent: clipped, 0 is on it
            above = wide.point(lambda value: value * 1 - clear).convert("L")
            below = wide.point(lambda value: value * -1 + clear).convert("L")
            mask = ImageChops.lighter(above, below).point(lambda value: 0 if value else 255)
            grey.paste("white", mask=mask)
        return grey
    if image.has_transparency_data:
        layered = image.convert("RGBA")
        white = Image.new("RGB", layered.size, "white")
        white.paste(layered, mask=layered)
        return white
    return image.convert("RGB")


def _upright(square: Image.Image, photo: Image.Image) -> Image.Image:
    try:
        turn = TURNS.get(photo.getexif().get(ExifTags.Base.Orientation, 1))
    except DAMAGE:
        # the pixels are whole, and most photos are upright: no reason to bother a person
        return square
    return square if turn is None else square.transpose(turn)
