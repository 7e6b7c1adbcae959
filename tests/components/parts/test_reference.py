from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from components.parts.reference import PAGE, ROOT, page

MISSPELT = """
from components.data_bucket import DataBucket

DataBucket("data", {"capture_retention_day": 14})
"""


def test_the_page_of_components_is_what_the_docstrings_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "stale; run: python -m components.parts.reference"


def test_an_argument_without_docstring_has_no_page(tmp_path: Path) -> None:
    (tmp_path / "components").mkdir()
    source = "class Args(TypedDict):\n    bucket: str\n"
    (tmp_path / "components/data_bucket.py").write_text(source)
    with pytest.raises(ValueError, match=r"Args\.bucket has no docstring"):
        page(tmp_path)


def test_a_misspelt_argument_of_a_component_is_a_type_error(tmp_path: Path) -> None:
    (tmp_path / "misspelt.py").write_text(MISSPELT)
    words = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, str(tmp_path / "misspelt.py")]
    finished = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert finished.returncode == 1
    assert '"capture_retention_day" is an undefined item in type "DataBucketArgs"' in finished.stdout, finished.stdout
