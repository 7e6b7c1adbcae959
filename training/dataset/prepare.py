"""From an archive to a dataset, the same bytes on every machine."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from contract.decisions import labels_of
from contract.errors import UserError
from training.dataset.archive import SIDE, Archive
from training.dataset.corrections import merge
from training.dataset.files import write_files
from training.dataset.manifest import FILE, SPLITS, VERSION, Format, Manifest, manifest_of
from training.dataset.splits import split

if TYPE_CHECKING:
    from training.dataset.answered import Answers


def prepare(
    archive: Archive,
    classes: Sequence[str],
    output: Path,
    *,
    format: Format = "recordio",
    validation: float = 0.2,
    seed: int = 0,
    neither: bool = False,
    corrections: Answers | None = None,
) -> Manifest:
    """Write a dataset: train and validation from the archive's train part, the held-out test from its test part.

    Args:
        archive: where the images are.
        classes: names of its classes; their order is the order of the new labels, from 0.
        output: the dataset's folder; replaced as a whole when all is written.
        format: `recordio` (one `.rec` file a split) or `image` (PNG files and `.lst` files).
        validation: the share of the train part that goes to validation, above 0 and below 1.
        seed: which images go to validation, and which become the class neither.
        neither: add the class of pictures of none of the classes (`training.dataset.strangers`).
        corrections: photos that people answered, to be merged (`training.dataset.corrections`).

    Raises:
        UserError: an unknown or repeated class, a share out of range, a damaged archive, too few images, or an
            `output` that holds anything but a dataset.
    """
    if output.exists() and not (output / FILE).is_file() and not (output.is_dir() and not any(output.iterdir())):
        raise UserError(f"{output} exists and is not a dataset: it is left alone; give another --output")
    contents = archive.read()
    splits = split(contents, classes, validation=validation, seed=seed, neither=neither)
    labels = labels_of(classes, neither=neither)
    merged = None
    if corrections is not None:
        merged = merge(splits, corrections, labels, validation=validation, seed=seed)
        splits = merged.splits
    output.parent.mkdir(parents=True, exist_ok=True)
    # beside its destination, so that the last step is a rename
    with tempfile.TemporaryDirectory(prefix=f".{output.name}-", dir=output.parent) as temporary:
        fresh = Path(temporary) / "fresh"
        fresh.mkdir()
        content: dict[str, object] = {
            "version": VERSION,
            "format": format,
            "classes": list(labels),
            "image_size": SIDE,
            "splits": {
                name: {"images": len(each), "per_class": each.per_class(classes if name == "test" else labels)}
                for name, each in zip(SPLITS, (splits.train, splits.validation, splits.test), strict=True)
            },
            "duplicates": splits.duplicates,
            "files": write_files(fresh, splits, contents.class_names, labels, format),
            "parameters": {"validation": validation, "seed": seed},
            "source": {"sha256": dict(contents.sha256)},
        }
        if splits.strangers:
            content["neither"] = splits.strangers.section(contents, seed)
        if merged:
            content["corrections"] = merged.section
        manifest = manifest_of(content)
        text = json.dumps({**content, "identity": manifest.identity}, indent=1, sort_keys=True)
        (fresh / FILE).write_text(text + "\n", encoding="utf-8")
        _replace(output, fresh, Path(temporary) / "previous")
    return manifest


def _replace(output: Path, fresh: Path, previous: Path) -> None:
    if not output.exists():
        fresh.rename(output)
        return
    output.rename(previous)
    try:
        fresh.rename(output)
    except BaseException:
        previous.rename(output)
        raise
