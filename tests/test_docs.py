"""What the documents name exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *ROOT.glob("examples/*.md"),
]
MADE = ("build/", ".localcloud/", "handlers/orders.py")
"""What commands make, and what an instruction tells the reader to make."""
PLACE = re.compile(r"`((?:[\w.-]+/)+[\w.-]*|[\w-]+\.(?:py|md|toml|txt))`")


def places(page: Path) -> list[str]:
    """Every file and folder of the repository that a page names in code marks."""
    found = PLACE.findall(page.read_text(encoding="utf-8"))
    first = {path.name for path in ROOT.iterdir()}
    return [place for place in found if place.split("/")[0] in first and not place.startswith(MADE)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    missing = [place for place in places(page) if not (ROOT / place).exists()]
    assert not missing


def test_the_architecture_names_files_of_every_package() -> None:
    named = {place.split("/")[0] for place in places(ROOT / "docs/architecture.md")}
    assert {"contract", "handlers", "training", "operations", "components", "localcloud"} <= named


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8"))
    assert not [link for link in links if not (page.parent / link).exists()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_code_in_a_page_is_a_file_that_tests_run_and_not_a_copy(page: Path) -> None:
    assert "```python" not in page.read_text(encoding="utf-8")
