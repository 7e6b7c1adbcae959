"""What of a dataset no training saw, and what a model answers about all of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from contract.decisions import classes_of
from contract.errors import UserError
from training.dataset.manifest import CORRECTED, Manifest, read_manifest
from training.evaluation.corrected import ScoredCorrections
from training.evaluation.predictions import Predictions
from training.evaluation.scoring import photos_in
from training.evaluation.statistics import Floats
from training.evaluation.strangers import ScoredStrangers


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Photos of the classes, strangers by group, and held-out corrections."""

    dataset: Path
    manifest: Manifest
    photos: tuple[Path, ...]
    """Of the classes: each lies in a folder that is named as its class."""
    strangers: Mapping[str, tuple[Path, ...]]
    """By group: `seen` and `unseen` of a dataset, or the folders of a given one."""
    corrected: tuple[Path, ...]

    @property
    def paths(self) -> list[Path]:
        """Everything, in the order in which `predictions` takes answers."""
        return [*self.photos, *(path for paths in self.strangers.values() for path in paths), *self.corrected]

    def predictions(
        self, probabilities: Floats, seconds: Floats, *, model: str, endpoint: str, now: datetime
    ) -> Predictions:
        """What a model answered.

        Args:
            probabilities: a row for each of `paths`.
            seconds: how long each answer took.
            model: the model's name.
            endpoint: who was asked.
            now: when.
        """
        classes = classes_of(self.manifest.classes)
        places = {label: place for place, label in enumerate(classes)}
        scored: dict[str, ScoredStrangers] = {}
        start = len(self.photos)
        for group, paths in self.strangers.items():
            rows = slice(start, start + len(paths))
            scored[group] = ScoredStrangers(
                [self._key(path) for path in paths],
                [path.parent.name for path in paths],
                probabilities[rows],
                seconds[rows],
            )
            start += len(paths)
        return Predictions(
            classes=self.manifest.classes,
            model=model,
            endpoint=endpoint,
            created=now.isoformat(timespec="seconds"),
            keys=[self._key(photo) for photo in self.photos],
            labels=np.array([places[photo.parent.name] for photo in self.photos], dtype=np.int64),
            probabilities=probabilities[: len(self.photos)],
            seconds=seconds[: len(self.photos)],
            strangers=scored,
            corrected=self._corrections(probabilities[start:], seconds[start:]),
        )

    def _corrections(self, probabilities: Floats, seconds: Floats) -> ScoredCorrections | None:
        if not self.corrected:
            return None
        labels = [self.manifest.classes.index(photo.parent.name) for photo in self.corrected]
        before = [self.manifest.model_said[photo.stem.rpartition("_")[2]] for photo in self.corrected]
        keys = [self._key(photo) for photo in self.corrected]
        return ScoredCorrections(keys, np.array(labels, dtype=np.int64), probabilities, seconds, before)

    def _key(self, path: Path) -> str:
        return path.relative_to(self.dataset).as_posix() if path.is_relative_to(self.dataset) else path.as_posix()


def held_out(dataset: Path, strangers: Path | None = None) -> HeldOut:
    """What of a dataset no training saw.

    Args:
        dataset: a prepared one.
        strangers: pictures of none of the classes, in folders GROUP/KIND, instead of the dataset's own.

    Raises:
        UserError: it is no dataset, or a photo lies in no class's folder.
    """
    manifest = read_manifest(dataset)
    classes = classes_of(manifest.classes)
    photos = photos_in(dataset / "test")
    for photo in photos:
        if photo.parent.name not in classes:
            raise UserError(f"the photo {photo} must lie in a folder named as its class: {', '.join(classes)}")
    corrected = photos_in(dataset / CORRECTED) if manifest.model_said else []
    return HeldOut(dataset, manifest, tuple(photos), _strangers(strangers, dataset), tuple(corrected))


def _strangers(given: Path | None, dataset: Path) -> dict[str, tuple[Path, ...]]:
    folder = given or dataset / "strangers"
    if given is None and not folder.is_dir():
        return {}
    groups: dict[str, list[Path]] = {}
    for path in photos_in(folder):
        inside = path.relative_to(folder).parts
        groups.setdefault(inside[0] if len(inside) > 1 else "given", []).append(path)
    return {group: tuple(paths) for group, paths in groups.items()}
