"""A model as a file that other solvers read, with readable names."""

from __future__ import annotations

import hashlib
import io
import re
import tempfile
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import highspy

from optimiser.solving import highs
from optimiser.solving.standard_form import main, standard_form
from optimiser.system.atomic_files import check_owner, check_place, replace
from optimiser.system.errors import OutputError

LONGEST = 200  # characters of a name; LP files allow 255
# What the LP format takes for something else: its section words, infinity, and a number's exponent.
RESERVED = re.compile(
    r"st|s\.t\.|such|subject|bounds?|free|inf|infinity|gen|generals?|int|integers?|bin|binary|"
    r"binaries|semi|semis|sec|sos\d?|end|"
    r"min|max|minimi[sz]e|maximi[sz]e|minimum|maximum|obj|e\d*|[^a-z_].*",
    re.IGNORECASE | re.DOTALL,
)
COMMENT, END = {".mps": b"*", ".lp": b"\\"}, {".mps": b"ENDATA\n", ".lp": b"end\n"}
HEAD = b" written by stockpile-optimiser, sha256 of what follows: "


def check_model_file(path: Path, force: bool = False) -> None:
    """Raise OutputError where `write_model` could not write to `path`, or where another file stands
    there, unless by `force`.
    """
    _suffix(path)
    check_place(path)
    check_owner(path, "a model", _is_own, force)


def write_model(m: Any, path: Path) -> str:
    """Write a linear Pyomo model as `.mps` or `.lp`, by the ending of `path`, and return the name
    of the objective that the file holds: the one that a plan is judged by, without what the others
    would add. The numbers are in the units of the model.

    The file is moved into place once it is whole; its first line, a comment, says what it is.
    Raises OutputError where that cannot be done, SolverError for what HiGHS refuses, ValueError for
    a model that is not linear.
    """
    suffix, form = _suffix(path), standard_form(m, scaled=False)
    h = highs.load(form.program)
    for j, name in enumerate(legal_names(each.name for each in form.variables)):
        h.passColName(j, name)
    for i, name in enumerate(legal_names(each.name for each in form.constraints)):
        h.passRowName(i, name)
    content = _written(h, path, suffix)
    replace(path, COMMENT[suffix] + HEAD + _digest(io.BytesIO(content)) + content)
    return (
        form.objectives[main([each.name for each in form.objectives])].name
        if form.objectives
        else ""
    )


def _suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in COMMENT:
        raise OutputError(
            f"{path}: a model is written as {' or '.join(COMMENT)}; choose a name that ends so"
        )
    return suffix


def _written(h: highspy.Highs, path: Path, suffix: str) -> bytes:
    """Return the file that HiGHS writes. Raises OutputError where its end is missing.

    HiGHS reports no error where a disk is full.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="stockpile-") as folder:
            file = Path(folder) / f"model{suffix}"
            failed = h.writeModel(str(file)) == highspy.HighsStatus.kError
            content = b"" if failed else file.read_bytes()
    except OSError as reason:
        raise OutputError(f"{path}: cannot be written: {reason.strerror or reason}") from reason
    if not content.endswith(END[suffix]):
        raise OutputError(
            f"{path}: HiGHS could not write it whole in {tempfile.gettempdir()}; is that disk full?"
        )
    return content


def _is_own(path: Path) -> bool:
    """Return whether a file is a model as this program wrote it."""
    comment = COMMENT[path.suffix.lower()] + HEAD
    with path.open("rb") as file:
        return file.read(len(comment)) == comment and file.readline(65) == _digest(file)


def _digest(file: io.BufferedReader | io.BytesIO) -> bytes:
    """Return the checksum of the rest of a file, and the end of its line."""
    return hashlib.file_digest(file, "sha256").hexdigest().encode() + b"\n"


def legal_names(names: Iterable[str]) -> list[str]:
    """Return names that MPS and LP files accept, each once.

    `buy[metlen spot,3]` becomes `buy(metlen_spot,3)`.
    """
    found: dict[str, None] = {}
    for name in names:
        plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
        plain = plain.translate(str.maketrans("[]", "()", "'\""))
        plain = re.sub(r"[^A-Za-z0-9_.,()]", "_", plain)[:LONGEST]
        if RESERVED.fullmatch(plain) or not plain:
            plain = f"_{plain}"
        unique, copy = plain, 1
        while unique in found:
            copy += 1
            unique = f"{plain}_{copy}"
        found[unique] = None
    return list(found)
