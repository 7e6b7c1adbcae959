"""Bicycles and motorcycles, and what is hard to tell from either."""

from __future__ import annotations

import math

from training.synthetic.pen import Pen, color, dark, near


def bicycle(pen: Pen) -> None:
    """Two thin wheels, a diamond frame, a saddle and a handlebar."""
    rng = pen.rng
    frame, tyre = color(rng), dark(rng)
    radius = near(rng, 0.2, 0.03)
    back, front, hub = (0.22, 0.7), (0.78, 0.7), (near(rng, 0.47), 0.7)
    seat, head = (near(rng, 0.38), near(rng, 0.38)), (near(rng, 0.68), near(rng, 0.38))
    for x, y in (back, front):
        pen.ring(x, y, radius, tyre, near(rng, 0.03, 0.01))
        if rng.random() < 0.6:
            for spoke in range(5):
                turn = spoke * math.pi / 5
                dx, dy = radius * math.cos(turn), radius * math.sin(turn)
                pen.line([(x - dx, y - dy), (x + dx, y + dy)], (150, 150, 150), 0.006)
    width = near(rng, 0.034, 0.01)
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
    paint, tyre = color(rng), dark(rng)
    radius = near(rng, 0.165, 0.025)
    back, front = (0.22, 0.72), (0.8, 0.72)
    for x, y in (back, front):
        pen.ellipse(x, y, radius + 0.02, radius + 0.02, tyre)
        pen.ellipse(x, y, radius * 0.55, radius * 0.55, (140, 140, 145))
        pen.ellipse(x, y, radius * 0.2, radius * 0.2, tyre)
    metal = int(rng.integers(70, 170))
    pen.shape([(0.36, 0.55), (0.62, 0.55), (0.66, 0.76), (0.36, 0.78)], (metal, metal, metal))
    pen.line([back, (0.4, 0.6)], dark(rng), 0.05)
    pen.line([(0.64, 0.36), front], (metal, metal, metal), 0.05)
    top = near(rng, 0.38, 0.03)
    pen.shape([(0.4, 0.55), (0.42, top), (0.6, top - 0.03), (0.68, 0.5), (0.6, 0.57)], paint)
    pen.shape([(0.08, 0.48), (0.16, 0.43), (0.44, 0.45), (0.44, 0.54), (0.16, 0.55)], dark(rng))
    pen.line([(0.5, 0.74), (0.12, 0.76)], (180, 180, 185), 0.05)
    pen.line([(0.56, 0.3), (0.7, 0.33)], tyre, 0.035)
    if rng.random() < 0.5:
        pen.shape([(0.62, 0.36), (0.7, 0.24), (0.76, 0.34), (0.72, 0.48)], paint)
    pen.ellipse(0.72, 0.4, 0.045, 0.05, (235, 230, 190))


def moped(pen: Pen) -> None:
    """Between the two: wheels and frame of middling weight. Drawn for either label, so neither is wrong."""
    rng = pen.rng
    paint, tyre = color(rng), dark(rng)
    radius = near(rng, 0.18, 0.02)
    for x, y in ((0.22, 0.71), (0.79, 0.71)):
        pen.ring(x, y, radius, tyre, near(rng, 0.055, 0.012))
    pen.line([(0.22, 0.7), (0.4, 0.45), (0.5, 0.68), (0.7, 0.4), (0.79, 0.7)], paint, 0.05)
    pen.ellipse(0.47, 0.66, 0.09, 0.08, (110, 110, 112))
    pen.line([(0.28, 0.42), (0.46, 0.42)], tyre, 0.06)
    pen.line([(0.6, 0.31), (0.72, 0.33)], tyre, 0.035)
