"""Which formats of photos are read, and what a file is that is not: told by its first bytes, never by its name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, get_args

from contract.errors import InvalidImage

Format = Literal["JPEG", "PNG", "WebP", "HEIC", "AVIF", "TIFF", "GIF", "BMP"]
FORMATS: tuple[Format, ...] = get_args(Format)
"""What is read. JPEG's decoder also reads MPO, some phones' .jpg; HEIC's other HEIF files with HEVC pictures."""

SUFFIXES: Mapping[Format, tuple[str, ...]] = MappingProxyType(
    {
        "JPEG": (".jpg", ".jpeg", ".jfif", ".mpo"),
        "PNG": (".png", ".apng"),
        "WebP": (".webp",),
        "HEIC": (".heic", ".heif", ".hif"),
        "AVIF": (".avif",),
        "TIFF": (".tif", ".tiff"),
        "GIF": (".gif",),
        "BMP": (".bmp", ".dib"),
    }
)
"""What files of each are called, for whoever looks for photos in a folder."""

_SIGNATURES: tuple[tuple[bytes, Format], ...] = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
    *((order, "TIFF") for order in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
)
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})

_OTHERS: tuple[tuple[bytes, int, str], ...] = (
    (b"II*\0\x10\0\0\0CR", 0, "a camera's raw file (Canon CR2)"),
    (b"FUJIFILMCCD-RAW", 0, "a camera's raw file (Fujifilm RAF)"),
    (b"IIU\0", 0, "a camera's raw file (Panasonic RW2)"),
    *((magic, 0, "a camera's raw file (Olympus ORF)") for magic in (b"IIRO", b"IIRS", b"MMOR")),
    (b"FOVb", 0, "a camera's raw file (Sigma X3F)"),
    (b"\0MRM", 0, "a camera's raw file (Minolta MRW)"),
    *((magic, 0, "JPEG XL") for magic in (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")),
    *((magic, 0, "JPEG 2000") for magic in (b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  \r\n\x87\n")),
    (b"II\xbc", 0, "JPEG XR"),
    (b"8BPS", 0, "a Photoshop document (PSD)"),
    (b"gimp xcf", 0, "a GIMP document (XCF)"),
    *((magic, 0, "an icon (ICO)") for magic in (b"\0\0\1\0", b"\0\0\2\0")),
    (b"icns", 0, "an icon (ICNS)"),
    (b"\x8aMNG", 0, "an animation (MNG)"),
    (b"qoif", 0, "QOI"),
    (b"BPG\xfb", 0, "BPG"),
    (b"\x76\x2f\x31\x01", 0, "OpenEXR"),
    *((magic, 0, "Radiance HDR") for magic in (b"#?RADIANCE", b"#?RGBE")),
    (b"DDS ", 0, "a texture (DDS)"),
    (b"SIMPLE  =", 0, "FITS"),
    (b"DICM", 128, "DICOM"),
    (b"%PDF", 0, "a PDF document"),
    *((magic, 0, "PostScript") for magic in (b"%!PS", b"\xc5\xd0\xd3\xc6")),
    (b"PK\x03\x04", 0, "a zip archive or an office document"),
    *((magic, 0, "an archive") for magic in (b"\x1f\x8b", b"Rar!", b"7z\xbc\xaf\x27\x1c", b"BZh", b"\xfd7zXZ")),
    (b"ustar", 257, "an archive (tar)"),
    (b"\x1a\x45\xdf\xa3", 0, "a video (Matroska or WebM)"),
    (b"FLV\1", 0, "a video (FLV)"),
    *((magic, 0, "a video (MPEG)") for magic in (b"\0\0\1\xba", b"\0\0\1\xb3")),
    *((magic, 4, "a video (QuickTime)") for magic in (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")),
    (b"AVI ", 8, "a video (AVI)"),
    (b"WAVE", 8, "a sound (WAV)"),
    *((magic, 0, "a sound") for magic in (b"ID3", b"OggS", b"fLaC")),
    (b"\x7fELF", 0, "a program"),
    (b"MZ", 0, "a program"),
)
"""Signature, where it stands, and what the file is. A name is found after those that are read, and in this order."""
_FIRST = 4096
"""Bytes that tell whether a file is text."""


def format_of(data: bytes) -> Format:
    """The format of a photo.

    Raises:
        InvalidImage: another one, by its name; the message says what to do.
    """
    other = _other(data)
    if other is None:
        for signature, found in _SIGNATURES:
            if data.startswith(signature):
                return found
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return "WebP"
        brands = _brands(data)
        if brands & _AVIF_BRANDS:
            return "AVIF"
        if brands & _HEIC_BRANDS:
            return "HEIC"
        other = _container(data, brands) or _text(data) or f"of an unknown format (it begins with {data[:8].hex(' ')})"
    raise InvalidImage(f"the file is {other}, which is not read; send a JPEG (read are {', '.join(FORMATS)})")


def _other(data: bytes) -> str | None:
    return next((name for magic, place, name in _OTHERS if data[place : place + len(magic)] == magic), None)


def _brands(data: bytes) -> set[bytes]:
    """The brands of an ISO base media file (ISO/IEC 14496-12, "File type box"); empty for other files."""
    if data[4:8] != b"ftyp":
        return set()
    end = min(int.from_bytes(data[:4]), 256)
    return {data[8:12], *(data[place : place + 4] for place in range(16, end, 4))}


def _container(data: bytes, brands: set[bytes]) -> str | None:
    if not brands:
        return None
    if b"crx " in brands:
        return "a camera's raw file (Canon CR3)"
    if brands & {b"mif1", b"msf1", b"jpeg", b"j2ki", b"vvic"}:
        return "an HEIF file whose picture is neither HEVC nor AV1"
    return f"a video ({data[8:12].decode('ascii', 'replace').strip()})"


def _text(data: bytes) -> str | None:
    start = data[:_FIRST].removeprefix(b"\xef\xbb\xbf").lstrip()
    lower = start[:1024].lower()
    if re.match(rb"(<\?xml|<!--|<!doctype svg|<svg)", lower) and b"<svg" in data[:_FIRST].lower():
        return "an SVG drawing"
    if re.match(rb"(<!doctype html|<html|<head|<body)", lower):
        return "a web page (HTML)"
    if lower.startswith(b"<?xml"):
        return "an XML document"
    if re.match(rb"P[1-7]\s", start):
        return "a Netpbm picture"
    # bytes that no text holds
    if re.search(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]", start):
        return None
    try:
        # the last character may be cut in two
        start[:-4].decode("utf-8")
    except UnicodeDecodeError:
        return None
    return "text"
