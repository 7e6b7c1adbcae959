"""contract.formats: what is read, and what is refused by its name."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from contract.errors import InvalidImage
from contract.formats import FORMATS, SUFFIXES, format_of
from contract.pictures import read_heic, to_model_image
from tests.photo_builders import encoded, quarters
from tests.photo_table import PHOTOS

README = Path(__file__).resolve().parents[2] / "README.md"


def box(brand: bytes, *compatible: bytes) -> bytes:
    """The beginning of an ISO base media file."""
    content = b"ftyp" + brand + bytes(4) + b"".join(compatible)
    return (4 + len(content)).to_bytes(4) + content + bytes(64)


def a_dng(order: str = "<") -> bytes:
    photo = encoded(quarters(), "TIFF", tiffinfo={50706: b"\1\4\0\0"})
    assert photo[:2] == b"II"
    return photo


OTHERS = {
    "a camera's raw file (DNG)": a_dng(),
    "a camera's raw file (Canon CR2)": b"II*\0\x10\0\0\0CR\2\0" + bytes(64),
    "a camera's raw file (Canon CR3)": box(b"crx ", b"isom"),
    "a camera's raw file (Fujifilm RAF)": b"FUJIFILMCCD-RAW 0201",
    "a camera's raw file (Panasonic RW2)": b"IIU\0\x18\0\0\0",
    "a camera's raw file (Olympus ORF)": b"IIRO\x08\0\0\0",
    "a camera's raw file (a TIFF with a preview)": encoded(quarters(), "TIFF", tiffinfo={254: 1, 330: 8}),
    "JPEG XL": b"\xff\x0a\xfa\x3f",
    "JPEG 2000": encoded(quarters(), "JPEG2000"),
    "a Photoshop document": b"8BPS\0\1",
    "an icon": encoded(quarters(32, 32), "ICO"),
    "a PDF document": encoded(quarters(), "PDF"),
    "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "an SVG drawing": b'<?xml version="1.0"?>\n<!-- drawn --><svg xmlns="http://www.w3.org/2000/svg"/>',
    "a web page": b"\n<!DOCTYPE html><html><body>Not found</body></html>",
    "an XML document": b'<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>',
    "a zip archive": b"PK\3\4\x14\0",
    "an archive": b"\x1f\x8b\x08\0",
    "a video (qt)": box(b"qt  "),
    "a video (isom)": box(b"isom", b"mp41"),
    "a video (Matroska or WebM)": b"\x1a\x45\xdf\xa3" + bytes(9),
    "a video (AVI)": b"RIFF\0\0\0\0AVI LIST",
    "an HEIF file whose picture is neither HEVC nor AV1": box(b"mif1", b"miaf"),
    "a Netpbm picture": encoded(quarters(), "PPM"),
    "text": "not a picture, but a lettér\n".encode() * 200,
    "OpenEXR": b"\x76\x2f\x31\x01",
    "of an unknown format (it begins with 00 01 02 03 04 05 06 07)": bytes(range(64)),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_not_read_is_refused_by_its_name_with_what_to_do(name: str):
    with pytest.raises(InvalidImage) as refused:
        to_model_image(OTHERS[name], size=32, max_pixels=1_000_000)
    said = str(refused.value)
    assert said.startswith(f"the file is {name}")
    assert "is not read; send a JPEG" in said


def test_an_apps_png_is_refused_by_its_name():
    photo = encoded(quarters(), "PNG")
    with pytest.raises(InvalidImage, match="a PNG for iPhone apps"):
        to_model_image(photo[:8] + b"\0\0\0\4CgBI" + bytes(8) + photo[8:], size=32, max_pixels=1_000_000)


@pytest.mark.parametrize("name", PHOTOS)
def test_every_photo_of_the_table_is_of_a_format_that_is_read(name: str):
    kind = format_of(PHOTOS[name])
    decoder = {"WebP": "WEBP", "HEIC": "HEIF"}.get(kind, kind)
    read_heic()
    with Image.open(BytesIO(PHOTOS[name])) as image:
        assert image.format in (decoder, "MPO")


def test_the_table_of_photos_has_every_format():
    assert {format_of(photo) for photo in PHOTOS.values()} == set(FORMATS)


@pytest.mark.parametrize("brand", [b"mif1", b"msf1", b"miaf"])
def test_brands_beside_the_first_count_too(brand: bytes):
    assert format_of(box(brand, b"heic", b"mif1")) == "HEIC"
    assert format_of(box(brand, b"mif1", b"avif")) == "AVIF"


def test_the_readme_and_the_errors_list_the_same_formats():
    assert set(SUFFIXES) == set(FORMATS)
    listed = ", ".join(FORMATS[:-1]) + f" and {FORMATS[-1]}"
    assert listed in README.read_text(encoding="utf-8")
    with pytest.raises(InvalidImage, match=", ".join(FORMATS)):
        format_of(b"")
