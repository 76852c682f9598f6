"""Builds the sample workbooks from plain tables: `python inputs/build.py` writes `<case>.xlsx` from
the folder `<case>/`, and the data dictionary next to them.

A folder holds one `<table>.csv` for each sheet and `guide.md`, which becomes the sheet `guide`. The
files are the same from run to run.
"""

from __future__ import annotations

import runpy
from pathlib import Path

import xlsxwriter

from optimiser.workbook.write.input_sheets import (
    CREATED,
    Units,
    Writer,
    lay_out_guide,
    read_tables,
    write_guide,
)
from optimiser.workbook.write.styles import OPTIONS, Styles
from stockpile_model.tables import Settings

HERE = Path(__file__).resolve().parent
CASES = ("gallium", "indium", "portfolio", "small")


def build(case: str, path: Path) -> None:
    """Write the workbook of a case."""
    tables = read_tables(HERE / case)
    title = next((row["value"] for row in tables[Settings] if row["name"] == "title"), case)
    with xlsxwriter.Workbook(path, OPTIONS) as book:
        book.set_properties({"title": title, "author": "stockpile-optimiser", "created": CREATED})
        styles = Styles(book)
        guide = book.add_worksheet("guide")
        lay_out_guide(guide)
        write_guide(guide, (HERE / case / "guide.md").read_text(encoding="utf-8"), styles)
        writer = Writer(styles, Units.of(tables[Settings]))
        for kind, rows in tables.items():
            if rows:
                writer.table(book.add_worksheet(kind.TABLE), kind, list(rows[0]), rows)


def main() -> None:
    for case in CASES:
        build(case, HERE / f"{case}.xlsx")
        print(f"built {case}.xlsx")
    runpy.run_path(str(HERE / "dictionary.py"), run_name="__main__")


if __name__ == "__main__":
    main()
