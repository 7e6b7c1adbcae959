"""Predictions of held-out photos, in memory and as predictions.jsonl.

The file's first line is a header, `{"classes": […], "model": …, "endpoint": …, "created": …}`; each line
after it is a photo, `{"key": …, "label": true class, "inferences": [a probability a class], "seconds":
…}`.
"""

from __future__ import annotations

import json
import math
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import cast

import numpy as np

from contract.errors import InvalidInference, UserError
from contract.inferences import read_inferences
from training.evaluation.statistics import Bools, Floats, Ints


class PredictionsError(UserError):
    """A predictions file that is not what it must be; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Predictions:
    """What a model answered about photos whose class is known."""

    classes: tuple[str, ...]
    """In label order."""
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


def _parse(lines: Iterable[str], name: str) -> Predictions:
    numbered = enumerate(lines, start=1)
    header = _object(next(numbered, (1, ""))[1], name, 1)
    labels = [label for label in _list(header.get("classes")) or [] if isinstance(label, str)]
    if len(labels) < 2 or len(set(labels)) < len(labels) or labels != header.get("classes"):
        raise PredictionsError(
            f"{name}:1: classes must be two or more different names, got {_shown(header.get('classes'))}"
        )
    place_of = {label: place for place, label in enumerate(labels)}
    keys: list[str] = []
    truths, scores, seconds = array("q"), array("d"), array("d")
    for number, line in numbered:
        if not line.strip():
            continue
        photo = _object(line, name, number)
        truth, took = photo.get("label"), photo.get("seconds", 0.0)
        if not isinstance(truth, str) or truth not in place_of:
            raise PredictionsError(f"{name}:{number}: label must be one of {', '.join(labels)}, got {_shown(truth)}")
        if isinstance(took, bool) or not isinstance(took, int | float) or not 0 <= took < math.inf:
            raise PredictionsError(f"{name}:{number}: seconds must be a number from 0 on, got {_shown(took)}")
        try:
            scores.extend(read_inferences(photo.get("inferences"), len(labels)))
        except InvalidInference as error:
            raise PredictionsError(f"{name}:{number}: {error}") from None
        keys.append(_text(photo, "key", name, number))
        truths.append(place_of[truth])
        seconds.append(took)
    if not keys:
        raise PredictionsError(f"{name} must hold at least one photo after its header")
    return Predictions(
        classes=tuple(labels),
        model=_text(header, "model", name, 1),
        endpoint=_text(header, "endpoint", name, 1),
        created=_time(header, name),
        keys=keys,
        labels=np.array(truths, dtype=np.int64),
        probabilities=np.array(scores, dtype=np.float64).reshape(len(keys), len(labels)),
        seconds=np.array(seconds, dtype=np.float64),
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
