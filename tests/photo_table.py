"""The serializer's table of photos: one of every kind that it takes, by name."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from tests.photo_builders import encoded, quarters

SAMPLES = Path(__file__).parent / "samples"
"""The quarters as HEIC, which nothing here encodes: with EXIF and XMP, with a rotation (3, 6, 8 as EXIF counts), with
transparency, with 10 bits a sample."""
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def a_png(header: tuple[int, int, int, int], rows: bytes, *more: tuple[bytes, bytes]) -> bytes:
    """Width, height, bits a sample and colour type, and what Pillow itself would not write."""
    parts = ((b"IHDR", struct.pack(">IIBBxxx", *header)), *more, (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return PNG_SIGNATURE + b"".join(png_chunk(*part) for part in parts)


def a_grey_png_of_16_bits(left: int, right: int, clear: int) -> bytes:
    row = b"\0" + struct.pack(">64H", *[left] * 32, *[right] * 32)
    return a_png((64, 64, 16, 0), row * 64, (b"tRNS", struct.pack(">H", clear)))


def a_noisy_photo(width: int = 96, height: int = 64) -> Image.Image:
    """The quarters with a texture over them, so that a resampling of another kind shows in the bytes."""
    noise = Image.effect_noise((width, height), 80).convert("RGB")
    return Image.blend(quarters(width, height), noise, 0.4)


def a_half_transparent_photo() -> Image.Image:
    photo = a_noisy_photo().convert("RGBA")
    photo.putalpha(Image.linear_gradient("L").resize(photo.size))
    return photo


def _turned(orientation: int) -> dict[str, Any]:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return {"exif": exif}


def _table() -> Mapping[str, bytes]:
    photo, seen_through = a_noisy_photo(), a_half_transparent_photo()
    deep = Image.new("I;16", (64, 64))
    deep.putdata([(position % 64) * 65535 // 63 for position in range(64 * 64)])
    kinds = [("PNG", mode) for mode in ("RGB", "P", "L", "1", "LA")]
    kinds += [("JPEG", mode) for mode in ("RGB", "L", "CMYK")]
    kinds += [("TIFF", mode) for mode in ("RGB", "CMYK", "L")]
    kinds += [(kind, "RGB") for kind in ("MPO", "WEBP", "GIF", "BMP", "AVIF")]
    table = {f"{kind} {mode}": encoded(photo.convert(mode), kind) for kind, mode in kinds}
    table |= {f"transparent {kind}": encoded(seen_through, kind) for kind in ("PNG", "WEBP", "TIFF", "AVIF")}
    table |= {f"turned JPEG {turn}": encoded(photo, "JPEG", **_turned(turn)) for turn in range(2, 9)}
    table |= {f"turned {kind}": encoded(photo, kind, **_turned(6)) for kind in ("PNG", "WEBP", "TIFF", "AVIF")}
    table |= {f"HEIC {path.stem}": path.read_bytes() for path in sorted(SAMPLES.glob("*.heic"))}
    table |= {f"16-bit {kind}": encoded(deep, kind) for kind in ("PNG", "TIFF")}
    table |= {
        "transparent 16-bit grey": a_grey_png_of_16_bits(left=300, right=25_700, clear=300),
        "palette with a transparent colour": encoded(quarters().convert("P"), "PNG", transparency=0),
        "progressive JPEG": encoded(photo, "JPEG", progressive=True),
        "JPEG with restart markers": encoded(photo, "JPEG", restart_marker_blocks=3),
        "lossless WEBP": encoded(photo, "WEBP", lossless=True),
        "compressed TIFF": encoded(photo, "TIFF", compression="tiff_lzw"),
        "JPEG in TIFF": encoded(photo, "TIFF", compression="jpeg"),
        "big TIFF": encoded(photo, "TIFF", big_tiff=True),
        "animation": encoded(photo, "GIF", save_all=True, append_images=[quarters(96, 64)]),
        "wide": encoded(a_noisy_photo(640, 64), "PNG"),
        "tall": encoded(a_noisy_photo(64, 640), "JPEG"),
        "12 megapixels": encoded(a_noisy_photo(1000, 750).resize((4000, 3000)), "JPEG"),
        "a dataset's own, of the model's size": encoded(a_noisy_photo(32, 32), "PNG", compress_level=1),
        "pretrained model's size": encoded(a_noisy_photo(224, 224), "PNG", compress_level=1),
    }
    return table


PHOTOS: Mapping[str, bytes] = _table()
