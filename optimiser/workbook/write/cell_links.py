"""Links from a workbook that the program writes to the cells of the workbook that it read."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from optimiser.workbook.read.cells import Unreadable
from optimiser.workbook.read.input_reader import sheets
from stockpile_model.values import normal

_LONGEST_LINK = 2_000  # characters
_RESERVED = re.compile(
    r"[%#\s\"<>\[\]^`{}|\udc80-\udcff]"
)  # in the path of a link; the last are bytes that are no text


@dataclass(frozen=True)
class CellPlace:
    """Describe where something stands: a cell, a sheet (line 0), or else the file."""

    sheet: str
    line: int = 0
    letters: str = ""

    @classmethod
    def of(cls, address: str) -> CellPlace:
        """Return the place of an address, as faults have it: `budgets!D5`."""
        if cell := re.fullmatch(r"(.*)!([A-Z]+)(\d+)", address, re.DOTALL):
            return cls(cell[1], int(cell[3]), cell[2])
        column = re.fullmatch(
            r"([a-z_]+)\.[a-z_]+", address
        )  # of a table, or a setting, that the workbook leaves out
        return cls(column[1] if column else address)


def link_to(source: Path, path: Path, place: CellPlace, titles: Mapping[str, str]) -> str | None:
    """Return a link from a file at `path` to the cell, the sheet or the file where a place is;
    None where that is not there.

    It is relative, so that both can move together, where the two files share more than a drive.
    """
    title, there = titles.get(place.sheet), source.resolve()
    if title is None and (place.sheet != str(source) or not there.exists()):
        return None
    if title is not None and there.is_dir():
        there, title = _csv(there, title), None
    here = path.resolve().parent
    if here.drive == there.drive and os.path.commonpath([here, there]) != there.anchor:
        there = Path(os.path.relpath(there, here))
    address = _RESERVED.sub(_escaped, there.as_posix())
    anchor = ""
    if title:
        quoted = title.replace("'", "''")
        anchor = f"#'{quoted}'!{place.letters or 'A'}{place.line or 1}"
    return f"external:{address}{anchor}" if len(address) + len(anchor) <= _LONGEST_LINK else None


def _csv(folder: Path, title: str) -> Path:
    """Return the file of a table in a folder; the folder where there is none."""
    files = (each for each in folder.iterdir() if each.suffix.casefold() == ".csv")
    return next((each for each in files if each.stem == title), folder)


def _escaped(found: re.Match[str]) -> str:
    """Return a character as the path of a link has it, byte by byte."""
    return "".join(f"%{each:02X}" for each in found[0].encode(errors="surrogateescape"))


@dataclass(frozen=True)
class CellLinks:
    """Links from the file `path` to the cells of `source`."""

    source: Path
    path: Path
    titles: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        titles: dict[str, str] = {}
        with contextlib.suppress(Unreadable, OSError):  # what cannot be read has no cells
            for sheet in sheets(self.source):
                titles.setdefault(normal(sheet.name), sheet.name)
        object.__setattr__(self, "titles", titles)

    def to(self, address: str) -> str | None:
        """Return the link to a cell; None where it is not there."""
        place = CellPlace.of(address)
        return link_to(self.source, self.path, place, self.titles) if place.line else None
