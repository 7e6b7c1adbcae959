"""A root that is a Pulumi project of its own: the real program and stack files, a small drawn dataset."""

from pathlib import Path

from training.dataset.archive import Archive
from training.dataset.labels import stack_neither
from training.dataset.prepare import prepare
from training.synthetic.synthesize import write_archive

REPOSITORY = Path(__file__).resolve().parents[2]
EMPTY_ZIP = b"PK\x05\x06" + bytes(18)
CLASSES = ("bicycle", "motorcycle")


def write_root(root: Path, *, train: int = 150, test: int = 40, others: int = 4) -> Path:
    for path in (REPOSITORY / "__main__.py", *REPOSITORY.glob("Pulumi*.yaml")):
        (root / path.name).symlink_to(path)
    archive = write_archive(
        root / "archive.tar.gz",
        classes=list(CLASSES),
        train_per_class=train,
        test_per_class=test,
        others_per_kind=others,
    )
    prepare(Archive(archive), list(CLASSES), root / "build/dataset", neither=stack_neither(None))
    (root / "build/layer.zip").write_bytes(EMPTY_ZIP)
    return root
