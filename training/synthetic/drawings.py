"""Draws vehicles, flowers and trees: small pictures that a person recognises and a model can mistake."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from training.dataset.archive import SIDE

SCALE = 4
CANVAS = SIDE * SCALE
Color = tuple[int, int, int]
Point = tuple[float, float]


@dataclass(slots=True)
class Pen:
    """Draws in a unit square (x to the right, y down) that is turned, mirrored, scaled and shifted at random."""

    draw: ImageDraw.ImageDraw
    rng: np.random.Generator
    angle: float
    size: float
    centre: Point
    mirrored: bool
    squeeze: float

    def at(self, x: float, y: float) -> Point:
        """The canvas position, in pixels, of a point of the unit square."""
        dx, dy = (x - 0.5) * self.squeeze * (-1 if self.mirrored else 1), y - 0.5
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        return (
            self.centre[0] + (dx * cos - dy * sin) * self.size,
            self.centre[1] + (dx * sin + dy * cos) * self.size,
        )

    def line(self, points: list[Point], color: Color, width: float) -> None:
        """A line through points; its width is a share of the unit square."""
        pixels = max(1, round(width * self.size))
        self.draw.line([self.at(*point) for point in points], fill=color, width=pixels, joint="curve")

    def shape(self, points: list[Point], color: Color) -> None:
        """A filled polygon."""
        self.draw.polygon([self.at(*point) for point in points], fill=color)

    def ellipse(self, x: float, y: float, rx: float, ry: float, color: Color) -> None:
        """A filled ellipse, turned with the square."""
        steps = [2 * math.pi * step / 24 for step in range(24)]
        self.shape([(x + rx * math.cos(step), y + ry * math.sin(step)) for step in steps], color)

    def ring(self, x: float, y: float, radius: float, color: Color, width: float) -> None:
        """A circle's outline."""
        steps = [2 * math.pi * step / 28 for step in range(30)]
        self.line([(x + radius * math.cos(step), y + radius * math.sin(step)) for step in steps], color, width)


def _near(rng: np.random.Generator, value: float, spread: float = 0.02) -> float:
    return value + float(rng.uniform(-spread, spread))


def _color(rng: np.random.Generator, low: int = 20, high: int = 235) -> Color:
    red, green, blue = rng.integers(low, high, 3)
    return int(red), int(green), int(blue)


def _dark(rng: np.random.Generator) -> Color:
    level = int(rng.integers(8, 60))
    return level, level, level


def bicycle(pen: Pen) -> None:
    """Two thin wheels, a diamond frame, a saddle and a handlebar."""
    rng = pen.rng
    frame, tyre = _color(rng), _dark(rng)
    radius = _near(rng, 0.2, 0.03)
    back, front, hub = (0.22, 0.7), (0.78, 0.7), (_near(rng, 0.47), 0.7)
    seat, head = (_near(rng, 0.38), _near(rng, 0.38)), (_near(rng, 0.68), _near(rng, 0.38))
    for x, y in (back, front):
        pen.ring(x, y, radius, tyre, _near(rng, 0.03, 0.01))
        if rng.random() < 0.6:
            for spoke in range(5):
                turn = spoke * math.pi / 5
                dx, dy = radius * math.cos(turn), radius * math.sin(turn)
                pen.line([(x - dx, y - dy), (x + dx, y + dy)], (150, 150, 150), 0.006)
    width = _near(rng, 0.034, 0.01)
    pen.line([back, seat, head, hub, seat], frame, width)
    pen.line([back, hub], frame, width)
    pen.line([(head[0] - 0.02, head[1] - 0.08), front], frame, width)
    pen.line([(seat[0], seat[1] - 0.06), seat], frame, width)
    pen.line([(seat[0] - 0.07, seat[1] - 0.07), (seat[0] + 0.07, seat[1] - 0.07)], tyre, 0.04)
    pen.line([(head[0] - 0.1, head[1] - 0.1), (head[0] + 0.04, head[1] - 0.08)], tyre, 0.03)
    pen.ellipse(*hub, 0.05, 0.05, tyre)


def motorcycle(pen: Pen) -> None:
    """Two thick wheels, an engine, a tank, a long seat and an exhaust."""
    rng = pen.rng
    paint, tyre = _color(rng), _dark(rng)
    radius = _near(rng, 0.165, 0.025)
    back, front = (0.22, 0.72), (0.8, 0.72)
    for x, y in (back, front):
        pen.ellipse(x, y, radius + 0.02, radius + 0.02, tyre)
        pen.ellipse(x, y, radius * 0.55, radius * 0.55, (140, 140, 145))
        pen.ellipse(x, y, radius * 0.2, radius * 0.2, tyre)
    metal = int(rng.integers(70, 170))
    pen.shape([(0.36, 0.55), (0.62, 0.55), (0.66, 0.76), (0.36, 0.78)], (metal, metal, metal))
    pen.line([back, (0.4, 0.6)], _dark(rng), 0.05)
    pen.line([(0.64, 0.36), front], (metal, metal, metal), 0.05)
    top = _near(rng, 0.38, 0.03)
    pen.shape([(0.4, 0.55), (0.42, top), (0.6, top - 0.03), (0.68, 0.5), (0.6, 0.57)], paint)
    pen.shape([(0.08, 0.48), (0.16, 0.43), (0.44, 0.45), (0.44, 0.54), (0.16, 0.55)], _dark(rng))
    pen.line([(0.5, 0.74), (0.12, 0.76)], (180, 180, 185), 0.05)
    pen.line([(0.56, 0.3), (0.7, 0.33)], tyre, 0.035)
    if rng.random() < 0.5:
        pen.shape([(0.62, 0.36), (0.7, 0.24), (0.76, 0.34), (0.72, 0.48)], paint)
    pen.ellipse(0.72, 0.4, 0.045, 0.05, (235, 230, 190))


def moped(pen: Pen) -> None:
    """Between the two: wheels and frame of middling weight. Drawn for either label, so neither is wrong."""
    rng = pen.rng
    paint, tyre = _color(rng), _dark(rng)
    radius = _near(rng, 0.18, 0.02)
    for x, y in ((0.22, 0.71), (0.79, 0.71)):
        pen.ring(x, y, radius, tyre, _near(rng, 0.055, 0.012))
    pen.line([(0.22, 0.7), (0.4, 0.45), (0.5, 0.68), (0.7, 0.4), (0.79, 0.7)], paint, 0.05)
    pen.ellipse(0.47, 0.66, 0.09, 0.08, (110, 110, 112))
    pen.line([(0.28, 0.42), (0.46, 0.42)], tyre, 0.06)
    pen.line([(0.6, 0.31), (0.72, 0.33)], tyre, 0.035)


def poppy(pen: Pen) -> None:
    """A broad red flower with a dark heart."""
    rng = pen.rng
    pen.line([(0.5, 0.5), (_near(rng, 0.5, 0.1), 1.05)], (60, 120, 50), 0.035)
    red = (int(rng.integers(180, 245)), int(rng.integers(20, 70)), int(rng.integers(10, 50)))
    for petal in range(5):
        turn = petal * 2 * math.pi / 5 + float(rng.uniform(-0.2, 0.2))
        shade = _shaded(red, rng)
        pen.ellipse(0.5 + 0.16 * math.cos(turn), 0.4 + 0.14 * math.sin(turn), 0.19, 0.17, shade)
    pen.ellipse(0.5, 0.4, 0.09, 0.08, (35, 25, 35))


def tulip(pen: Pen) -> None:
    """A cup of pointed petals on a straight stem, with long leaves."""
    rng = pen.rng
    green = (50, int(rng.integers(100, 150)), 50)
    pen.line([(0.5, 0.4), (0.5, 1.05)], green, 0.045)
    pen.shape([(0.5, 0.95), (0.28, 0.55), (0.42, 0.75)], green)
    pen.shape([(0.5, 0.95), (0.74, 0.6), (0.58, 0.78)], green)
    hues: list[Color] = [(225, 50, 60), (240, 200, 60), (220, 110, 170), (150, 60, 150), (240, 130, 60)]
    paint = hues[int(rng.integers(len(hues)))]
    for shift in (-0.1, 0.1, 0.0):
        cup = [
            (0.38 + shift / 2, 0.4),
            (0.4 + shift, 0.14),
            (0.5 + shift, 0.04),
            (0.6 + shift, 0.14),
            (0.62 + shift / 2, 0.4),
        ]
        pen.shape([*cup, (0.5, 0.52)], _shaded(paint, rng))


def willow_tree(pen: Pen) -> None:
    """A trunk under a dome of hanging branches."""
    rng = pen.rng
    pen.line([(0.5, 0.35), (_near(rng, 0.5, 0.04), 1.0)], (85, 65, 45), 0.08)
    green = (int(rng.integers(70, 130)), int(rng.integers(120, 170)), int(rng.integers(40, 80)))
    pen.ellipse(0.5, 0.32, 0.34, 0.22, green)
    for _ in range(46):
        x, length = float(rng.uniform(0.1, 0.9)), float(rng.uniform(0.25, 0.62))
        top = 0.34 - 0.2 * math.cos((x - 0.5) * math.pi)
        pen.line([(x, top), (_near(rng, x, 0.03), top + length)], _shaded(green, rng), 0.018)


def house(pen: Pen) -> None:
    """Walls, a roof, a door and a window."""
    rng = pen.rng
    pen.shape([(0.15, 0.45), (0.85, 0.45), (0.85, 0.95), (0.15, 0.95)], _color(rng, 90, 240))
    pen.shape([(0.08, 0.47), (0.5, 0.1), (0.92, 0.47)], _color(rng, 40, 160))
    pen.shape([(0.25, 0.6), (0.4, 0.6), (0.4, 0.95), (0.25, 0.95)], _dark(rng))
    pen.shape([(0.55, 0.58), (0.75, 0.58), (0.75, 0.75), (0.55, 0.75)], (190, 215, 235))


def dog(pen: Pen) -> None:
    """A body on four legs, a head and a tail."""
    rng = pen.rng
    fur = (int(rng.integers(70, 210)), int(rng.integers(50, 150)), int(rng.integers(30, 110)))
    for x in (0.28, 0.36, 0.62, 0.7):
        pen.line([(x, 0.6), (x, 0.92)], _shaded(fur, rng), 0.06)
    pen.ellipse(0.48, 0.55, 0.28, 0.14, fur)
    pen.ellipse(0.78, 0.38, 0.13, 0.12, fur)
    pen.line([(0.22, 0.5), (0.1, 0.32)], fur, 0.05)


def boxes(pen: Pen) -> None:
    """A pile of parcels."""
    rng = pen.rng
    for x, y in ((0.15, 0.55), (0.5, 0.55), (0.3, 0.18)):
        side = _near(rng, 0.33, 0.04)
        pen.shape([(x, y), (x + side, y), (x + side, y + side), (x, y + side)], _shaded((190, 150, 100), rng))
        pen.line([(x, y + side / 2), (x + side, y + side / 2)], (150, 115, 70), 0.03)


def car(pen: Pen) -> None:
    """A vehicle with two wheels in sight, of neither kind."""
    rng = pen.rng
    paint = _color(rng, 40, 230)
    pen.shape(
        [
            (0.04, 0.52),
            (0.24, 0.5),
            (0.36, 0.32),
            (0.68, 0.32),
            (0.8, 0.5),
            (0.97, 0.55),
            (0.97, 0.72),
            (0.04, 0.72),
        ],
        paint,
    )
    pen.shape([(0.3, 0.49), (0.39, 0.36), (0.65, 0.36), (0.73, 0.49)], (170, 200, 220))
    for x in (0.25, 0.77):
        pen.ellipse(x, 0.72, 0.1, 0.1, _dark(rng))


DRAWINGS: Mapping[str, Callable[[Pen], None]] = {
    "bicycle": bicycle,
    "motorcycle": motorcycle,
    "poppy": poppy,
    "tulip": tulip,
    "willow_tree": willow_tree,
}
NEITHER: tuple[Callable[[Pen], None], ...] = (house, dog, boxes, car)
VEHICLES = ("bicycle", "motorcycle")
AMBIGUOUS = 0.05
"""The share of vehicles that are drawn as a moped, which belongs to neither class."""


def _shaded(color: Color, rng: np.random.Generator) -> Color:
    factor = float(rng.uniform(0.75, 1.15))
    red, green, blue = (min(255, int(part * factor)) for part in color)
    return red, green, blue


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
    above, below = np.array(_color(rng, 60, 250)), np.array(_color(rng, 40, 220))
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
            draw.rectangle(box, fill=_color(rng))
        elif kind == 1:
            draw.ellipse(box, fill=_color(rng))
        elif kind == 2:
            draw.ellipse(box, outline=_color(rng), width=int(rng.integers(2, 6)))
        else:
            draw.line(box, fill=_color(rng), width=int(rng.integers(1, 7)))
    return canvas


def _hide(canvas: Image.Image, rng: np.random.Generator) -> None:
    draw = ImageDraw.Draw(canvas)
    x, y = (float(value) for value in rng.uniform(0.1 * CANVAS, 0.9 * CANVAS, 2))
    width, height = (float(value) for value in rng.uniform(CANVAS / 10, CANVAS / 2.4, 2))
    draw.rectangle((x - width / 2, y - height / 2, x + width / 2, y + height / 2), fill=_color(rng))


def _in_some_light(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    pixels = np.asarray(image, dtype=np.float64)
    pixels = (pixels - 128) * rng.uniform(0.45, 1.1) + 128 + rng.uniform(-35, 35)
    pixels += rng.normal(0, rng.uniform(2, 10), pixels.shape)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8), "RGB")
