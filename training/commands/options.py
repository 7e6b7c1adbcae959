"""Values of options, with what is allowed in the message."""

from __future__ import annotations

import argparse


def count(text: str) -> int:
    """A whole number from 0 on."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise argparse.ArgumentTypeError(f"must be a whole number from 0 on, of at most 9 digits, got {text!r}")
    return int(text)


def positive(text: str) -> int:
    """A whole number from 1 on."""
    number = count(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {number}")
    return number


def workers(text: str) -> int:
    """How many requests at once."""
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text) <= 64:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to 64, got {text!r}")
    return int(text)


def share(text: str) -> float:
    """A number between 0 and 1, both excluded."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"must be a number between 0 and 1, got {text!r}")
    return value


def seconds(text: str) -> float:
    """A positive number of seconds."""
    return _positive_number(text, "seconds")


def dollars(text: str) -> float:
    """A positive number of US dollars."""
    return _positive_number(text, "US dollars")


def _positive_number(text: str, unit: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"must be a positive number of {unit}, got {text!r}")
    return value
