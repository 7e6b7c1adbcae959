"""contract.pictures: every kind of photo becomes the same kind of small square, or is refused by name."""

import os
import struct
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter
from sklearn.datasets import load_sample_image

from contract.errors import ImageHasNoContent, ImageTooLarge, InvalidImage, SconesError
from contract.pictures import to_model_image
from tests.assertions import at_least_one
from tests.photo_builders import BLACK, BLUE, GREEN, RED, WHITE, corners, decoded, encoded, is_near, quarters
from tests.photo_table import a_grey_png_of_16_bits, a_png
from training.synthetic.drawings import DRAWINGS
from training.synthetic.scene import picture

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
        ("AVIF", "RGB"),
    ],
)
def test_a_photo_of_any_kind_keeps_its_colours_and_its_places(kind: str, mode: str):
    picture = model_image(encoded(quarters().convert(mode), kind))
    assert all(at_least_one(map(is_near, corners(picture), UPRIGHT))), corners(picture)


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
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
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
    assert all(at_least_one(map(is_near, corners(picture), UPRIGHT))), corners(picture)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_with_damaged_exif_is_taken_as_it_is(kind: str):
    picture = model_image(encoded(quarters(), kind, exif=b"Exif\x00\x00not a TIFF header at all"))
    assert all(at_least_one(map(is_near, corners(picture), UPRIGHT)))


@pytest.mark.parametrize("size", [(64, 640), (640, 64)])
def test_a_long_photo_is_cut_evenly_and_not_squeezed(size: tuple[int, int]):
    photo = Image.new("RGB", size, BLACK)
    middle = ((size[0] - 64) // 2, (size[1] - 64) // 2)
    photo.paste(quarters(), middle)
    assert all(at_least_one(map(is_near, corners(model_image(encoded(photo, "PNG"))), UPRIGHT)))


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF", "TIFF"])
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
    assert all(at_least_one(map(is_near, corners(picture), [WHITE, GREEN, BLUE, WHITE]))), corners(picture)


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
    for frame in frames:
        frame.paste(BLACK, (12, 12, 28, 28))
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
    with Image.open(BytesIO(data)) as animation:
        assert animation.n_frames == 3
    assert all(is_near(corner, GREEN) for corner in at_least_one(corners(model_image(data))))


@pytest.mark.parametrize("size", [(32, 32), (97, 640), (1201, 803)])
def test_a_photo_is_the_same_picture_with_an_opaque_alpha_and_grey_is_grey_in_every_channel(size: tuple[int, int]):
    colours = quarters(*size).filter(ImageFilter.BoxBlur(3))
    opaque = colours.copy()
    opaque.putalpha(255)
    assert model_image(encoded(colours, "PNG")).tobytes() == model_image(encoded(opaque, "PNG")).tobytes()
    grey = colours.convert("L")
    assert model_image(encoded(grey, "PNG")).tobytes() == model_image(encoded(grey.convert("RGB"), "PNG")).tobytes()


def test_a_photo_of_12_megapixels_becomes_a_few_kilobytes():
    data = encoded(quarters(4000, 3000), "JPEG")
    answer = to_model_image(data, size=32, max_pixels=MEGAPIXELS)
    assert len(answer) < 4_000
    assert all(at_least_one(map(is_near, corners(decoded(answer)), UPRIGHT)))


def test_nothing_but_the_pixels_is_passed_on():
    exif = Image.Exif()
    exif[0x010E] = "a name, a place"
    # the profile of a printing press has half a megabyte; a state of Step Functions holds a quarter
    data = encoded(quarters().convert("CMYK"), "JPEG", icc_profile=os.urandom(500_000), exif=exif)
    answer = to_model_image(data, size=32, max_pixels=MEGAPIXELS)
    assert len(answer) < 4_000
    assert not decoded(answer).info


def test_an_empty_file_is_refused():
    with pytest.raises(InvalidImage, match="the file is empty"):
        to_model_image(b"", size=32, max_pixels=MEGAPIXELS)


def test_a_signature_alone_is_no_photo():
    with pytest.raises(InvalidImage, match="cut off"):
        to_model_image(b"\x89PNG\r\n\x1a\n", size=32, max_pixels=MEGAPIXELS)


def seen_through(kind: str, **options: object) -> bytes:
    """The quarters beneath an alpha that is 0 everywhere."""
    photo = quarters().convert("RGBA")
    photo.putalpha(0)
    return encoded(photo, kind, **options)


def a_bmp_whose_alpha_was_never_filled_in() -> bytes:
    rows = [quarters().crop((0, y, 64, y + 1)).tobytes("raw", "BGRX") for y in reversed(range(64))]
    pixels = b"".join(rows)
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    info = struct.pack("<IiiHHIIiiII", 108, 64, 64, 1, 32, 3, len(pixels), 2835, 2835, 0, 0) + masks + bytes(52)
    return b"BM" + struct.pack("<IHHI", 14 + 108 + len(pixels), 0, 0, 14 + 108) + info + pixels


@pytest.mark.parametrize(
    "photo",
    [
        seen_through("PNG"),
        seen_through("WEBP", lossless=True, exact=True),
        seen_through("TIFF"),
        seen_through("AVIF", quality=100),
        encoded(quarters().convert("P", palette=Image.Palette.ADAPTIVE), "PNG", transparency=bytes(256)),
        a_bmp_whose_alpha_was_never_filled_in(),
    ],
    ids=["PNG", "WebP", "TIFF", "AVIF", "palette", "BMP"],
)
def test_of_a_photo_that_is_transparent_everywhere_the_colours_beneath_are_seen(photo: bytes):
    assert all(at_least_one(map(is_near, corners(model_image(photo)), UPRIGHT)))


def noise(width: int, height: int, deviation: int) -> Image.Image:
    """What a camera sees behind its lens cap: hardly any light, and its own noise."""
    dark = Image.effect_noise((width, height), deviation).point(lambda value: max(0, value - 126))
    return dark.convert("RGB")


@pytest.mark.parametrize(
    "photo",
    [
        Image.new("RGB", (640, 480)),
        Image.new("RGB", (640, 480), "white"),
        Image.new("RGB", (32, 32), (20, 90, 200)),
        Image.new("RGBA", (64, 64), (0, 0, 0, 0)),
        noise(320, 240, 10),
        noise(1920, 1080, 20),
        Image.linear_gradient("L").resize((640, 480)).point(lambda value: 30 + value // 50),
    ],
    ids=["black", "white", "blue", "transparent", "a lens cap", "a noisy one", "a shade"],
)
@pytest.mark.parametrize("size", [32, 224])
def test_a_photo_on_which_nothing_is_to_be_seen_is_not_decided(photo: Image.Image, size: int):
    for kind in ("PNG", "WEBP"):
        with pytest.raises(ImageHasNoContent, match="shows nothing"):
            to_model_image(encoded(photo, kind), size=size, max_pixels=MEGAPIXELS)


@pytest.mark.parametrize("size", [(1, 1), (7, 7), (7, 400), (400, 1)])
def test_a_handful_of_pixels_is_no_photo(size: tuple[int, int]):
    with pytest.raises(ImageHasNoContent, match=f"{size[0]} x {size[1]} pixels; at least 8 a side"):
        to_model_image(encoded(quarters(*size), "PNG"), size=32, max_pixels=MEGAPIXELS)
    assert model_image(encoded(quarters(8, 8), "PNG"))


@pytest.mark.parametrize("light", [0.3, 0.1, 0.03])
def test_a_dark_photo_is_decided(light: float):
    scene = Image.fromarray(load_sample_image("china.jpg")).point(lambda value: value * light)
    assert model_image(encoded(scene, "PNG"))


def test_a_small_light_in_the_night_is_something_to_see():
    night = noise(640, 480, 10)
    night.paste("white", (300, 200, 330, 230))
    assert model_image(encoded(night, "JPEG"))


def test_every_drawn_picture_is_decided():
    assert len(DRAWINGS) >= 10
    for drawing in DRAWINGS.values():
        for seed in range(10):
            assert model_image(encoded(picture(drawing, np.random.default_rng(seed)), "PNG"))


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
