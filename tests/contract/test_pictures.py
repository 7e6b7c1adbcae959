"""contract.pictures: every kind of photo becomes the same kind of small square, or is refused by name."""

import os
import struct
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from contract.errors import ImageTooLarge, InvalidImage, SconesError
from contract.pictures import to_model_image
from tests.photo_builders import BLACK, BLUE, GREEN, RED, WHITE, corners, decoded, encoded, is_near, quarters
from tests.photo_table import a_grey_png_of_16_bits, a_png

MEGAPIXELS = 50_000_000
UPRIGHT = [RED, GREEN, BLUE, WHITE]


def model_image(data: bytes, size: int = 32, max_pixels: int = MEGAPIXELS) -> Image.Image:
    return decoded(to_model_image(data, size=size, max_pixels=max_pixels))


def test_the_result_is_an_8_bit_rgb_png_of_the_models_size():
    picture = model_image(encoded(quarters(200, 100), "PNG"), size=48)
    assert (picture.format, picture.mode, picture.size) == ("PNG", "RGB", (48, 48))


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        ("PNG", "RGB"),
        ("PNG", "RGBA"),
        ("PNG", "P"),
        ("JPEG", "RGB"),
        ("JPEG", "CMYK"),
        ("MPO", "RGB"),
        ("WEBP", "RGB"),
        ("GIF", "RGB"),
        ("BMP", "RGB"),
        ("TIFF", "RGB"),
        ("TIFF", "CMYK"),
    ],
)
def test_a_photo_of_any_kind_keeps_its_colours_and_its_places(kind: str, mode: str):
    picture = model_image(encoded(quarters().convert(mode), kind))
    assert all(map(is_near, corners(picture), UPRIGHT)), corners(picture)


@pytest.mark.parametrize("mode", ["L", "1", "LA"])
def test_a_photo_without_colours_becomes_grey(mode: str):
    picture = model_image(encoded(Image.linear_gradient("L").convert(mode), "PNG"))
    top, bottom = picture.getpixel((16, 1)), picture.getpixel((16, 30))
    assert is_near(top, BLACK, 24)
    assert is_near(bottom, WHITE, 24)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bits_are_scaled_not_clipped(kind: str):
    deep = Image.new("I;16", (64, 64))
    deep.putdata([(position % 64) * 65535 // 63 for position in range(64 * 64)])
    picture = model_image(encoded(deep, kind), size=64)
    row = [picture.getpixel((x, 10))[0] for x in range(64)]
    assert (row[0], row[63]) == (0, 255)
    assert row == sorted(row)
    assert abs(row[32] - 130) <= 1


@pytest.mark.parametrize("mode", ["I", "F"])
def test_32_bits_a_sample_are_refused_since_their_white_is_unknown(mode: str):
    with pytest.raises(InvalidImage, match="32-bit samples have no defined white level"):
        to_model_image(encoded(Image.new(mode, (8, 8), 1), "TIFF"), size=4, max_pixels=100)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_photo_is_turned_upright_by_its_exif_orientation(orientation: int, kind: str):
    # what the camera stores for a scene that stands upright is the inverse of the turn to make
    stored = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    scene = quarters(96, 64)
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = scene if stored is None else scene.transpose(stored)
    picture = model_image(encoded(photo, kind, exif=exif))
    assert all(map(is_near, corners(picture), UPRIGHT)), corners(picture)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_with_damaged_exif_is_taken_as_it_is(kind: str):
    picture = model_image(encoded(quarters(), kind, exif=b"Exif\x00\x00not a TIFF header at all"))
    assert all(map(is_near, corners(picture), UPRIGHT))


@pytest.mark.parametrize("size", [(64, 640), (640, 64)])
def test_a_long_photo_is_cut_evenly_and_not_squeezed(size: tuple[int, int]):
    photo = Image.new("RGB", size, BLACK)
    middle = ((size[0] - 64) // 2, (size[1] - 64) // 2)
    photo.paste(quarters(), middle)
    assert all(map(is_near, corners(model_image(encoded(photo, "PNG"))), UPRIGHT))


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_transparency_becomes_white_and_half_of_it_half(kind: str):
    photo = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    photo.paste((0, 0, 255, 128), (32, 0, 64, 64))
    left, right, *_ = corners(model_image(encoded(photo, kind, **({"lossless": True} if kind == "WEBP" else {}))))
    assert left == WHITE
    assert is_near(right, (127, 127, 255))


def test_a_palettes_transparent_colour_becomes_white():
    photo = quarters().convert("P", palette=Image.Palette.ADAPTIVE)
    red = photo.getpixel((1, 1))
    picture = model_image(encoded(photo, "PNG", transparency=red))
    assert all(map(is_near, corners(picture), [WHITE, GREEN, BLUE, WHITE])), corners(picture)


@pytest.mark.parametrize(("mode", "clear", "grey"), [("L", 0, 100), ("LA", (0, 0), (100, 255))])
def test_grey_transparency_becomes_white(mode: str, clear: object, grey: object):
    photo = Image.new(mode, (64, 64), clear)
    photo.paste(grey, (32, 0, 64, 64))
    options = {"transparency": clear} if mode == "L" else {}
    assert corners(model_image(encoded(photo, "PNG", **options)))[:2] == [WHITE, (100, 100, 100)]


# a grey PNG of 16 bits may name one of its 65,536 greys as the transparent one; Pillow reads that, but writes it not
@pytest.mark.parametrize("clear", [0, 25_699, 25_701, 65_535])
def test_the_transparent_grey_of_16_bits_becomes_white_and_its_neighbours_stay(clear: int):
    data = a_grey_png_of_16_bits(left=clear, right=25_700, clear=clear)
    assert corners(model_image(data))[:2] == [WHITE, (100, 100, 100)]


def test_16_bits_a_colour_are_scaled_not_clipped():
    row = struct.pack(">64H", *(position * 65535 // 63 for position in range(64)))
    pixels = b"".join(row[place : place + 2] * 3 for place in range(0, len(row), 2))
    data = a_png((64, 64, 16, 2), (b"\0" + pixels) * 64)
    reds = [model_image(data, size=64).getpixel((x, 10))[0] for x in range(64)]
    assert (reds[0], reds[63]) == (0, 255)
    assert reds == sorted(reds)
    assert abs(reds[32] - 130) <= 1


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF", "MPO"])
def test_of_an_animation_the_first_frame_counts(kind: str):
    frames = [Image.new("RGB", (40, 40), colour) for colour in (GREEN, RED, BLUE)]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
    with Image.open(BytesIO(data)) as animation:
        assert animation.n_frames == 3
    assert all(is_near(corner, GREEN) for corner in corners(model_image(data)))


def test_a_photo_of_12_megapixels_becomes_a_few_kilobytes():
    data = encoded(quarters(4000, 3000), "JPEG")
    answer = to_model_image(data, size=32, max_pixels=MEGAPIXELS)
    assert len(answer) < 4_000
    assert all(map(is_near, corners(decoded(answer)), UPRIGHT))


def test_nothing_but_the_pixels_is_passed_on():
    exif = Image.Exif()
    exif[0x010E] = "a name, a place"
    # the profile of a printing press has half a megabyte; a state of Step Functions holds a quarter
    data = encoded(quarters().convert("CMYK"), "JPEG", icc_profile=os.urandom(500_000), exif=exif)
    answer = to_model_image(data, size=32, max_pixels=MEGAPIXELS)
    assert len(answer) < 4_000
    assert not decoded(answer).info


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("empty", b"", "empty"),
        ("text", b"not a picture, but a letter\n" * 100, "not a photo"),
        ("svg", b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect/></svg>', "not a photo"),
        ("postscript", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a photo"),
        ("icon", encoded(quarters(32, 32), "ICO"), "not a photo"),
        ("only a signature", b"\x89PNG\r\n\x1a\n", "not a photo|damaged"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 20 else "",
)
def test_what_is_no_photo_is_refused(name: str, data: bytes, words: str):
    with pytest.raises(InvalidImage, match=words):
        to_model_image(data, size=32, max_pixels=MEGAPIXELS)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_a_photo_that_was_cut_off_is_refused(kind: str, part: float):
    whole = encoded(Image.effect_noise((128, 128), 90).convert("RGB"), kind)
    with pytest.raises(InvalidImage):
        to_model_image(whole[: int(len(whole) * part)], size=32, max_pixels=MEGAPIXELS)


@pytest.mark.parametrize("side", [60_000, 10_000])
def test_a_pixel_bomb_is_refused_by_its_header(side: int):
    with pytest.raises(ImageTooLarge, match=r"at most 50,000,000"):
        to_model_image(a_png((side, side, 8, 2), bytes(1000)), size=32, max_pixels=MEGAPIXELS)


def test_the_limit_on_pixels_is_inclusive():
    data = encoded(quarters(20, 10), "PNG")
    assert model_image(data, max_pixels=200).size == (32, 32)
    with pytest.raises(ImageTooLarge, match="20 x 10"):
        to_model_image(data, size=32, max_pixels=199)


SEEDS = [
    encoded(quarters(24, 16).convert(mode), kind)
    for kind, mode in (("PNG", "RGB"), ("PNG", "P"), ("JPEG", "RGB"), ("WEBP", "RGB"), ("GIF", "P"), ("TIFF", "RGB"))
]


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@settings(max_examples=300, deadline=None)
@given(st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=8))
def test_a_damaged_photo_ends_in_a_picture_or_in_an_error_of_ours(seed: bytes, damage: list[tuple[int, int]]):
    data = bytearray(seed)
    for place, value in damage:
        data[place % len(data)] = value
    try:
        answer = to_model_image(bytes(data), size=8, max_pixels=1_000_000)
    except SconesError:
        return
    assert decoded(answer).size == (8, 8)
