"""How large a photo may be at all; a stack's own limits lie below."""

from __future__ import annotations

MEGA = 1_000_000

MOST_IMAGE_MEGABYTES = 100
MOST_IMAGE_MEGAPIXELS = 100
"""What the serializer's memory holds twice when decoded: 300 MB each."""
