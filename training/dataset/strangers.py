"""The class *neither*: pictures of the archive's other classes, so that a model has a word for what it can't name.

An archive's classes that a stack does not route are called kinds here. Those of the configured classes' own
superclass are near (every vehicle is near to a vehicle): they are what a model confuses, so they get half of the
class though they are few. Some kinds are kept out of training altogether: of the near ones single kinds, of the
others whole superclasses, since an oak says little about a maple. Strangers of these unseen kinds, and of the seen
ones, come from the archive's test part and are held out for the evaluation.
"""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from contract.decisions import NEITHER
from contract.errors import UserError
from training.dataset.archive import Contents, Part
from training.dataset.names import SUPERCLASS_OF
from training.dataset.selection import Split

NEAR_SHARE = 0.5
"""Of the class and of the strangers: pictures of near kinds, as long as there are enough."""
UNSEEN_SHARE = 0.25
"""Of the near kinds, and of the superclasses of the others: those kept out of training."""
HELD_OUT = 400
"""Strangers of seen kinds, and as many of unseen ones: with no error the upper 95 % bound of a share is 0.7 %."""
STREAM = 1
"""Distinguishes this choice's random numbers from the split's, so that the vehicles are split alike without it."""


@dataclass(frozen=True, slots=True)
class Kinds:
    """Classes of the archive that the stack does not route."""

    near: tuple[str, ...]
    far: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        """Near ones first."""
        return self.near + self.far


@dataclass(frozen=True, slots=True)
class Strangers:
    """What becomes the class *neither*, and what is held out to measure it."""

    pool: Split
    """For train and validation, of seen kinds, from the archive's train part; labelled after the classes."""
    held_out: dict[str, Split]
    """`seen` and `unseen`, from the archive's test part; labelled as in the archive."""
    seen: Kinds
    unseen: Kinds
    duplicates: dict[str, int]

    def section(self, contents: Contents, seed: int) -> dict[str, object]:
        """What the manifest says of the choice."""

        def per_kind(split: Split) -> dict[str, int]:
            counts = Counter(cast("list[int]", split.part.labels[split.rows].tolist()))
            return {contents.class_names[label]: counts[label] for label in sorted(counts)}

        return {
            "label": NEITHER,
            "seed": seed,
            "near_share": NEAR_SHARE,
            "kinds": {
                name: {"near": list(kinds.near), "far": list(kinds.far)}
                for name, kinds in (("seen", self.seen), ("unseen", self.unseen))
            },
            "images": {"train_and_validation": per_kind(self.pool)}
            | {f"strangers/{name}": per_kind(split) for name, split in self.held_out.items()},
            "duplicates": self.duplicates,
        }


def choose_strangers(
    contents: Contents, classes: Sequence[str], *, count: int, step: int, test: Split, train: Split, seed: int
) -> Strangers:
    """Choose the pictures of the class *neither* and the held-out strangers; no picture is in two places.

    Args:
        contents: the archive's.
        classes: the configured ones.
        count: how many pictures the class should have; fewer when the archive has fewer.
        step: `train` and the class together become a multiple of it, so that batches divide them.
        test: the classes' held-out pictures, never touched.
        train: the classes' other pictures, never touched.
        seed: which kinds and pictures.

    Raises:
        UserError: the archive has no other class, or only one.
    """
    rng = np.random.default_rng([seed, STREAM])
    seen, unseen = _kinds(contents, classes, rng)
    known = {*test.digests(), *train.digests()}
    held_out: dict[str, Split] = {}
    duplicates: dict[str, int] = {}
    for name, kinds in (("seen", seen), ("unseen", unseen)):
        dealer = _Dealer(contents.test, contents.class_names, known, rng)
        rows = dealer.deal(kinds, HELD_OUT)
        held_out[name] = Split(contents.test, rows, contents.test.labels[rows])
        duplicates[f"removed_from_strangers_{name}"] = dealer.duplicates
    dealer = _Dealer(contents.train, contents.class_names, known, rng)
    rows = dealer.deal(seen, count)
    duplicates["removed_from_train"] = dealer.duplicates
    surplus = (len(train) + len(rows)) % step
    rows = rows[: len(rows) - surplus] if len(rows) > surplus else rows
    pool = Split(contents.train, rows, np.full(len(rows), len(classes), dtype=np.int64))
    return Strangers(pool, held_out, seen, unseen, duplicates)


def _kinds(contents: Contents, classes: Sequence[str], rng: np.random.Generator) -> tuple[Kinds, Kinds]:
    """The seen and the unseen kinds, of those that have pictures in both parts."""
    present = set(np.unique(contents.train.labels).tolist()) & set(np.unique(contents.test.labels).tolist())
    names = [name for label, name in enumerate(contents.class_names) if label in present and name not in classes]
    if len(names) < 2:
        raise UserError(
            f"the class neither needs two other classes in the archive or more, and there are {len(names)}; "
            "without it: prepare --no-neither, and scones:neitherClass false in the stack's file"
        )
    own = {_group(name) for name in classes}
    near = [name for name in names if _group(name) in own]
    groups: dict[str, list[str]] = {}
    for name in names:
        if name not in near:
            groups.setdefault(_group(name), []).append(name)
    near_unseen = _some(near, rng)
    far_unseen = [name for group in _some(sorted(groups), rng) for name in groups[group]]
    hidden = {*near_unseen, *far_unseen} or {names[int(rng.integers(len(names)))]}
    seen, unseen = (
        Kinds(
            tuple(name for name in near if (name in hidden) is out),
            tuple(name for name in names if name not in near and (name in hidden) is out),
        )
        for out in (False, True)
    )
    return seen, unseen


def _group(name: str) -> str:
    """A name for all that is near to each other; an archive's own class, unknown to CIFAR-100, is alone."""
    superclass = SUPERCLASS_OF.get(name, name)
    return "vehicles" if superclass.startswith("vehicles_") else superclass


def _some(names: Sequence[str], rng: np.random.Generator) -> list[str]:
    """`UNSEEN_SHARE` of the names, and at least one of two."""
    count = max(1, round(UNSEEN_SHARE * len(names))) if len(names) > 1 else 0
    return [names[int(place)] for place in rng.permutation(len(names))[:count]]


class _Dealer:
    """Deals pictures of kinds in turn, and none whose pixels are known already."""

    def __init__(self, part: Part, names: Sequence[str], known: set[bytes], rng: np.random.Generator) -> None:
        self.part, self.names, self.known, self.rng = part, names, known, rng
        self.duplicates = 0

    def deal(self, kinds: Kinds, count: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """Rows of `count` pictures, `NEAR_SHARE` of them of near kinds; what one side lacks the other gives."""
        near, far = self._in_turn(kinds.near), self._in_turn(kinds.far)
        rows = list(itertools.islice(near, round(count * NEAR_SHARE)))
        rows += itertools.islice(far, count - len(rows))
        rows += itertools.islice(near, count - len(rows))
        return np.array(rows, dtype=np.int64)

    def _in_turn(self, kinds: Sequence[str]) -> Iterator[int]:
        places = [np.flatnonzero(self.part.labels == self.names.index(kind)) for kind in kinds]
        shuffled = [cast("list[int]", self.rng.permutation(rows).tolist()) for rows in places]
        for row in itertools.chain.from_iterable(itertools.zip_longest(*shuffled)):
            if row is None:
                continue
            digest = hashlib.sha256(self.part.pixels[row].data).digest()
            if digest in self.known:
                self.duplicates += 1
            else:
                self.known.add(digest)
                yield row
