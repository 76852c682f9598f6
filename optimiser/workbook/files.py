"""The file that a workbook becomes: it stands there whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from optimiser.errors import OutputError


def check_target(path: Path, what: str = "a plan") -> None:
    """Raise OutputError where `what` could not be written to `path`: to be told before a long search, not after it."""
    folder = path.resolve().parent
    if path.suffix.lower() != ".xlsx":
        raise OutputError(f"{path}: {what} is written as .xlsx; choose a name that ends so")
    if not folder.is_dir():
        raise OutputError(f"{path}: there is no folder {folder}; make it or choose another")
    if path.is_dir():
        raise OutputError(f"{path}: is a folder; choose the name of a file")
    try:
        # Rights tell less than an attempt: access lists, full or read-only disks, network drives.
        with tempfile.TemporaryFile(dir=folder):
            pass
        if path.exists():
            with path.open("r+b"):
                pass
    except OSError as reason:
        raise _refused(path, reason) from reason


def same_file(path: Path, source: Path) -> bool:
    """Whether two paths mean one file."""
    return path.resolve() == source.resolve() or (path.exists() and source.exists() and path.samefile(source))


def replace(path: Path, content: bytes) -> None:
    """Write beside the target, then move into place; whatever happens, nothing half-written stays."""
    target = path.resolve()
    beside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        try:
            with beside.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, target)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as reason:
        raise _refused(path, reason) from reason


def _refused(path: Path, reason: OSError) -> OutputError:
    if isinstance(reason, PermissionError):
        return OutputError(f"{path}: cannot be written; close it in the spreadsheet program, or see the rights of file and folder")
    return OutputError(f"{path}: cannot be written: {reason.strerror or reason}")
