"""Which photos are looked at, and with what."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from components.parts import bounds
from components.parts.bounds import shown
from components.parts.config_reader import ConfigReader
from contract.errors import UserError
from contract.limits import MEGA

KEYS = ("maxImageMegabytes", "maxImageMegapixels", "layerPath")


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """The largest photo that is looked at."""

    max_bytes: int
    max_pixels: int


def read_image_limits(reader: ConfigReader) -> ImageLimits:
    """The largest photo."""
    return ImageLimits(
        max_bytes=reader.whole_number("maxImageMegabytes", *bounds.IMAGE_MEGABYTES) * MEGA,
        max_pixels=reader.whole_number("maxImageMegapixels", *bounds.IMAGE_MEGAPIXELS) * MEGA,
    )


def read_layer(reader: ConfigReader, layer: Path | UserError) -> Path:
    """The zip with what decodes them."""
    path = Path(reader.text("layerPath"))
    if reader.is_good("layerPath") and isinstance(layer, UserError):
        reader.add(f"layerPath is {shown(path.as_posix())}: {layer}")
    return path
