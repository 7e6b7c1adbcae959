"""Animals and people, each by what its outline has that others have not."""

from __future__ import annotations

import math

from training.synthetic.pen import Color, Pen, color, dark, grey, near, shaded


def _four_legs(pen: Pen, paint: Color, *, left: float, right: float, belly: float, width: float) -> None:
    for x in (left, left + 0.09, right - 0.09, right):
        pen.line([(x, belly), (near(pen.rng, x), 0.93)], shaded(paint, pen.rng), width)


def cattle(pen: Pen) -> None:
    """A heavy spotted body, a square head with horns."""
    rng = pen.rng
    hide: Color = (235, 230, 220) if rng.random() < 0.5 else shaded((140, 90, 60), rng)
    _four_legs(pen, hide, left=0.18, right=0.66, belly=0.6, width=0.07)
    pen.box(0.12, 0.36, 0.72, 0.68, hide)
    for _ in range(3):
        pen.ellipse(near(rng, 0.42, 0.22), near(rng, 0.5, 0.08), 0.09, 0.07, dark(rng))
    pen.box(0.7, 0.26, 0.9, 0.5, hide)
    pen.line([(0.7, 0.18), (0.76, 0.27), (0.86, 0.27), (0.92, 0.18)], (225, 215, 190), 0.03)


def elephant(pen: Pen) -> None:
    """A grey mass on thick legs, a large ear, a trunk to the ground."""
    rng = pen.rng
    paint = grey(rng, 95, 150)
    for x in (0.2, 0.34, 0.52, 0.64):
        pen.line([(x, 0.6), (x, 0.95)], shaded(paint, rng), 0.12)
    pen.ellipse(0.42, 0.45, 0.34, 0.25, paint)
    pen.ellipse(0.75, 0.36, 0.17, 0.17, paint)
    pen.ellipse(0.64, 0.38, 0.11, 0.15, shaded(paint, rng))
    pen.line([(0.86, 0.4), (0.93, 0.6), (near(rng, 0.92, 0.03), 0.9)], paint, 0.07)


def fox(pen: Pen) -> None:
    """A russet body, a pointed face, and a tail as long as the body."""
    rng = pen.rng
    fur = shaded((205, 105, 45), rng)
    pen.line([(0.3, 0.58), (0.14, 0.66), (0.02, near(rng, 0.84, 0.04))], fur, 0.13)
    pen.ellipse(0.03, 0.86, 0.05, 0.05, (240, 235, 230))
    _four_legs(pen, fur, left=0.34, right=0.64, belly=0.6, width=0.04)
    pen.ellipse(0.48, 0.56, 0.23, 0.12, fur)
    pen.shape([(0.62, 0.46), (0.66, 0.22), (0.74, 0.34), (0.84, 0.24), (0.84, 0.4), (0.99, 0.5), (0.78, 0.58)], fur)


def rabbit(pen: Pen) -> None:
    """A round body, a round head, two long ears."""
    rng = pen.rng
    fur = shaded((170, 150, 130), rng)
    pen.ellipse(0.42, 0.68, 0.28, 0.23, fur)
    pen.ellipse(0.15, 0.72, 0.07, 0.07, (240, 238, 235))
    pen.ellipse(0.7, 0.5, 0.16, 0.15, fur)
    for x in (0.64, 0.76):
        pen.line([(x, 0.4), (near(rng, x, 0.04), 0.06)], shaded(fur, rng), 0.07)
    pen.ellipse(0.76, 0.47, 0.025, 0.025, dark(rng))


def snake(pen: Pen) -> None:
    """One line in waves."""
    rng = pen.rng
    skin = color(rng, 50, 190)
    points = [(0.04 + 0.92 * step / 22, 0.55 + near(rng, 0.2, 0.03) * math.sin(step / 2.4)) for step in range(23)]
    pen.line(points, skin, 0.1)
    pen.line(points, shaded(skin, rng), 0.03)
    pen.ellipse(*points[-1], 0.08, 0.06, skin)


def aquarium_fish(pen: Pen) -> None:
    """A bright striped oval with fins, in blue water."""
    rng = pen.rng
    pen.box(-0.3, -0.3, 1.3, 1.3, (30, int(rng.integers(80, 140)), int(rng.integers(140, 200))))
    paint = color(rng, 120, 250)
    pen.shape([(0.28, 0.5), (0.04, 0.3), (0.1, 0.5), (0.04, 0.72)], shaded(paint, rng))
    pen.ellipse(0.54, 0.5, 0.3, 0.2, paint)
    for x in (0.42, 0.56):
        pen.line([(x, 0.34), (x, 0.66)], (240, 240, 240), 0.05)
    pen.shape([(0.42, 0.33), (0.56, 0.16), (0.66, 0.34)], shaded(paint, rng))
    pen.ellipse(0.74, 0.46, 0.03, 0.03, dark(rng))


def shark(pen: Pen) -> None:
    """A long grey body with a back fin, in dark water."""
    rng = pen.rng
    pen.box(-0.3, -0.3, 1.3, 1.3, (15, int(rng.integers(50, 90)), int(rng.integers(90, 140))))
    skin = shaded((120, 135, 150), rng)
    pen.shape(
        [(0.98, 0.5), (0.7, 0.38), (0.3, 0.44), (0.02, 0.26), (0.1, 0.5), (0.02, 0.7), (0.3, 0.54), (0.7, 0.62)], skin
    )
    pen.shape([(0.46, 0.42), (0.5, 0.2), (0.62, 0.4)], shaded(skin, rng))
    pen.shape([(0.56, 0.58), (0.46, 0.8), (0.68, 0.6)], shaded(skin, rng))


def butterfly(pen: Pen) -> None:
    """Four wings of one colour about a thin body."""
    rng = pen.rng
    paint = color(rng, 90, 250)
    for side in (-1, 1):
        pen.ellipse(0.5 + side * 0.24, 0.36, 0.22, 0.2, paint)
        pen.ellipse(0.5 + side * 0.19, 0.68, 0.16, 0.16, shaded(paint, rng))
        pen.ellipse(0.5 + side * 0.26, 0.36, 0.08, 0.07, dark(rng))
        pen.line([(0.5, 0.24), (0.5 + side * 0.1, 0.08)], (40, 40, 40), 0.018)
    pen.line([(0.5, 0.22), (0.5, 0.82)], (40, 35, 30), 0.05)


def spider(pen: Pen) -> None:
    """Eight bent legs about two dark balls."""
    rng = pen.rng
    body = dark(rng)
    for side in (-1, 1):
        for leg in range(4):
            knee, foot = 0.2 + 0.18 * leg, 0.08 + 0.28 * leg
            pen.line([(0.5, 0.5), (0.5 + side * 0.24, knee), (0.5 + side * 0.44, foot)], body, 0.025)
    pen.ellipse(0.5, 0.58, 0.16, 0.19, body)
    pen.ellipse(0.5, 0.36, 0.1, 0.09, body)


def _face(pen: Pen, *, skin: Color, hair: Color, long: bool, wide: float) -> None:
    rng = pen.rng
    pen.shape([(0.1, 1.2), (0.22, 0.86), (0.78, 0.86), (0.9, 1.2)], color(rng))
    if long:
        pen.ellipse(0.5, 0.5, wide + 0.12, 0.48, hair)
    pen.ellipse(0.5, 0.5, wide, 0.37, skin)
    pen.shape([(0.5 - wide, 0.36), (0.32, 0.1), (0.68, 0.1), (0.5 + wide, 0.36), (0.5, 0.26)], hair)
    for x in (0.38, 0.62):
        pen.ellipse(x, 0.46, 0.045, 0.03, (40, 35, 35))
    pen.line([(0.5, 0.5), (0.49, 0.6)], shaded(skin, rng), 0.03)
    pen.line([(0.4, 0.71), (0.5, 0.74), (0.6, 0.71)], (165, 75, 75), 0.03)


def _skin(pen: Pen) -> Color:
    tones: list[Color] = [(245, 215, 190), (225, 180, 145), (180, 130, 95), (120, 80, 60)]
    return shaded(tones[int(pen.rng.integers(len(tones)))], pen.rng)


def man(pen: Pen) -> None:
    """A face with short hair, often bearded."""
    skin, hair = _skin(pen), dark(pen.rng)
    _face(pen, skin=skin, hair=hair, long=False, wide=0.28)
    if pen.rng.random() < 0.5:
        pen.shape([(0.24, 0.62), (0.5, 0.92), (0.76, 0.62), (0.6, 0.7), (0.4, 0.7)], hair)


def woman(pen: Pen) -> None:
    """A face within long hair."""
    hues: list[Color] = [(60, 40, 30), (190, 150, 80), (130, 60, 35), (30, 28, 30)]
    _face(pen, skin=_skin(pen), hair=hues[int(pen.rng.integers(len(hues)))], long=True, wide=0.26)


def baby(pen: Pen) -> None:
    """A round face with next to no hair and red cheeks."""
    skin = _skin(pen)
    _face(pen, skin=skin, hair=shaded(skin, pen.rng), long=False, wide=0.36)
    for x in (0.3, 0.7):
        pen.ellipse(x, 0.6, 0.07, 0.05, (235, 150, 140))
