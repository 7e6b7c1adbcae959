"""How the suite runs: modules side by side, in another order each time, and again in the same by the seed it prints."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import botocore
import pytest
from botocore.loaders import JSONFileLoader
from hypothesis import HealthCheck, core, settings

MOST_WORKERS = 4
"""Each may hold a local cloud of some ten processes."""


def _once_a_worker(load: Callable[..., object]) -> Callable[..., object]:
    """A file that botocore brings along is parsed once; other files, such as tests write, each time."""
    ours = f"{Path(botocore.__file__).parent}{os.sep}"
    kept = cache(load)
    return lambda loader, path, how: kept(None, path, how) if path.startswith(ours) else load(loader, path, how)


# hundreds of processes import the same packages: without bytecode each would compile them anew
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# every session of boto3 would read the descriptions of AWS's services anew, and each test under moto has its own
JSONFileLoader._load_file = _once_a_worker(JSONFileLoader._load_file)

# neither a deadline nor a health check may depend on what else this machine is doing
settings.register_profile("scones", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("scones")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Two more than processors, since workers wait for emulators; none for a single module, which is not divided."""
    only = Path(config.args[0].partition("::")[0]) if len(config.args) == 1 else None
    return 0 if only and only.is_file() else min((os.cpu_count() or 1) + 2, MOST_WORKERS)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """One seed for the order, for `random` and numpy (pytest-randomly), and for what hypothesis draws."""
    if core.global_force_seed is None:
        core.global_force_seed = seed_of(config)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Modules with a long test are begun first, so that the workers end together."""
    long = {item.path for item in items if item.get_closest_marker("long")}
    items.sort(key=lambda item: item.path not in long)


def pytest_collection_finish() -> None:
    """What is there by now stays: the collector need not go through a million objects again and again."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say how this order comes again, above the last line, which says how many passed."""
    if (seed := seed_of(config)) is not None:
        terminalreporter.write_line(f"this order again: python -m pytest --randomly-seed={seed}")


def seed_of(config: pytest.Config) -> int | None:
    """pytest-randomly's seed; None when that is switched off."""
    seed = config.getoption("randomly_seed", None)
    return seed if isinstance(seed, int) else None
