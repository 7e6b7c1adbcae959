"""Where the judges come from, and that nothing in CI can pass without them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.judges import process

ROOT = Path(__file__).parents[2]


def test_in_ci_missing_judges_are_a_failure_that_says_what_installs_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match=r"\.ci/prepare"), process.judge():
        pass


def test_elsewhere_they_are_a_reason_to_skip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(process, "FOLDER", tmp_path)
    with pytest.raises(pytest.skip.Exception, match="make judges"), process.judge():
        pass


def test_ci_installs_node_and_make_test_installs_the_judges():
    prepare = (ROOT / ".ci/prepare").read_text()
    assert "wanted+=(nodejs)" in prepare and "wanted+=(npm)" in prepare
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(r"^test: .*\$\(JUDGES\)", makefile, re.MULTILINE)
    assert f"JUDGES := {process.FOLDER.relative_to(ROOT)}/node_modules/" in makefile


def test_the_lock_has_hashes_and_names_no_registry():
    text = (process.FOLDER / "package-lock.json").read_text()
    packages = {name: package for name, package in json.loads(text)["packages"].items() if name}
    assert len(packages) > 10 and all(package["integrity"].startswith("sha512-") for package in packages.values())
    assert not [package for package in packages.values() if "resolved" in package]


def test_the_reference_is_of_the_version_that_step_functions_implements():
    # Step Functions Developer Guide, "Transforming data with JSONata"
    package = json.loads((process.FOLDER / "package.json").read_text())
    assert package["dependencies"]["jsonata"] == "2.0.6"
