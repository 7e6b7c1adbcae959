"""CIFAR-100's python archive: a tar.gz of three pickles, read without trusting them.

The layout is the authors' (https://www.cs.toronto.edu/~kriz/cifar.html): `cifar-100-python/meta` with the
names, `train` and `test` with one row of 3072 bytes an image: 1024 of red, of green, of blue, row by row.
"""

import hashlib
import io
import pickle
import tarfile
import urllib.request
import zlib
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from training.errors import TrainingError

URL = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
SHA256 = "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"
BYTES = 169_001_437
SIDE = 32
ROW = SIDE * SIDE * 3
FOLDER = "cifar-100-python"


class ArchiveError(TrainingError):
    """An archive that is missing, damaged, or not CIFAR-100's format."""


@dataclass(frozen=True, slots=True)
class Part:
    """The train or the test part: rows of pixels, a fine label and a file name each."""

    pixels: NDArray[np.uint8]
    """(n, 3072)"""
    labels: NDArray[np.int64]
    """(n,)"""
    filenames: tuple[str, ...]


class _Unpickler(pickle.Unpickler):
    """Admits what an array of bytes is made of, and nothing else: a pickle can otherwise run any code."""

    ADMITTED = frozenset(
        {
            ("numpy.core.multiarray", "_reconstruct"),
            ("numpy._core.multiarray", "_reconstruct"),
            ("numpy", "ndarray"),
            ("numpy", "dtype"),
            ("_codecs", "encode"),
        }
    )

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self.ADMITTED:
            raise ArchiveError(f"the archive's pickle asks for {module}.{name}, which the format does not need")
        return super().find_class(module, name)


class Archive:
    """An open archive; parts are read one at a time and not kept."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def class_names(self) -> tuple[str, ...]:
        """The fine labels' names, in the order of the labels.

        Raises:
            ArchiveError: the archive is missing, damaged or of another format.
        """
        names = self._read("meta").get(b"fine_label_names")
        if not isinstance(names, list):
            raise self._broken("meta has no fine_label_names")
        return tuple(_text(name) for name in cast("list[object]", names))

    def part(self, name: str) -> Part:
        """The part `train` or `test`.

        Raises:
            ArchiveError: the archive is missing, damaged or of another format.
        """
        content = self._read(name)
        data, labels, filenames = (content.get(key) for key in (b"data", b"fine_labels", b"filenames"))
        if not isinstance(data, np.ndarray):
            raise self._broken(f"{name}: data is not an array")
        pixels = cast("NDArray[np.uint8]", data)
        if pixels.dtype != np.uint8 or pixels.ndim != 2 or pixels.shape[1] != ROW:
            raise self._broken(f"{name}: data must be an array of bytes, {ROW} a row")
        for key, values in (("fine_labels", labels), ("filenames", filenames)):
            if not isinstance(values, list) or len(cast("list[object]", values)) != len(pixels):
                raise self._broken(f"{name}: {key} must be a list of {len(pixels)}, one a row")
        return Part(pixels, np.asarray(labels, dtype=np.int64), tuple(map(_text, cast("list[object]", filenames))))

    def _read(self, name: str) -> dict[bytes, object]:
        try:
            with self._member(name) as file:
                content = _Unpickler(file, encoding="bytes").load()
        except FileNotFoundError as error:
            raise ArchiveError(f"there is no archive {self.path}") from error
        except ArchiveError:
            raise
        except (
            tarfile.TarError,
            EOFError,
            zlib.error,
            OSError,
            pickle.UnpicklingError,
            ValueError,
            KeyError,
            TypeError,
            IndexError,
            AttributeError,
            MemoryError,
            OverflowError,
        ) as error:
            raise self._broken(f"{name} can't be read ({type(error).__name__}: {error})") from error
        if not isinstance(content, dict):
            raise self._broken(f"{name} is not a dictionary")
        items = cast("dict[object, object]", content).items()
        return {key if isinstance(key, bytes) else str(key).encode(): value for key, value in items}

    @contextmanager
    def _member(self, name: str) -> Generator[BinaryIO]:
        if self.path.is_dir():
            with (self.path / name).open("rb") as file:
                yield file
            return
        # a stream: members are unpacked as they pass by, never onto the disk
        with tarfile.open(self.path, "r|gz") as tar:
            for member in tar:
                if member.isfile() and Path(member.name).name == name:
                    file = tar.extractfile(member)
                    assert file is not None
                    yield cast("BinaryIO", io.BufferedReader(cast(Any, file)))
                    return
        raise self._broken(f"it has no member {FOLDER}/{name}")

    def _broken(self, reason: str) -> ArchiveError:
        return ArchiveError(f"{self.path} is not a CIFAR-100 python archive: {reason}")


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def download(
    target: Path, progress: Callable[[int], None], *, url: str = URL, sha256: str = SHA256, size: int = BYTES
) -> Path:
    """Fetch the authors' archive, unless `target` holds it already.

    Args:
        target: where to write; nothing is there until all of it has come and been checked.
        progress: told the number of bytes so far.
        url: where from.
        sha256: what the bytes must hash to.
        size: how many bytes there must be.

    Raises:
        ArchiveError: no answer, or other bytes than those that the checksum stands for.
    """
    if target.is_file() and _sha256(target) == sha256:
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.partial")
    digest, count = hashlib.sha256(), 0
    try:
        with urllib.request.urlopen(url, timeout=30) as answer, partial.open("wb") as file:
            while block := answer.read(1 << 20):
                file.write(block)
                digest.update(block)
                count += len(block)
                progress(count)
                if count > size:
                    break
        if count != size or digest.hexdigest() != sha256:
            raise ArchiveError(
                f"{url} gave {count:,} bytes with SHA-256 {digest.hexdigest()}; expected {size:,} with {sha256}"
            )
        partial.replace(target)
    except OSError as error:
        raise ArchiveError(f"{url} could not be downloaded: {error}; give --archive PATH instead") from error
    finally:
        partial.unlink(missing_ok=True)
    return target


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
