"""What every drawing is made with: a pen that works in a unit square, and colours by chance."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import ImageDraw

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

    def box(self, left: float, top: float, right: float, bottom: float, color: Color) -> None:
        """A filled rectangle, turned with the square."""
        self.shape([(left, top), (right, top), (right, bottom), (left, bottom)], color)

    def ellipse(self, x: float, y: float, rx: float, ry: float, color: Color) -> None:
        """A filled ellipse, turned with the square."""
        steps = [2 * math.pi * step / 24 for step in range(24)]
        self.shape([(x + rx * math.cos(step), y + ry * math.sin(step)) for step in steps], color)

    def ring(self, x: float, y: float, radius: float, color: Color, width: float) -> None:
        """A circle's outline."""
        steps = [2 * math.pi * step / 28 for step in range(30)]
        self.line([(x + radius * math.cos(step), y + radius * math.sin(step)) for step in steps], color, width)


def near(rng: np.random.Generator, value: float, spread: float = 0.02) -> float:
    """A value off by at most `spread`."""
    return value + float(rng.uniform(-spread, spread))


def color(rng: np.random.Generator, low: int = 20, high: int = 235) -> Color:
    """Any colour, its three parts from `low` up to `high`."""
    red, green, blue = rng.integers(low, high, 3)
    return int(red), int(green), int(blue)


def grey(rng: np.random.Generator, low: int, high: int) -> Color:
    """A grey from `low` up to `high`."""
    level = int(rng.integers(low, high))
    return level, level, level


def dark(rng: np.random.Generator) -> Color:
    """A dark grey, as tyres have it."""
    return grey(rng, 8, 60)


def shaded(color: Color, rng: np.random.Generator) -> Color:
    """A colour in more light or in less."""
    factor = float(rng.uniform(0.75, 1.15))
    red, green, blue = (min(255, int(part * factor)) for part in color)
    return red, green, blue
