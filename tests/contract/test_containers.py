"""contract.containers: whole pixels are taken whatever else the file holds, damaged ones are not."""

from __future__ import annotations

import struct
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

from contract.errors import InvalidImage
from contract.pictures import to_model_image
from tests.assertions import at_least_one
from tests.photo_builders import BLUE, GREEN, RED, WHITE, corners, decoded, encoded, is_near, quarters
from tests.photo_table import PNG_SIGNATURE, SAMPLES, a_noisy_photo, png_chunk

MOST = 50_000_000
UPRIGHT = [RED, GREEN, BLUE, WHITE]
PHOTO = a_noisy_photo(128, 96)
PNG, JPEG, WEBP, AVIF, TIFF = (encoded(PHOTO, kind) for kind in ("PNG", "JPEG", "WEBP", "AVIF", "TIFF"))
PROGRESSIVE = encoded(PHOTO, "JPEG", progressive=True)
RESTARTS = encoded(PHOTO, "JPEG", restart_marker_blocks=4)
HEIC = (SAMPLES / "quarters.heic").read_bytes()


def seen(data: bytes) -> bytes:
    return to_model_image(data, size=32, max_pixels=MOST)


# PNG


def png_with(*chunks: bytes, photo: bytes = PNG, last: bool = False) -> bytes:
    """Chunks behind the header, or behind the pixels."""
    at = len(photo) - 12 if last else len(PNG_SIGNATURE) + 25
    return photo[:at] + b"".join(chunks) + photo[at:]


def wrong(chunk: bytes) -> bytes:
    """The chunk with a checksum that is not its own."""
    return chunk[:-4] + bytes(byte ^ 0xFF for byte in chunk[-4:])


PNG_METADATA = {
    "text that inflates above 1 MB": png_chunk(b"zTXt", b"history\0\0" + zlib.compress(bytes(3_000_000))),
    "international text above 1 MB": png_chunk(b"iTXt", b"k\0\1\0\0\0" + zlib.compress(bytes(3_000_000))),
    "a profile that inflates above 1 MB": png_chunk(b"iCCP", b"icc\0\0" + zlib.compress(bytes(3_000_000))),
    "XMP that inflates above 1 MB": png_chunk(
        b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(bytes(3_000_000))
    ),
    "a profile that can't be inflated": png_chunk(b"iCCP", b"icc\0\0nonsense"),
    "a profile of an unknown kind": png_chunk(b"iCCP", b"icc\0\7" + bytes(9)),
    "text of an unknown kind": png_chunk(b"zTXt", b"history\0\7" + bytes(9)),
    "damaged text": wrong(png_chunk(b"tEXt", b"Comment\0words")),
    "a damaged profile": wrong(png_chunk(b"iCCP", b"icc\0\0" + zlib.compress(b"profile"))),
    "damaged EXIF": wrong(png_chunk(b"eXIf", b"MM\0*\0\0\0\x08")),
    "EXIF that is none": png_chunk(b"eXIf", b"nothing of the kind"),
    "a raw profile that is none": png_chunk(b"tEXt", b"Raw profile type exif\0\nexif\n  4\nzz"),
    "a suggested palette that is damaged": wrong(png_chunk(b"PLTE", bytes(9))),
    "transparency cut short": png_chunk(b"tRNS", b"\0\0\0"),
    "damaged transparency": wrong(png_chunk(b"tRNS", bytes(6))),
    "an animation's header cut short": png_chunk(b"acTL", b"\0"),
    "frames in disorder": png_chunk(b"fcTL", struct.pack(">I", 7) + bytes(22)),
    **{f"{kind.decode()} cut short": png_chunk(kind, b"\0") for kind in (b"pHYs", b"gAMA", b"cHRM", b"bKGD")},
    "sRGB without a value": png_chunk(b"sRGB", b""),
    "an unknown chunk": png_chunk(b"prVt", bytes(100)),
}


@pytest.mark.parametrize("last", [False, True], ids=["before the pixels", "behind them"])
@pytest.mark.parametrize("name", PNG_METADATA)
def test_a_pngs_whole_pixels_are_taken_whatever_its_other_chunks(name: str, last: bool):
    assert seen(png_with(PNG_METADATA[name], last=last)) == seen(PNG)


def test_many_texts_do_not_refuse_a_png():
    text = png_chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(1_000_000)))
    assert seen(png_with(*[text] * 70)) == seen(PNG)


@pytest.mark.parametrize("cut", [12, 13, 16, 1])
def test_a_png_that_lacks_its_end_and_no_pixel_is_whole(cut: int):
    assert seen(PNG[:-cut]) == seen(PNG)
    assert seen(PNG + b"what another program left here") == seen(PNG)


def tagged_turn(order: str = ">") -> bytes:
    mark = b"MM\0*" if order == ">" else b"II*\0"
    entry = struct.pack(f"{order}HHIHH", 0x0112, 3, 1, 6, 0)
    return mark + struct.pack(f"{order}IH", 8, 1) + entry + bytes(4)


XMP = b'<rdf:Description tiff:Orientation="6"/>'
TOLD = {
    "EXIF": png_chunk(b"eXIf", tagged_turn()),
    "little-endian EXIF": png_chunk(b"eXIf", tagged_turn("<")),
    "a raw profile": png_chunk(
        b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(b"\nexif\n  26\n" + tagged_turn().hex().encode())
    ),
    "XMP": png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP),
    "compressed XMP": png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(XMP)),
}


@pytest.mark.parametrize("last", [False, True], ids=["before the pixels", "behind them"])
@pytest.mark.parametrize("name", TOLD)
def test_a_png_is_turned_by_whatever_tells_how(name: str, last: bool):
    turned = encoded(quarters(96, 64).transpose(Image.Transpose.ROTATE_90), "PNG")
    assert corners(decoded(seen(turned))) != UPRIGHT
    assert corners(decoded(seen(png_with(TOLD[name], photo=turned, last=last)))) == UPRIGHT


def test_a_damaged_chunk_turns_nothing_and_makes_nothing_transparent():
    photo = encoded(quarters(), "PNG")
    clear = png_chunk(b"tRNS", struct.pack(">3H", *RED))
    assert corners(decoded(seen(png_with(clear, photo=photo)))) == [WHITE, GREEN, BLUE, WHITE]
    assert seen(png_with(wrong(clear), photo=photo)) == seen(photo)
    assert seen(png_with(wrong(TOLD["EXIF"]), photo=photo)) == seen(photo)


def test_a_text_that_would_fill_the_memory_is_not_inflated():
    bomb = png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(bytes(100_000_000)))
    tracemalloc.start()
    try:
        seen(png_with(bomb))
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def chunks_of(photo: bytes) -> Iterator[tuple[bytes, int, int]]:
    place = len(PNG_SIGNATURE)
    while place < len(photo):
        length = int.from_bytes(photo[place : place + 4])
        yield photo[place + 4 : place + 8], place + 8, length
        place += 12 + length


@pytest.mark.parametrize("kind", [b"IHDR", b"PLTE", b"IDAT"])
def test_a_png_whose_pixels_fail_their_checksum_is_refused(kind: bytes):
    photo = encoded(PHOTO.convert("P", palette=Image.Palette.ADAPTIVE), "PNG")
    ((place, length),) = [(place, length) for name, place, length in chunks_of(photo) if name == kind]
    for at in (place, place + length // 2, place + length - 1, place + length):
        damaged = photo[:at] + bytes([photo[at] ^ 1]) + photo[at + 1 :]
        with pytest.raises(InvalidImage, match=rf"checksum of its \w+ \({kind.decode()}\)"):
            seen(damaged)


def test_pixels_that_decode_to_garbage_would_be_seen_without_the_checksum():
    """What Pillow alone makes of a PNG with a flipped bit: another picture, without a word."""
    row = b"\0" + bytes(range(96))
    stored = zlib.compress(row * 32, 0)
    at = stored.find(row) + 500
    flipped = stored[:at] + bytes([stored[at] ^ 0x80]) + stored[at + 1 :]
    header = (b"IHDR", struct.pack(">IIBBxxx", 32, 32, 8, 2))
    whole = PNG_SIGNATURE + png_chunk(*header) + png_chunk(b"IDAT", stored) + png_chunk(b"IEND", b"")
    damaged = whole.replace(stored, flipped)
    seen(whole)
    with pytest.raises(InvalidImage, match="checksum"):
        seen(damaged)


def test_a_palette_that_is_missing_is_missed():
    photo = encoded(PHOTO.convert("P"), "PNG")
    ((place, length),) = [(place, length) for name, place, length in chunks_of(photo) if name == b"PLTE"]
    with pytest.raises(InvalidImage, match="palette"):
        seen(photo[: place - 8] + photo[place + length + 4 :])


# JPEG


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def jpeg_with(*segments: bytes, photo: bytes = JPEG) -> bytes:
    return photo[:2] + b"".join(segments) + photo[2:]


JPEG_METADATA = {
    "a profile without numbers": segment(0xE2, b"ICC_PROFILE\0"),
    "a profile whose parts are miscounted": segment(0xE2, b"ICC_PROFILE\0\x05\x09" + bytes(50)),
    "a short Adobe segment": segment(0xEE, b"Adobe\0"),
    "a short JFIF segment": segment(0xE0, b"JFIF\0"),
    "EXIF that is none": segment(0xE1, b"Exif\0\0nothing of the kind"),
    "EXIF that runs in circles": segment(0xE1, b"Exif\0\0MM\0*\0\0\0\x08\0\1" + bytes(12) + b"\0\0\0\x08"),
    "a Photoshop resource cut short": segment(0xED, b"Photoshop 3.0\08BIM\x03\xed\0\0\xff\xff\xff\xff"),
    "an index of pictures that is none": segment(0xE2, b"MPF\0" + bytes(20)),
    "FlashPix": segment(0xE2, b"FPXR\0" + bytes(99)),
    "a comment": segment(0xFE, b"\xff\xd9 \xff\xda"),
    "a hundred unknown segments": segment(0xEB, bytes(60_000)) * 100,
    "bytes between the segments": segment(0xFE, b"") + b"\0\0\0",
    "fill bytes": b"\xff" * 50 + segment(0xFE, b"")[1:],
}


@pytest.mark.parametrize("photo", [JPEG, PROGRESSIVE, RESTARTS], ids=["sequential", "progressive", "restarts"])
@pytest.mark.parametrize("name", JPEG_METADATA)
def test_a_jpegs_whole_pixels_are_taken_whatever_its_other_segments(name: str, photo: bytes):
    assert seen(jpeg_with(JPEG_METADATA[name], photo=photo)) == seen(photo)


@pytest.mark.parametrize("photo", [JPEG, PROGRESSIVE, RESTARTS], ids=["sequential", "progressive", "restarts"])
def test_a_jpeg_that_lacks_only_its_end_mark_is_whole(photo: bytes):
    assert photo.endswith(b"\xff\xd9")
    assert seen(photo[:-2]) == seen(photo[:-1]) == seen(photo)
    assert seen(photo + b"\xff\xd8 a video that some phones put here") == seen(photo)


@pytest.mark.parametrize("end", [b"", b"\xff\xd9"], ids=["cut off", "with an end mark all the same"])
@pytest.mark.parametrize("part", [0.3, 0.6, 0.9, 0.97])
def test_a_jpeg_of_which_pixels_are_missing_is_refused(part: float, end: bytes):
    with pytest.raises(InvalidImage, match="cut off"):
        seen(JPEG[: int(len(JPEG) * part)] + end)


@pytest.mark.parametrize("part", [0.3, 0.6, 0.9, 0.97])
def test_a_progressive_jpeg_of_which_scans_are_missing_is_refused(part: float):
    with pytest.raises(InvalidImage, match="cut off"):
        seen(PROGRESSIVE[: int(len(PROGRESSIVE) * part)])


def test_a_progressive_jpeg_that_ends_between_two_scans_is_refused():
    scans = [place for place in range(len(PROGRESSIVE)) if PROGRESSIVE.startswith(b"\xff\xda", place)]
    with pytest.raises(InvalidImage, match="some of its scans are missing"):
        seen(PROGRESSIVE[: PROGRESSIVE.rfind(b"\xff\xc4", 0, scans[-1])])


def test_a_jpeg_with_more_data_than_pixels_is_refused_but_for_padding():
    """A damaged bit shifts all that follows: at the end, data are missing or left over."""
    assert seen(JPEG[:-2] + bytes(4000) + JPEG[-2:]) == seen(JPEG)
    with pytest.raises(InvalidImage, match="belong to none of its pixels"):
        seen(JPEG[:-2] + JPEG[-400:-2] + JPEG[-2:])


def test_restart_markers_out_of_order_are_refused():
    first = RESTARTS.find(b"\xff\xd0", RESTARTS.find(b"\xff\xda"))
    assert first > 0
    with pytest.raises(InvalidImage, match="restart markers"):
        seen(RESTARTS[:first] + b"\xff\xd3" + RESTARTS[first + 2 :])


def test_what_is_no_marker_among_the_pixels_is_refused():
    with pytest.raises(InvalidImage, match="among its pixels"):
        seen(JPEG[:-200] + b"\xff\x37" + JPEG[-198:])


def test_a_jpeg_with_12_bits_a_sample_is_refused_with_what_to_do():
    frame = JPEG.find(b"\xff\xc0")
    with pytest.raises(InvalidImage, match="12 bits a sample, which is not read; send 8 bits"):
        seen(JPEG[: frame + 4] + b"\x0c" + JPEG[frame + 5 :])


# WebP


def webp_chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def webp_with(*chunks: bytes, flags: int = 0x2C) -> bytes:
    head = webp_chunk(b"VP8X", struct.pack("<I", flags) + struct.pack("<I", 127)[:3] + struct.pack("<I", 95)[:3])
    body = head + WEBP[12:] + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


WEBP_METADATA = {
    "metadata that is announced and missing": webp_with(),
    "EXIF that is none": webp_with(webp_chunk(b"EXIF", b"nothing of the kind")),
    "XMP that is none": webp_with(webp_chunk(b"XMP ", bytes(999))),
    "metadata that is cut off": webp_with(webp_chunk(b"EXIF", bytes(999)))[:-500],
    "an unknown chunk": webp_with(webp_chunk(b"what", bytes(99))),
    "a length that lies": WEBP[:4] + b"\xff\xff\xff\x7f" + WEBP[8:],
    "something behind its end": WEBP + bytes(99),
}


@pytest.mark.parametrize("name", WEBP_METADATA)
def test_a_webps_whole_pixels_are_taken_whatever_its_other_chunks(name: str):
    assert seen(WEBP_METADATA[name]) == seen(WEBP)


@pytest.mark.parametrize("cut", [1, 3, 50])
def test_a_webp_that_lacks_a_byte_of_its_pixels_is_refused(cut: int):
    with pytest.raises(InvalidImage, match="cut off"):
        seen(WEBP[:-cut])


# TIFF


@pytest.mark.parametrize(
    "tags",
    [
        {282: 0.0, 283: 0.0},
        {34675: b"no profile"},
        {700: b"x" * 100_000},
        {34377: b"8BIM"},
        {305: "a program " * 1000, 33723: b"\1\2\3"},
    ],
    ids=["no resolution", "no profile", "much XMP", "Photoshop", "texts"],
)
def test_a_tiffs_whole_pixels_are_taken_whatever_its_other_tags(tags: dict[int, object]):
    assert seen(encoded(PHOTO, "TIFF", tiffinfo=tags)) == seen(TIFF)


DESCRIPTIVE = (
    269,
    270,
    271,
    272,
    282,
    283,
    285,
    296,
    305,
    306,
    315,
    333,
    700,
    33432,
    33723,
    34377,
    34665,
    34675,
    34853,
)
"""Tags that say what a picture shows, who made it, with what, and where."""


def tiff_with(tag: int, kind: int, count: int, value: int) -> bytes:
    """TIFF with another entry in its directory."""
    place = int.from_bytes(TIFF[4:8], "little")
    size = int.from_bytes(TIFF[place : place + 2], "little")
    own = [struct.unpack_from("<HHI4s", TIFF, place + 2 + 12 * index) for index in range(size)]
    entries = [entry for entry in own if entry[0] != tag] + [(tag, kind, count, struct.pack("<I", value))]
    directory = b"".join(struct.pack("<HHI4s", *entry) for entry in sorted(entries))
    return TIFF[:4] + struct.pack("<I", len(TIFF)) + TIFF[8:] + struct.pack("<H", size + 1) + directory + bytes(4)


LIES = [(270, 2, 7, 2**31 - 1), (272, 7, 7, 2**32 - 1), (700, 9, 2, 18569), (34853, 6, 1, 2**32 - 1)]


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("lie", LIES)
def test_a_tiff_that_pillow_refuses_for_what_it_says_of_itself_is_taken(lie: tuple[int, int, int, int]):
    with pytest.raises((UnidentifiedImageError, TypeError, ValueError)):
        Image.open(BytesIO(tiff_with(*lie)), formats=["TIFF"]).load()
    assert seen(tiff_with(*lie)) == seen(TIFF)


@given(
    st.sampled_from(DESCRIPTIVE),
    st.integers(0, 20),
    st.sampled_from([0, 1, 2, 7, 1000, 500_000, 2**31, 2**32 - 1]),
    st.one_of(st.sampled_from([0, 8, 2**31 - 1, 2**32 - 1]), st.integers(0, 2**32 - 1)),
)
def test_no_descriptive_tag_of_a_tiff_refuses_it(tag: int, kind: int, count: int, value: int):
    assert seen(tiff_with(tag, kind, count, value)) == seen(TIFF)


# HEIC and AVIF


def described() -> Image.Exif:
    exif = Image.Exif()
    exif[0x010E] = "a name, a place"
    return exif


@pytest.mark.parametrize("photo", [HEIC, encoded(PHOTO, "AVIF", exif=described())], ids=["HEIC", "AVIF"])
def test_heics_and_avifs_exif_is_not_looked_at(photo: bytes):
    at = max(photo.rfind(b"MM\0*"), photo.rfind(b"II*\0"))
    assert at > 0
    assert seen(photo[:at] + b"????" + photo[at + 4 :]) == seen(photo)


def test_a_heic_of_which_only_metadata_are_cut_off_is_whole():
    assert HEIC.endswith(b'xmlns:x="adobe:ns:meta/"/>')
    assert seen(HEIC[:-30]) == seen(HEIC)


# all of them

CUT_OFF: dict[str, Callable[[], bytes]] = {
    **{
        kind: (lambda kind=kind: encoded(PHOTO, kind)) for kind in ("PNG", "JPEG", "WEBP", "AVIF", "TIFF", "GIF", "BMP")
    },
    "HEIC": lambda: (SAMPLES / "10-bit.heic").read_bytes(),
    "lossless WEBP": lambda: encoded(PHOTO, "WEBP", lossless=True),
    "compressed TIFF": lambda: encoded(PHOTO, "TIFF", compression="tiff_lzw"),
    "JPEG in TIFF": lambda: encoded(PHOTO, "TIFF", compression="jpeg"),
}


@pytest.mark.parametrize("name", CUT_OFF)
@pytest.mark.parametrize("part", [0.2, 0.5, 0.9])
def test_a_photo_that_is_cut_off_is_refused(name: str, part: float):
    whole = CUT_OFF[name]()
    seen(whole)
    with pytest.raises(InvalidImage):
        seen(whole[: int(len(whole) * part)])


def test_a_gif_with_too_few_pixels_is_refused():
    """8 x 8 pixels of two bits; its codes: clear, places in the palette, end."""

    def a_gif(pixels: int) -> bytes:
        codes = [code for place in range(pixels) for code in ([4] if place % 2 == 0 else []) + [place % 4]] + [5]
        bits = sum(code << 3 * place for place, code in enumerate(codes)).to_bytes(-(-3 * len(codes) // 8), "little")
        head = b"GIF89a" + struct.pack("<HHBBB", 8, 8, 0x91, 0, 0) + bytes((*RED, *GREEN, *BLUE, *WHITE))
        return head + b"," + struct.pack("<HHHHB", 0, 0, 8, 8, 0) + bytes([2, len(bits)]) + bits + b"\0;"

    seen(a_gif(64))
    with pytest.raises(InvalidImage, match="cut off"):
        seen(a_gif(63))


def test_the_first_frame_of_a_gif_is_whole_whatever_becomes_of_the_others():
    frames = [PHOTO, PHOTO.transpose(Image.Transpose.ROTATE_180)]
    animation = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    still = seen(animation)
    assert seen(animation[:-500]) == still


def test_metadata_of_a_png_that_pillow_writes_is_left_out():
    info = PngInfo()
    info.add_itxt("Title", "é" * 2_000_000, zip=True)
    photo = encoded(PHOTO, "PNG", pnginfo=info, dpi=(300, 300), icc_profile=bytes(2_000_000))
    with pytest.raises(ValueError, match="too large"):
        Image.open(BytesIO(photo)).load()
    assert seen(photo) == seen(PNG)


def test_a_heic_with_a_rotation_is_upright():
    for turn in (3, 6, 8):
        picture = decoded(seen((SAMPLES / f"turned-{turn}.heic").read_bytes()))
        assert all(at_least_one(map(is_near, corners(picture), UPRIGHT))), turn
