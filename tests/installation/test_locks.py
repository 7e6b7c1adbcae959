"""The locks name all that is asked for, agree with each other, and hold nothing that no one imports."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.assertions import at_least_one
from tests.installation.locks import DEVELOP, LAYER, PROJECT, ROOT, RUN, declared, pins, pins_here, version

PRODUCT = {"components", "contract", "handlers", "localcloud", "operations", "training"}
OURS = {*PRODUCT, "policy"}
PROGRAMS = {"awslambdaric"}
"""What the local cloud starts as a process instead of importing it."""
TABLES = {"sagemaker-core"}
"""Of which a table is read, and nothing imported (training/job/image.py)."""
OF_MOTO = {"flask", "flask-cors"}
"""What moto's server imports and asks for only in an extra that brings much more."""


def asked_by(pin: Requirement) -> list[Requirement]:
    """What an installed package asks for here, with the extras that the lock names."""
    environments = [{**default_environment(), "extra": extra} for extra in ("", *pin.extras)]
    wanted = [Requirement(text) for text in distribution(pin.name).requires or []]
    return [asked for asked in wanted if not asked.marker or any(map(asked.marker.evaluate, environments))]


@pytest.mark.parametrize("lock", [RUN, DEVELOP])
def test_what_an_installed_package_asks_for_is_in_the_lock_with_its_extras(lock: str):
    locked = pins_here(lock)
    questions = [(name, asked) for name, pin in locked.items() for asked in asked_by(pin)]
    assert len(questions) > len(locked) > 50
    for name, asked in questions:
        pin = locked.get(canonicalize_name(asked.name))
        assert pin, f"{name} asks for {asked}, which {lock} does not pin; run: make lock"
        assert asked.extras <= pin.extras, f"{name} asks for {asked}, but {lock} pins {pin}; run: make lock"
        assert asked.specifier.contains(version(pin), prereleases=True), f"{name} asks for {asked}, {lock} pins {pin}"


def test_what_is_installed_here_is_what_the_lock_pins():
    for name, pin in at_least_one(pins_here(DEVELOP).items()):
        assert distribution(name).version == version(pin), f"{name} is not the version of {DEVELOP}; run: make test"


@pytest.mark.parametrize(("lock", "groups"), [(RUN, (None,)), (DEVELOP, (None, "dev")), (LAYER, ("layer",))])
def test_what_the_project_asks_for_is_in_its_lock(lock: str, groups: tuple[str | None, ...]):
    locked = pins_here(lock)
    for asked in at_least_one(asked for group in groups for asked in declared(group).values()):
        pin = locked.get(canonicalize_name(asked.name))
        assert pin, f"pyproject.toml asks for {asked}, which {lock} does not pin; run: make lock"
        assert asked.extras <= pin.extras, f"pyproject.toml asks for {asked}, {lock} pins {pin}; run: make lock"
        assert asked.specifier.contains(version(pin)), f"pyproject.toml asks for {asked}, {lock} pins {pin}"


def test_all_locks_pin_the_same_versions():
    # without markers: a package that developing adds can ask for one on more machines than running does
    def pinned(lock: str) -> set[tuple[str, str]]:
        return {(pin.name, str(pin.specifier)) for pin in pins(lock)}

    assert pinned(LAYER) < pinned(RUN) < pinned(DEVELOP)


@pytest.mark.parametrize("lock", [RUN, DEVELOP, LAYER])
def test_every_pin_has_its_hashes(lock: str):
    lines = (ROOT / lock).read_text().splitlines()
    entries = [number for number, line in enumerate(lines) if line[:1].isalnum()]
    assert len(entries) == len(pins(lock)) > 0
    assert all(lines[number + 1].strip().startswith("--hash=sha256:") for number in entries)


def imports(paths: Iterable[Path]) -> set[str]:
    """The top-level modules that these files import when they run, neither the standard library's nor ours."""
    found: set[str] = set()
    for path in paths:
        nodes = list(ast.walk(ast.parse(path.read_text())))
        guarded = [node for node in nodes if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)]
        for_types = {inner for node in guarded for statement in node.body for inner in ast.walk(statement)}
        for node in set(nodes) - for_types:
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.partition(".")[0])
    return found - sys.stdlib_module_names - OURS - {"tests"}


def providers(modules: Iterable[str]) -> list[set[str]]:
    """For each module the installed packages that it may come from: several for a namespace."""
    known = packages_distributions()
    return [{canonicalize_name(name) for name in known.get(module, [module])} for module in modules]


def test_the_product_asks_for_what_it_imports_and_for_nothing_else():
    files = [ROOT / "__main__.py", *(path for name in PRODUCT for path in (ROOT / name).rglob("*.py"))]
    asked, imported = declared().keys(), providers(imports(files))
    assert [names for names in imported if not names & asked] == []
    assert asked - set().union(*imported) <= PROGRAMS | TABLES | OF_MOTO


def test_the_tests_import_only_what_is_asked_for():
    asked, imported = declared().keys() | declared("dev").keys(), providers(imports((ROOT / "tests").rglob("*.py")))
    assert {"pytest"} in imported
    assert [names for names in imported if not names & asked] == []


def test_make_asks_for_the_python_that_the_project_asks_for():
    least = PROJECT["project"]["requires-python"].removeprefix(">=")
    makefile = (ROOT / "Makefile").read_text()
    assert f"sys.version_info < ({least.replace('.', ', ')})" in makefile
    assert f"--python-version {least} " in makefile
    assert f"PYTHONS := {least} " in makefile
