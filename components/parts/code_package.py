"""What is uploaded for a function: its own module and those that it imports."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pulumi

ROOT = Path(__file__).resolve().parents[2]


def modules_of(entry: str, root: Path = ROOT) -> list[str]:
    """Paths, relative to `root`, of the files that the module `entry` needs, sorted.

    Read from the source's import statements, transitively, so that nothing has to be imported to know. An
    import belongs to the program when its first name is a folder of `root`; all others are the layer's.

    Args:
        entry: a module, such as `handlers.serialize`.
        root: the folder that holds the packages.

    Raises:
        FileNotFoundError: a module that is imported does not exist.
    """
    found: set[str] = set()
    waiting = [entry]
    while waiting:
        for path in _files_of(waiting.pop(), root):
            if path not in found:
                found.add(path)
                waiting += _imported((root / path).read_text(encoding="utf-8"), root)
    return sorted(found)


def code_archive(entry: str, root: Path = ROOT) -> pulumi.AssetArchive:
    """The archive of one function; Pulumi hashes it by content alone, so it is the same on every machine."""
    return pulumi.AssetArchive({path: pulumi.FileAsset(str(root / path)) for path in modules_of(entry, root)})


def _files_of(module: str, root: Path) -> list[str]:
    """The module's file, and the `__init__.py` of every package above it."""
    parts = module.split(".")
    packages = ["/".join([*parts[:depth], "__init__.py"]) for depth in range(1, len(parts))]
    is_package = (root / "/".join(parts)).is_dir()
    return [*packages, "/".join(parts) + ("/__init__.py" if is_package else ".py")]


def _imported(source: str, root: Path) -> list[str]:
    names: list[str] = []
    for module, members in _imports(source):
        # `from handlers import environment` names a module, `from contract.errors import X` does not
        folder = bool(members) and (root / module.replace(".", "/")).is_dir()
        names += [f"{module}.{member}" for member in members] if folder else [module]
    return [name for name in names if (root / name.split(".", maxsplit=1)[0]).is_dir()]


# contract's modules are in every function, and a deployment packs each of them twice
@cache
def _imports(source: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The modules that a source imports, each with the names that are imported from it."""
    found: list[tuple[str, tuple[str, ...]]] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [(alias.name, ()) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None and node.level == 0:
            found.append((node.module, tuple(alias.name for alias in node.names)))
    return tuple(found)
