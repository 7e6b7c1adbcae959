"""Reads configuration values by type and keeps a list of everything that is wrong with them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import cast

from components.parts.bounds import OneOf, Text, WholeNumber, near, shown
from contract.names import setting


class ConfigReader:
    """Raw values in, typed values out, mistakes in `problems`.

    A value that is wrong is reported once and comes out empty, so that reading goes on; `is_good` tells.
    """

    def __init__(self, raw: Mapping[str, object], keys: Sequence[str]) -> None:
        self.problems: list[str] = []
        self._raw = raw
        self._bad: set[str] = set()
        for key in sorted(set(raw) - set(keys)):
            hint = near(key, keys) or f"known are {', '.join(keys)}"
            self.problems.append(f"{setting(key)} is not a key of this project: {hint}")

    def add(self, problem: str | None) -> None:
        """Report a problem whose text begins with the key, if there is one."""
        if problem is not None:
            self.problems.append(setting(problem))

    def must(self, key: str, allowed: str, got: str) -> None:
        """Report that `key` must do something else than it does."""
        self._bad.add(key)
        self.add(f"{key} must {allowed}, got {got}")

    def is_good(self, key: str) -> bool:
        """Whether nothing was reported about `key`."""
        return key not in self._bad

    def text(self, key: str) -> str:
        """A non-empty string without blanks around it."""
        value = self._raw.get(key)
        if not isinstance(value, str) or not value.strip():
            number = isinstance(value, int | float) and not isinstance(value, bool)
            self.must(key, "be a non-empty string" + (" (quote it)" if number else ""), shown(value))
            return ""
        if value != value.strip() or not value.isprintable():
            self.must(key, "have no blanks around it and no line breaks", shown(value))
        return value

    def pattern(self, key: str, pattern: str, allowed: str) -> str | None:
        """A text that is empty (None) or matches `pattern` as a whole."""
        rule, value = Text(pattern, allowed), self._raw.get(key)
        if not isinstance(value, str) or (value and not rule.takes(value)):
            self.must(key, rule.allowed, shown(value))
            return None
        return value or None

    def one_of(self, key: str, allowed: Sequence[str]) -> str:
        """One of a few words."""
        value = self._raw.get(key)
        if not isinstance(value, str) or value not in allowed:
            self.must(key, f"be one of {', '.join(allowed)}", shown(value))
            return ""
        return value

    def whole_number(self, key: str, least: int, most: int) -> int:
        """A whole number between two bounds, both allowed."""
        rule, value = WholeNumber(least, most), self._parsed(key)
        if not rule.takes(value):
            self.must(key, rule.allowed, shown(value))
            return least
        return cast("int", value)

    def one_of_numbers(self, key: str, rule: OneOf) -> int:
        """One of a few whole numbers."""
        value = self._parsed(key)
        if not rule.takes(value):
            self.must(key, rule.allowed, shown(value))
            return rule.numbers[0]
        return cast("int", value)

    def boolean(self, key: str) -> bool:
        """True or false."""
        value = self._parsed(key)
        if not isinstance(value, bool):
            self.must(key, "be true or false", shown(value))
            return False
        return value

    def texts(self, key: str) -> list[str]:
        """A list of strings."""
        value = self._parsed(key)
        items = cast("list[object]", value) if isinstance(value, list) else None
        if items is None or not all(isinstance(item, str) for item in items):
            self.must(key, "be a list of strings", shown(self._parsed(key)))
            return []
        return [str(item) for item in items]

    def mapping(self, key: str) -> dict[str, object]:
        """A mapping by name."""
        value = self._parsed(key)
        if not isinstance(value, dict):
            self.must(key, "be a mapping", shown(value))
            return {}
        return {str(name): item for name, item in cast("dict[object, object]", value).items()}

    def _parsed(self, key: str) -> object:
        """Pulumi delivers everything but strings as JSON in a string."""
        value = self._raw.get(key)
        if not isinstance(value, str) or value != value.strip():
            return value
        try:
            return cast("object", json.loads(value))
        except (ValueError, RecursionError):
            return value
