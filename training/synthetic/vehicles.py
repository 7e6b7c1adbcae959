"""Vehicles with more than two wheels, with tracks or with none: the strangers that a model confuses most easily."""

from __future__ import annotations

from training.synthetic.pen import Color, Pen, color, dark, grey, near, shaded

GLASS: Color = (175, 200, 220)
METAL: Color = (150, 150, 155)


def _wheel(pen: Pen, x: float, y: float, radius: float) -> None:
    pen.ellipse(x, y, radius, radius, dark(pen.rng))
    pen.ellipse(x, y, radius * 0.45, radius * 0.45, METAL)


def bus(pen: Pen) -> None:
    """A long high box with a row of windows on two wheels."""
    rng = pen.rng
    paint, top = color(rng, 60, 240), near(rng, 0.25, 0.04)
    pen.box(0.03, top, 0.97, 0.74, paint)
    for window in range(5):
        pen.box(0.08 + 0.15 * window, top + 0.07, 0.2 + 0.15 * window, top + 0.22, GLASS)
    pen.box(0.86, top + 0.07, 0.97, top + 0.3, GLASS)
    pen.line([(0.03, 0.58), (0.97, 0.58)], shaded(paint, rng), 0.04)
    for x in (0.22, 0.76):
        _wheel(pen, x, 0.75, 0.085)


def pickup_truck(pen: Pen) -> None:
    """A cab and a bonnet before an open bed."""
    rng = pen.rng
    paint, roof = color(rng, 40, 230), near(rng, 0.3, 0.03)
    pen.box(0.03, 0.5, 0.5, 0.72, paint)
    pen.shape([(0.42, 0.72), (0.42, roof), (0.66, roof), (0.74, 0.48), (0.97, 0.52), (0.97, 0.72)], paint)
    pen.shape([(0.46, 0.48), (0.47, roof + 0.05), (0.64, roof + 0.05), (0.7, 0.48)], GLASS)
    pen.line([(0.03, 0.51), (0.42, 0.51)], dark(rng), 0.03)
    for x in (0.2, 0.79):
        _wheel(pen, x, 0.73, 0.095)


def train(pen: Pen) -> None:
    """An engine with a chimney, and a wagon, on rails."""
    rng = pen.rng
    paint = color(rng, 20, 160)
    pen.line([(-0.2, 0.84), (1.2, 0.84)], (95, 85, 80), 0.03)
    pen.box(0.0, 0.36, 0.3, 0.74, color(rng, 60, 220))
    pen.box(0.06, 0.43, 0.24, 0.56, GLASS)
    pen.box(0.38, 0.32, 0.58, 0.74, paint)
    pen.box(0.42, 0.38, 0.54, 0.5, GLASS)
    pen.box(0.58, 0.46, 0.96, 0.7, paint)
    pen.box(0.82, 0.26, 0.89, 0.46, dark(rng))
    for smoke in range(3):
        pen.ellipse(0.8 - 0.13 * smoke, 0.2 - 0.05 * smoke, 0.06 + 0.02 * smoke, 0.045, (205, 205, 208))
    for x in (0.07, 0.22, 0.44, 0.58, 0.72, 0.86):
        pen.ellipse(x, 0.77, 0.06, 0.06, dark(rng))


def streetcar(pen: Pen) -> None:
    """A rounded box under a wire, its pole up, its wheels hidden."""
    rng = pen.rng
    paint = color(rng, 70, 240)
    pen.line([(-0.2, 0.08), (1.2, 0.08)], (60, 60, 60), 0.012)
    pen.line([(0.4, 0.28), (0.56, 0.08)], (60, 60, 60), 0.02)
    pen.shape([(0.1, 0.3), (0.18, 0.24), (0.82, 0.24), (0.9, 0.3), (0.92, 0.78), (0.08, 0.78)], paint)
    pen.box(0.1, 0.36, 0.9, 0.54, GLASS)
    for post in (0.28, 0.46, 0.64, 0.8):
        pen.line([(post, 0.36), (post, 0.54)], paint, 0.025)
    pen.box(0.16, 0.78, 0.84, 0.85, dark(rng))
    pen.line([(-0.2, 0.88), (1.2, 0.88)], (90, 85, 80), 0.02)


def tractor(pen: Pen) -> None:
    """One large and one small wheel, a cab above the large one, an exhaust pipe upright."""
    rng = pen.rng
    hues: list[Color] = [(190, 40, 35), (45, 130, 55), (60, 90, 170), (220, 150, 40)]
    paint = hues[int(rng.integers(len(hues)))]
    pen.box(0.46, 0.45, 0.9, 0.66, paint)
    pen.line([(0.74, 0.45), (0.74, 0.24)], dark(rng), 0.035)
    pen.box(0.18, 0.2, 0.5, 0.58, paint)
    pen.box(0.23, 0.25, 0.45, 0.44, GLASS)
    _wheel(pen, 0.3, 0.67, near(rng, 0.22, 0.02))
    _wheel(pen, 0.82, 0.78, near(rng, 0.11, 0.015))


def tank(pen: Pen) -> None:
    """A track round small wheels, a hull, a turret and a gun."""
    rng = pen.rng
    green: Color = (int(rng.integers(70, 130)), int(rng.integers(75, 125)), int(rng.integers(45, 90)))
    pen.line([(0.55, 0.38), (1.02, near(rng, 0.33))], shaded(green, rng), 0.045)
    pen.shape([(0.28, 0.5), (0.34, 0.3), (0.6, 0.3), (0.68, 0.5)], shaded(green, rng))
    pen.shape([(0.06, 0.6), (0.16, 0.48), (0.86, 0.48), (0.96, 0.6)], green)
    pen.shape([(0.04, 0.68), (0.12, 0.58), (0.88, 0.58), (0.96, 0.68), (0.86, 0.82), (0.14, 0.82)], dark(rng))
    for wheel in range(5):
        pen.ellipse(0.2 + 0.15 * wheel, 0.7, 0.06, 0.06, shaded(green, rng))


def lawn_mower(pen: Pen) -> None:
    """A low deck on four small wheels, pushed by a long handle, on grass."""
    rng = pen.rng
    green: Color = (80, int(rng.integers(130, 180)), 60)
    pen.box(-0.3, 0.78, 1.3, 1.3, green)
    paint = color(rng, 60, 235)
    pen.line([(0.52, 0.62), (0.1, 0.12)], dark(rng), 0.03)
    pen.line([(0.04, 0.17), (0.16, 0.07)], dark(rng), 0.035)
    pen.shape([(0.42, 0.78), (0.46, 0.6), (0.9, 0.62), (0.96, 0.78)], paint)
    pen.box(0.58, 0.48, 0.78, 0.62, dark(rng))
    for x in (0.5, 0.88):
        _wheel(pen, x, 0.8, 0.07)


def rocket(pen: Pen) -> None:
    """A tall body with a pointed nose, fins and a flame."""
    rng = pen.rng
    body = grey(rng, 190, 245)
    trim = color(rng, 30, 220)
    pen.shape([(0.44, 0.78), (0.5, 1.08), (0.56, 0.78)], (250, int(rng.integers(140, 210)), 60))
    pen.box(0.4, 0.24, 0.6, 0.8, body)
    pen.shape([(0.4, 0.24), (0.5, 0.02), (0.6, 0.24)], trim)
    pen.shape([(0.4, 0.58), (0.26, 0.84), (0.4, 0.8)], trim)
    pen.shape([(0.6, 0.58), (0.74, 0.84), (0.6, 0.8)], trim)
    pen.ellipse(0.5, 0.38, 0.05, 0.05, (60, 90, 130))
