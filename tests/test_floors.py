"""The table of floors (docs/architecture.md): a file imports from its own package and from the floors below."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.parts.code_package import modules_of
from tests.assertions import at_least_one

ROOT = Path(__file__).resolve().parents[1]
FLOORS = {
    "contract": 0, "policy": 0, "handlers": 1, "training": 1, "operations": 2, "components": 2, "localcloud": 3,
    "__main__": 3,
}  # fmt: skip
MODULES = [ROOT / "__main__.py", *(path for name in FLOORS for path in sorted((ROOT / name).rglob("*.py")))]
FUNCTIONS = ("handlers.serialize", "handlers.classify", "handlers.filter", "handlers.observe.handler")


def imported(path: Path) -> Iterator[str]:
    for node in at_least_one(ast.walk(ast.parse(path.read_text(encoding="utf-8")))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative imports hide the floor"
            yield str(node.module)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_import_points_up_or_sideways(path: Path) -> None:
    own = path.relative_to(ROOT).parts[0].removesuffix(".py")
    ours = [name for name in imported(path) if name.partition(".")[0] in {*FLOORS} - {own}]
    assert [name for name in ours if FLOORS[name.partition(".")[0]] >= FLOORS[own] and own != "__main__"] == []


def test_imports_between_packages_are_seen() -> None:
    assert {"components", "contract"} <= {name.partition(".")[0] for name in imported(ROOT / "__main__.py")}


def test_every_package_of_the_repository_has_a_floor() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    assert packages == set(FLOORS) - {"__main__"}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_a_function_carries_of_the_contract_needs_the_standard_library_and_pillow_alone(
    function: str,
) -> None:
    carried = [path for path in modules_of(function) if path.startswith("contract/")]
    assert carried
    packages = {module.partition(".")[0] for path in carried for module in imported(ROOT / path)}
    assert packages - sys.stdlib_module_names <= {"contract", "PIL", "pi_heif"}


def test_a_class_s_name_means_one_thing_in_the_whole_repository() -> None:
    places: dict[str, list[str]] = {}
    for path in MODULES:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(path.relative_to(ROOT).as_posix())
    assert {name: where for name, where in places.items() if len(where) > 1} == {}
