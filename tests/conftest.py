"""What holds for all tests: Ctrl-C works alike where the shell has them ignore it (in the
background, on some runners), and little time goes to the collector of garbage.
"""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

from tests.support.browser import chromium
from tests.support.office import office

PROGRAMS = {"browser": chromium, "office": office}
"""What finds the program that tests with a mark need."""

# The same random examples in every run, on every machine; a solver takes as long as it takes.
settings.register_profile(
    "suite",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("suite")

if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out tests that need a program where there is none; where CI is set they fail then."""
    if os.environ.get("CI"):
        return
    missing = [name for name, found in PROGRAMS.items() if found() is None]
    needing = [each for each in items if any(map(each.get_closest_marker, missing))]
    if not needing:
        return
    config.hook.pytest_deselected(items=needing)
    items[:] = [each for each in items if each not in needing]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Let the collector rest while modules and the cases of thousands of tests come, which all
    stay; and begin less often than by default, since a model brings many objects at once.
    """
    gc.disable()
    gc.set_threshold(50_000, 10, 10)
    try:
        return (yield)
    finally:
        gc.enable()


@pytest.fixture(autouse=True, scope="module")
def _left_alone() -> None:
    """Let the collector look no more at what is there before a module's first test."""
    gc.collect()
    gc.freeze()
