"""Buildings, landscapes and what stands in rooms."""

from __future__ import annotations

import math

from training.synthetic.pen import Color, Pen, color, dark, grey, near, shaded

LIT: Color = (240, 225, 150)


def house(pen: Pen) -> None:
    """Walls, a roof, a door and a window."""
    rng = pen.rng
    pen.box(0.15, 0.45, 0.85, 0.95, color(rng, 90, 240))
    pen.shape([(0.08, 0.47), (0.5, 0.1), (0.92, 0.47)], color(rng, 40, 160))
    pen.box(0.25, 0.6, 0.4, 0.95, dark(rng))
    pen.box(0.55, 0.58, 0.75, 0.75, (190, 215, 235))


def skyscraper(pen: Pen) -> None:
    """A tower of many windows, taller than the picture, beside lower ones."""
    rng = pen.rng
    for left, right, top in ((-0.1, 0.24, near(rng, 0.55, 0.1)), (0.74, 1.1, near(rng, 0.45, 0.1)), (0.28, 0.7, 0.02)):
        wall = color(rng, 50, 170)
        pen.box(left, top, right, 1.2, wall)
        pane = LIT if rng.random() < 0.4 else shaded((150, 180, 205), rng)
        for row in range(int((1.1 - top) / 0.11)):
            for column in (0.15, 0.45, 0.75):
                x, y = left + (right - left) * column, top + 0.05 + 0.11 * row
                pen.box(x, y, x + 0.06, y + 0.05, pane)


def castle(pen: Pen) -> None:
    """Two round towers with battlements, a wall and a gate."""
    rng = pen.rng
    stone = shaded((150, 140, 125), rng)
    pen.box(0.2, 0.5, 0.8, 0.98, stone)
    for left in (0.06, 0.7):
        pen.box(left, 0.26, left + 0.24, 0.98, shaded(stone, rng))
        for tooth in range(3):
            pen.box(left + 0.09 * tooth, 0.18, left + 0.05 + 0.09 * tooth, 0.27, stone)
    for tooth in range(4):
        pen.box(0.33 + 0.1 * tooth, 0.43, 0.38 + 0.1 * tooth, 0.5, stone)
    pen.box(0.42, 0.7, 0.58, 0.98, dark(rng))


def bridge(pen: Pen) -> None:
    """A deck on arches above water, or hung from two pylons."""
    rng = pen.rng
    stone = shaded((140, 120, 105), rng)
    pen.box(-0.3, 0.8, 1.3, 1.3, (60, 110, 150))
    pen.box(-0.2, 0.48, 1.2, 0.57, stone)
    if rng.random() < 0.5:
        for x in (0.0, 0.33, 0.66, 1.0):
            pen.box(x - 0.04, 0.55, x + 0.04, 0.86, stone)
        return
    for x in (0.22, 0.78):
        pen.line([(x, 0.12), (x, 0.85)], stone, 0.05)
    cable = [(0.22 + 0.56 * step / 10, 0.14 + 0.3 * (1 - (step / 5 - 1) ** 2)) for step in range(11)]
    pen.line([(-0.2, 0.5), *cable, (1.2, 0.5)], dark(rng), 0.02)


def road(pen: Pen) -> None:
    """Asphalt that narrows to the horizon, its middle dashed."""
    rng = pen.rng
    pen.box(-0.4, 0.4, 1.4, 1.4, (int(rng.integers(70, 150)), int(rng.integers(110, 150)), 70))
    asphalt = grey(rng, 70, 120)
    pen.shape([(0.46, 0.4), (0.54, 0.4), (1.15, 1.3), (-0.15, 1.3)], asphalt)
    for dash in (0.48, 0.6, 0.76, 0.97):
        pen.line([(0.5, dash), (0.5, dash + 0.09 * dash)], (235, 230, 205), 0.05 * dash)


def mountain(pen: Pen) -> None:
    """Peaks with snow, one before another."""
    rng = pen.rng
    for left, top in ((-0.35, near(rng, 0.3, 0.06)), (0.25, near(rng, 0.2, 0.06)), (-0.05, near(rng, 0.42, 0.06))):
        rock = shaded((105, 110, 125), rng)
        peak = left + 0.5
        pen.shape([(left, 1.1), (peak, top), (left + 1.0, 1.1)], rock)
        snow = [(peak - 0.1, top + 0.16), (peak, top), (peak + 0.1, top + 0.16), (peak, top + 0.11)]
        pen.shape(snow, (240, 242, 245))


def sea(pen: Pen) -> None:
    """Water to the horizon, in bands, with crests."""
    rng = pen.rng
    horizon = near(rng, 0.42, 0.1)
    pen.box(-0.4, -0.4, 1.4, horizon, (int(rng.integers(140, 220)), int(rng.integers(180, 225)), 235))
    water: Color = (25, int(rng.integers(80, 130)), int(rng.integers(120, 180)))
    pen.box(-0.4, horizon, 1.4, 1.4, water)
    for _ in range(12):
        x, y = near(rng, 0.5, 0.5), horizon + float(rng.uniform(0.03, 0.6))
        pen.line([(x - 0.12, y), (x + 0.12, y)], shaded((150, 190, 210), rng), 0.015)


def cloud(pen: Pen) -> None:
    """White heaps in a blue sky."""
    rng = pen.rng
    blue: Color = (int(rng.integers(70, 130)), int(rng.integers(130, 180)), int(rng.integers(200, 245)))
    pen.box(-0.4, -0.4, 1.4, 1.4, blue)
    for _ in range(9):
        pen.ellipse(near(rng, 0.5, 0.32), near(rng, 0.5, 0.16), 0.19, 0.13, grey(rng, 205, 255))


def bottle(pen: Pen) -> None:
    """A narrow neck on a straight body with a label."""
    rng = pen.rng
    glass = color(rng, 30, 160)
    pen.box(0.43, 0.04, 0.57, 0.34, glass)
    pen.shape([(0.43, 0.32), (0.57, 0.32), (0.7, 0.46), (0.7, 0.98), (0.3, 0.98), (0.3, 0.46)], glass)
    pen.box(0.3, 0.58, 0.7, 0.8, shaded((235, 225, 200), rng))


def cup(pen: Pen) -> None:
    """A bowl with a handle on one side."""
    rng = pen.rng
    china = color(rng, 90, 250)
    pen.ring(0.74, 0.55, 0.15, china, 0.05)
    pen.shape([(0.18, 0.34), (0.72, 0.34), (0.64, 0.86), (0.26, 0.86)], china)
    pen.ellipse(0.45, 0.34, 0.27, 0.07, shaded((110, 70, 45), rng))


def clock(pen: Pen) -> None:
    """A round face with marks and two hands."""
    rng = pen.rng
    pen.ellipse(0.5, 0.5, 0.42, 0.42, color(rng, 20, 200))
    pen.ellipse(0.5, 0.5, 0.35, 0.35, (242, 240, 232))
    for mark in range(12):
        turn = mark * math.pi / 6
        pen.ellipse(0.5 + 0.3 * math.cos(turn), 0.5 + 0.3 * math.sin(turn), 0.02, 0.02, (40, 40, 40))
    for length, width in ((0.26, 0.025), (0.17, 0.04)):
        turn = float(rng.uniform(0, 2 * math.pi))
        pen.line([(0.5, 0.5), (0.5 + length * math.cos(turn), 0.5 + length * math.sin(turn))], dark(rng), width)


def television(pen: Pen) -> None:
    """A dark frame about a bright screen, on a foot."""
    rng = pen.rng
    pen.box(0.06, 0.2, 0.94, 0.76, dark(rng))
    pen.box(0.12, 0.26, 0.88, 0.7, color(rng, 60, 240))
    pen.box(0.2, 0.5, 0.6, 0.7, color(rng, 60, 240))
    pen.box(0.45, 0.76, 0.55, 0.86, dark(rng))
    pen.box(0.3, 0.85, 0.7, 0.9, dark(rng))


def chair(pen: Pen) -> None:
    """A straight back, a seat and four legs."""
    rng = pen.rng
    wood = color(rng, 50, 200)
    pen.box(0.26, 0.06, 0.36, 0.56, wood)
    for rail in (0.12, 0.28):
        pen.box(0.26, rail, 0.5, rail + 0.06, shaded(wood, rng))
    pen.shape([(0.24, 0.54), (0.76, 0.54), (0.82, 0.63), (0.24, 0.63)], wood)
    for x in (0.29, 0.42, 0.66, 0.77):
        pen.line([(x, 0.62), (x, 0.96)], shaded(wood, rng), 0.05)


def table(pen: Pen) -> None:
    """A wide top on two pairs of legs."""
    rng = pen.rng
    wood = shaded((150, 105, 65), rng)
    for x in (0.12, 0.24, 0.76, 0.88):
        pen.line([(x, 0.45), (x, 0.9)], shaded(wood, rng), 0.05)
    pen.shape([(0.14, 0.36), (0.86, 0.36), (0.98, 0.48), (0.02, 0.48)], wood)


def lamp(pen: Pen) -> None:
    """A bright shade on a thin stem with a broad foot."""
    rng = pen.rng
    pen.line([(0.5, 0.4), (0.5, 0.9)], dark(rng), 0.035)
    pen.ellipse(0.5, 0.91, 0.2, 0.05, dark(rng))
    pen.shape([(0.36, 0.1), (0.64, 0.1), (0.8, 0.44), (0.2, 0.44)], shaded((240, 215, 150), rng))
