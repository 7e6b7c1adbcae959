"""CIFAR-100's archive from its authors' address, checked before it is there."""

from __future__ import annotations

import hashlib
import http.client
import urllib.request
from collections.abc import Callable
from pathlib import Path

from training.dataset.archive import ArchiveError

URL = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
SHA256 = "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"
BYTES = 169_001_437
BLOCK = 1 << 20
SECONDS = 30
"""Without an answer for so long, the download has failed."""


def download(
    target: Path, progress: Callable[[int], None], *, url: str = URL, sha256: str = SHA256, size: int = BYTES
) -> Path:
    """Fetch the authors' archive, unless `target` holds it already.

    Args:
        target: where to write; nothing is there until all of it has come and been checked.
        progress: told the number of bytes so far.
        url: where from.
        sha256: what the bytes must hash to, as 64 hexadecimal digits.
        size: how many bytes there must be.

    Raises:
        ArchiveError: no answer, or other bytes than those that the checksum stands for.
    """
    if target.is_file() and target.stat().st_size == size and _sha256(target) == sha256:
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.partial")
    digest, count = hashlib.sha256(), 0
    try:
        with urllib.request.urlopen(url, timeout=SECONDS) as answer, partial.open("wb") as file:
            while count <= size and (block := answer.read(BLOCK)):
                file.write(block)
                digest.update(block)
                count += len(block)
                progress(count)
        if count != size or digest.hexdigest() != sha256:
            came = f"more than {size:,}" if count > size else f"{count:,}"
            raise ArchiveError(
                f"{url} gave {came} bytes with SHA-256 {digest.hexdigest()}; expected {size:,} bytes with {sha256}"
            )
        partial.replace(target)
    except (OSError, http.client.HTTPException) as error:
        raise ArchiveError(f"{url} could not be downloaded: {error}; give --archive PATH instead") from error
    finally:
        partial.unlink(missing_ok=True)
    return target


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
