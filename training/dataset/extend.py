"""A prepared dataset with what people answered since: its held-out test and strangers stay the very same photos.

It takes no archive: a dataset holds all that corrections are merged with. Of the same answers it makes the same dataset
as `prepare` does, byte for byte, as long as the dataset held no corrections; else what it held stays where it is, and
new ones are added to it.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from PIL import Image

from training.dataset.answered import Answers
from training.dataset.archive import ROW, Part
from training.dataset.corrections import Grown, grow, joined
from training.dataset.files import write_grown
from training.dataset.manifest import CORRECTED, FILE, SPLITS, Manifest, manifest_of, read_manifest
from training.dataset.recordio import read_records
from training.dataset.selection import Split

if TYPE_CHECKING:
    from training.dataset.answered import AnsweredPhoto

HELD_OUT = ("test/", "strangers/", f"{CORRECTED}/")
"""Folders of pictures that no training sees."""
LEARNED = ("train", "validation")


@dataclass(frozen=True, slots=True)
class Extended:
    """What came of it."""

    manifest: Manifest
    section: Mapping[str, Any]
    """What the manifest says of all corrections."""
    added: int
    """Corrections that the dataset did not hold before, held-out ones among them."""


def extend(base: Path, answers: Answers, output: Path) -> Extended:
    """Write a dataset with more corrections.

    Args:
        base: a prepared dataset.
        answers: what people said; what the dataset holds already is passed over.
        output: a folder that is not there yet.

    Raises:
        DatasetError: `base` is no dataset, or was changed since it was prepared.
    """
    manifest = read_manifest(base)
    content = cast("dict[str, Any]", json.loads((base / FILE).read_text(encoding="utf-8")))
    del content["identity"]
    before = cast("dict[str, Any] | None", content.get("corrections"))
    train, validation = (_learned(base, manifest, name) for name in LEARNED)
    held_before = _pictures(base, manifest, f"{CORRECTED}/")
    known = {*train.digests(), *validation.digests()}
    known.update(_digest(base / path) for path in manifest.files if path.startswith(HELD_OUT))
    grown = grow(
        train,
        validation,
        known,
        _fresh(answers, before),
        manifest.classes,
        validation=content["parameters"]["validation"],
        seed=content["parameters"]["seed"],
    )
    added = sum(sum(grown.section["images"][name].values()) for name in SPLITS)  # type: ignore[index]
    if held_before:
        grown = Grown(grown.train, grown.validation, joined(held_before, grown.held_out), grown.section)
    output.mkdir(parents=True)
    files = write_grown(output, grown, manifest.classes, manifest.format)
    for path in manifest.files:
        if path.startswith(HELD_OUT[:2]) or path == "test.lst":
            (output / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(base / path, output / path)
            files[path] = manifest.files[path]
    for name, split in (("train", grown.train), ("validation", grown.validation)):
        content["splits"][name] = {"images": len(split), "per_class": split.per_class(manifest.classes)}
    content["files"] = files
    content["corrections"] = _both(before, grown.section) if before else grown.section
    made = manifest_of(content)
    text = json.dumps({**content, "identity": made.identity}, indent=1, sort_keys=True)
    (output / FILE).write_text(text + "\n", encoding="utf-8")
    return Extended(made, content["corrections"], added)


def _fresh(answers: Answers, before: Mapping[str, Any] | None) -> Answers:
    """The answers that are not in the dataset under their own names."""
    held = {name for split in SPLITS for name in before["answers"][split]} if before else set[str]()
    photos: list[AnsweredPhoto] = [photo for photo in answers.photos if photo.name not in held]
    return Answers(tuple(photos), answers.damaged)


def _both(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, object]:
    """What the manifest says of earlier and new corrections together; what is left out is judged anew each time."""
    identity = hashlib.sha256(json.dumps([before["identity"], now["identity"]]).encode()).hexdigest()
    images = {
        name: {label: count + now["images"][name][label] for label, count in before["images"][name].items()}
        for name in SPLITS
    }
    return {
        **now,
        "identity": identity,
        "images": images,
        "answers": {name: sorted([*before["answers"][name], *now["answers"][name]]) for name in SPLITS},
        "model_said": {**before["model_said"], **now["model_said"]},
        "made_room": {name: before["made_room"][name] + now["made_room"][name] for name in LEARNED},
    }


def _learned(base: Path, manifest: Manifest, name: str) -> Split:
    """The images of train or validation, with the archive's names."""
    in_files = manifest.format == "image"
    listed = base / (f"{name}_lst/{name}.lst" if in_files else f"{name}.lst")
    lines = [line.split("\t") for line in listed.read_text(encoding="utf-8").splitlines()]
    names = tuple(path.partition("_")[2] for _, _, path in lines)
    images = ((base / name / path).read_bytes() for _, _, path in lines) if in_files else _records(base, name)
    return _split([_pixels(image) for image in images], [int(label) for _, label, _ in lines], names)


def _records(base: Path, name: str) -> Iterator[bytes]:
    with (base / name / f"{name}.rec").open("rb") as file:
        yield from (record.payload for record in read_records(file))


def _pictures(base: Path, manifest: Manifest, folder: str) -> Split | None:
    """Pictures in a folder for each label; None without any."""
    paths = sorted((path for path in manifest.files if path.startswith(folder)), key=lambda path: path.split("/")[-1])
    if not paths:
        return None
    labels = [manifest.classes.index(path.split("/")[1]) for path in paths]
    names = tuple(path.split("/")[-1].partition("_")[2] for path in paths)
    return _split([_pixels((base / path).read_bytes()) for path in paths], labels, names)


def _split(images: list[bytes], labels: list[int], names: tuple[str, ...]) -> Split:
    pixels = np.frombuffer(b"".join(images), dtype=np.uint8).reshape(len(images), ROW)
    places = np.array(labels, dtype=np.int64)
    return Split(Part(pixels, places, names), np.arange(len(images)), places)


def _digest(path: Path) -> bytes:
    return hashlib.sha256(_pixels(path.read_bytes())).digest()


def _pixels(png: bytes) -> bytes:
    """A dataset's picture as the archive has it: its planes of red, green and blue."""
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image).transpose(2, 0, 1).tobytes()
