"""Files as this program writes them: whole or not at all, and never in the place of one that it did
not write itself.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from optimiser.system.errors import OutputError


def replace(path: Path, content: bytes) -> None:
    """Write `content` beside `path`, flush it to the disk and move it into place: whatever happens,
    the old file or the new one stands there whole. The new one keeps the mode of the old one.

    Raises OutputError; then nothing has changed.
    """
    with _refused(path):
        target = path.resolve()
        with _beside(target) as (file, beside):
            # Before it is written: what only its owner may read is at no time there for others.
            if target.exists() and (mode := stat.S_IMODE(target.stat().st_mode)) != stat.S_IMODE(
                beside.stat().st_mode
            ):
                beside.chmod(mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            file.close()  # an open file cannot be moved everywhere
            os.replace(beside, target)


def check_place(path: Path) -> None:
    """Raise OutputError where `replace` would: to be told before a long search, not after it.

    Rights tell less than an attempt: access lists, full or read-only disks, network drives, names
    that are too long.
    """
    with _refused(path):
        target = path.resolve()
        if target.is_dir():
            raise OutputError(f"{path}: is a folder; choose the name of a file")
        if not target.parent.is_dir():
            raise OutputError(
                f"{path}: there is no folder {target.parent}; make it or choose another"
            )
        with _beside(target):
            pass
        try:
            if not stat.S_ISREG(target.stat().st_mode):
                raise OutputError(
                    f"{path}: is no file but a device or pipe; choose the name of a file"
                )
            with target.open("r+b"):
                pass
        except FileNotFoundError:
            os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
            target.unlink()


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
    """Whether two paths mean one file."""
    with _refused(path):
        return path.resolve() == source.resolve() or (
            path.exists() and source.exists() and path.samefile(source)
        )


@contextlib.contextmanager
def _beside(target: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """A new file in the folder of `target`, gone at the end where it has not been moved.

    Its name is of nobody else: not of a process of the same number that was killed, and not too
    long where that of the target is not.
    """
    beside = target.with_name(f".stockpile-{secrets.token_hex(8)}.part")
    try:
        with beside.open("xb") as file:
            yield file, beside
    finally:
        beside.unlink(missing_ok=True)


@contextlib.contextmanager
def _refused(path: Path) -> Iterator[None]:
    """Tells in one line why a file cannot be written."""
    try:
        yield
    except PermissionError as reason:
        said = (
            "cannot be written; close it in the spreadsheet program, or see the rights of file and"
            " folder"
        )
        raise OutputError(f"{path}: {said}") from reason
    except (
        OSError,
        RuntimeError,
        ValueError,
    ) as reason:  # a loop of links is a RuntimeError, a zero in a name a ValueError
        said = (
            reason.strerror
            if isinstance(reason, OSError) and reason.strerror
            else " ".join(str(reason).split())
        )
        raise OutputError(f"{path}: cannot be written: {said}") from reason
