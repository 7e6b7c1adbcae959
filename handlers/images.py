"""Any photo that a phone, a camera or a web page produces, made into what the model takes."""

import struct
import warnings
from io import BytesIO

from PIL import Image, ImageOps, UnidentifiedImageError

from handlers.errors import ImageTooLarge, InvalidImage

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
"""The decoders that photos need; no other is tried. JPEG's also reads MPO, some phones' .jpg."""


def to_model_image(data: bytes, *, size: int, max_pixels: int) -> bytes:
    """Decode a photo, turn it upright, and fit it to the model's square.

    The photo is scaled to cover the square and cut evenly at the longer sides, so that its proportions stay;
    transparency becomes white; of an animation the first frame counts.

    Args:
        data: the file's bytes, in one of `FORMATS`.
        size: the side of the square, in pixels.
        max_pixels: the most pixels (width times height) that are decoded.

    Returns:
        A PNG, 8-bit RGB, `size` x `size`.

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
                upright = ImageOps.exif_transpose(image)
                fitted = ImageOps.fit(_to_rgb(upright), (size, size), Image.Resampling.LANCZOS)
    except UnidentifiedImageError as error:
        raise InvalidImage(f"the file is not a photo in one of {', '.join(FORMATS)}") from error
    except Image.DecompressionBombError as error:
        raise ImageTooLarge(str(error)) from error
    except (OSError, SyntaxError, ValueError, struct.error, IndexError, KeyError) as error:
        # what Pillow's decoders raise on damaged data is not one class
        raise InvalidImage(f"the photo is damaged or cut off: {error}") from error
    output = BytesIO()
    fitted.save(output, "PNG")
    return output.getvalue()


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        # 16 bits a sample: Pillow's own conversion clips instead of scaling
        return image.convert("I").point(lambda value: value * (1 / 257)).convert("L").convert("RGB")
    if image.has_transparency_data:
        layered = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered).convert("RGB")
    return image.convert("RGB")
