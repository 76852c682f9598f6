"""What holds for all tests: Ctrl-C works alike where the shell has them ignore it (in the
background, on some runners), and no time goes to the collector of garbage.
"""

from __future__ import annotations

import gc
import os
import signal
import threading

import pytest

from tests.support.browser import chromium

if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out tests that need a browser where there is none; where CI is set they fail then."""
    if chromium() is not None or os.environ.get("CI"):
        return
    needing = [each for each in items if each.get_closest_marker("browser")]
    config.hook.pytest_deselected(items=needing)
    items[:] = [each for each in items if each not in needing]


def pytest_collection_finish() -> None:
    """Let the collector look no more at what is there before the first test: the modules and cases
    of a thousand tests.
    """
    gc.collect()
    gc.freeze()
