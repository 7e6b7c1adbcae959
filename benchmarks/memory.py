"""What the largest photos of each format take of the serializer's memory.

    python benchmarks/memory.py [--megapixels 108] [--folder build/benchmarks/memory] [--heif-python PYTHON]

A photo of each format is encoded at the most pixels that are read of it, then decoded by `to_model_image` in a process
of its own, whose peak is compared with the function's memory. Lambda's own runtime is not in it. Nothing that Scones
installs encodes HEIC: its row takes the Python of another environment, in which `pillow-heif` is installed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from PIL import Image

from contract.limits import MEGA, SERIALIZER_MEMORY_MB
from contract.pictures import LARGEST_IN_ONE_PIECE

KINDS: tuple[tuple[str, str, str, dict[str, object]], ...] = (
    ("JPEG", "JPEG", "RGB", {}),
    ("JPEG, progressive", "JPEG", "RGB", {"progressive": True}),
    ("PNG, 8 bits", "PNG", "RGB", {"compress_level": 1}),
    ("PNG, 8 bits, transparency", "PNG", "RGBA", {"compress_level": 1}),
    ("PNG, 16 bits", "PNG", "I;16", {"compress_level": 1}),
    ("GIF", "GIF", "L", {}),
    ("TIFF, LZW", "TIFF", "RGB", {"compression": "tiff_lzw"}),
    ("BMP", "BMP", "RGB", {}),
    ("WebP", "WEBP", "RGB", {"method": 0}),
    ("AVIF", "AVIF", "RGB", {"speed": 10}),
)
ENCODE_HEIC = """
import sys
import pillow_heif
from PIL import Image
pillow_heif.register_heif_opener()
Image.MAX_IMAGE_PIXELS = None
Image.open(sys.argv[1]).save(sys.argv[2], "HEIF", quality=50)
"""
MEASURE = """
import re, sys
from handlers import serialize
from contract.pictures import to_model_image
to_model_image(open(sys.argv[1], "rb").read(), size=224, max_pixels=10**9)
print(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
"""
"""Not `ru_maxrss`, which a process takes over from the one that started it."""


def scene(mode: str, pixels: float) -> Image.Image:
    """A picture of so many pixels, 4 to 3, with something on it."""
    width = round((pixels * 4 / 3) ** 0.5)
    grey = Image.radial_gradient("L").resize((width, width * 3 // 4))
    if mode == "I;16":
        return grey.convert("I").point(lambda value: value * 257).convert("I;16")  # pyright: ignore[reportUnknownLambdaType]
    if mode == "RGBA":
        return Image.merge("RGBA", (grey, grey.transpose(Image.Transpose.ROTATE_180), grey, grey))
    return grey if mode == "L" else Image.merge("RGB", (grey, grey.transpose(Image.Transpose.ROTATE_180), grey))


def main() -> None:
    """Measure every kind and print a table."""
    parser = argparse.ArgumentParser(description="Measure what the largest photos take.")
    parser.add_argument("--megapixels", type=float, default=108, help="(%(default)s)")
    parser.add_argument("--folder", type=Path, default=Path("build/benchmarks/memory"), help="(%(default)s)")
    parser.add_argument("--heif-python", metavar="PYTHON", help="has pillow-heif, which encodes HEIC (no row without)")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    photo = arguments.folder / "photo"
    print("| photo | megapixels | file, MB | peak, MB | of the function's |\n|---|---|---|---|---|", flush=True)
    for name, kind, mode, options in KINDS:
        pixels = arguments.megapixels * MEGA
        pixels = min(pixels, LARGEST_IN_ONE_PIECE) if kind in ("WEBP", "AVIF") else pixels
        scene(mode, pixels * 0.999).save(photo, kind, **options)
        report(name, pixels, photo)
    if arguments.heif_python:
        pixels = min(arguments.megapixels * MEGA, LARGEST_IN_ONE_PIECE)
        plain = arguments.folder / "plain.bmp"
        scene("RGB", pixels * 0.999).save(plain)
        subprocess.run([arguments.heif_python, "-c", ENCODE_HEIC, plain, photo], check=True)
        plain.unlink()
        report("HEIC", pixels, photo)


def report(name: str, pixels: float, photo: Path) -> None:
    """Decode the photo in a process of its own, print its row, and delete it."""
    done = subprocess.run([sys.executable, "-c", MEASURE, photo], capture_output=True, text=True, check=True)
    peak = int(done.stdout) * 1024 / MEGA
    size = photo.stat().st_size / MEGA
    photo.unlink()
    share = peak / (SERIALIZER_MEMORY_MB * 1.048576)
    print(f"| {name} | {pixels / MEGA:.0f} | {size:.0f} | {peak:.0f} | {100 * share:.0f} % |", flush=True)


if __name__ == "__main__":
    main()
