"""What is uploaded for a function: its own module and those that it imports."""

import ast
from pathlib import Path

import pulumi

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "handlers"


def modules_of(entry: str, root: Path = ROOT) -> list[str]:
    """Paths, relative to `root`, of the files that `handlers/<entry>.py` needs, sorted.

    Read from the source's import statements, transitively, so that nothing has to be imported to know.

    Raises:
        FileNotFoundError: a module that is imported does not exist.
    """
    found = {f"{PACKAGE}/__init__.py"}
    waiting = [f"{PACKAGE}/{entry}.py"]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += _imported((root / path).read_text(encoding="utf-8"))
    return sorted(found)


def code_archive(entry: str, root: Path = ROOT) -> pulumi.AssetArchive:
    """The archive of one function; Pulumi hashes it by content alone, so it is the same on every machine."""
    return pulumi.AssetArchive({path: pulumi.FileAsset(str(root / path)) for path in modules_of(entry, root)})


def _imported(source: str) -> list[str]:
    names: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None and node.level == 0:
            # `from handlers import environment` names a module, `from handlers.errors import X` does not
            names += [f"{PACKAGE}.{alias.name}" for alias in node.names] if node.module == PACKAGE else [node.module]
    return [name.replace(".", "/") + ".py" for name in names if name.startswith(f"{PACKAGE}.")]
