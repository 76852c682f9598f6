"""Signals that end the program early: Ctrl-C, a batch system (SIGTERM), a terminal that closes
(SIGHUP).

Where there may be a plan to keep, an `Interrupt` is open and notes the first signal. Elsewhere each
signal is KeyboardInterrupt.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
from types import FrameType

INTERRUPTED = 130  # exit status
PATIENCE = 1.5  # that code which is not Python may take before it sees a signal [s]
_ENDINGS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))

_written: list[str] = []  # the files that stand, each under its name
_open: list[Interrupt] = []
_seen = threading.Event()  # a signal has come, and Python has heard of it
_ending = threading.Event()  # it was not Ctrl-C: no more searches
_over = threading.Event()  # the command has ended: its exit status stands


class Interrupt:
    """A request to end a search.

    The first press is noted, so that the best plan so far is kept. The second is KeyboardInterrupt,
    and so is the first where nothing is kept. As a context it receives the signals, once the
    program listens.
    """

    def __init__(self, keeps: bool | None = None) -> None:
        outer = _open[-1] if _open else None
        self.keeps: bool = (outer is None or outer.keeps) if keeps is None else keeps
        self.requested: bool = self.keeps and (
            _ending.is_set() or (outer is not None and outer.requested)
        )

    def press(self) -> None:
        """Note a signal. Raises KeyboardInterrupt where one is noted already or nothing is kept."""
        if self.requested or not self.keeps:
            raise KeyboardInterrupt
        self.requested = True

    def __enter__(self) -> Interrupt:
        _open.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        _open.remove(self)
        if _open and _open[-1].keeps:
            _open[-1].requested |= self.requested


def listen() -> None:
    """Let Ctrl-C, SIGTERM and SIGHUP end what runs.

    What the parent has the program ignore stays so (`nohup`), but for a Ctrl-C that can only be
    meant for it: one that is not typed at a terminal which it shares.
    """
    for number in (signal.SIGINT, *_ENDINGS):
        if signal.getsignal(number) != signal.SIG_IGN or (
            number == signal.SIGINT and not _shares_terminal()
        ):
            signal.signal(number, _pressed)
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(ours, theirs), daemon=True).start()


def ignore() -> None:
    """Leave all signals to the parent, which ends its processes itself: a terminal and a batch
    system send them to every process.
    """
    for number in (signal.SIGINT, *_ENDINGS):
        signal.signal(number, signal.SIG_IGN)


def finish() -> None:
    """Let no signal change the exit status of a command that has ended.

    An interpreter that ends gives signals back to the system, which would kill it.
    """
    _over.set()
    ignore()


def begin() -> None:
    """Forget what an earlier command of this process wrote."""
    _written.clear()


def wrote(path: object) -> None:
    """Note that a file stands whole under its name."""
    _written.append(str(path))


def interrupted() -> str:
    """Return what a command says that was interrupted: what of it stands."""
    files = ", ".join(dict.fromkeys(_written))
    return f"interrupted; {files or 'nothing'} was written"


def seen() -> bool:
    """Return whether a signal has come."""
    return _seen.is_set()


def _pressed(number: int, _: FrameType | None) -> None:
    if _over.is_set():
        return
    first = not _seen.is_set()
    _seen.set()
    if number in _ENDINGS:
        _ending.set()
    # Those who end a program often send more than one signal; only a second Ctrl-C says that not
    # even the plan is wanted.
    if _open:
        if number == signal.SIGINT or not _open[-1].requested:
            _open[-1].press()
    elif number == signal.SIGINT or first:
        raise KeyboardInterrupt


def _watch(ours: socket.socket, _theirs: socket.socket) -> None:
    """End the process where a signal comes while code that is not Python runs, and nothing is kept.

    `_theirs` is kept open.
    """
    while ours.recv(1):
        kept = _seen.wait(PATIENCE) or _over.is_set() or (_open and _open[-1].keeps)
        if not kept:
            with contextlib.suppress(OSError, ValueError):
                print(interrupted(), file=sys.stderr, flush=True)
            os._exit(INTERRUPTED)


def _shares_terminal() -> bool:
    """Return whether this process is in the foreground of a terminal, where a Ctrl-C may be meant
    for others.
    """
    try:
        with open("/dev/tty", "rb") as terminal:
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except (OSError, AttributeError):
        return False
