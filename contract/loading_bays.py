"""What a loading bay may be called, and how a metric's dimension carries a name that CloudWatch would refuse.

The name itself goes into events, decisions and tables, which take any text.
"""

from __future__ import annotations

import unicodedata

LONGEST_BAY = 100
"""Characters; each takes at most eight in a dimension, which holds 1024."""

_IN_ASCII = str.maketrans(
    {
        "ä": "ae",
        "ö": "oe",
        "ü": "ue",
        "Ä": "Ae",
        "Ö": "Oe",
        "Ü": "Ue",
        "ß": "ss",
        "ẞ": "SS",
        "æ": "ae",
        "ø": "o",
        "ł": "l",
    }
    | dict.fromkeys("\N{NON-BREAKING HYPHEN}\N{EN DASH}\N{EM DASH}\N{MINUS SIGN}", "-")
    | dict.fromkeys("\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}", "'")
)


def problem_with_bay(name: str) -> str | None:
    """What a loading bay's name must do and does not, to be read after "must"; None when it is fine."""
    if not name.strip():
        return "be a non-empty string"
    if len(name) > LONGEST_BAY:
        return f"have at most {LONGEST_BAY} characters"
    if not name.isprintable():
        return "have no line breaks and no other characters that can't be printed"
    # CloudWatch API reference, Dimension
    return "not begin with a colon" if name.strip().startswith(":") else None


def dimension_of(bay: str) -> str:
    """A bay's name as the value of a metric's dimension: printable ASCII, and the same for the same name.

    A name in ASCII stays as it is; ä becomes ae, é becomes e, and what has no such form its code point (`U+9580`).
    """
    text = unicodedata.normalize("NFC", bay).translate(_IN_ASCII)
    letters = (letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    plain = "".join(letter if " " <= letter <= "~" else f"U+{ord(letter):04X}" for letter in letters)
    # CloudWatch takes 1 to 1024 characters, the first of which is no colon
    return plain.strip().lstrip(": ")[:1024] or "?"
