"""Any photo that a phone, a camera or a web page produces, made into what the model takes."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from io import BytesIO
from types import MappingProxyType

from PIL import ExifTags, Image, ImageChops, ImageOps, ImageStat, UnidentifiedImageError

from contract.containers import heif, jpeg, png, tiff, webp
from contract.containers.pixels import DAMAGE, Pixels
from contract.errors import ImageHasNoContent, ImageTooLarge, InvalidImage
from contract.formats import Format, format_of

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

REDUCING_GAP = 3
"""How many times the model's size a photo is at least when it is resampled: what is larger is averaged down to that
first, as Pillow's `reducing_gap` does, which from 3 on can't be told from resampling the whole."""
AS_IT_IS = ("RGB", "L")
"""Modes in which averaging and conversion give the same in either order: the grey of each channel is the same."""
BAND_PIXELS = 4_000_000
"""Pixels that are converted at a time."""
SPARE = 16
"""Bytes that a decoder may leave over: it looks ahead in words."""
LEAST_SIDE = 8
"""Pixels of a photo's shorter side. A classifier of drawn bicycles and motorcycles that is right about 0.93 of photos
of 32 pixels is right about 0.74 of them at 8, 0.63 at 6, 0.59 at 4, and guesses from 3 down."""
CONTENT_SIZE = 32
"""Pixels a side that content is looked for in: fine noise is gone at that size."""
LEAST_CONTRAST = 2.0
"""Standard deviation, of 255 levels, that one colour channel at least must have at that size. A lens cap's noise
(standard deviation 10, which is a lot) leaves 0.9 of a photo of 320 x 240 pixels, 0.5 of 640 x 480, 0.2 of full HD;
the flattest of 5,900 drawn pictures has 10.2; a photograph in daylight has 87, and 2.6 with 3 % of its light."""


@dataclass(frozen=True, slots=True)
class _Reader:
    """How a format is read."""

    decoder: str
    """Pillow's name for it."""
    pixels_of: Callable[[bytes], Pixels] = Pixels
    most_pixels: int | None = None
    """That are decoded at all, whatever the stack allows."""


HEIF = "HEIF"
"""The name that pi_heif gives its decoder."""
LARGEST_IN_ONE_PIECE = 64_000_000
"""Pixels of a format whose decoder holds a photo several times: up to 17 bytes a pixel of a lossless WebP, 16 of an
AVIF with 10 bits and without subsampling, 14 of such an HEIC, where others take 3 to 7 and a JPEG hardly one."""

_READERS: Mapping[Format, _Reader] = MappingProxyType(
    {
        "JPEG": _Reader("JPEG", jpeg.pixels_of),
        "PNG": _Reader("PNG", png.pixels_of),
        "WebP": _Reader("WEBP", webp.pixels_of, LARGEST_IN_ONE_PIECE),
        "HEIC": _Reader(HEIF, heif.pixels_of, LARGEST_IN_ONE_PIECE),
        "AVIF": _Reader("AVIF", heif.pixels_of, LARGEST_IN_ONE_PIECE),
        "TIFF": _Reader("TIFF", tiff.pixels_of),
        "GIF": _Reader("GIF"),
        "BMP": _Reader("BMP"),
    }
)


def to_model_image(data: bytes, *, size: int, max_pixels: int) -> bytes:
    """Decode a photo, turn it upright, and fit it to the model's square.

    The photo is scaled to cover the square and cut evenly at the longer sides, so that its proportions stay;
    transparency becomes white, or what lies beneath when nothing else is to be seen; of an animation the first frame
    counts. Metadata is not looked at, but for the orientation: what is wrong with it refuses no photo.

    Args:
        data: the file's bytes, in one of `contract.formats.FORMATS`.
        size: the side of the square, in pixels.
        max_pixels: the most pixels (width times height) that are decoded; of WebP, HEIC and AVIF it is never more
            than `LARGEST_IN_ONE_PIECE`.

    Returns:
        A PNG, 8-bit RGB, `size` x `size`, with nothing in it but the pixels.

    Raises:
        InvalidImage: empty, of another format, damaged or cut off.
        ImageTooLarge: more pixels than that, by the file's own header.
        ImageHasNoContent: nothing to be seen: one colour, a lens cap's noise, a handful of pixels.
    """
    if not data:
        raise InvalidImage("the file is empty")
    kind = format_of(data)
    reader = _READERS[kind]
    most = min(max_pixels, reader.most_pixels or max_pixels)
    try:
        pixels = reader.pixels_of(data)
        square = _square(pixels, reader.decoder, size, most)
        if pixels.other_end is not None:
            other = _square(replace(pixels, data=pixels.other_end), reader.decoder, size, most)
            if ImageChops.difference(square, other).getbbox():
                raise InvalidImage("the photo is cut off")
    except UnidentifiedImageError as error:
        raise InvalidImage(f"the photo is damaged or cut off: it is no whole {kind}") from error
    except DAMAGE as error:
        raise InvalidImage(f"the photo is damaged or cut off: {error}") from error
    _check_content(square)
    output = BytesIO()
    square.save(output, "PNG")
    return output.getvalue()


class _Sipped(BytesIO):
    """A file whose end is read in ever smaller parts, so that its position tells what the decoder needed."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._size = len(data)

    def read(self, size: int | None = -1, /) -> bytes:
        left = self._size - self.tell()
        if size is not None and size >= left > 1:
            size = left // 2 if left > 2 * SPARE else 1
        return super().read(size)


def _square(pixels: Pixels, decoder: str, size: int, max_pixels: int) -> Image.Image:
    with warnings.catch_warnings():
        # our own limit is the one that counts; what is odd about a file and decoded all the same is no news
        warnings.simplefilter("ignore")
        file = _Sipped(pixels.data) if pixels.used_up else BytesIO(pixels.data)
        with _open(file, decoder, max_pixels) as image:
            if min(image.size) < LEAST_SIDE:
                raise ImageHasNoContent(
                    f"the photo has {image.width} x {image.height} pixels; at least {LEAST_SIDE} a side are needed"
                )
            # a JPEG can be decoded at a fraction of its size, at a fraction of the cost
            image.draft("RGB", (size * 2, size * 2))
            image.load()
            left_over = pixels.data[file.tell() :] if pixels.used_up else b""
            # some cameras fill up their files with one and the same byte
            if len(left_over) > SPARE and len(set(left_over[:-SPARE])) > 1:
                raise InvalidImage(f"the photo is damaged: {len(left_over)} bytes belong to none of its pixels")
            square = ImageOps.fit(_reduced(image, size), (size, size), Image.Resampling.LANCZOS)
            # the cut is even, so that the small square can be turned instead of the photo
            turn = TURNS.get(pixels.orientation or image.getexif().get(ExifTags.Base.Orientation, 1))
    # Pillow would write the photo's colour profile, which can be larger than all that Step Functions passes on
    square.info.clear()
    return square if turn is None else square.transpose(turn)


@cache
def read_heic() -> None:
    """Make Pillow read HEIC, for whoever opens photos with it; here it is done for the first HEIC."""
    # its import takes 6 to 10 ms of a cold start, and most photos are no HEIC
    import pi_heif  # pyright: ignore[reportMissingTypeStubs]

    # without the small pictures that a file holds beside its own
    pi_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)


def _open(file: BytesIO, decoder: str, max_pixels: int) -> Image.Image:
    if decoder == HEIF:
        read_heic()
    try:
        image = Image.open(file, formats=[decoder])
    except Image.DecompressionBombError as error:
        raise ImageTooLarge(f"{error}; at most {max_pixels:,} pixels are allowed") from error
    width, height = image.size
    if width * height > max_pixels:
        raise ImageTooLarge(
            f"the photo has {width} x {height} pixels, {width * height:,} in all; at most {max_pixels:,} are allowed"
        )
    return image


def _reduced(image: Image.Image, size: int) -> Image.Image:
    """The photo in RGB, averaged down by a whole number.

    What has to be converted first is, band by band: so only one copy of it is ever whole.
    """
    factor = max(1, min(image.size) // (size * REDUCING_GAP))
    if image.mode in AS_IT_IS and not image.has_transparency_data:
        return image.reduce(factor).convert("RGB")
    beneath = image.has_transparency_data and not any(
        band.convert("RGBA").getchannel("A").getextrema()[1] for band in _bands(image, factor)
    )
    reduced = Image.new("RGB", (-(-image.width // factor), -(-image.height // factor)))
    top = 0
    for band in _bands(image, factor):
        small = _to_rgb(band, beneath=beneath).reduce(factor)
        reduced.paste(small, (0, top))
        top += small.height
    return reduced


def _bands(image: Image.Image, factor: int) -> Iterator[Image.Image]:
    rows = factor * max(1, BAND_PIXELS // (image.width * factor))
    for top in range(0, image.height, rows):
        yield image.crop((0, top, image.width, min(top + rows, image.height)))


def _to_rgb(image: Image.Image, *, beneath: bool) -> Image.Image:
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
    if image.has_transparency_data and beneath:
        image.info.pop("transparency", None)
        return image.convert("RGBA").convert("RGB")
    if image.has_transparency_data:
        layered = image.convert("RGBA")
        white = Image.new("RGB", layered.size, "white")
        white.paste(layered, mask=layered)
        return white
    return image.convert("RGB")


def _check_content(square: Image.Image) -> None:
    small = square.resize((CONTENT_SIZE, CONTENT_SIZE), Image.Resampling.BOX)
    # most photos have it in the first channel already
    contrasts: list[float] = []
    for channel in small.split():
        contrasts += ImageStat.Stat(channel).stddev
        if contrasts[-1] >= LEAST_CONTRAST:
            return
    raise ImageHasNoContent(
        f"the photo shows nothing: its colours differ by {max(contrasts):.2f} of 255 levels (standard deviation); "
        f"at least {LEAST_CONTRAST} are needed"
    )
