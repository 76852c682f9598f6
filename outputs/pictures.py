"""Draw the pictures of the README and of the folders: `python outputs/pictures.py [PLAN.xlsx]`.

The summary is of a plan, of gallium unless a plan is named, as LibreOffice prints it. The parts of
the page and of the memo of that plan are as Chromium shows them. Orders, rotation, tornado and
comparison are of the walk in `inputs/WALK.md`. `pdftoppm` makes pictures of what is printed.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path

import openpyxl
from openpyxl.worksheet.pagebreak import ColBreak
from openpyxl.worksheet.properties import PageSetupProperties
from PIL import Image, ImageChops

import optimiser as so
from tests.support.browser import Opened, browser
from tests.support.office import converted

HERE = Path(__file__).resolve().parent
CASE = HERE.parent / "inputs" / "gallium.xlsx"
WIDTH, HEIGHT = 900, 620
MOST_BYTES = 160_000
PARTS = {
    "stock": ".figure[data-name^='stock']",
    "checks": ".figure[data-name='checks']",
    "evidence": ".figure[data-name='evidence']",
}
"""The figures of the page by the name of their picture."""
DPI = 90
COLOURS = 64
MARGIN = 12  # pixels of white around what is printed
FIRST = 'pdf:calc_pdf_Export:{"PageRange":{"type":"string","value":"1-3"}}'
"""The form in which LibreOffice prints the two pages of tables and the first of charts."""
LESS_MONEY = "budgets[*].amount scale 0.8"  # what the walk compares
SHOWN = {
    "orders": ("Date", "Offer", "Material", "Ordered", "Arrives", "Paid", "Instruction", "Number"),
    "rotation": ("Date", "Lot", "Remaining", "Outlet", "Quantity", "Instruction", "Number"),
}
"""The columns that the picture of a sheet shows, by the first word of their heading."""


def draw(plan: Path) -> None:
    """Draw the pictures of a plan beside this file."""
    saved = so.load_plan(plan)
    with tempfile.TemporaryDirectory() as folder, browser() as started:
        page = saved.save(Path(folder) / "page.html")
        memo = so.memo(saved).save(Path(folder) / "memo.html")
        opened = Opened(started, page, viewport={"width": WIDTH, "height": HEIGHT})
        opened.page.screenshot(path=HERE / "page.png")
        for name, place in PARTS.items():
            _part(opened, place, name)
        opened = Opened(started, memo, viewport={"width": WIDTH, "height": HEIGHT})
        opened.page.screenshot(path=HERE / "memo.png")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "plan.xlsx"
        copy.write_bytes(plan.read_bytes())
        _keep(_beside(_printed(copy, FIRST)), "gallium-plan")


def _part(opened: Opened, place: str, name: str) -> None:
    """Draw a part of a page."""
    part = opened.page.locator(place).first
    part.scroll_into_view_if_needed()
    opened.page.wait_for_timeout(1500)  # a chart is drawn as it comes into view
    part.screenshot(path=HERE / f"{name}.png")


def draw_walk() -> None:
    """Draw the pictures of the walk, from the workbook that `stockpile template` writes."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        book = so.write_template(place / "gallium.xlsx")
        plan, less = place / "gallium-plan.xlsx", place / "less-money.xlsx"
        so.solve(book, output=plan)
        so.solve(book, changes=[LESS_MONEY], output=less)
        for sheet, columns in SHOWN.items():
            _only(plan, place / f"{sheet}.xlsx", sheet, columns)
            _keep(_printed(place / f"{sheet}.xlsx", "pdf")[0], sheet)
        both = place / "comparison.xlsx"
        so.compare(plan, less).save(both)
        _keep(_below(_printed(both, "pdf")[:2]), "comparison")
        so.run_studies(book, everything=True, output=place / "study.html")
        with browser() as started:
            opened = Opened(started, place / "study.html")
            _part(opened, ".figure[data-name^='tornado']", "tornado")


def _only(source: Path, target: Path, sheet: str, columns: Collection[str]) -> None:
    """Copy a sheet of a workbook, with the columns whose heading begins with one of some words."""
    book = openpyxl.load_workbook(source)
    for name in book.sheetnames:
        if name != sheet:
            del book[name]
    kept = book[sheet]
    for cell in kept[1]:
        word = str(cell.value).partition(" ")[0]
        kept.column_dimensions[cell.column_letter].hidden = word not in columns
    kept.print_area = kept.dimensions
    kept.page_setup.orientation = "landscape"
    kept.col_breaks = ColBreak()
    kept.page_setup.fitToWidth = 1
    kept.page_setup.fitToHeight = 0  # as many pages as it takes, each of the whole width
    kept.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    book.save(target)


def _printed(workbook: Path, form: str) -> list[Image.Image]:
    """Return the pages that a workbook prints on, without the white around them."""
    pages = converted(workbook, form)
    subprocess.run(["pdftoppm", "-r", str(DPI), "-png", pages, pages.with_suffix("")], check=True)
    return [
        _cut(Image.open(each).convert("RGB"))
        for each in sorted(pages.parent.glob(f"{pages.stem}-*.png"))
    ]


def _cut(page: Image.Image) -> Image.Image:
    """Return what is printed on a page, without its footer, with a margin."""
    inner = page.crop((0, 0, page.width, page.height - DPI * 2 // 3))
    box = ImageChops.difference(inner, Image.new("RGB", inner.size, "white")).getbbox()
    assert box is not None, "an empty page"
    left, top, right, bottom = box
    return page.crop((left - MARGIN, top - MARGIN, right + MARGIN, bottom + MARGIN))


def _beside(pages: Sequence[Image.Image]) -> Image.Image:
    """Return pages side by side."""
    whole = Image.new("RGB", (sum(p.width for p in pages), max(p.height for p in pages)), "white")
    x = 0
    for page in pages:
        whole.paste(page, (x, 0))
        x += page.width
    return whole


def _below(pages: Sequence[Image.Image]) -> Image.Image:
    """Return pages one below the other."""
    whole = Image.new("RGB", (max(p.width for p in pages), sum(p.height for p in pages)), "white")
    y = 0
    for page in pages:
        whole.paste(page, (0, y))
        y += page.height
    return whole


def _keep(picture: Image.Image, name: str) -> None:
    """Keep a picture beside this file, in few colours."""
    picture.quantize(COLOURS).save(HERE / f"{name}.png", optimize=True)


def main() -> None:
    """Draw the pictures of the plan that is named, or of gallium, and those of the walk."""
    with tempfile.TemporaryDirectory() as folder:
        plan = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(folder) / "gallium-plan.xlsx"
        if len(sys.argv) == 1:
            so.solve(CASE, output=plan)
        draw(plan)
    draw_walk()
    for picture in HERE.glob("*.png"):
        size = picture.stat().st_size
        assert size < MOST_BYTES, f"{picture.name} has {size:,} bytes"


if __name__ == "__main__":
    main()
