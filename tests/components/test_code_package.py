import subprocess
import sys
from pathlib import Path

import pytest

from components.code_package import ROOT, code_archive, modules_of


def test_a_module_brings_what_it_imports_transitively_and_nothing_else(tmp_path):
    folder = tmp_path / "handlers"
    folder.mkdir()
    for name, source in {
        "__init__": "",
        "a": "import os\nfrom handlers import b\nimport numpy",
        "b": "def f():\n    from handlers.c import X",
        "c": "import handlers.errors",
        "errors": "from handlers.a import Y",
        "other": "",
    }.items():
        (folder / f"{name}.py").write_text(source)
    found = modules_of("a", tmp_path)
    assert found == [f"handlers/{name}.py" for name in ("__init__", "a", "b", "c", "errors")]


def test_an_import_that_leads_nowhere_is_an_error(tmp_path):
    (tmp_path / "handlers").mkdir()
    (tmp_path / "handlers/a.py").write_text("from handlers.gone import x")
    with pytest.raises(FileNotFoundError, match="gone"):
        modules_of("a", tmp_path)


@pytest.mark.parametrize("role", ["serialize", "classify", "filter", "observe"])
def test_a_functions_archive_imports_on_its_own(role, tmp_path):
    for path, asset in code_archive(role).assets.items():
        target = tmp_path / path
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(Path(asset.path).read_bytes())
    assert not list(tmp_path.rglob("__pycache__"))
    command = [sys.executable, "-c", f"import handlers.{role} as m; m.handler"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_filter_carries_no_image_code():
    assert not {"handlers/images.py", "handlers/serialize.py"} & set(modules_of("filter", ROOT))
