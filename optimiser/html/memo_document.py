"""Write the memo of a plan as a text document (.docx): A4, page numbers, tables that go on with
their heads.

The file bears its own sha256: so this program knows its documents again, and whether they were
edited.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import math
import re
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from docx import Document
from docx.enum.section import WD_ORIENT
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.opc.constants import CONTENT_TYPE, RELATIONSHIP_TYPE
from docx.opc.part import Part
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import qn
from docx.shared import Length, Mm, Pt, RGBColor

from optimiser.figures.of_memo.memo_content import KIND, SIGNED_BY, Memo
from optimiser.html.figure_data import Data, figure_data
from optimiser.html.memo_charts import drawing_ml
from optimiser.html.page import GENERATOR
from optimiser.html.rendering import environment
from optimiser.system.atomic_files import check_owner, check_place, replace

ENDING = ".docx"
FONT = "Arial"  # Liberation Sans has its widths: the pages are the same
WIDTH, HEIGHT, SIDE, TOP = Mm(210), Mm(297), Mm(14), Mm(11)
TEXT = WIDTH - 2 * SIDE
CHART_WIDTH, CHART_HEIGHT = Mm(87), Mm(31)
ACCENT, SOFT, WARNING = RGBColor(0x0B, 0x4F, 0x8A), RGBColor(0x55, 0x60, 0x70), "FFF1E3"
LINE, HEAD = "B8C1CC", "EEF2F6"
BODY, SMALL = Pt(9), Pt(7.5)
UNDATED = (1980, 1, 1, 0, 0, 0)
MOST_BYTES = 2**24  # of all parts of a document of this program
CORE = "docProps/core.xml"
SHORT = 8  # rows of a table that stands on one page
LONGEST_WORD, WORTH, BOLD = 22, 1.0, 1.15
"""Characters of a word that a column is as wide as, the power of the length of its texts by which a
column gets of what is left, and how much wider letters of its title are."""


def write_memo_document(memo: Memo, path: Path, force: bool = False) -> None:
    """Write the memo to `path`. Raises OutputError; then nothing has changed."""
    check_document(path, force)
    replace(path, composed(memo))


def check_document(path: Path, force: bool) -> None:
    """Raise OutputError where a document could not be written to `path`: before a long search."""
    check_place(path)
    check_owner(path, "a memo", _is_own, force)


def composed(memo: Memo) -> bytes:
    """Return the document of a memo as its file holds it."""
    document = Document()
    _set_page(document, memo)
    _paragraph(document, KIND, size=SMALL, colour=SOFT)
    document.add_heading(memo.title, 0)
    for each in memo.doubts:
        _shade(_paragraph(document, each, bold=True), WARNING)
    for each in memo.lead:
        _paragraph(document, each, bold=True, size=Pt(9.5))
    _paragraph(document, memo.facts, size=SMALL, colour=SOFT)
    for number, part in enumerate(memo.parts, 1):
        document.add_heading(f"{number}. {part.title}", 1)
        drawn = [*map(figure_data, part.figures)]
        for figure in drawn:
            if figure["sort"] != "chart":
                _draw(document, figure)
        _charts(document, [figure for figure in drawn if figure["sort"] == "chart"])
    if memo.signatures:
        document.add_heading("Signatures", 1)
        _sign(document, memo.signatures)
    return _sealed(document)


# --- The page -------------------------------------------------------------------------------------


def _set_page(document: Any, memo: Memo) -> None:
    """Set paper, margins, styles, the foot of the page, and what the document says of itself."""
    section = document.sections[0]
    section.orientation = WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = WIDTH, HEIGHT
    section.left_margin = section.right_margin = SIDE
    section.top_margin = section.bottom_margin = TOP
    section.header_distance = section.footer_distance = Mm(7)
    sizes = (("Normal", BODY, 0), ("Title", Pt(15), 0), ("Heading 1", Pt(10.5), 5))
    for name, size, above in sizes:
        style = document.styles[name]
        style.font.name, style.font.size = FONT, size
        style.element.rPr.rFonts.set(qn("w:eastAsia"), FONT)
        for each in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            style.element.rPr.rFonts.attrib.pop(qn(f"w:{each}"), None)
        style.paragraph_format.space_before, style.paragraph_format.space_after = Pt(above), Pt(2)
        if name != "Normal":
            style.font.color.rgb = ACCENT
            style.font.bold = True
    document.styles["Normal"].paragraph_format.line_spacing = 1.0
    border = document.styles["Title"].element.pPr.find(qn("w:pBdr"))
    if border is not None:
        document.styles["Title"].element.pPr.remove(border)
    _foot(section.footer.paragraphs[0], memo.title)
    about = document.core_properties
    about.title, about.subject, about.author = f"{memo.title}: {KIND.lower()}", KIND, GENERATOR
    about.last_modified_by, about.comments, about.keywords = GENERATOR, "", ""
    about.created = about.modified = dt.datetime.now(dt.UTC).replace(tzinfo=None, microsecond=0)
    about.language = "en"


def _foot(paragraph: Any, title: str) -> None:
    """Write the title and the number of the page, of so many."""
    paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    for text in (f"{title} · {KIND.lower()} · page ", "PAGE", " of ", "NUMPAGES"):
        run = paragraph.add_run("" if text.isupper() else text)
        run.font.size, run.font.color.rgb = SMALL, SOFT
        if text.isupper():
            field = OxmlElement("w:fldSimple")
            field.set(qn("w:instr"), text)
            shown = OxmlElement("w:r")
            shown.append(run._r.get_or_add_rPr())
            number = OxmlElement("w:t")
            number.text = "1"
            shown.append(number)
            field.append(shown)
            run._r.getparent().replace(run._r, field)


def _paragraph(
    holder: Any,
    text: str,
    *,
    bold: bool = False,
    size: Length = BODY,
    colour: RGBColor | None = None,
) -> Any:
    paragraph = holder.add_paragraph()
    _run(paragraph, text, bold=bold, size=size, colour=colour)
    return paragraph


def _bullet(paragraph: Any) -> None:
    """Make a paragraph an item of a list."""
    paragraph.style = "List Bullet"
    about = paragraph.paragraph_format
    about.left_indent, about.first_line_indent, about.space_after = Mm(4), -Mm(4), Pt(1)
    about.tab_stops.add_tab_stop(Mm(4))


def _run(
    paragraph: Any, text: str, *, bold: bool, size: Length, colour: RGBColor | None = None
) -> None:
    run = paragraph.add_run(text)
    run.bold, run.font.size = bold, size
    if colour is not None:
        run.font.color.rgb = colour


def _shade(paragraph: Any, colour: str) -> None:
    shade = OxmlElement("w:shd")
    shade.set(qn("w:val"), "clear")
    shade.set(qn("w:fill"), colour)
    paragraph._p.get_or_add_pPr().append(shade)


# --- Charts ---------------------------------------------------------------------------------------


def _charts(document: Any, charts: Sequence[Data]) -> None:
    """Write charts beside each other, each below its caption."""
    if not charts:
        return
    row = document.add_table(rows=1, cols=len(charts)).rows[0]
    _keep(row, head=False)
    for cell, chart in zip(row.cells, charts, strict=True):
        cell.width = CHART_WIDTH
        said = ": ".join(filter(None, (chart["title"], chart["caption"])))
        _run(cell.paragraphs[0], said, bold=False, size=SMALL, colour=SOFT)
        _chart(document, cell.add_paragraph(), chart, said)
    _gap(document)


def _chart(document: Any, paragraph: Any, chart: Data, said: str) -> None:
    """Write a chart: a part of the document, which a paragraph refers to."""
    package = document.part.package
    name = package.next_partname("/word/charts/chart%d.xml")
    part = Part(name, CONTENT_TYPE.DML_CHART, drawing_ml(chart), package)
    drawing = (
        environment()
        .get_template("memo_drawing.xml")
        .render(
            width=CHART_WIDTH,
            height=CHART_HEIGHT,
            number=document.part.next_id,
            name=chart["name"],
            said=said,
            part=document.part.relate_to(part, RELATIONSHIP_TYPE.CHART),
        )
    )
    paragraph.add_run()._r.append(parse_xml(drawing))


# --- Tables ---------------------------------------------------------------------------------------


def _draw(document: Any, figure: Data) -> None:
    """Write a figure: its paragraphs, or its table."""
    if figure["sort"] == "text":
        for each in figure["paragraphs"]:
            _bullet(_paragraph(document, each))
        return
    if figure["caption"]:
        _paragraph(document, figure["caption"], size=SMALL, colour=SOFT)
    titles = [each["title"] for each in figure["columns"]]
    lines = [[cell["text"] for cell in line["cells"]] for line in figure["lines"]]
    numbers = [each["number"] for each in figure["columns"]]
    _table(document, titles, lines, numbers)


def _table(
    document: Any, titles: Sequence[str], lines: Sequence[Sequence[str]], numbers: Sequence[bool]
) -> Any:
    """Write a table whose head stands on each of its pages, and whose rows stay whole; a short one
    stands on one page.
    """
    table = document.add_table(rows=1 + len(lines), cols=len(titles))
    table.alignment, table.autofit = WD_TABLE_ALIGNMENT.CENTER, False
    _rule(table)
    found = widths(titles, lines)
    for column, width in zip(table.columns, found, strict=True):
        column.width = width
    for r, (row, texts) in enumerate(zip(table.rows, (titles, *lines), strict=True)):
        _keep(row, head=r == 0)
        for cell, text, number, width in zip(row.cells, texts, numbers, found, strict=True):
            cell.width = width
            paragraph = cell.paragraphs[0]
            paragraph.paragraph_format.space_after = Pt(0)
            _run(paragraph, text, bold=r == 0, size=SMALL)
            if number:
                paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
            if r == 0:
                _fill(cell, HEAD)
    if len(lines) <= SHORT:
        _together(table)
    _gap(document)
    return table


def _together(table: Any) -> None:
    """Keep all rows of a table on one page."""
    for row in table.rows[:-1]:
        for cell in row.cells:
            cell.paragraphs[0].paragraph_format.keep_with_next = True


def _gap(document: Any) -> None:
    """Leave a little room below a table."""
    after = document.add_paragraph().paragraph_format
    after.line_spacing, after.space_after = Pt(4), Pt(0)


def widths(titles: Sequence[str], lines: Sequence[Sequence[str]]) -> list[int]:
    """Return the widths of columns: each fits its longest word, and gets of what is left by how
    long its texts are."""
    columns = [[title, *(line[c] for line in lines)] for c, title in enumerate(titles)]
    words = [
        2
        + max((min(len(word), LONGEST_WORD) for text in texts for word in text.split()), default=1)
        for texts in columns
    ]
    longest = [max(BOLD * len(texts[0]), *map(len, texts)) + 2 for texts in columns]
    more = [max(0, whole - word) ** WORTH for whole, word in zip(longest, words, strict=True)]
    unit = SMALL * 0.5  # how wide a letter is
    left = max(0.0, TEXT - unit * sum(words))
    share = [each / (sum(more) or 1.0) for each in more]
    found = [unit * word + left * part for word, part in zip(words, share, strict=True)]
    if not sum(more):
        found = [each + left / len(found) for each in found]
    return [math.floor(TEXT * each / sum(found)) for each in found]


def _sign(document: Any, signers: Sequence[str]) -> None:
    """Write the block to sign: rows that are high enough for a hand."""
    lines = [[each, *("" for _ in SIGNED_BY[1:])] for each in signers]
    table = _table(document, SIGNED_BY, lines, [False] * len(SIGNED_BY))
    for row in table.rows[1:]:
        row.height = Mm(7.5)
    _together(table)
    for column, share in zip(table.columns, (0.16, 0.36, 0.16, 0.32), strict=True):
        column.width = width = math.floor(TEXT * share)
        for cell in column.cells:
            cell.width = width


def _keep(row: Any, head: bool) -> None:
    """Keep a row on one page; the head of a table stands on each."""
    about = row._tr.get_or_add_trPr()
    for name in ("w:cantSplit", *(("w:tblHeader",) if head else ())):
        about.append(OxmlElement(name))


def _fill(cell: Any, colour: str) -> None:
    shade = OxmlElement("w:shd")
    shade.set(qn("w:val"), "clear")
    shade.set(qn("w:fill"), colour)
    cell._tc.get_or_add_tcPr().append(shade)


def _rule(table: Any) -> None:
    """Draw a line below each row, and leave little room within cells."""
    about = table._tbl.tblPr
    borders = OxmlElement("w:tblBorders")
    for side in ("top", "bottom", "insideH"):
        line = OxmlElement(f"w:{side}")
        for name, value in (("val", "single"), ("sz", "4"), ("color", LINE)):
            line.set(qn(f"w:{name}"), value)
        borders.append(line)
    about.append(borders)
    margins = OxmlElement("w:tblCellMar")
    for side in ("left", "right"):
        room = OxmlElement(f"w:{side}")
        room.set(qn("w:w"), "50")
        room.set(qn("w:type"), "dxa")
        margins.append(room)
    about.append(margins)


# --- The seal -------------------------------------------------------------------------------------


def _sealed(document: Any) -> bytes:
    """Return the file of a document, which bears the sha256 of its other parts."""
    about = document.core_properties
    about.identifier = ""
    held = io.BytesIO()
    document.save(held)
    with zipfile.ZipFile(held) as archive:
        digest = _digest((name, archive.read(name)) for name in archive.namelist())
    about.identifier = f"sha256 {digest}"
    held = io.BytesIO()
    document.save(held)
    found = io.BytesIO()
    with zipfile.ZipFile(held) as archive, zipfile.ZipFile(found, "w") as sealed:
        for name in archive.namelist():
            part = zipfile.ZipInfo(name, UNDATED)
            part.compress_type = zipfile.ZIP_DEFLATED
            sealed.writestr(part, archive.read(name))
    return found.getvalue()


def _digest(parts: Iterable[tuple[str, bytes]]) -> str:
    """Return the sha256 of all parts but what the document says of itself."""
    digest = hashlib.sha256()
    for name, content in sorted(parts):
        if name != CORE:
            digest.update(f"{name} {len(content)}\n".encode())
            digest.update(content)
    return digest.hexdigest()


def _is_own(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(each.file_size for each in archive.infolist()) > MOST_BYTES:
                return False
            about = archive.read(CORE)
            digest = _digest((name, archive.read(name)) for name in archive.namelist())
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, RuntimeError, ValueError):
        return False  # no document, or cut short
    seal = re.search(rb"<dc:identifier>sha256 ([0-9a-f]{64})</dc:identifier>", about)
    return GENERATOR.encode() in about and seal is not None and seal[1].decode() == digest
