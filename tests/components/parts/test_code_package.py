import subprocess
import sys
from pathlib import Path

import pytest

from components.parts.code_package import ROOT, code_archive, modules_of


def write(root: Path, sources: dict[str, str]) -> None:
    for path, source in sources.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(source)


def test_a_module_brings_what_it_imports_transitively_and_nothing_else(tmp_path):
    sources = {
        "app/__init__.py": "",
        "app/a.py": "import os\nfrom app import b\nimport numpy",
        "app/b.py": "def f():\n    from app.wing.c import X",
        "app/wing/__init__.py": "",
        "app/wing/c.py": "from floor.errors import Y\nimport floor",
        "floor/__init__.py": "",
        "floor/errors.py": "from app.a import Z",
    }
    write(tmp_path, {**sources, "app/other.py": "", "floor/other.py": ""})
    assert modules_of("app.a", tmp_path) == sorted(sources)


def test_an_import_that_leads_nowhere_is_an_error(tmp_path):
    write(tmp_path, {"app/__init__.py": "", "app/a.py": "from app.gone import x"})
    with pytest.raises(FileNotFoundError, match="gone"):
        modules_of("app.a", tmp_path)


@pytest.mark.parametrize("entry", ["serialize", "classify", "filter", "observe.handler"])
def test_a_functions_archive_imports_on_its_own(entry, tmp_path):
    for path, asset in code_archive(f"handlers.{entry}").assets.items():
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(Path(asset.path).read_bytes())
    assert not list(tmp_path.rglob("__pycache__"))
    command = [sys.executable, "-c", f"import handlers.{entry} as m; m.handler"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_filter_carries_no_image_code():
    assert not {"contract/pictures.py", "handlers/serialize.py"} & set(modules_of("handlers.filter", ROOT))
