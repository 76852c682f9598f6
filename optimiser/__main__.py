"""`stockpile`, and `python -m optimiser`: what ends the program is listened to before anything else
is imported.
"""

from __future__ import annotations

import contextlib
import os
import sys

from optimiser.system import interrupts


def main() -> None:
    """Run a command."""
    status: object = interrupts.INTERRUPTED
    try:
        interrupts.listen()
        from optimiser.cli.main import main as command

        command()
    except SystemExit as ended:
        interrupts.finish()
        if not interrupts.seen():
            raise
        status = ended.code
    except KeyboardInterrupt:
        with contextlib.suppress(OSError, AttributeError):
            sys.stderr.write(f"{interrupts.interrupted()}\n")
    else:
        interrupts.finish()
        if not interrupts.seen():
            return
        status = 0
    # At once: a search may still run in a thread of its own, and crashes where the interpreter ends
    # under it.
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, AttributeError, ValueError):
            stream.flush()
    os._exit(status if isinstance(status, int) else status is not None)


if __name__ == "__main__":
    main()
