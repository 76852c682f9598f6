"""Write files whole or not at all, and never replace one that this program did not write."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from optimiser.system import interrupts
from optimiser.system.errors import OutputError


def replace(path: Path, content: bytes) -> None:
    """Write `content` to a new file in the folder of `path`, flush it to the disk and move it into
    place. Whatever happens, the old file or the new one stands there whole. The new one keeps the
    mode of the old one.

    Raises OutputError; then nothing has changed.
    """
    with _refused(path):
        target = path.resolve()
        with _part_of(target) as (file, part):
            # Before it is written: what only its owner may read is at no time there for others.
            if target.exists() and (mode := stat.S_IMODE(target.stat().st_mode)) != stat.S_IMODE(
                part.stat().st_mode
            ):
                part.chmod(mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            file.close()  # an open file cannot be moved everywhere
            os.replace(part, target)
            interrupts.wrote(path)


def check_place(path: Path) -> None:
    """Raise OutputError where `replace` would: before a long search, not after it.

    It tries to write: rights do not show access lists, full or read-only disks, network drives and
    names that are too long.
    """
    with _refused(path):
        target = path.resolve()
        if target.is_dir():
            raise OutputError(f"{path}: is a folder; choose the name of a file")
        if not target.parent.is_dir():
            raise OutputError(
                f"{path}: there is no folder {target.parent}; make it or choose another"
            )
        with _part_of(target):
            pass
        # What does not stand there is not made: two that look at once would meet each other's.
        with contextlib.suppress(FileNotFoundError):
            if not stat.S_ISREG(target.stat().st_mode):
                raise OutputError(
                    f"{path}: is no file but a device or pipe; choose the name of a file"
                )
            with target.open("r+b"):
                pass


def check_owner(path: Path, what: str, is_own: Callable[[Path], bool], force: bool) -> None:
    """Raise OutputError where the file at `path` is not `what` as this program wrote it, unless by
    `force`.
    """
    with _refused(path):
        if not force and path.exists() and path.stat().st_size and not is_own(path):
            raise OutputError(
                f"{path}: is not {what} as this program wrote it, so it stays; choose another name,"
                " or replace it with --force"
            )


def same_file(path: Path, source: Path) -> bool:
    """Return whether two paths mean one file."""
    with _refused(path):
        return path.resolve() == source.resolve() or (
            path.exists() and source.exists() and path.samefile(source)
        )


@contextlib.contextmanager
def _part_of(target: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """Yield a new file in the folder of `target`, which is deleted unless it has been moved.

    No other process has its name, also none of the same number that was killed, and it is not too
    long where that of the target is not.
    """
    part = target.with_name(f".stockpile-{secrets.token_hex(8)}.part")
    try:
        with part.open("xb") as file:
            yield file, part
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def _refused(path: Path) -> Iterator[None]:
    """Raise OutputError in one line where a file cannot be written."""
    try:
        yield
    except PermissionError as reason:
        raise OutputError(
            f"{path}: cannot be written; close it in the spreadsheet program, or see the rights of"
            " file and folder"
        ) from reason
    # A loop of links is a RuntimeError, a zero in a name a ValueError.
    except (OSError, RuntimeError, ValueError) as reason:
        system = reason.strerror if isinstance(reason, OSError) else None
        message = system or " ".join(str(reason).split())
        raise OutputError(f"{path}: cannot be written: {message}") from reason
