"""What holds for all tests: Ctrl-C works alike where the shell has them ignore it (in the
background, on some runners), and no time goes to the collector of garbage.
"""

from __future__ import annotations

import gc
import signal
import threading

if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Let the collector look no more at what is there before the first test: the modules and cases
    of a thousand tests.
    """
    gc.collect()
    gc.freeze()
