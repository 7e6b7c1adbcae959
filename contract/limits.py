"""How large a photo may be at all; a stack's own limits lie below."""

from __future__ import annotations

MEGA = 1_000_000

MOST_IMAGE_MEGABYTES = 100
MOST_IMAGE_MEGAPIXELS = 120
"""Today's phones take up to 108, and the serializer's memory holds them whatever their format (`SERIALIZER_MEMORY_MB`).
"""
SERIALIZER_MEMORY_MB = 1769
"""The serializer's, and with it one whole CPU (Lambda Developer Guide, "Memory"). The largest photo takes, of resident
memory, with 50 MB of libraries (measured with Pillow 13 and pi-heif 1.4 at 108 megapixels, a process each): JPEG 100,
progressive JPEG 380 to 690, GIF 220, PNG 600 to 630, 16-bit PNG 350, BMP and TIFF of 100 MB 700, compressed TIFF up to
990; WebP, HEIC and AVIF, at the 64 that are read of them, up to 1,140."""
FUNCTION_MEMORY_MB = {"serialize": SERIALIZER_MEMORY_MB, "classify": 256, "filter": 256}
"""Of the functions by step: Serialize decodes photos, the others only pass a few kilobytes on."""
