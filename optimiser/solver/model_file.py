"""A model as a file that other solvers read, with readable names."""

from __future__ import annotations

import os
import re
import tempfile
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import highspy

from optimiser.errors import OutputError
from optimiser.solver import highs
from optimiser.solver.standard_form import standard_form

SUFFIXES = (".mps", ".lp")
LONGEST = 200  # characters of a name; LP files allow 255
# What the LP format takes for something else: its section words, infinity, and a number's exponent.
RESERVED = re.compile(
    r"st|s\.t\.|such|subject|bounds?|free|inf|infinity|gen|generals?|int|integers?|bin|binary|binaries|semi|semis|sec|sos\d?|end|"
    r"min|max|minimi[sz]e|maximi[sz]e|minimum|maximum|obj|e\d*|[^a-z_].*",
    re.IGNORECASE | re.DOTALL,
)


def write_model(m: Any, path: Path) -> str:
    """Write a linear Pyomo model as `.mps` or `.lp`, by the ending of `path`, and return the name of the objective that
    the file holds: the last one, without what the ones before it would add. The numbers are in the units of the model.

    The file is moved into place once it is whole. Raises OutputError where that cannot be done, SolverError for what
    HiGHS refuses, ValueError for a model that is not linear.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise OutputError(f"{path}: a model is written as {' or '.join(SUFFIXES)}; choose a name that ends so")
    form = standard_form(m, scaled=False)
    h = highs.load(form.program)
    for j, name in enumerate(legal_names(each.name for each in form.variables)):
        h.passColName(j, name)
    for i, name in enumerate(legal_names(each.name for each in form.constraints)):
        h.passRowName(i, name)
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".model-") as beside:
            whole = Path(beside) / f"model{path.suffix.lower()}"
            if h.writeModel(str(whole)) == highspy.HighsStatus.kError or not whole.exists():
                raise OutputError(f"{path}: HiGHS could not write it; is the disk full?")
            os.replace(whole, path)
    except OSError as reason:
        raise OutputError(f"{path}: cannot be written: {reason.strerror or reason}") from reason
    return form.objectives[-1].name if form.objectives else ""


def legal_names(names: Iterable[str]) -> list[str]:
    """Names that MPS and LP files accept, each once: `buy[metlen spot,3]` becomes `buy(metlen_spot,3)`."""
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
