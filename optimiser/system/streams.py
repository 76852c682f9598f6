"""Standard output and error that never stop the program, also where nobody can read them."""

from __future__ import annotations

import io
import os
import sys
from typing import Any

ERRORS = "backslashreplace"
"""How a letter is shown that the encoding of a terminal or pipe does not have."""


class Careful(io.RawIOBase):
    """A stream that drops what cannot be written, to a full disk or to a reader who has gone, and
    remembers why in `lost`.
    """

    def __init__(self, raw: io.RawIOBase | None, lost: str = "", owner: object = None) -> None:
        self.raw, self.lost = raw, lost
        self.owner = owner  # which would close `raw` with its own end

    def writable(self) -> bool:
        """Return True."""
        return True

    def fileno(self) -> int:
        """Return the number of the stream below."""
        if self.raw is None:
            raise io.UnsupportedOperation("fileno")
        return self.raw.fileno()

    def isatty(self) -> bool:
        """Return whether the stream below is a terminal."""
        return self.raw is not None and self.raw.isatty()

    def write(self, data: Any) -> int:
        """Write data, or note in `lost` why it cannot be written."""
        if not self.lost and self.raw is not None:
            try:
                return self.raw.write(data) or 0
            except OSError as reason:
                self.lost = reason.strerror or str(reason)
        return len(data)


def guard() -> Careful:
    """Put careful streams in the place of standard output and error.

    Return that of standard output, whose `lost` says what went wrong.
    """
    for number in range(3):  # else the next file that is opened becomes one of them
        try:
            os.fstat(number)
        except OSError:
            _open_nothing(number)
    sys.stderr, _ = _guarded(sys.stderr)
    sys.stdout, careful = _guarded(sys.stdout)
    return careful


def _open_nothing(number: int) -> None:
    found = os.open(os.devnull, os.O_RDWR)
    if found != number:
        os.dup2(found, number)
        os.close(found)


def _guarded(stream: Any) -> tuple[Any, Careful]:
    if stream is None:
        careful = Careful(None, "it is closed")
        return (
            io.TextIOWrapper(io.BufferedWriter(careful), encoding="utf-8", errors=ERRORS),
            careful,
        )
    raw = getattr(getattr(stream, "buffer", None), "raw", getattr(stream, "buffer", None))
    if type(stream) is not io.TextIOWrapper or not isinstance(
        raw, io.RawIOBase
    ):  # not the system's own
        return stream, Careful(None)
    stream.flush()
    careful = Careful(raw, owner=stream)
    wrapped = io.TextIOWrapper(
        *(io.BufferedWriter(careful), stream.encoding, ERRORS),
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
    return wrapped, careful
