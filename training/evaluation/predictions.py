"""Predictions of held-out photos, in memory and as predictions.jsonl.

The file's first line is a header, `{"classes": […], "model": …, "endpoint": …, "created": …}`; each line
after it is a photo, `{"key": …, "label": true class, "inferences": [a probability a label], "seconds":
…}`, or a picture of none of the classes, which has `"stranger": its group, "kind": what it shows` in place of
the label, or a held-out correction, which has `"corrected_from": what the model that was asked had said` beside it.
"""

from __future__ import annotations

import json
import math
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import cast

import numpy as np

from contract.errors import InvalidInference, UserError
from contract.inferences import read_inferences
from training.evaluation.corrected import ScoredCorrections
from training.evaluation.statistics import Bools, Floats, Ints
from training.evaluation.strangers import ScoredStrangers, acceptance


class PredictionsError(UserError):
    """A predictions file that is not what it must be; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Predictions:
    """What a model answered about photos whose class is known."""

    classes: tuple[str, ...]
    """What the model answers, in label order: with a label neither that is the last."""
    model: str
    endpoint: str
    created: str
    """ISO 8601, with its zone."""
    keys: list[str]
    labels: Ints
    """The true classes, as places in `classes`."""
    probabilities: Floats
    """A row per photo, a column per class."""
    seconds: Floats
    """How long each answer took."""
    strangers: Mapping[str, ScoredStrangers] = field(default_factory=dict[str, ScoredStrangers])
    """Pictures of none of the classes, by group: those of kinds `seen` in training, and of `unseen` ones."""
    corrected: ScoredCorrections | None = None
    """Held-out corrections, if there are any."""

    @property
    def acceptance(self) -> Floats:
        """What is compared with a threshold: the confidence, or 0 where the best label is neither."""
        return acceptance(self.probabilities, self.classes)

    @property
    def confidences(self) -> Floats:
        """The greatest probability of each photo."""
        return self.probabilities.max(axis=1)

    @property
    def predicted(self) -> Ints:
        """The most probable class of each photo, the first one on a tie, as the system decides."""
        return self.probabilities.argmax(axis=1)

    @property
    def correct(self) -> Bools:
        """Whether the most probable class is the true one."""
        return self.predicted == self.labels


def read_predictions(path: Path) -> Predictions:
    """The predictions in the file at `path`, read line by line.

    Raises PredictionsError, which names the line, for anything that the format does not allow.
    """
    try:
        with path.open(encoding="utf-8") as lines:
            return _parse(lines, str(path))
    except OSError as error:
        raise PredictionsError(f"the predictions file {path} can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise PredictionsError(f"the predictions file {path} is not UTF-8 text: {error.reason}") from error


def write_predictions(path: Path, predictions: Predictions) -> None:
    """Write `predictions` to `path`; reading them back gives the same."""
    with path.open("w", encoding="utf-8") as lines:
        header = {
            "classes": list(predictions.classes),
            "model": predictions.model,
            "endpoint": predictions.endpoint,
            "created": predictions.created,
        }
        lines.write(json.dumps(header) + "\n")
        for place, key in enumerate(predictions.keys):
            photo: dict[str, object] = {
                "key": key,
                "label": predictions.classes[predictions.labels[place]],
                "inferences": predictions.probabilities[place].tolist(),
                "seconds": float(predictions.seconds[place]),
            }
            lines.write(json.dumps(photo) + "\n")
        for group, scored in predictions.strangers.items():
            for place, key in enumerate(scored.keys):
                stranger: dict[str, object] = {
                    "key": key,
                    "stranger": group,
                    "kind": scored.kinds[place],
                    "inferences": scored.probabilities[place].tolist(),
                    "seconds": float(scored.seconds[place]),
                }
                lines.write(json.dumps(stranger) + "\n")
        if corrected := predictions.corrected:
            for place, key in enumerate(corrected.keys):
                correction: dict[str, object] = {
                    "key": key,
                    "label": predictions.classes[corrected.labels[place]],
                    "corrected_from": corrected.before[place],
                    "inferences": corrected.probabilities[place].tolist(),
                    "seconds": float(corrected.seconds[place]),
                }
                lines.write(json.dumps(correction) + "\n")


@dataclass(slots=True)
class _Rows:
    """The photos of one group as they are read; of strangers `kinds` says what they show, of corrections what a model
    had said.
    """

    keys: list[str] = field(default_factory=list[str])
    kinds: list[str] = field(default_factory=list[str])
    scores: array[float] = field(default_factory=lambda: array("d"))
    seconds: array[float] = field(default_factory=lambda: array("d"))

    def probabilities(self, labels: int) -> Floats:
        """A row per photo."""
        return np.array(self.scores, dtype=np.float64).reshape(len(self.keys), labels)


def _parse(lines: Iterable[str], name: str) -> Predictions:
    numbered = enumerate(lines, start=1)
    header = _object(next(numbered, (1, ""))[1], name, 1)
    labels = [label for label in _list(header.get("classes")) or [] if isinstance(label, str)]
    if len(labels) < 2 or len(set(labels)) < len(labels) or labels != header.get("classes"):
        raise PredictionsError(
            f"{name}:1: classes must be two or more different names, got {_shown(header.get('classes'))}"
        )
    place_of = {label: place for place, label in enumerate(labels)}
    photos, truths, strangers = _Rows(), array("q"), dict[str, _Rows]()
    corrected, answers = _Rows(), array("q")
    for number, line in numbered:
        if not line.strip():
            continue
        photo = _object(line, name, number)
        truth, took, group = photo.get("label"), photo.get("seconds", 0.0), photo.get("stranger")
        if group is not None:
            rows = strangers.setdefault(_text(photo, "stranger", name, number), _Rows())
            rows.kinds.append(_text(photo, "kind", name, number))
        elif isinstance(truth, str) and truth in place_of:
            rows, places = (corrected, answers) if "corrected_from" in photo else (photos, truths)
            places.append(place_of[truth])
            if rows is corrected:
                rows.kinds.append(_text(photo, "corrected_from", name, number))
        else:
            raise PredictionsError(f"{name}:{number}: label must be one of {', '.join(labels)}, got {_shown(truth)}")
        if isinstance(took, bool) or not isinstance(took, int | float) or not 0 <= took < math.inf:
            raise PredictionsError(f"{name}:{number}: seconds must be a number from 0 on, got {_shown(took)}")
        try:
            rows.scores.extend(read_inferences(photo.get("inferences"), len(labels)))
        except InvalidInference as error:
            raise PredictionsError(f"{name}:{number}: {error}") from None
        rows.keys.append(_text(photo, "key", name, number))
        rows.seconds.append(took)
    if not photos.keys:
        raise PredictionsError(f"{name} must hold at least one photo after its header")
    return Predictions(
        classes=tuple(labels),
        model=_text(header, "model", name, 1),
        endpoint=_text(header, "endpoint", name, 1),
        created=_time(header, name),
        keys=photos.keys,
        labels=np.array(truths, dtype=np.int64),
        probabilities=photos.probabilities(len(labels)),
        seconds=np.array(photos.seconds, dtype=np.float64),
        strangers={
            group: ScoredStrangers(
                rows.keys, rows.kinds, rows.probabilities(len(labels)), np.array(rows.seconds, dtype=np.float64)
            )
            for group, rows in strangers.items()
        },
        corrected=ScoredCorrections(
            corrected.keys,
            np.array(answers, dtype=np.int64),
            corrected.probabilities(len(labels)),
            np.array(corrected.seconds, dtype=np.float64),
            corrected.kinds,
        )
        if corrected.keys
        else None,
    )


def _list(value: object) -> list[object] | None:
    return cast("list[object]", value) if isinstance(value, list) else None


def _object(line: str, name: str, number: int) -> dict[str, object]:
    try:
        value: object = json.loads(line)
    except (ValueError, RecursionError):
        raise PredictionsError(f"{name}:{number}: must be a JSON object, got {_shown(line.rstrip())}") from None
    if not isinstance(value, dict):
        raise PredictionsError(f"{name}:{number}: must be a JSON object, got {_shown(value)}")
    return cast("dict[str, object]", value)


def _text(values: dict[str, object], key: str, name: str, number: int) -> str:
    value = values.get(key)
    if not isinstance(value, str):
        raise PredictionsError(f"{name}:{number}: {key} must be a string, got {_shown(value)}")
    return value


def _time(header: dict[str, object], name: str) -> str:
    value = _text(header, "created", name, 1)
    try:
        known = datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        known = False
    if not known:
        raise PredictionsError(f"{name}:1: created must be an ISO 8601 time with its zone, got {_shown(value)}")
    return value


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
