"""The suite runs alike where the shell has it ignore Ctrl-C, as it does in the background and on some runners of tests."""

from __future__ import annotations

import signal
import threading

if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)
