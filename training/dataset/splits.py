"""Which images train, which choose the best epoch, and which are held out: decided here, without touching a pixel."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from contract.classes import problem_with_classes
from contract.decisions import labels_of
from contract.errors import UserError
from training.dataset.archive import Contents, Part
from training.dataset.selection import Split
from training.dataset.strangers import Strangers, choose_strangers

BATCH_MULTIPLES = (100, 20)
"""Batches of 20, 25, 50 and 100, or at least of 20, divide such sets: the algorithm drops a last, partial batch."""


@dataclass(frozen=True, slots=True)
class Splits:
    """The three sets; no picture is in two of them."""

    train: Split
    """Shuffled: the algorithm reads a `.rec` file from its start to its end."""
    validation: Split
    test: Split
    duplicates: dict[str, int]
    """How many images were left out of train and validation, and how many are repeated in the test."""
    strangers: Strangers | None = None
    """With the class neither: where its images come from, and those that are held out."""
    corrected: Split | None = None
    """With corrections: those that are held out, of a part of their own; labelled as in train."""


def split(contents: Contents, classes: Sequence[str], *, validation: float, seed: int, neither: bool = False) -> Splits:
    """Pick classes by name, relabel them from 0, and divide their images.

    The class *neither* gets as many images as a class has on average, since the algorithm weighs every image alike;
    a few more or less make the sets multiples of the batches.

    Args:
        contents: an archive's.
        classes: 2 to 100 names of its classes, in the order of the new labels.
        validation: the share of the train part that goes to validation, above 0 and below 1.
        seed: which images go there.
        neither: add the class of pictures of none of the classes, with the last label, to train and validation.

    Raises:
        UserError: an unknown or repeated class, a share out of range, a class without images in a split.
    """
    _check(classes, contents.class_names, validation)
    wanted = [contents.class_names.index(name) for name in classes]
    test = _chosen(contents.test, wanted)
    pool, duplicates = _without_duplicates(_chosen(contents.train, wanted), test)
    strangers = None
    if neither:
        count, step = _balanced(len(pool), len(classes), validation)
        strangers = choose_strangers(contents, classes, count=count, step=step, test=test, train=pool, seed=seed)
        pool += strangers.pool
    labels = labels_of(classes, neither=neither)
    train, held = _divided(pool, len(labels), validation, seed)
    for name, each, needed in (("train", train, labels), ("validation", held, labels), ("test", test, classes)):
        for class_name, count in each.per_class(needed).items():
            if count == 0:
                raise UserError(f"the split {name} has no image of {class_name}; the archive has too few of them")
    return Splits(train, held, test, duplicates, strangers)


def _balanced(images: int, classes: int, share: float) -> tuple[int, int]:
    """How many images one more class needs, and of what number all images should be a multiple."""
    count = round(images / classes)
    step = batch_multiple((images + count) * share)
    return max(count % step, round((images + count) / step) * step - images), step


def batch_multiple(target: float) -> int:
    """What a set of about `target` images should be a multiple of."""
    return next((multiple for multiple in BATCH_MULTIPLES if target >= multiple), 1)


def _check(classes: Sequence[str], known: Sequence[str], validation: float) -> None:
    if not 0 < validation < 1:
        raise UserError(f"validation must be a share above 0 and below 1, got {validation}")
    for name in classes:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
            hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(known)}"
            raise UserError(f"the archive has no class {name!r}: {hint}")
    if problem := problem_with_classes(classes):
        raise UserError(f"classes must {problem[0]}, got {problem[1]}")


def _chosen(part: Part, wanted: Sequence[int]) -> Split:
    new_label = np.full(max(int(part.labels.max(initial=0)), *wanted) + 1, -1, dtype=np.int64)
    new_label[list(wanted)] = np.arange(len(wanted))
    labels = new_label[part.labels]
    rows = np.flatnonzero(labels >= 0)
    return Split(part, rows, labels[rows])


def _without_duplicates(train: Split, test: Split) -> tuple[Split, dict[str, int]]:
    """The train part without what the test part has, and each of its pictures once; the test is never touched."""
    tested = test.digests()
    in_test, seen = set(tested), set[bytes]()
    kept: list[int] = []
    across = within = 0
    for position, digest in enumerate(train.digests()):
        if digest in in_test:
            across += 1
        elif digest in seen:
            within += 1
        else:
            seen.add(digest)
            kept.append(position)
    counts = {
        "removed_from_train_because_in_test": across,
        "removed_from_train_because_repeated": within,
        "repeated_in_test": len(tested) - len(in_test),
    }
    return train.take(np.array(kept, dtype=np.int64)), counts


def _divided(pool: Split, classes: int, share: float, seed: int) -> tuple[Split, Split]:
    rng = np.random.default_rng(seed)
    shuffled = [rng.permutation(np.flatnonzero(pool.labels == label)) for label in range(classes)]
    counts = validation_counts([len(positions) for positions in shuffled], share)
    held = [positions[:count] for positions, count in zip(shuffled, counts, strict=True)]
    kept = [positions[count:] for positions, count in zip(shuffled, counts, strict=True)]
    return pool.take(rng.permutation(np.concatenate(kept))), pool.take(np.sort(np.concatenate(held)))


def validation_counts(per_class: Sequence[int], share: float) -> list[int]:
    """How many images of each class go to validation.

    The total is the nearest multiple of 100, or of 20 when the share is less than 100 images, or the nearest whole
    number below that; every class gives the same share of its images, but for the rounding, and at least one.

    Args:
        per_class: images of each class.
        share: of all images, above 0 and below 1.
    """
    target = sum(per_class) * share
    step = batch_multiple(target)
    total = round(target / step) * step
    if total >= sum(per_class):
        total = round(target)
    exact = [total * count / sum(per_class) if count else 0.0 for count in per_class]
    counts = [int(value) for value in exact]
    # the largest remainders take what is left; of equal ones, the first label
    by_remainder = sorted(range(len(exact)), key=lambda label: counts[label] - exact[label])
    for label in by_remainder[: total - sum(counts)]:
        counts[label] += 1
    return [max(1, count) for count in counts]
