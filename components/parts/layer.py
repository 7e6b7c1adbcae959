"""The Lambda layer: third-party code for the functions' runtime and architecture, built without Docker.

`python -m components.parts.layer` (`make layer`) writes `build/layer.zip`; the same pins give the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from components.parts.runtime import ARCHITECTURE, RUNTIME
from contract.errors import UserError

REQUIREMENTS = Path("handlers/requirements.txt")
DEFAULT = Path("build/layer.zip")
MACHINE = {"arm64": "aarch64", "x86_64": "x86_64"}[ARCHITECTURE]
PYTHON = RUNTIME.removeprefix("python")
GLIBC = (2, 34)
"""Amazon Linux 2023, on which Python 3.12 and later run (AWS, "Lambda runtimes")."""
PLATFORMS = (
    *(f"manylinux_2_{minor}_{MACHINE}" for minor in range(GLIBC[1], 16, -1)),
    f"manylinux2014_{MACHINE}",
)
LIMIT = 250 * 1024 * 1024
"""The most bytes of a function and its layers, unzipped (AWS, "Lambda quotas")."""
LEFT_OUT = ("__pycache__", "tests", "bin")


class LayerError(UserError):
    """The layer is missing or could not be built; the message says what to do."""


def require_layer(path: Path) -> Path:
    """`path`, when there is a layer.

    Raises:
        LayerError: there is none.
    """
    if not path.is_file():
        raise LayerError(f"there is no Lambda layer at {path}; run: make layer")
    return path


def build_layer(output: Path, requirements: Path = REQUIREMENTS) -> int:
    """Install the pinned packages for Lambda and zip them below `python/`.

    Args:
        output: the zip to write; replaced when it is complete.
        requirements: pins with hashes.

    Returns:
        The size of its files, in bytes.

    Raises:
        LayerError: pip failed, or the layer is larger than Lambda allows.
    """
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
        words += ["--only-binary=:all:", "--implementation=cp", f"--python-version={PYTHON}"]
        words += [f"--platform={platform}" for platform in PLATFORMS]
        words += ["--require-hashes", f"--requirement={requirements}", f"--target={folder}"]
        finished = subprocess.run(words, capture_output=True, text=True, check=False)
        if finished.returncode:
            raise LayerError(f"pip could not install {requirements}:\n{finished.stderr.strip()}")
        files = sorted(path for path in Path(folder).rglob("*") if path.is_file() and not _is_left_out(path, folder))
        size = sum(path.stat().st_size for path in files)
        if size > LIMIT:
            raise LayerError(f"the layer has {size:,} bytes unzipped; Lambda allows {LIMIT:,}")
        output.parent.mkdir(parents=True, exist_ok=True)
        partial = output.with_name(f"{output.name}.partial")
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for path in files:
                # without a date, a mode or an owner of this machine
                entry = zipfile.ZipInfo(f"python/{path.relative_to(folder).as_posix()}", (1980, 1, 1, 0, 0, 0))
                entry.external_attr = 0o644 << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, path.read_bytes())
        partial.replace(output)
    return size


def _is_left_out(path: Path, folder: str) -> bool:
    parts = path.relative_to(folder).parts
    # what pip notes about this very installation differs from run to run
    notes = path.name in ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
    return notes or any(part in LEFT_OUT for part in parts[:-1]) or path.suffix == ".pyc"


def main(words: list[str]) -> int:
    """Build the layer and say what it holds."""
    parser = argparse.ArgumentParser(
        prog="python -m components.parts.layer",
        description=f"Builds the functions' Lambda layer for {RUNTIME} on {ARCHITECTURE}, from {REQUIREMENTS}.",
    )
    parser.add_argument("--output", type=Path, default=DEFAULT, help="(%(default)s)")
    arguments = parser.parse_args(words)
    print(f"Building {arguments.output} for {RUNTIME} on {ARCHITECTURE} …", file=sys.stderr)
    try:
        size = build_layer(arguments.output)
    except LayerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    digest = hashlib.sha256(arguments.output.read_bytes()).hexdigest()
    zipped = arguments.output.stat().st_size / 1e6
    print(f"{arguments.output}: {zipped:.1f} MB ({size / 1e6:.1f} MB unzipped), sha256 {digest}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
