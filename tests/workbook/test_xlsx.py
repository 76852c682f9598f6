"""Workbooks as files: what other programs write, what is damaged, what is hostile.

Each gives one line and ends soon.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import time
import tracemalloc
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter

from optimiser.system.errors import InputError
from optimiser.workbook.read import cells, xlsx
from optimiser.workbook.read.cells import UNCACHED, Cells, Lost
from optimiser.workbook.read.input_reader import read
from stockpile_model.values import Padded
from tests.support.books import Tables, book

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml"
PARTS = {
    "[Content_Types].xml": (
        f"""<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
        <Override PartName="/xl/workbook.xml" ContentType="{WORKBOOK}.sheet.main+xml"/>
        <Override PartName="/xl/texts.xml" ContentType="{WORKBOOK}.sharedStrings+xml"/></Types>"""
    ),
    "_rels/.rels": (
        f"""<Relationships xmlns="{RELATIONS}">
        <Relationship Id="a" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>"""
    ),
    "xl/workbook.xml": (
        f"""<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">
        <sheets><sheet name="settings" sheetId="1" r:id="s"/></sheets></workbook>"""
    ),
    "xl/_rels/workbook.xml.rels": (
        f"""<Relationships xmlns="{RELATIONS}">
        <Relationship Id="s" Type="{OFFICE}/worksheet" Target="worksheets/one.xml"/>
        <Relationship Id="t" Type="{OFFICE}/sharedStrings" Target="/xl/texts.xml"/>
        <Relationship Id="f" Type="{OFFICE}/styles" Target="styles.xml"/></Relationships>"""
    ),
    "xl/texts.xml": f'<sst xmlns="{MAIN}"><si><t>plain</t></si></sst>',
    "xl/styles.xml": (
        f'<styleSheet xmlns="{MAIN}"><cellXfs><xf numFmtId="0"/></cellXfs></styleSheet>'
    ),
    "xl/worksheets/one.xml": f'<worksheet xmlns="{MAIN}"><sheetData/></worksheet>',
}
TABLES: Tables = {
    "settings": {"start": dt.date(2027, 1, 1), "periods": 12},
    "materials": [{"material": "gallium"}],
}


def package(path: Path, parts: Mapping[str, str | bytes | None] | None = None, **more: str) -> Path:
    """A workbook made of its parts; `sheet`, `texts`, `formats` and `book` replace the usual ones."""
    names = {
        "sheet": "xl/worksheets/one.xml",
        "texts": "xl/texts.xml",
        "formats": "xl/styles.xml",
        "book": "xl/workbook.xml",
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {
            **PARTS,
            **(parts or {}),
            **{names[key]: text for key, text in more.items()},
        }.items():
            if content is not None:
                archive.writestr(name, content)
    return path


def rows(path: Path) -> dict[int, Cells]:
    """The rows of the first sheet."""
    for sheet in xlsx.sheets(path):
        return dict(sheet)
    raise AssertionError("the workbook has no sheet")


def data(inner: str) -> str:
    return (
        f'<worksheet xmlns="{MAIN}"><dimension ref="A1"/><sheetData>{inner}</sheetData></worksheet>'
    )


def only_line(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read(path)
    (fault,) = caught.value.faults
    assert "\n" not in str(fault)
    return str(fault)


# --- Cells ----------------------------------------------------------------------------------------


def test_cells_of_every_kind(tmp_path: Path) -> None:
    texts = f"""<sst xmlns="{MAIN}"><si><t>plain</t></si><si><r><t>ri</t></r><r><rPr/><t>ch</t></r><rPh sb="0" eb="1"><t>kana</t></rPh></si>
        <si><t xml:space="preserve">  </t></si><si><t>two_x000D_lines</t></si><si><t/></si></sst>"""
    path = package(
        tmp_path / "book.xlsx",
        texts=texts,
        sheet=data("""
            <row r="2"><c r="A2" t="s"><v>0</v></c><c r="B2" t="s"><v>1</v></c><c r="C2" t="s"><v>2</v></c>
                <c r="D2" t="s"><v>3</v></c><c r="E2" t="s"><v>4</v></c></row>
            <row r="3"/>
            <row r="4" hidden="1"><c r="C4" t="b"><v>1</v></c><c t="b"><v>0</v></c><c t="n"><v>-1.5E3</v></c><c/><c><v>7</v></c></row>
            <row><c r="A5" t="inlineStr"><is><r><t>in</t></r><r><t>line</t></r><rPh sb="0" eb="1"><t>kana</t></rPh></is></c>
                <c t="str"><f>A1</f><v>said</v></c></row>
            <row r="6"><c r="AB6" t="e"><v>#REF!</v></c><c r="AC6" t="d"><v>2027-03-01T00:00:00</v></c></row>
        """),
    )
    assert rows(path) == {
        2: {1: "plain", 2: "rich", 4: "two\rlines"},
        4: {3: True, 4: False, 5: -1500.0, 7: 7.0},
        5: {1: "inline", 2: "said"},
        6: {
            28: Lost("is the error #REF!; correct its formula or write the value"),
            29: dt.datetime(2027, 3, 1),
        },
    }


def test_formulas(tmp_path: Path) -> None:
    path = package(
        tmp_path / "book.xlsx",
        sheet=data(
            """<row r="1"><c r="A1"><f>1+1</f><v>2</v></c><c r="B1"><f>1+1</f></c><c r="C1"><f>1+1</f><v/></c>
            <c r="D1" t="str"><f>""</f><v></v></c><c r="E1"><f t="shared" si="0"/><v>3</v></c>
            <c r="F1" t="str"><f>"a"</f><v>a</v></c></row>"""
        ),
    )
    assert rows(path) == {1: {1: 2.0, 2: UNCACHED, 3: UNCACHED, 5: 3.0, 6: "a"}}


def test_formulas_next_to_gaps(tmp_path: Path) -> None:
    cells = (
        '<row r="3"><c r="B3"/><c r="D3"><f>A1</f></c><c r="F3"/></row><row r="4"/><row r="900"><c'
        ' r="C900"><f>A1</f></c></row>'
    )
    assert rows(package(tmp_path / "book.xlsx", sheet=data(cells))) == {
        3: {4: UNCACHED},
        900: {3: UNCACHED},
    }


def test_formats(tmp_path: Path) -> None:
    codes = [
        "000",
        "[$-409]d\\-mmm\\-yy;@",
        "0.0 &quot;days&quot;",
        "#,##0.00\\ [$USD];[Red]\\-#,##0",
        "[h]:mm",
    ]
    own = "".join(
        f'<numFmt numFmtId="{number}" formatCode="{code}"/>'
        for number, code in enumerate(codes, 164)
    )
    used = "".join(f'<xf numFmtId="{number}"/>' for number in (0, 14, 164, 165, 166, 167, 10, 168))
    formats = f"""<styleSheet xmlns="{MAIN}"><numFmts>{own}</numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>
        <cellXfs>{used}</cellXfs></styleSheet>"""
    styled = [
        (0, 1),
        (1, 46388),
        (2, 7),
        (3, 46388.75),
        (4, 3),
        (5, 2),
        (6, 0.25),
        (1, 0),
        (1, 1),
        (1, 9e9),
    ]
    cells = "".join(f'<c s="{style}"><v>{value}</v></c>' for style, value in styled)
    found = rows(
        package(tmp_path / "book.xlsx", formats=formats, sheet=data(f'<row r="1">{cells}</row>'))
    )[1]
    assert found == {
        1: 1.0,
        2: dt.datetime(2027, 1, 1),
        3: 7.0,
        4: dt.datetime(2027, 1, 1, 18),
        5: 3.0,
        6: 2.0,
        7: 0.25,
        8: dt.time(),
        9: dt.datetime(1900, 1, 1),
        10: Lost(
            "is the error #VALUE!; correct its formula or write the value"
        ),  # shown as #### by a spreadsheet program
    }
    assert isinstance(found[3], Padded)
    assert found[3].digits == 3


def test_dates_of_the_other_epoch(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    workbook.epoch = dt.datetime(1904, 1, 1)
    workbook.worksheets[0]["A1"] = dt.date(2027, 3, 31)
    workbook.save(tmp_path / "book.xlsx")
    assert rows(tmp_path / "book.xlsx") == {1: {1: dt.datetime(2027, 3, 31)}}


def test_prefixed_names(tmp_path: Path) -> None:
    """Some writers prefix every element."""
    inner = '<x:row r="1"><x:c r="A1"><x:v>3</x:v></x:c><x:c r="B1"><x:f>A1</x:f></x:c></x:row>'
    merged = '<x:mergeCells count="1"><x:mergeCell ref="A1:D4"/></x:mergeCells>'
    text = f'<x:worksheet xmlns:x="{MAIN}"><x:sheetData>{inner}</x:sheetData>{merged}</x:worksheet>'
    for sheet in (text, '<?xml version="1.0" encoding="UTF-16"?>' + text):
        part = sheet.encode("utf-16" if sheet.startswith("<?") else "utf-8")
        for found in xlsx.sheets(package(tmp_path / "book.xlsx", {"xl/worksheets/one.xml": part})):
            assert list(found) == [(1, {1: 3.0, 2: UNCACHED})]
            assert found.merged == [(1, 1, 4, 4)]


def test_the_strict_form_is_refused(tmp_path: Path) -> None:
    """It has other namespaces, which openpyxl passes over as if nothing were there."""
    strict = {
        name: text.replace(OFFICE, "http://purl.oclc.org/ooxml/officeDocument/relationships")
        for name, text in PARTS.items()
    }
    path = package(tmp_path / "book.xlsx", strict)
    assert (
        only_line(path)
        == f"{path}: holds no sheet that can be read; save it as an Excel workbook (.xlsx), not as"
        " a strict one"
    )


def test_damaged_dimensions_and_elements_outside_the_data_do_not_matter(tmp_path: Path) -> None:
    sheet = f"""<worksheet xmlns="{MAIN}"><dimension ref="A1"/><cols><col min="1" max="nonsense"/></cols>
        <sheetData><row r="3"><c r="E3"><v>3</v></c></row></sheetData>
        <extLst><ext uri="what"><f>A1</f><v>9</v><row r="1"/></ext></extLst></worksheet>"""
    assert rows(package(tmp_path / "book.xlsx", sheet=sheet)) == {3: {5: 3.0}}


def test_chart_sheets_are_no_tables(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "book.xlsx") as workbook:
        chart = workbook.add_chart({"type": "line"})
        workbook.add_chartsheet("picture").set_chart(chart)
        workbook.add_worksheet("settings").write_column(0, 0, ["name", "start", "periods"])
        workbook.worksheets()[1].write_column(0, 1, ["value", "2027-01-01", 12])
        chart.add_series({"values": "=settings!$B$2:$B$3"})
        workbook.add_worksheet("materials").write_column(0, 0, ["material", "gallium"])
    assert read(tmp_path / "book.xlsx").stockpile.settings.periods == 12


@pytest.mark.parametrize("suffix", [".xlsm", ".xltx", ".bin"])
def test_the_name_of_the_file_does_not_matter(tmp_path: Path, suffix: str) -> None:
    path = book(tmp_path / "book.xlsx", TABLES).rename(tmp_path / f"book{suffix}")
    assert read(path).stockpile.settings.periods == 12


# --- Files that are no workbook -------------------------------------------------------------------

OLE = bytes.fromhex("d0cf11e0a1b11ae1")
FILES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty; save it again from a spreadsheet program"),
    "text": (
        b"offer,supplier\n",
        "is no Excel workbook; save it as an Excel workbook (.xlsx), or name a folder of CSV files",
    ),
    "old": (
        OLE + bytes(600),
        "is a workbook of the old format; save it as an Excel workbook (.xlsx)",
    ),
    "protected": (
        OLE + bytes(1016) + "EncryptedPackage".encode("utf-16-le"),
        "is protected by a password; save it without one",
    ),
    "no archive": (
        b"PK\3\4" + bytes(100),
        (
            "the file is damaged or cut short (File is not a zip file); save it again from a"
            " spreadsheet program"
        ),
    ),
}


@pytest.mark.parametrize("kind", FILES)
def test_files_that_are_no_workbook(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "book.xlsx"
    content, message = FILES[kind]
    path.write_bytes(content)
    assert only_line(path) == f"{path}: {message}"


def test_no_file_at_all(tmp_path: Path) -> None:
    assert (
        only_line(tmp_path / "book.xlsx")
        == f"{tmp_path / 'book.xlsx'}: there is no such file; see its name and folder"
    )
    assert only_line(Path("/dev/null")) == "/dev/null: is neither a file nor a folder"


def test_an_archive_with_a_password(tmp_path: Path) -> None:
    path = book(tmp_path / "book.xlsx", TABLES)
    content = bytearray(path.read_bytes())
    start = content.find(b"PK\1\2")
    while start >= 0:  # the flag "encrypted" of each entry of the directory
        content[start + 8] |= 1
        start = content.find(b"PK\1\2", start + 1)
    path.write_bytes(content)
    assert only_line(path) == f"{path}: is protected by a password; save it without one"


def test_an_archive_of_another_kind(tmp_path: Path) -> None:
    path = tmp_path / "book.ods"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
    assert (
        only_line(path)
        == f"{path}: is no Excel workbook (.xlsx); save it as an Excel workbook (.xlsx)"
    )
    kind = "application/vnd.ms-excel.sheet.binary.macroEnabled.main"
    binary = {
        "[Content_Types].xml": (
            PARTS["[Content_Types].xml"].replace(f"{WORKBOOK}.sheet.main+xml", kind)
        ),
        "xl/workbook.xml": None,
        "xl/workbook.bin": b"\x83\x01",
    }
    assert (
        only_line(package(path, binary))
        == f"{path}: is no Excel workbook (.xlsx); save it as an Excel workbook (.xlsx)"
    )


def test_a_truncated_workbook(tmp_path: Path) -> None:
    path = book(tmp_path / "book.xlsx", TABLES)
    whole = path.read_bytes()
    for length in (10, len(whole) // 2, len(whole) - 5):
        path.write_bytes(whole[:length])
        assert only_line(path).startswith(f"{path}: the file is damaged or cut short (")


def test_any_damaged_byte_is_reported_or_harmless(tmp_path: Path) -> None:
    path = book(tmp_path / "book.xlsx", TABLES)
    whole = path.read_bytes()
    faults = []
    for place in range(0, len(whole), 41):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        with contextlib.suppress(InputError):
            read(path)
            continue
        faults.append(place)
    assert len(faults) > 20


DAMAGE: dict[str, tuple[dict[str, str], str]] = {
    "no xml": (
        {"sheet": data("").removesuffix("</sheetData></worksheet>")},
        "settings: the sheet is damaged",
    ),
    "no xml at all": ({"sheet": "<worksheet><sheetData>"}, "book.xlsx: the file is damaged"),
    "unknown encoding": (
        {"sheet": '<?xml version="1.0" encoding="UT4-8"?>' + data("")},
        "book.xlsx: the file is damaged",
    ),
    "row of a hostile number": (
        {"sheet": data('<row r="999999999999"><c><v>1</v></c></row>')},
        "settings: the sheet is damaged",
    ),
    "column of a hostile number": (
        {"sheet": data('<row r="1"><c r="ZZZZ1"><v>1</v></c></row>')},
        "settings: the sheet is damaged",
    ),
    "merged nonsense": (
        {
            "sheet": (
                data("").replace(
                    "</worksheet>", '<mergeCells><mergeCell ref="A:B"/></mergeCells></worksheet>'
                )
            )
        },
        "settings: the sheet is damaged",
    ),
    "rows out of order": (
        {"sheet": data('<row r="2"><c><v>1</v></c></row><row r="1"><c><v>1</v></c></row>')},
        (
            "settings: the sheet is damaged (row 1 stands after row 2 in the file); save it again"
            " from a spreadsheet program"
        ),
    ),
    "row twice": (
        {"sheet": data('<row r="2"/><row r="2"><c><v>1</v></c></row>')},
        "settings: the sheet is damaged (row 2 stands twice in",
    ),
    "cells out of order": (
        {"sheet": data('<row r="1"><c r="B1"><v>1</v></c><c r="A1"><v>1</v></c></row>')},
        "settings: the sheet is damaged (the cell A1 stands after B1 in the file)",
    ),
    "cell twice": (
        {"sheet": data('<row r="1"><c r="A1"/><c r="A1"/></row>')},
        "the cell A1 stands twice in the file",
    ),
    "cell of another row": (
        {"sheet": data('<row r="1"><c r="A2"/></row>')},
        "the cell A2 stands in row 1 of the file",
    ),
    "cell without a name": (
        {"sheet": data('<row r="1"><c r="11"/></row>')},
        "settings: the sheet is damaged (row 1 has a cell '11')",
    ),
    "row without a number": (
        {"sheet": data('<row r="two"/>')},
        "settings: the sheet is damaged (a row below row 0 has the number 'two')",
    ),
    "no sheets": ({"book": f'<workbook xmlns="{MAIN}"/>'}, "holds no sheet that can be read"),
    "sheet without a part": (
        {"book": PARTS["xl/workbook.xml"].replace('r:id="s"', 'r:id="z"')},
        "the file is damaged",
    ),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damaged_parts(tmp_path: Path, kind: str) -> None:
    parts, message = DAMAGE[kind]
    assert message in only_line(package(tmp_path / "book.xlsx", {}, **parts))


CELLS = {
    f"<c><v>{'x' * 200}</v></c>": f"it holds '{'x' * 79} …' as a number, which is none",
    f"<c><v>{'9' * 400}</v></c>": f"it holds '{'9' * 79} …' as a number, which is none",
    "<c><v>1_000</v></c>": "it holds '1_000' as a number, which is none",
    "<c><v>NaN</v></c>": "it holds 'NaN' as a number, which is none",
    '<c s="9"><v>9</v></c>': (
        "it holds a number in the format number '9', which the file does not hold"
    ),
    '<c t="s"><v>9</v></c>': "it holds text number '9', which the file does not hold",
    '<c t="s"><v>-1</v></c>': "it holds text number '-1', which the file does not hold",
    '<c t="b"><v>yes</v></c>': "it holds 'yes' as true or false",
    '<c t="d"><v>soon</v></c>': "it holds 'soon' as a date, which is none",
    '<c t="q"><v>1</v></c>': "it holds '1' as a value of the kind 'q', which there is not",
}


@pytest.mark.parametrize("cell", CELLS)
def test_a_damaged_cell_is_named(tmp_path: Path, cell: str) -> None:
    header = "".join(f'<c t="inlineStr"><is><t>{name}</t></is></c>' for name in ("name", "value"))
    line = (
        '<row><c t="inlineStr"><is><t>periods</t></is></c>{}</row><row><c'
        ' t="inlineStr"><is><t>start</t></is></c>{}</row>'
    )
    start = '<c t="inlineStr"><is><t>2027-01-01</t></is></c>'
    path = package(
        tmp_path / "book.xlsx", sheet=data(f"<row>{header}</row>{line.format(cell, start)}")
    )
    assert (
        only_line(path)
        == f"settings!B2: periods is damaged: {CELLS[cell]}; write the value that is meant"
    )


def test_a_sheet_without_its_part_is_an_error(tmp_path: Path) -> None:
    """Each way in which a file names a sheet and does not hold it."""
    sheet = '<sheet name="rules" sheetId="2" {}/></sheets>'
    relation = (
        f'<Relationship Id="u" Type="{OFFICE}/worksheet"'
        ' Target="worksheets/Two.xml"/></Relationships>'
    )
    related = {
        "xl/_rels/workbook.xml.rels": (
            PARTS["xl/_rels/workbook.xml.rels"].replace("</Relationships>", relation)
        )
    }
    for identity in ('r:id="u"', ""):
        told = PARTS["xl/workbook.xml"].replace("</sheets>", sheet.format(identity))
        path = package(
            tmp_path / "book.xlsx", {**related, "xl/worksheets/two.xml": data("")}, book=told
        )
        with pytest.raises(InputError) as caught:
            read(path)
        expected = (
            "rules: the file names this sheet and holds no cells of it; save the workbook again"
            " from a spreadsheet program"
        )
        assert expected in map(str, caught.value.faults)


def test_a_part_that_stands_twice(tmp_path: Path) -> None:
    path = package(tmp_path / "book.xlsx")
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("xl/worksheets/one.xml", data(""))
    assert only_line(path).startswith(
        f"{path}: holds the part 'xl/worksheets/one.xml' 2 times; save it again"
    )


# --- Hostile files --------------------------------------------------------------------------------


def test_entities_are_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    for declared in (
        f'<!ENTITY e SYSTEM "{secret.as_uri()}">',
        '<!ENTITY a "xxxxxxxxxx"><!ENTITY e "&a;&a;&a;&a;&a;&a;&a;&a;">',
    ):
        sheet = f"<!DOCTYPE worksheet [{declared}]>" + data(
            '<row r="1"><c r="A1" t="inlineStr"><is><t>&e;</t></is></c></row>'
        )
        line = only_line(package(tmp_path / "book.xlsx", sheet=sheet))
        assert (
            line
            == f"{tmp_path / 'book.xlsx'}: declares entities, which no spreadsheet program writes"
        )
        for name, content in PARTS.items():
            parts = {name: f"<!DOCTYPE x [{declared}]>{content}"}
            line = only_line(package(tmp_path / "book.xlsx", parts))
            assert (
                line
                == f"{tmp_path / 'book.xlsx'}: declares entities, which no spreadsheet program writes"
            ), name


def _in_bounds(work: Callable[[], str]) -> str:
    """What work says, within ten seconds and 20 MB."""
    tracemalloc.start()
    began = time.perf_counter()
    try:
        said = work()
        assert tracemalloc.get_traced_memory()[1] < 20 * 2**20
    finally:
        tracemalloc.stop()
    assert time.perf_counter() - began < 10
    return said


def test_a_zip_bomb_is_refused_before_it_unpacks(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in PARTS.items():
            archive.writestr(name, content)
        with archive.open("xl/media/picture.bin", "w", force_zip64=True) as stream:
            for _ in range(65):
                stream.write(bytes(2**20))
    assert _in_bounds(lambda: only_line(path)).endswith(
        "times its size; save it as an Excel workbook (.xlsx) again, without its empty rows"
    )


def test_a_file_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xlsx, "MOST_BYTES", 2**20)
    path = package(tmp_path / "book.xlsx", {"xl/media/picture.bin": bytes(2**20)})
    assert only_line(path).startswith(
        f"{path}: unpacks to 1 MB in 8 parts; at most 1 MB in 10,000 parts are read"
    )
    monkeypatch.undo()
    monkeypatch.setattr(xlsx, "_MOST_TAGS", 10)
    assert "XML tags; at most 10 are read; remove rows or split the workbook" in only_line(
        package(path)
    )


def test_too_many_rows_are_refused_before_they_are_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cells, "MOST_ROWS", 1_000)
    path = tmp_path / "book.xlsx"
    header = (
        '<row><c t="inlineStr"><is><t>name</t></is></c><c'
        ' t="inlineStr"><is><t>value</t></is></c></row>'
    )
    row = '<row><c t="inlineStr"><is><t>gallium</t></is></c><c><v>5</v></c></row>'
    package(path, sheet=data(header + row * 60_000))
    assert (
        _in_bounds(lambda: only_line(path))
        == "settings: has more than 1,000 rows of data; remove rows or split the workbook"
    )


def test_formatted_blank_rows_are_no_rows(tmp_path: Path) -> None:
    """A format on whole columns leaves such rows behind."""
    blank = "".join(
        f'<row r="{line}" s="0" customFormat="1"><c r="A{line}" s="0"/></row>'
        for line in range(4, 50_001)
    )
    cells = (
        '<row r="1"><c t="inlineStr"><is><t>name</t></is></c></row>'
        + blank
        + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    )
    assert list(rows(package(tmp_path / "book.xlsx", sheet=data(cells)))) == [1, 1_048_576]


def test_a_sheet_as_wide_as_can_be(tmp_path: Path) -> None:
    header = "".join(
        f'<c t="inlineStr"><is><t>column {number}</t></is></c>' for number in range(16_000)
    )
    sheet = data(f'<row r="1"><c t="inlineStr"><is><t>name</t></is></c>{header}</row>')
    path = package(tmp_path / "book.xlsx", sheet=sheet)
    most = "at most 1,000 are read; remove those that are not needed"
    assert only_line(path) == f"settings!A1: has 16,001 columns with a name; {most}"


def test_letters() -> None:
    assert [cells.letter(column) for column in (1, 26, 27, 52, 703, 16_384)] == [
        "A",
        "Z",
        "AA",
        "AZ",
        "AAA",
        "XFD",
    ]
    assert all(cells.number(cells.letter(column)) == column for column in range(1, 16_385))
    assert cells.corners("B2:AC10") == (2, 2, 10, 29)
    with pytest.raises(ValueError, match="'A:B' is no area"):
        cells.corners("A:B")
