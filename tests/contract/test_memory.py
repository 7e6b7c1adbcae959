"""contract.pictures holds a photo once, so that the largest fit the serializer's memory (contract.limits)."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from contract.errors import ImageTooLarge
from contract.limits import MEGA, MOST_IMAGE_MEGABYTES, MOST_IMAGE_MEGAPIXELS, SERIALIZER_MEMORY_MB
from contract.pictures import LARGEST_IN_ONE_PIECE, to_model_image
from tests.photo_builders import encoded, quarters
from tests.photo_table import SAMPLES

pytestmark = pytest.mark.long

MEASURE = """
import resource, sys
from handlers import serialize
from contract.pictures import to_model_image
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
to_model_image(open(sys.argv[1], "rb").read(), size=224, max_pixels=10**9)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""
SIZE = (6000, 4000)


def scene(mode: str) -> Image.Image:
    photo = quarters(*SIZE).convert("RGB" if mode == "RGB" else "L")
    if mode == "RGBA":
        photo = photo.convert("RGBA")
        photo.putalpha(128)
    return photo.convert("I").point(lambda value: value * 257).convert("I;16") if mode == "I;16" else photo


@pytest.mark.parametrize(
    ("kind", "mode", "most"),
    [
        ("JPEG", "RGB", 1.5),
        ("GIF", "L", 3),
        ("PNG", "RGB", 6),
        ("PNG", "RGBA", 7),
        ("PNG", "I;16", 5),
        ("TIFF", "RGB", 13),
        ("WEBP", "RGB", 17),
        ("AVIF", "RGB", 11),
    ],
)
def test_what_a_pixel_takes_is_bounded(kind: str, mode: str, most: float, tmp_path: Path):
    options = {"PNG": {"compress_level": 1}, "WEBP": {"method": 0}, "AVIF": {"speed": 10}}.get(kind, {})
    photo = tmp_path / "photo"
    photo.write_bytes(encoded(scene(mode), kind, **options))
    done = subprocess.run([sys.executable, "-c", MEASURE, photo], capture_output=True, text=True, check=True)
    assert int(done.stdout) / (SIZE[0] * SIZE[1]) < most


def test_the_largest_photos_fit_the_function_with_room():
    libraries, room = 120, 0.85
    largest = max(17 * LARGEST_IN_ONE_PIECE, 7 * MOST_IMAGE_MEGAPIXELS * MEGA)
    file = 2 * MOST_IMAGE_MEGABYTES
    assert libraries + largest / MEGA + file < room * SERIALIZER_MEMORY_MB


def a_large_heic() -> bytes:
    """A small one whose header says 9000 x 8000."""
    small = (SAMPLES / "10-bit.heic").read_bytes()
    return small.replace(b"ispe" + struct.pack(">III", 0, 64, 64), b"ispe" + struct.pack(">III", 0, 9000, 8000))


@pytest.mark.parametrize("kind", ["WEBP", "AVIF", "HEIC"])
def test_a_format_whose_decoder_holds_a_photo_several_times_has_a_limit_of_its_own(kind: str):
    options = {"WEBP": {"method": 0}, "AVIF": {"speed": 10}}.get(kind, {})
    photo = a_large_heic() if kind == "HEIC" else encoded(Image.new("RGB", (9000, 8000)), kind, **options)
    with pytest.raises(ImageTooLarge, match="at most 64,000,000"):
        to_model_image(photo, size=32, max_pixels=MOST_IMAGE_MEGAPIXELS * MEGA)
