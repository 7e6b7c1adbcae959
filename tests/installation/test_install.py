"""`make` installs a lock with a line and a bar, once, and says what pip says when it can't."""

from __future__ import annotations

import hashlib
import os
import pty
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.installation.locks import ROOT

STAMP = ".venv/.complete"


def wheel(folder: Path, name: str, version: str) -> str:
    """Write a package of one empty module; its pin."""
    info = f"{name}-{version}.dist-info"
    path = folder / f"{name}-{version}-py3-none-any.whl"
    files = {
        f"{name}.py": "",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for each, text in files.items():
            archive.writestr(each, text)
        archive.writestr(f"{info}/RECORD", "".join(f"{each},,\n" for each in [*files, f"{info}/RECORD"]))
    return f"{name}=={version} \\\n    --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


class Clone:
    """A fresh clone with locks of its own, on a machine whose package index is a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.wheels = folder / "wheels"
        self.wheels.mkdir()
        (folder / "scripts").mkdir()
        shutil.copy(ROOT / "Makefile", folder)
        shutil.copy(ROOT / "scripts/install.py", folder / "scripts")
        self.lock = folder / "requirements.txt"
        self.lock.write_text(wheel(self.wheels, "one", "1.0") + wheel(self.wheels, "two", "2.0"))
        others = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "MAKE"))}
        self.environment = {
            **others,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.wheels),
            "PIP_CONFIG_FILE": os.devnull,
        }

    def make(self) -> subprocess.CompletedProcess[str]:
        """Bring the environment up to its lock, as `make demo` does first."""
        return subprocess.run(
            ["make", f"PYTHON={sys.executable}", STAMP],
            cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip

    def python(self, *words: str) -> str:
        """What the environment's Python prints."""
        return subprocess.run(
            [self.folder / ".venv/bin/python", *words],
            cwd=self.folder, env=self.environment, capture_output=True, text=True, check=True, timeout=120,
        ).stdout  # fmt: skip

    def installed(self) -> set[str]:
        """The packages of the environment besides its tools."""
        return set(self.python("-m", "pip", "freeze").split())


@pytest.fixture
def fresh(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with pip alone, as `python -m venv` makes it in some seconds."""
    made = tmp_path_factory.mktemp("environment") / ".venv"
    subprocess.run([sys.executable, "-m", "venv", made], check=True)
    return made


@pytest.fixture
def clone(fresh: Clone, environment: Path) -> Clone:
    """A clone with an empty environment that somebody else made, such as `pulumi install`."""
    shutil.copytree(environment, fresh.folder / ".venv", symlinks=True)
    return fresh


@pytest.mark.long
def test_the_first_make_says_what_it_does_in_two_lines_and_the_second_does_nothing(fresh: Clone):
    first = fresh.make()
    assert first.returncode == 0, first.stderr
    begin, end = first.stdout.splitlines()
    assert begin.startswith("Installing 2 packages of requirements.txt into .venv")
    assert end.startswith("Installed in ")
    assert fresh.installed() == {"one==1.0", "two==2.0"}
    assert "up to date" in fresh.make().stdout


def test_an_environment_that_pulumi_made_is_taken_as_it_is(clone: Clone):
    clone.python("-m", "pip", "install", "-r", "requirements.txt")
    made = clone.make()
    assert (made.returncode, made.stdout, made.stderr) == (0, "", "")
    assert (clone.folder / STAMP).is_file()


def test_a_changed_lock_is_installed_into_the_same_environment(clone: Clone):
    clone.make()
    kept = clone.folder / ".venv/kept"
    kept.touch()
    clone.lock.write_text(
        wheel(clone.wheels, "one", "1.5")
        + wheel(clone.wheels, "two", "2.0")
        + wheel(clone.wheels, "windows", "1.0").replace(" \\\n", " ; sys_platform == 'win32' \\\n")
    )
    later = (clone.folder / STAMP).stat().st_mtime + 5
    os.utime(clone.lock, (later, later))
    again = clone.make()
    assert "Installing 1 package " in again.stdout
    assert clone.installed() == {"one==1.5", "two==2.0"}
    assert kept.exists()


def test_an_installation_that_fails_shows_pips_own_error_and_leaves_no_stamp(clone: Clone):
    good = clone.lock.read_text()
    clone.lock.write_text(good.replace("two==2.0", "two==2.1"))
    failed = clone.make()
    assert failed.returncode
    assert "ERROR: No matching distribution found for two==2.1" in failed.stderr
    assert "error: requirements.txt is not installed" in failed.stderr
    assert not (clone.folder / STAMP).exists()
    clone.lock.write_text(good)
    assert clone.make().returncode == 0
    assert clone.installed() == {"one==1.0", "two==2.0"}


def test_a_package_that_is_not_the_pinned_one_is_refused(clone: Clone):
    clone.lock.write_text(f"one==1.0 \\\n    --hash=sha256:{'0' * 64}\n")
    assert "DO NOT MATCH THE HASHES" in clone.make().stderr
    assert not (clone.folder / STAMP).exists()


def test_a_package_whose_installation_was_stopped_is_installed_again(clone: Clone):
    clone.make()
    (record,) = (clone.folder / ".venv").rglob("one-1.0.dist-info/RECORD")
    record.unlink()
    (clone.folder / STAMP).unlink()
    assert "Installing 1 package " in clone.make().stdout


def test_on_a_terminal_a_bar_reaches_its_end(clone: Clone):
    ours, theirs = pty.openpty()
    words = [clone.folder / ".venv/bin/python", "scripts/install.py", "requirements.txt"]
    subprocess.run(words, cwd=clone.folder, env=clone.environment, stdout=theirs, check=True, timeout=120)
    os.close(theirs)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    assert "  [..............................]   0 %\r" in shown
    assert "  [##############################] 100 %\r" in shown
    assert shown.count("\n") == 2


def test_too_old_a_python_is_told_so(fresh: Clone):
    old = fresh.folder / "old-python"
    old.write_text(f'#!/bin/sh\nexec {sys.executable} -c "import sys; sys.version_info = (3, 10, 9); $2"\n')
    old.chmod(0o755)
    told = subprocess.run(
        ["make", f"PYTHON={old}", STAMP], cwd=fresh.folder, capture_output=True, text=True, check=False
    )
    assert told.returncode
    assert "Scones needs Python 3.11 or newer" in told.stderr
    assert not (fresh.folder / ".venv").exists()
