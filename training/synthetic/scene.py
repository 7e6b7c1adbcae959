"""A thing in its surroundings, as a small photo shows it: clutter, something in front, light, blur and noise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from training.dataset.archive import SIDE
from training.synthetic.pen import Pen, color

SCALE = 4
CANVAS = SIDE * SCALE
"""Pixels a side that a picture is drawn at, before it is made small."""


def picture(drawing: Callable[[Pen], None], rng: np.random.Generator) -> Image.Image:
    """A 32x32 picture: the thing in clutter, perhaps partly hidden, in some light, blurred and noisy."""
    canvas = _background(rng)
    far = rng.random() < 0.05
    size = CANVAS * float(rng.uniform(0.4, 0.55) if far else rng.uniform(0.75, 1.02))
    slack = max(2.0, (CANVAS - size) / 2)
    pen = Pen(
        ImageDraw.Draw(canvas),
        rng,
        angle=float(rng.normal(0, 0.1)),
        size=size,
        centre=(
            CANVAS / 2 + float(rng.uniform(-slack, slack)),
            CANVAS / 2 + float(rng.uniform(-slack, slack)) * 0.7,
        ),
        mirrored=bool(rng.random() < 0.5),
        squeeze=float(rng.uniform(0.6, 1.0)),
    )
    drawing(pen)
    if rng.random() < 0.2:
        _hide(canvas, rng)
    blur = SCALE * float(rng.choice([0.2, 0.3, 0.5, 0.8]))
    small = canvas.filter(ImageFilter.GaussianBlur(blur)).resize((SIDE, SIDE), Image.Resampling.BOX)
    return _in_some_light(small, rng)


def _background(rng: np.random.Generator) -> Image.Image:
    above, below = np.array(color(rng, 60, 250)), np.array(color(rng, 40, 220))
    horizon = int(CANVAS * rng.uniform(0.3, 0.8))
    rows = np.repeat(np.where(np.arange(CANVAS)[:, None] < horizon, above, below)[:, None, :], CANVAS, axis=1)
    canvas = Image.fromarray(rows.astype(np.uint8), "RGB")
    draw = ImageDraw.Draw(canvas)
    for _ in range(int(rng.integers(1, 6))):
        x, y = (float(value) for value in rng.uniform(0, CANVAS, 2))
        width, height = (float(value) for value in rng.uniform(4, CANVAS / 2, 2))
        box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        kind = int(rng.integers(4))
        if kind == 0:
            draw.rectangle(box, fill=color(rng))
        elif kind == 1:
            draw.ellipse(box, fill=color(rng))
        elif kind == 2:
            draw.ellipse(box, outline=color(rng), width=int(rng.integers(2, 6)))
        else:
            draw.line(box, fill=color(rng), width=int(rng.integers(1, 7)))
    return canvas


def _hide(canvas: Image.Image, rng: np.random.Generator) -> None:
    draw = ImageDraw.Draw(canvas)
    x, y = (float(value) for value in rng.uniform(0.1 * CANVAS, 0.9 * CANVAS, 2))
    width, height = (float(value) for value in rng.uniform(CANVAS / 10, CANVAS / 2.4, 2))
    draw.rectangle((x - width / 2, y - height / 2, x + width / 2, y + height / 2), fill=color(rng))


def _in_some_light(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    pixels = np.asarray(image, dtype=np.float64)
    pixels = (pixels - 128) * rng.uniform(0.45, 1.1) + 128 + rng.uniform(-35, 35)
    pixels += rng.normal(0, rng.uniform(2, 10), pixels.shape)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8), "RGB")
