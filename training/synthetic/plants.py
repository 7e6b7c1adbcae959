"""Flowers, trees and fruit."""

from __future__ import annotations

import math

from training.synthetic.pen import Color, Pen, near, shaded


def poppy(pen: Pen) -> None:
    """A broad red flower with a dark heart."""
    rng = pen.rng
    pen.line([(0.5, 0.5), (near(rng, 0.5, 0.1), 1.05)], (60, 120, 50), 0.035)
    red = (int(rng.integers(180, 245)), int(rng.integers(20, 70)), int(rng.integers(10, 50)))
    for petal in range(5):
        turn = petal * 2 * math.pi / 5 + float(rng.uniform(-0.2, 0.2))
        shade = shaded(red, rng)
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
        pen.shape([*cup, (0.5, 0.52)], shaded(paint, rng))


def willow_tree(pen: Pen) -> None:
    """A trunk under a dome of hanging branches."""
    rng = pen.rng
    pen.line([(0.5, 0.35), (near(rng, 0.5, 0.04), 1.0)], (85, 65, 45), 0.08)
    green = (int(rng.integers(70, 130)), int(rng.integers(120, 170)), int(rng.integers(40, 80)))
    pen.ellipse(0.5, 0.32, 0.34, 0.22, green)
    for _ in range(46):
        x, length = float(rng.uniform(0.1, 0.9)), float(rng.uniform(0.25, 0.62))
        top = 0.34 - 0.2 * math.cos((x - 0.5) * math.pi)
        pen.line([(x, top), (near(rng, x, 0.03), top + length)], shaded(green, rng), 0.018)


def sunflower(pen: Pen) -> None:
    """Many narrow yellow petals about a broad brown heart."""
    rng = pen.rng
    pen.line([(0.5, 0.5), (near(rng, 0.5, 0.05), 1.1)], (70, 120, 50), 0.05)
    pen.shape([(0.5, 0.85), (0.2, 0.7), (0.34, 0.88)], (70, 130, 55))
    turn = float(rng.uniform(0, 1))
    for petal in range(14):
        angle = turn + petal * 2 * math.pi / 14
        tip = (0.5 + 0.36 * math.cos(angle), 0.38 + 0.36 * math.sin(angle))
        pen.line([(0.5, 0.38), tip], shaded((240, 195, 45), rng), 0.085)
    pen.ellipse(0.5, 0.38, 0.18, 0.18, (85, 55, 35))


def rose(pen: Pen) -> None:
    """Rings of petals, each inside another, above serrated leaves."""
    rng = pen.rng
    hues: list[Color] = [(190, 25, 45), (235, 150, 170), (240, 225, 200), (230, 120, 60)]
    paint = hues[int(rng.integers(len(hues)))]
    pen.line([(0.5, 0.5), (0.5, 1.1)], (50, 95, 45), 0.035)
    for x in (0.3, 0.72):
        pen.ellipse(x, near(rng, 0.82, 0.05), 0.15, 0.06, (55, 110, 55))
    for ring in range(5):
        radius = 0.3 - 0.055 * ring
        pen.ellipse(near(rng, 0.5, 0.02), near(rng, 0.4, 0.02), radius, radius * 0.92, shaded(paint, rng))


def pine_tree(pen: Pen) -> None:
    """Dark triangles one above another on a short trunk."""
    rng = pen.rng
    green: Color = (int(rng.integers(20, 60)), int(rng.integers(70, 110)), int(rng.integers(40, 70)))
    pen.line([(0.5, 0.7), (0.5, 1.02)], (80, 60, 45), 0.08)
    for step in range(4):
        top, half = 0.04 + 0.19 * step, 0.14 + 0.075 * step
        pen.shape([(0.5, top), (0.5 - half, top + 0.27), (0.5 + half, top + 0.27)], shaded(green, rng))


def palm_tree(pen: Pen) -> None:
    """A bent bare trunk under a star of long leaves."""
    rng = pen.rng
    bend = near(rng, 0.0, 0.12)
    pen.line([(0.5 - bend, 1.05), (0.5 - bend / 3, 0.7), (0.5, 0.34)], (140, 110, 80), 0.055)
    for _ in range(9):
        turn = float(rng.uniform(-math.pi, math.pi))
        tip = (0.5 + 0.42 * math.cos(turn), 0.38 + 0.3 * math.sin(turn))
        pen.line([(0.5, 0.34), (0.5 + 0.25 * math.cos(turn), 0.26 + 0.12 * math.sin(turn)), tip], (60, 130, 60), 0.04)


def oak_tree(pen: Pen) -> None:
    """A round crown of many greens on a thick trunk."""
    rng = pen.rng
    green: Color = (int(rng.integers(50, 110)), int(rng.integers(90, 140)), int(rng.integers(30, 70)))
    pen.line([(0.5, 0.5), (0.5, 1.05)], (90, 70, 50), 0.12)
    for _ in range(16):
        pen.ellipse(near(rng, 0.5, 0.28), near(rng, 0.36, 0.22), 0.13, 0.11, shaded(green, rng))


def apple(pen: Pen) -> None:
    """A round fruit with a dent, a stalk and a leaf."""
    rng = pen.rng
    hues: list[Color] = [(195, 35, 45), (120, 170, 60), (225, 190, 70)]
    paint = hues[int(rng.integers(len(hues)))]
    for x in (0.4, 0.6):
        pen.ellipse(x, 0.56, 0.25, 0.31, paint)
    pen.ellipse(0.36, 0.46, 0.06, 0.08, shaded((240, 230, 220), rng))
    pen.line([(0.5, 0.34), (near(rng, 0.54), 0.14)], (85, 60, 40), 0.04)
    pen.ellipse(0.65, 0.2, 0.11, 0.045, (75, 140, 60))


def mushroom(pen: Pen) -> None:
    """A half-round cap with spots on a pale stem."""
    rng = pen.rng
    pen.box(0.41, 0.48, 0.59, 0.95, (230, 220, 200))
    paint = shaded((190, 60, 45) if rng.random() < 0.6 else (150, 110, 75), rng)
    dome = [
        (0.5 + 0.42 * math.cos(math.pi * step / 12), 0.52 - 0.4 * math.sin(math.pi * step / 12)) for step in range(13)
    ]
    pen.shape(dome, paint)
    for _ in range(5):
        pen.ellipse(near(rng, 0.5, 0.25), near(rng, 0.36, 0.1), 0.05, 0.04, (240, 235, 225))
