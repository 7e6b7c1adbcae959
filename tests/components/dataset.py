"""The smallest folder that is a dataset: real manifest, made-up bytes."""

import hashlib
import json
from pathlib import Path

from training.dataset.manifest import VERSION, identity_of


def write_dataset(folder: Path, *, format: str = "recordio", seed: bytes = b"") -> Path:
    files = {
        "recordio": ["train/train.rec", "validation/validation.rec"],
        "image": [
            "train/a.png",
            "validation/b.png",
            "train_lst/train.lst",
            "validation_lst/validation.lst",
        ],
    }[format]
    hashes = {}
    for name in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode() + seed)
        hashes[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    content = {
        "version": VERSION,
        "format": format,
        "classes": ["bicycle", "motorcycle", "neither"],
        "image_size": 32,
        "splits": {split: {"images": 800} for split in ("train", "validation", "test")},
        "files": hashes,
    }
    content["identity"] = identity_of(content)
    (folder / "manifest.json").write_text(json.dumps(content))
    return folder
