"""docs/photos.md says what the code does."""

from __future__ import annotations

import re
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from contract import formats
from contract.errors import SconesError
from contract.pictures import to_model_image
from tests.photo_builders import encoded, quarters
from tests.photo_table import PNG_SIGNATURE, png_chunk

PAGE = (Path(__file__).parents[1] / "docs/photos.md").read_text(encoding="utf-8")


def rows(title: str) -> list[list[str]]:
    """The cells of the table below a title."""
    section = PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def test_the_formats_that_are_read_are_those_of_the_code() -> None:
    shown = {name: tuple(re.findall(r"`([^`]+)`", suffixes)) for name, suffixes in rows("Formats that are read")}
    assert shown == dict(formats.SUFFIXES)


def test_what_is_refused_by_its_name_is_what_the_code_knows() -> None:
    known = {name for _, _, name in formats._OTHERS}  # pyright: ignore[reportPrivateUsage]
    assert {name for (name,) in rows("Formats that are refused by their name")} == known


def jpeg() -> bytes:
    return encoded(quarters(), "JPEG")


def png(*more: tuple[bytes, bytes]) -> bytes:
    """A PNG with chunks of ours after its header."""
    whole = encoded(quarters(), "PNG")
    return whole[:33] + b"".join(png_chunk(*chunk) for chunk in more) + whole[33:]


def with_a_wrong_checksum(photo: bytes, kind: bytes) -> bytes:
    start = photo.index(kind) - 4
    end = start + 12 + struct.unpack(">I", photo[start : start + 4])[0]
    return photo[: end - 4] + bytes(byte ^ 255 for byte in photo[end - 4 : end]) + photo[end:]


FILES = {
    "is empty": lambda: b"",
    "is a signature and nothing else": lambda: PNG_SIGNATURE,
    "ends before its pixels do": lambda: jpeg()[: len(jpeg()) // 2],
    "is a JPEG that lacks only its end mark": lambda: jpeg()[:-2],
    "is a PNG whose pixels fail their checksum": lambda: with_a_wrong_checksum(png(), b"IDAT"),
    "is a PNG whose text fails its checksum": lambda: with_a_wrong_checksum(png((b"tEXt", b"a\0b")), b"tEXt"),
    "has EXIF that is damaged": lambda: encoded(quarters(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff"),
    "has a text chunk that inflates to 2 MB": lambda: png((b"zTXt", b"a\0\0" + zlib.compress(bytes(2_000_000)))),
    "has 32 bits a sample": lambda: encoded(quarters().convert("F"), "TIFF"),
    "has more pixels than the stack allows": lambda: encoded(quarters(2000, 1000), "PNG"),
    "is one flat colour": lambda: encoded(Image.new("RGB", (64, 64), "#808080"), "PNG"),
    "is a handful of pixels": lambda: encoded(quarters(2, 2), "PNG"),
}


def test_every_damage_of_the_page_is_tried_here() -> None:
    assert [name for name, _ in rows("Damages, and what happens")] == list(FILES)


@pytest.mark.parametrize(("name", "outcome"), rows("Damages, and what happens"))
def test_what_the_page_says_of_a_damage_is_what_happens(name: str, outcome: str) -> None:
    try:
        to_model_image(FILES[name](), size=32, max_pixels=1_000_000)
        found = "read"
    except SconesError as error:
        found = f"`{type(error).__name__}`"
    assert found == outcome
