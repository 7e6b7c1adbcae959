"""One judge for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.judges.process import Judge
from tests.judges.process import judge as running_judge


@pytest.fixture(scope="session")
def judge() -> Iterator[Judge]:
    with running_judge() as it:
        yield it
