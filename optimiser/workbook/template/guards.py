"""What the spreadsheet program does while an officer types: drop-downs, refusals that say why,
colours.

A drop-down leads to the keys of another sheet through a defined name, `list_suppliers`, that grows
with the sheet. A cell has one data validation: a reference is a list, a key is unique, anything
else keeps the bounds of its column. What they cannot refuse (a blank cell, a pasted value) is shown
in colour, and `check` reports it in words.
"""

from __future__ import annotations

import datetime as dt
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from optimiser.workbook.read.cells import letter
from optimiser.workbook.write.input_sheets import Units, column_of, comment, header
from optimiser.workbook.write.styles import DECIMAL, WHOLE, Styles, number_format, serial
from stockpile_model.block import tables as block_tables
from stockpile_model.schema import LARGEST, Column, Row, columns, keys
from stockpile_model.tables import Settings, Supplier
from stockpile_model.values import YEARS

ROWS = 500
"""Rows below a header that are guarded and that drop-downs see."""

LISTS = "lists"
CONFIDENCE = ("high", "medium", "low", "assumption")
FURTHER = {
    "buyers": ("sites", "buyer"),
    "countries": ("suppliers", "country"),
    "levels": ("floors", "level"),
    "groups": ("materials", "group"),
}
"""Lists that are the keys of no sheet, and the column in which they stand."""


SUGGESTED = {"buyer": "buyers", "follows": "scenarios"}
"""Columns whose list names what is usual and refuses nothing else; their own sheet is not one of
them.
"""

REQUIRED, MISSING, TWICE, UNKNOWN = "#9C5700", "#FFE699", "#FF9999", "#F4B084"
COLOURS = {
    REQUIRED: "The name of a column, or of a setting, that must be filled; others may be blank.",
    MISSING: "A required cell is blank in a row that holds anything.",
    TWICE: "The same key stands in two rows.",
    UNKNOWN: "The name is not in the sheet that it should stand in.",
}
_INDICES = 40  # of which the drop-downs know
_FIRST, _LAST = 2, ROWS + 1


@dataclass(frozen=True)
class GuardedSheets:
    """The columns of each sheet, in order, and how formulas point to them.

    Areas begin at the header, so that they hold when rows are added or deleted anywhere below it.
    """

    names: Mapping[str, Sequence[str]]

    def letter(self, table: str, column: str) -> str:
        """Return the letters of a column."""
        return letter(list(self.names[table]).index(column) + 1)

    def cell(self, table: str, column: str) -> str:
        """Return the cell of a column in the first row."""
        return f"${self.letter(table, column)}{_FIRST}"

    def area(self, table: str, column: str) -> str:
        """Return the cells of a column, from its header to the last guarded row."""
        at = self.letter(table, column)
        return f"{table}!${at}$1:${at}${_LAST}"

    def alike(self, table: str, names: Sequence[str]) -> str:
        """Return a formula for how many rows have the key of the first row.

        Numbers count as text, as they do for the reader.
        """
        pairs = [
            (self.area(table, name).partition("!")[2], self.cell(table, name)) for name in names
        ]
        same = "*".join(f"(TRIM({area})=TRIM({cell}))" for area, cell in pairs)
        return f"SUMPRODUCT({same}*1)"


def define_lists(
    book: xlsxwriter.Workbook,
    sheet: Worksheet,
    sheets: GuardedSheets,
    indices: Sequence[str],
    styles: Styles,
) -> None:
    """Define the names behind the drop-downs, and write the sheet of those lists that stand in no
    column of a table.
    """
    used = {
        name
        for kind in block_tables()
        for column in columns(kind)
        for name in (column.refers, column.listed, *dict(column.lists).values())
    }
    first = {
        kind.TABLE: (kind.TABLE, keys(kind)[0])
        for kind in block_tables()
        if kind.TABLE in used and not kind.OPEN
    }
    for name, (table, column) in {**first, **FURTHER}.items():
        book.define_name(f"list_{name}", _filled(sheets.area(table, column)))
    book.define_name("list_prices", _filled(f"{LISTS}!$B$1:$B${_INDICES + 1}"))
    for at, (name, choices) in enumerate(_fixed().items(), 3):
        book.define_name(
            f"list_{name}", f"={LISTS}!${letter(at)}$2:${letter(at)}${len(choices) + 1}"
        )
    named, given = (sheets.area(Settings.TABLE, column) for column in ("name", "value"))
    book.define_name("period_months", f'=INDEX({given},MATCH("period_months",{named},0))')
    _add_lists(sheet, sheets, indices, styles)


def _filled(area: str) -> str:
    """Return an area from below its header to the last row that holds something."""
    return f'=OFFSET({area},1,0,MAX(1,SUMPRODUCT(MAX(({area}<>"")*ROW({area})))-1),1)'


def _fixed() -> dict[str, tuple[str, ...]]:
    """Return the lists that no officer changes."""
    choices = {column.name: column.choices for column in columns(Supplier)}
    changing = tuple(kind.TABLE for kind in block_tables() if not kind.CERTAIN)
    return {
        "blocs": choices["bloc"],
        "stages": choices["stage"],
        "tables": changing,
        "nothing": ("",),
    }


def _add_lists(
    sheet: Worksheet, sheets: GuardedSheets, indices: Sequence[str], styles: Styles
) -> None:
    """Write the sheet of lists. The indices are the titles of the columns of `prices`, without
    their unit, without ranges and sources.
    """
    for at, (name, width) in enumerate(
        {"titles of prices": 18, "indices": 18, **dict.fromkeys(_fixed(), 14)}.items()
    ):
        sheet.write_string(0, at, name, styles.header)
        sheet.set_column(at, at, width)
    sheet.write_string(
        0,
        len(_fixed()) + 3,
        "Worked out from the other sheets for their drop-downs: nothing to fill in here.",
    )
    titles = f"prices!$B$1:${sheets.letter('prices', 'source')}$1"
    for line in range(1, _INDICES + 1):
        title, shown = (
            f"INDEX({titles},1,ROW()-1)",
            [*indices, "Source"][line - 1] if line <= len(indices) + 1 else "",
        )
        sheet.write_formula(
            line, 0, f'=IFERROR(TRIM(LEFT({title},FIND("[",{title}&"[")-1)),"")', None, shown
        )
        plain = f'SUBSTITUTE(A{line + 1}," ","_")'
        sheet.write_formula(
            line,
            1,
            f'=IF(OR({plain}="source",RIGHT({plain},4)="_low",RIGHT({plain},5)="_high"),"",'
            f"A{line + 1})",
            None,
            shown if line <= len(indices) else "",
        )
    for at, choices in enumerate(_fixed().values(), 2):
        for line, choice in enumerate(choices, 1):
            sheet.write_string(line, at, choice)
    sheet.freeze_panes(1, 0)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)


def heading(column: Column | None, styles: Styles) -> Format:
    """Return the format of a column's name: a required one stands out."""
    needed = column is not None and column.required
    return styles.on_header(REQUIRED) if needed else styles.header


def explain(name: str, column: Column | None, units: Units) -> str:
    """Return the comment of a column, with its bounds, whether it must be filled, and how its cells
    take shares.
    """
    if column is None:
        return comment(name, column, units)
    if not name:
        return (
            "Room for a further index: write its name here, such as rotterdam, and its values"
            " below."
        )
    if isinstance(column.default, float) and column.default.is_integer():
        column = replace(column, default=int(column.default))
    parts = [
        "Required." if column.required else "",
        sentence(comment(name, column, units)),
        *limits(column),
    ]
    if column.unit.startswith("1/"):
        parts.append("A fraction: 0.03 is 3 %.")
    if column.key:
        parts.append(
            "No two rows may have the same." if column.name == "date" else "Its own for each row."
        )
    if column.whole_periods and name == column.name:
        parts.append("A whole number of periods (settings period_months).")
    if column.many:
        parts.append("Several are separated by commas.")
    if number_format(column.unit, ()).endswith("%"):
        parts.append("Its cells are shown in %: type 25 for 25 %.")
    if column.unbuilt is True:
        parts.append("Not supported yet: leave it as it is.")
    return " ".join(part for part in parts if part)


def sentence(text: str) -> str:
    """Return text that begins with a capital letter; a choice stays as a cell holds it."""
    return (
        text.replace("`", "")
        if text.startswith("`")
        else text[0].upper() + text[1:].replace("`", "")
    )


def limits(column: Column) -> Iterator[str]:
    """Yield the bounds of a number, in words."""
    if column.above is not None:
        yield f"Above {column.above:,.12g}."
    if column.least is not None:
        yield f"At least {column.least:,.12g}."
    if column.most is not None:
        yield f"At most {column.most:,.12g}."


def guard(
    sheet: Worksheet, kind: type[Row], sheets: GuardedSheets, units: Units, styles: Styles
) -> None:
    """Add validations and colours to a table, down to the last guarded row."""
    table = kind.TABLE
    for at, name in enumerate(sheets.names[table]):
        column = column_of(kind, name)
        _validate(sheet, (1, at, ROWS, at), rule(table, name, column, sheets), name, column, units)
    _colour(sheet, kind, sheets, styles)
    sheet.autofilter(0, 0, ROWS, len(sheets.names[table]) - 1)


def guard_settings(sheet: Worksheet, sheets: GuardedSheets, units: Units, styles: Styles) -> None:
    """Add validations to the settings, each of its own kind."""
    found, missing = columns(Settings), styles(bg_color=MISSING)
    at = list(sheets.names[Settings.TABLE]).index("value")
    for line, column in enumerate(found, 1):
        _validate(
            sheet,
            (line, at, line, at),
            _own(column, f"${letter(at + 1)}{line + 1}"),
            column.name,
            column,
            units,
        )
        if column.required:
            sheet.conditional_format(line, at, line, at, {"type": "blanks", "format": missing})
    for at, name in enumerate(sheets.names[Settings.TABLE]):
        if column_of(Settings, name) is None and name not in ("name", "value"):
            _validate(
                sheet,
                (1, at, len(found), at),
                rule(Settings.TABLE, name, None, sheets),
                name,
                None,
                units,
            )
    sheet.autofilter(0, 0, len(found), len(sheets.names[Settings.TABLE]) - 1)


def source(table: str, name: str, column: Column | None, sheets: GuardedSheets) -> str:
    """Return the list that a cell may be taken from, as an expression; blank where it is free."""
    if column is None or column.many:
        return ""
    if column.lists:
        cell, found = sheets.cell(table, column.lists_by), "list_nothing"
        by_list: dict[str, list[str]] = {}
        for value, chosen in column.lists:
            by_list.setdefault(chosen, []).append(f'{cell}="{value}"')
        for chosen, each in reversed(by_list.items()):
            asked = each[0] if len(each) == 1 else f"OR({','.join(each)})"
            found = f"IF({asked},list_{chosen},{found})"
        return found
    listed = column.listed or column.refers
    return f"list_{listed}" if listed else ""


def rule(table: str, name: str, column: Column | None, sheets: GuardedSheets) -> dict[str, Any]:
    """Return the validation of a column.

    A blank cell stays allowed; but not by `ignore_blank` in a list, which would let anything pass
    where the list has a gap.
    """
    if column is None:
        return (
            {"validate": "list", "source": [*CONFIDENCE], "error_type": "warning"}
            if name == "confidence"
            else {"validate": "any"}
        )
    if listed := source(table, name, column, sheets):
        allowed = {"error_type": "warning"} if column.grouped else {}
        return {"validate": "list", "source": f"={listed}", "ignore_blank": False, **allowed}
    if name in SUGGESTED and table != "sites":
        return {
            "validate": "list",
            "source": f"=list_{SUGGESTED[name]}",
            "error_type": "warning",
            "ignore_blank": False,
        }
    cell, own = sheets.cell(table, name), _own(column, sheets.cell(table, name))
    if column.key:
        (kind,) = (each for each in block_tables() if table == each.TABLE)
        once = f"{sheets.alike(table, keys(kind))}=1"
        if column.kind == "date":
            once = f"ISNUMBER({cell}),{cell}>={own['minimum']},{cell}<={own['maximum']},{once}"
        return {
            "validate": "custom",
            "value": f'=OR(TRIM({cell})="",AND({once}))',
            "ignore_blank": False,
        }
    return own


def _own(column: Column, cell: str) -> dict[str, Any]:
    """Return the validation by kind, bounds and choices."""
    if column.unbuilt is True:
        return {"validate": "custom", "value": "=FALSE"}
    if column.many:
        return {"validate": "any"}
    if column.choices:
        unbuilt = column.unbuilt if isinstance(column.unbuilt, tuple) else ()
        return {
            "validate": "list",
            "source": [str(choice) for choice in column.choices if choice not in unbuilt],
        }
    match column.kind:
        case "yes_no":
            return {"validate": "list", "source": ["yes", "no"]}
        case "date":
            first, last = dt.date(YEARS[0], 1, 1), dt.date(YEARS[1], 12, 31)
            return {
                "validate": "date",
                "criteria": "between",
                "minimum": serial(first),
                "maximum": serial(last),
            }
        case "number" | "whole":
            return _bounded(column, cell)
        case _:
            return {"validate": "any"}


def _bounded(column: Column, cell: str) -> dict[str, Any]:
    most = LARGEST if column.most is None else column.most
    least = -LARGEST if column.least is None else column.least
    if column.above is not None or column.whole_periods:
        low = f"{cell}>={least:.15g}" if column.above is None else f"{cell}>{column.above:.15g}"
        step = (
            "MAX(1,period_months)"
            if column.whole_periods
            else "1"
            if column.kind == "whole"
            else ""
        )
        whole = f",MOD({cell},{step})=0" if step else ""
        return {
            "validate": "custom",
            "value": f"=AND(ISNUMBER({cell}),{low},{cell}<={most:.15g}{whole})",
        }
    return {
        "validate": "integer" if column.kind == "whole" else "decimal",
        "criteria": "between",
        "minimum": least,
        "maximum": most,
    }


def refusal(rule: Mapping[str, Any], column: Column) -> str:
    """Return what a cell must hold, as a refused entry shows it."""
    bounds = " ".join(limits(column))
    if column.unbuilt is True:
        return "Not supported yet: leave it as it is."
    if rule["validate"] == "list" and isinstance(rule["source"], list):
        return f"Take one of: {', '.join(rule['source'])}."
    if rule.get("error_type") == "warning":
        if column.name == "follows":
            return (
                "No row has this scenario. Keep it if it is base or comes later; blank is the base"
                " too."
            )
        if column.grouped:
            return (
                f"No row of the sheet {column.refers} has this name. Keep it if it is that of a"
                f" {column.grouped}, which stands there for all its rows."
            )
        return "No site has this buyer. Keep it if that is what you mean, or see the sheet sites."
    if rule["validate"] == "list" and column.name == "table":
        return "Take one from the list: no scenario can change another table."
    if rule["validate"] == "list":
        where = f"the sheet {column.refers}" if column.refers else "its own sheet"
        return (
            f"It is not in the list. Take one from the list, or add it to {where} first. To leave"
            " the cell blank press Esc, then Delete."
        )
    if column.key:
        date = (
            f" It must be a date between {YEARS[0]} and {YEARS[1]}."
            if column.kind == "date"
            else ""
        )
        return (
            f"Another row has the same {column.name.replace('_', ' ')}: each row needs its"
            f" own.{date}"
        )
    if column.kind == "date":
        return f"It must be a date between {YEARS[0]} and {YEARS[1]}, such as 2027-03-31."
    more = " A share is a fraction: 0.25 or 25 %." if column.unit == "1" else ""
    if column.whole_periods:
        more = " It must be a whole number of periods: see period_months in the settings."
    return (
        f"It must be a {'whole ' if column.kind == 'whole' else ''}number. {bounds}{more}".strip()
    )


def _validate(
    sheet: Worksheet,
    area: tuple[int, int, int, int],
    rule: Mapping[str, Any],
    name: str,
    column: Column | None,
    units: Units,
) -> None:
    title = header(name, column, units) or "A further index"
    options = {
        **rule,
        "input_title": title[:32],
        "input_message": textwrap.shorten(explain(name, column, units), 255, placeholder=" …"),
    }
    if rule["validate"] != "any":
        message = (
            f"Usual are: {', '.join(CONFIDENCE)}." if column is None else refusal(rule, column)
        )
        options |= {
            "error_title": f"{name.replace('_', ' ')}"[:32] or title,
            "error_message": textwrap.shorten(message, 255, placeholder=" …"),
        }
    sheet.data_validation(*area, options)


def _colour(sheet: Worksheet, kind: type[Row], sheets: GuardedSheets, styles: Styles) -> None:
    """Colour required cells that are blank in a row that holds anything, repeated keys and
    references that lead nowhere.
    """
    table, names = kind.TABLE, sheets.names[kind.TABLE]
    row = f"$A{_FIRST}:${letter(len(names))}{_FIRST}"

    def mark(columns: Iterable[str], test: str, **style: Any) -> None:
        for name in columns:
            at = list(names).index(name)
            options = {
                "type": "formula",
                "criteria": test.format(cell=sheets.cell(table, name)),
                "format": styles(**style),
            }
            sheet.conditional_format(1, at, ROWS, at, options)

    known = {name: column for name in names if (column := column_of(kind, name)) is not None}
    required = [name for name, column in known.items() if column.required]
    mark(required, f"=AND(LEN(TRIM({{cell}}))=0,COUNTA({row})>0)", bg_color=MISSING)
    if found := keys(kind):
        given = ",".join(f'TRIM({sheets.cell(table, name)})<>""' for name in found)
        mark(found, f"=AND({given},{sheets.alike(table, found)}>1)", bg_color=TWICE)
    for name, column in known.items():
        if listed := source(table, name, column, sheets):
            lists = [listed] + [f"list_{column.grouped}s"] * bool(column and column.grouped)
            counts = [f"SUMPRODUCT((TRIM({each})=TRIM({{cell}}))*1)" for each in lists]
            test = f'=AND(TRIM({{cell}})<>"",{"+".join(counts)}=0)'
            mark([name], test, bg_color=UNKNOWN)
    counted = [
        name
        for name, column in known.items()
        if column.kind == "number" and number_format(column.unit, ()) == WHOLE
    ]
    mark(counted, "=IF(ISNUMBER({cell}),{cell}<>INT({cell}),FALSE)", num_format=DECIMAL)
