"""How fast a dataset is made, against the loop of the notebooks and against the least that has to be done.

    python benchmarks/prepare.py [--folder /dev/shm/prepare]

Two questions, one run:

(a) Two classes, 1200 images, from arrays to files: `training.dataset.prepare`'s own steps (find duplicates,
    split, encode, hash, write files and lists), in either format, against the notebooks' loop (for each
    image `np.dstack` of three reshapes, then `plt.imsave`) over the same images.
(b) All 100 classes, 60,000 images, from the tar.gz: the command's whole `prepare` against unpickling plus encoding
    every image as PNG, in memory, nothing written: once with the product's encoder, once with Pillow's.

Files go to memory: on a busy disk a new file takes half a millisecond whoever makes it, and nothing else would be
measured. `--folder` on a disk shows that disk. Each way runs in a process of its own, so that its peak memory is
its own; each is run three times, the best counts.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

CLASSES = 100
TRAIN, TEST = 500, 100
TWO = ("class_08", "class_48")
ROUNDS = 3
MEMORY = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path("build/benchmarks")


def generate(folder: Path) -> None:
    """An archive of CIFAR-100's size: tiles of colour under noise, which compress about as well as photos."""
    import io
    import tarfile

    import numpy as np

    from training.dataset.pickles import dump

    rng = np.random.default_rng(1)
    names = [f"class_{number:02d}".encode() for number in range(CLASSES)]
    members = [("meta", dump({b"fine_label_names": names}))]
    for name, count in (("test", TEST * CLASSES), ("train", TRAIN * CLASSES)):
        tiles = rng.integers(0, 224, (count, 3, 8, 8), np.uint8).repeat(4, axis=2).repeat(4, axis=3)
        pixels = tiles.reshape(count, 3072) + rng.integers(0, 32, (count, 3072), np.uint8)
        labels: list[int] = (rng.permutation(count) % CLASSES).tolist()
        files = [b"picture_s_%06d.png" % index for index in range(count)]
        members.append((name, dump({b"data": pixels, b"fine_labels": labels, b"filenames": files})))
    with tarfile.open(folder / "archive.tar.gz", "w:gz", compresslevel=6) as tar:
        for name, data in members:
            info = tarfile.TarInfo(f"cifar-100-python/{name}")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def two_classes(folder: Path) -> Any:
    """The archive's contents, and of the two classes the arrays that a notebook has: loaded before the clock runs."""
    import numpy as np

    from training.dataset.archive import Archive

    contents = Archive(folder / "archive.tar.gz").read()
    wanted = [contents.class_names.index(name) for name in TWO]
    parts = (("train", contents.train), ("test", contents.test))
    rows = {name: part.pixels[np.isin(part.labels, wanted)] for name, part in parts}
    names = {
        name: [part.filenames[row] for row in np.flatnonzero(np.isin(part.labels, wanted))] for name, part in parts
    }
    return contents, rows, names


def record_files_of_two(folder: Path) -> Callable[[], int]:
    return _ours_of_two(folder, "recordio")


def png_files_of_two(folder: Path) -> Callable[[], int]:
    return _ours_of_two(folder, "image")


def _ours_of_two(folder: Path, format: Any) -> Callable[[], int]:
    from training.dataset.files import write_files
    from training.dataset.splits import split

    contents, _, _ = two_classes(folder)
    (folder / "ours").mkdir()

    def run() -> int:
        splits = split(contents, TWO, validation=0.2, seed=0)
        write_files(folder / "ours", splits, contents.class_names, TWO, format)
        return sum(map(len, (splits.train, splits.validation, splits.test)))

    return run


def notebooks_of_two(folder: Path) -> Callable[[], int]:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    import numpy as np

    _, rows, names = two_classes(folder)
    for name in rows:
        (folder / "notebook" / name).mkdir(parents=True)

    def run() -> int:
        written = 0
        for part, pixels in rows.items():
            for index in range(len(pixels)):
                row = pixels[index]
                image = np.dstack(
                    (row[0:1024].reshape(32, 32), row[1024:2048].reshape(32, 32), row[2048:].reshape(32, 32))
                )
                plt.imsave(folder / "notebook" / part / names[part][index], image)
                written += 1
        return written

    return run


def whole(folder: Path) -> Callable[[], int]:
    from training.dataset.archive import Archive
    from training.dataset.prepare import prepare

    def run() -> int:
        classes = [f"class_{number:02d}" for number in range(CLASSES)]
        manifest = prepare(Archive(folder / "archive.tar.gz"), classes, folder / "whole")
        return sum(manifest.splits.values())

    return run


def unpickled(folder: Path) -> Any:
    """Both parts' pixels, by the shortest way there is."""
    import pickle
    import tarfile

    with tarfile.open(folder / "archive.tar.gz") as tar:
        for name in ("train", "test"):
            file = tar.extractfile(f"cifar-100-python/{name}")
            assert file is not None
            yield pickle.load(file, encoding="bytes")[b"data"]


def floor(folder: Path) -> Callable[[], int]:
    import numpy as np

    from training.dataset.png import encode_pngs

    def run() -> int:
        return sum(bool(png) for data in unpickled(folder) for png in encode_pngs(data, np.arange(len(data))))

    return run


def floor_with_pillow(folder: Path) -> Callable[[], int]:
    import io

    from PIL import Image

    def run() -> int:
        count = 0
        for data in unpickled(folder):
            for image in data.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1):
                Image.fromarray(image.copy()).save(io.BytesIO(), "PNG")
                count += 1
        return count

    return run


def _measure(connection: Any, way: Callable[[Path], Callable[[], int]], folder: Path) -> None:
    run = way(folder)
    start = time.perf_counter()
    count = run()
    seconds = time.perf_counter() - start
    connection.send((count, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def _in_process(target: Callable[..., Any], *arguments: Any) -> None:
    process = multiprocessing.get_context("spawn").Process(target=target, args=arguments)
    process.start()
    process.join()
    if process.exitcode:
        sys.exit(f"{target.__name__} failed")


def best(title: str, way: Callable[[Path], Callable[[], int]], folder: Path, images: int) -> float:
    """The shortest of the runs, each in a process and, for its files, in a folder of its own."""
    runs: list[tuple[int, float, float]] = []
    for _ in range(ROUNDS):
        for path in ("ours", "notebook", "whole"):
            shutil.rmtree(folder / path, ignore_errors=True)
        receiving, sending = multiprocessing.Pipe(duplex=False)
        _in_process(_measure, sending, way, folder)
        runs.append(receiving.recv())
    assert {count for count, _, _ in runs} == {images}, runs
    seconds, memory = min(run[1] for run in runs), max(run[2] for run in runs)
    print(f"{title:<58} {seconds:7.3f} s  {images / seconds:9,.0f} images/s  {memory:6,.0f} MB peak", flush=True)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure dataset preparation.")
    parser.add_argument("--folder", type=Path, default=MEMORY / "scones-prepare", help="(%(default)s)")
    folder: Path = parser.parse_args().folder
    if folder.exists():
        parser.error(f"--folder must be a new folder, since it is deleted at the end, got {folder}")
    folder.mkdir(parents=True)
    try:
        _in_process(generate, folder)
        print(f"archive: {(folder / 'archive.tar.gz').stat().st_size / 1e6:.0f} MB\n")
        print("(a) two classes, arrays -> files")
        images = 2 * (TRAIN + TEST)
        png = best("ours: PNG files", png_files_of_two, folder, images)
        record = best("ours: RecordIO, the default", record_files_of_two, folder, images)
        notebooks = best("notebooks: np.dstack, plt.imsave", notebooks_of_two, folder, images)
        print(f"ratio {notebooks / png:.0f} as PNG files, {notebooks / record:.0f} as RecordIO\n")
        print("(b) all classes, tar.gz -> dataset")
        images = CLASSES * (TRAIN + TEST)
        everything = best("ours: prepare", whole, folder, images)
        least = best("unpickling and PNG encoding alone, the product's encoder", floor, folder, images)
        pillow = best("unpickling and PNG encoding alone, Pillow", floor_with_pillow, folder, images)
        print(
            f"ratio {everything / pillow:.2f} to Pillow's encoder (aim: 1.5 or less), {everything / least:.2f} to ours"
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
