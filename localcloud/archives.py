"""Archives of a program: what Pulumi's engine would zip, read and zipped here."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pulumi

from contract.errors import UserError


def archive_files(archive: object, root: Path) -> dict[str, bytes]:
    """What an archive holds, by path in it."""
    if not isinstance(archive, pulumi.AssetArchive):
        raise UserError(f"expected an AssetArchive, got {type(archive).__name__}")
    files: dict[str, bytes] = {}
    for path, asset in archive.assets.items():
        if isinstance(asset, pulumi.FileAsset):
            files[path] = (root / Path(asset.path)).read_bytes()
        elif isinstance(asset, pulumi.StringAsset):
            files[path] = asset.text.encode()
        else:
            raise UserError(f"expected files in an archive, got {type(asset).__name__} at {path}")
    return files


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip of files, by path in it: the same bytes for the same files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, data in sorted(files.items()):
            entry = zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return buffer.getvalue()
