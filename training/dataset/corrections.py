"""Corrections become data: what people answered, merged into the archive's splits, and none of it in two places.

Two pictures are the same when their pixels are, at the model's size. What the dataset holds already stays where it is;
what people disagreed about is left out; anything else goes where its own pixels say, so that a picture that was held
out once is held out of every later dataset, whatever else was answered in between. Those held out lie in a folder of
their own: they are what a model was not sure of, and among the archive's test photos they would bend its accuracy and
the threshold that is taken of it.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from training.dataset.archive import ROW, Part
from training.dataset.manifest import SPLITS
from training.dataset.selection import Rows, Split
from training.dataset.splits import Splits, batch_multiple

if TYPE_CHECKING:
    from training.dataset.answered import AnsweredPhoto, Answers

HELD_OUT_SHARE = 0.2
"""Of the corrections: those that no training sees. Of the others as many validate as of the archive's."""
STREAM = 2
"""Distinguishes the order of the merged training set from the split's and the strangers' random numbers."""
NAME_DIGITS = 16
"""Hexadecimal digits of a picture's SHA-256 that its file is named after."""

NAMED = 5
"""Damaged files that the sentence names; the manifest names all."""
REASONS = {
    "already_in_dataset": "already in the dataset",
    "conflicting": "whose answers disagree",
    "label_not_in_dataset": "with a label that the dataset has not",
    "repeated": "of a picture that is taken already",
    "damaged": "damaged or incomplete",
}
"""Why a correction is left out, in the order in which it is asked, but for damage, which comes first."""


@dataclass(frozen=True, slots=True)
class Merged:
    """The splits with corrections in them."""

    splits: Splits
    section: Mapping[str, object]
    """What the manifest says of them."""


@dataclass(frozen=True, slots=True)
class Grown:
    """What a model learns from with corrections in it, and those that are held out."""

    train: Split
    validation: Split
    held_out: Split
    section: Mapping[str, object]
    """What the manifest says of them."""


def merge(splits: Splits, answers: Answers, labels: Sequence[str], *, validation: float, seed: int) -> Merged:
    """Put corrections into train and validation, and hold some out.

    Sets that are multiples of a batch stay so: pictures of the archive make room for the surplus, of the label that
    has the most.

    Args:
        splits: the archive's; its test and strangers are never touched.
        answers: what people said.
        labels: the dataset's, in order.
        validation: of the corrections that are not held out, the share that goes to validation.
        seed: of the order of the training set.
    """
    known = {*splits.train.digests(), *splits.validation.digests(), *splits.test.digests()}
    for held_out in splits.strangers.held_out.values() if splits.strangers else ():
        known.update(held_out.digests())
    grown = grow(splits.train, splits.validation, known, answers, labels, validation=validation, seed=seed)
    merged = replace(splits, train=grown.train, validation=grown.validation, corrected=grown.held_out)
    return Merged(merged, grown.section)


def grow(
    train: Split,
    validating: Split,
    known: Collection[bytes],
    answers: Answers,
    labels: Sequence[str],
    *,
    validation: float,
    seed: int,
) -> Grown:
    """Put corrections into the sets that a model learns from, and hold some out.

    Args:
        train: the images to learn from.
        validating: those that choose the best epoch.
        known: the SHA-256 of every picture that the dataset holds.
        answers: what people said.
        labels: the dataset's, in order.
        validation: as in `merge`.
        seed: as in `merge`.
    """
    chosen = _choose(answers, known, labels)
    shares = _shares(validation)
    parts = {name: [each for each in chosen.taken if _split_of(each, shares) == name] for name in SPLITS}
    corrected = {name: _as_split(photos, labels) for name, photos in parts.items()}
    step = batch_multiple(len(validating))
    kept = _with_room(train, corrected["train"], step)
    kept_validating = _with_room(validating, corrected["validation"], step)
    order = np.random.default_rng([seed, STREAM]).permutation(len(kept) + len(corrected["train"]))
    section: dict[str, object] = {
        "identity": _identity(chosen.taken),
        "shares": shares,
        "images": {name: split.per_class(labels) for name, split in corrected.items()},
        "answers": {name: sorted(each.name for each in photos) for name, photos in parts.items()},
        "model_said": {_name(each): each.model_said for each in parts["test"]},
        "made_room": {
            "train": len(train) - len(kept),
            "validation": len(validating) - len(kept_validating),
        },
        "left_out": chosen.left_out,
        "labels_not_in_dataset": dict(sorted(chosen.unknown.items())),
        "damaged": dict(answers.damaged),
    }
    return Grown(
        train=joined(kept, corrected["train"]).take(order) if parts["train"] else train,
        validation=joined(kept_validating, corrected["validation"]) if parts["validation"] else validating,
        held_out=corrected["test"],
        section=section,
    )


def told(section: Mapping[str, Any]) -> str:
    """What a manifest says of its corrections, as one sentence."""
    images, left_out = section["images"], section["left_out"]
    per_split = {name: sum(images[name].values()) for name in SPLITS}
    taken = sum(per_split.values())
    per_label = {label: sum(images[name][label] for name in SPLITS) for label in images["train"]}
    text = f"corrections: {taken} of {taken + sum(left_out.values())} taken"
    if taken:
        counts = f"{per_split['train']} train, {per_split['validation']} validation, {per_split['test']} held out"
        text += f" ({counts}): {', '.join(f'{count} {label}' for label, count in per_label.items() if count)}"
    unknown = section["labels_not_in_dataset"].items()
    details = {
        "label_not_in_dataset": ", ".join(f"{count} {name}" for name, count in unknown),
        "damaged": "; ".join(f"{name}: {why}" for name, why in list(section["damaged"].items())[:NAMED]),
    }
    details["damaged"] += "; …" if len(section["damaged"]) > NAMED else ""
    reasons = [
        f"{left_out[reason]} {words}" + (f" ({details[reason]})" if details.get(reason) else "")
        for reason, words in REASONS.items()
        if left_out[reason]
    ]
    text += f"; left out: {', '.join(reasons)}" if reasons else ""
    if made_room := sum(section["made_room"].values()):
        text += f"; {made_room} of the archive's pictures made room, so that batches divide the sets"
    return text


@dataclass(frozen=True, slots=True)
class _Chosen:
    taken: list[AnsweredPhoto]
    """In the order of their pixels' hashes."""
    left_out: dict[str, int]
    unknown: Counter[str]


def _digest(photo: AnsweredPhoto) -> bytes:
    return hashlib.sha256(photo.pixels).digest()


def _name(photo: AnsweredPhoto) -> str:
    return _digest(photo).hex()[:NAME_DIGITS]


def _choose(answers: Answers, known: Collection[bytes], labels: Sequence[str]) -> _Chosen:
    alike: dict[bytes, list[AnsweredPhoto]] = {}
    for photo in answers.photos:
        alike.setdefault(_digest(photo), []).append(photo)
    taken: list[AnsweredPhoto] = []
    left_out = dict.fromkeys(REASONS, 0)
    left_out["damaged"] = len(answers.damaged)
    unknown = Counter[str]()
    for digest, photos in sorted(alike.items()):
        said = {photo.label for photo in photos}
        if digest in known:
            left_out["already_in_dataset"] += len(photos)
        elif len(said) > 1:
            left_out["conflicting"] += len(photos)
        elif not said <= {*labels}:
            left_out["label_not_in_dataset"] += len(photos)
            unknown[photos[0].label] += len(photos)
        else:
            left_out["repeated"] += len(photos) - 1
            taken.append(min(photos, key=lambda photo: photo.name))
    return _Chosen(taken, left_out, unknown)


def _shares(validation: float) -> dict[str, float]:
    """Of the corrections, by split."""
    held = (1 - HELD_OUT_SHARE) * validation
    shares = {"train": 1 - HELD_OUT_SHARE - held, "validation": held, "test": HELD_OUT_SHARE}
    return {name: round(share, 6) for name, share in shares.items()}


def _split_of(photo: AnsweredPhoto, shares: Mapping[str, float]) -> str:
    """Where a picture goes by its own pixels: into the test whatever the other shares are."""
    place = int.from_bytes(_digest(photo)[:8]) / 2**64
    if place < shares["test"]:
        return "test"
    return "validation" if place < shares["test"] + shares["validation"] else "train"


def _as_split(photos: Sequence[AnsweredPhoto], labels: Sequence[str]) -> Split:
    pixels = np.frombuffer(b"".join(photo.pixels for photo in photos), dtype=np.uint8).reshape(len(photos), ROW)
    places = np.array([labels.index(photo.label) for photo in photos], dtype=np.int64)
    part = Part(pixels, places, tuple(f"{_name(photo)}.png" for photo in photos))
    return Split(part, np.arange(len(photos)), places)


def _with_room(split: Split, corrected: Split, step: int) -> Split:
    """A set without as many of the archive's pictures as both together have over a multiple of `step`."""
    surplus = 0 if len(split) % step else (len(split) + len(corrected)) % step
    # corrections that it holds already are named after their pixels; the last of each list make room first
    archived = [
        name != f"{digest.hex()[:NAME_DIGITS]}.png"
        for name, digest in zip(split.filenames(), split.digests(), strict=True)
    ]
    own = {
        label: sorted(np.flatnonzero(split.labels == label).tolist(), key=archived.__getitem__)
        for label in range(int(split.labels.max()) + 1)
    }
    more = Counter(cast("list[int]", corrected.labels.tolist()))
    for _ in range(surplus):
        # no label loses its last picture of the archive
        spare = [label for label, places in own.items() if len(places) > 1]
        if not spare:
            break
        own[max(spare, key=lambda label: len(own[label]) + more[label])].pop()
    return split.take(np.sort(np.concatenate([np.array(places, dtype=np.int64) for places in own.values()])))


def joined(first: Split, second: Split) -> Split:
    """The images of both, of which each is of a part of its own."""

    def of_both(one: Rows, other: Rows) -> Rows:
        return np.concatenate([one, other])

    pixels = np.concatenate([first.part.pixels[first.rows], second.part.pixels[second.rows]])
    labels = of_both(first.labels, second.labels)
    part = Part(pixels, labels, (*first.filenames(), *second.filenames()))
    return Split(part, np.arange(len(labels)), labels)


def _identity(taken: Sequence[AnsweredPhoto]) -> str:
    """The SHA-256 of what was taken: each picture's own and its label."""
    content = [[_digest(each).hex(), each.label] for each in taken]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
