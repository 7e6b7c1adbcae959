"""operations.review.photos: what people are shown of a photo."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.photo_table import PHOTOS

ROOT = Path(__file__).resolve().parents[3]
SHOW = """
import sys
from operations.review.photos import to_jpeg
sys.stdout.buffer.write(to_jpeg(sys.stdin.buffer.read()))
"""


def test_a_phone_s_photo_is_shown_though_nothing_was_classified_before() -> None:
    # in a process of its own: whoever reads HEIC once has Pillow read it from then on
    shown = subprocess.run([sys.executable, "-c", SHOW], input=PHOTOS["HEIC quarters"], capture_output=True, cwd=ROOT)
    assert shown.stdout.startswith(b"\xff\xd8\xff"), shown.stderr.decode()
