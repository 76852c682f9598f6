"""The sheet `one_scenario`: what a plan does, costs and misses should one scenario come.

A drop-down chooses the scenario; formulas over the other sheets show its rows and sums, weighed by
no probability. They are plain ones, which every spreadsheet program computes alike: a hidden sheet
counts, row by row, the rows that hold in the scenario, and the n-th of them is looked up there.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from optimiser.figures.column_units import unit_of
from optimiser.plan.marginal_values import MarginalValue
from optimiser.plan.narrowed_plan import scenarios_of
from optimiser.plan.plan import Plan
from optimiser.workbook.result_kinds import DATED
from optimiser.workbook.write.formulas import criterion
from optimiser.workbook.write.result_sheets import NUMBERS, WEIGHT, shown, title
from optimiser.workbook.write.result_table import ResultTable
from optimiser.workbook.write.styles import DATE, Styles, number_format, plain, put, set_print
from stockpile_model.block import summed
from stockpile_model.blocks.budget import Payment
from stockpile_model.blocks.objective import CashFlow, ScenarioOutcome
from stockpile_model.blocks.stock.lot_outcomes import Delivery
from stockpile_model.name_lists import MARKS, list_of, names_in
from stockpile_model.schema import Column, Dated, Result, SummedLine
from stockpile_model.tree import ALL

SHEET, ROWS = "one_scenario", "scenario_rows"
ABOUT = "what to do, and what it costs, should one scenario come: choose it there"
CHOSEN = (2, 1)  # the cell of the choice
NAMED, PLACE = f"{ROWS}!$B$1", f"{ROWS}!$B$2"  # the choice between commas; its row in `scenarios`
FIRST_WIDTH, WIDTH = 36, 17
GUIDE_WIDTH = 6  # columns, besides the first
GUIDE = (
    "Choose a scenario in the yellow cell: every table below then shows what is done, and what it"
    " costs, should that scenario come. Nothing is weighed by a probability, but for columns that"
    " say 'expected'."
)
FIRST_TABLE = 3  # the first column of the hidden sheet that counts the rows of a table
CHOICE: dict[str, Any] = {"bold": True, "bg_color": "#FFF2CC", "border": 1, "font_size": 12}
Values = Mapping[type[Result], ResultTable]


def scenarios(plan: Plan) -> tuple[str, ...]:
    """Return the scenarios that can be chosen; none where nothing parts."""
    return scenarios_of(plan)


def holds_in(table: ResultTable, scenario: str) -> list[bool]:
    """Return which rows of a table hold in a scenario."""
    texts = table.values["scenarios"]
    known = {text: text == ALL or scenario in names_in(text) for text in set(texts)}
    return [known[text] for text in texts]


@dataclass(frozen=True)
class _Sum:
    """The sum of a column over the rows that hold in the scenario and have the values of `where`;
    `labelled` names the column that has the label of the line."""

    kind: type[Result]
    column: str
    where: tuple[tuple[str, object], ...] = ()
    labelled: str = ""


@dataclass(frozen=True)
class _ShownColumn:
    """A column of rows that are looked up: its cells, those of the probabilities by which its
    figures are divided (or nothing), and its values in the scenarios in which they hold."""

    column: Column
    cells: str
    shares: str
    values: Sequence[Any]

    @classmethod
    def of(cls, table: ResultTable, column: Column, plan: Plan) -> _ShownColumn:
        """Return a column of a table of a plan."""
        cells, weights = (
            f"{table.sheet}!${letter}$1:${letter}${table.height + 1}"
            for letter in (table.letter(column.name), table.letter(WEIGHT))
        )
        values: Sequence[Any] = table.values[column.name]
        if column.name == "unit":
            values = [unit_of(each, plan.unit, plan.currency) for each in values]
        if not column.divisible:
            return cls(column, cells, "", values)
        pairs = zip(values, table.values[WEIGHT], strict=True)
        divided = [None if value is None else value / share for value, share in pairs]
        return cls(column, cells, weights, divided)

    def formula(self, at: str) -> str:
        """Return the formula of the value in the row that a cell names."""
        cell = f"INDEX({self.cells},{at})"
        said = f"{cell}/INDEX({self.shares},{at})" if self.shares else cell
        return f'IF({at}="","",IF({cell}="","",{said}))'


@dataclass
class _Writer:
    """Write the sheet from top to bottom; `row` is the next free one, `wide` the last column."""

    sheet: Worksheet
    rows: Worksheet
    styles: Styles
    plan: Plan
    found: Values
    scenario: str
    row: int = 0
    wide: int = GUIDE_WIDTH
    counted: int = FIRST_TABLE

    def __post_init__(self) -> None:
        self.formats: dict[tuple[type[Result], str], str] = {}
        self.held: dict[type[Result], list[bool]] = {
            kind: holds_in(table, self.scenario)
            for kind, table in self.found.items()
            if issubclass(kind, Dated)
        }

    def heading(self, text: str, *columns: str) -> None:
        """Write a title with those of the columns behind the first."""
        self.row += 1
        self.wide = max(self.wide, len(columns))
        style = self.styles(bold=True, bg_color="#D9E1F2", text_wrap=bool(columns))
        right = self.styles(bold=True, bg_color="#D9E1F2", text_wrap=True, align="right")
        self.sheet.write_string(self.row, 0, text, style)
        for c, each in enumerate(columns, start=1):
            self.sheet.write_string(self.row, c, each, right)
        self.row += 1

    def formula(self, column: int, formula: str, value: object, style: Format) -> None:
        """Write a formula with its value for the scenario that is chosen first."""
        now = plain(value)
        self.sheet.write_formula(self.row, column, f"={formula}", style, "" if now is None else now)

    # --- Sums -------------------------------------------------------------------------------------

    def total(self, each: _Sum, label: object) -> tuple[str, float]:
        """Return the formula and the value of a sum, in the line with a label."""
        table = self.found.get(each.kind)
        if table is None or not table.height:
            return "0", 0.0
        texts, where = table.range("scenarios"), dict(each.where)
        factors = [f'(((({texts}="{ALL}")+ISNUMBER(FIND({NAMED},", "&{texts}&","))))>0)']
        factors += [f"({table.range(name)}={criterion(value)})" for name, value in where.items()]
        if each.labelled:
            factors.append(f"({table.range(each.labelled)}=$A{self.row + 1})")
            where[each.labelled] = label
        expected = _column(each.kind, each.column).divisible
        share = f"/{table.range(WEIGHT)}" if expected else ""
        amounts, weights = table.values[each.column], table.values[WEIGHT]
        value = math.fsum(
            amounts[r] / weights[r] if expected else amounts[r]
            for r, held in enumerate(self.held[each.kind])
            if held and all(_alike(table.values[name][r], of) for name, of in where.items())
        )
        return f"SUMPRODUCT({'*'.join(factors)}*{table.range(each.column)}{share})", value

    def shown(self, each: _Sum) -> str:
        """Return the format of a sum: that of its column, whatever the unit of the workbook."""
        key = each.kind, each.column
        if key not in self.formats:
            values = self.found[each.kind].values[each.column] if each.kind in self.found else ()
            self.formats[key] = number_format(_column(*key).unit, values)
        return self.formats[key]

    def sums(self, text: str, columns: Sequence[str], lines: Iterable[tuple[str, Any]]) -> None:
        """Write lines of sums: for each a label, and for each column what is added and taken
        off.
        """
        self.heading(text, *columns)
        for label, cells in lines:
            put(self.sheet, self.row, 0, label, self.styles())
            for c, (plus, minus) in enumerate(cells, start=1):
                added, value = self.total(plus, label)
                less, off = self.total(minus, label) if minus else ("", 0.0)
                style = self.styles(self.shown(plus), align="right")
                self.formula(c, f"{added}-{less}" if less else added, value - off, style)
            self.row += 1

    # --- Rows -------------------------------------------------------------------------------------

    def table(self, kind: type[Result]) -> None:
        """Write the rows of a type that hold, with their columns but for those that are weighed."""
        table, columns = self.found[kind], _columns(kind, self.plan)
        keep = _kept(table)
        most = max(sum(map(_both, holds_in(table, name), keep)) for name in scenarios(self.plan))
        counts = self._count(table, keep)
        held = [r for r, both in enumerate(map(_both, self.held[kind], keep)) if both]
        titles = (
            title(
                replace(each, expected=False, over="" if each.divisible else each.over), self.plan
            )
            for each in columns
        )
        self.heading(f"{table.sheet}: {kind.ABOUT}", *titles)
        shows = [_ShownColumn.of(table, each, self.plan) for each in columns]
        looks = [self._look(each.column, each.values) for each in shows]
        grey = self.styles(font_color="#808080", align="left")
        for k in range(most):
            source = held[k] if k < len(held) else None
            at, found = f"$A{self.row + 1}", None if source is None else source + 2
            self.formula(0, f'IFERROR(MATCH({k + 1},{counts},0),"")', found, grey)
            for c, (each, look) in enumerate(zip(shows, looks, strict=True), start=1):
                value = None if source is None else each.values[source]
                self.formula(c, each.formula(at), value, look)
            self.row += 1

    def _count(self, table: ResultTable, keep: Sequence[bool]) -> str:
        """Count the rows of a table that hold, on the hidden sheet; return the cells of the
        counts."""
        c, letter = self.counted, xl_col_to_name(self.counted)
        self.counted += 1
        self.rows.write_string(0, c, table.sheet)
        texts, number, extra = table.letter("scenarios"), 0, _condition(table)
        for r, held in enumerate(self.held[table.kind]):
            cell = f"{table.sheet}!${texts}{r + 2}"
            flag = f'OR({cell}="{ALL}",ISNUMBER(FIND($B$1,", "&{cell}&",")))'
            if extra:
                flag = f"AND({flag},{table.sheet}!${extra}{r + 2}<>0)"
            before = f"{letter}{r + 1}+" if r else ""
            number += held and keep[r]
            self.rows.write_formula(r + 1, c, f"={before}IF({flag},1,0)", None, number)
        return f"{ROWS}!${letter}$1:${letter}${table.height + 1}"

    def _look(self, column: Column, values: Sequence[object]) -> Format:
        if column.kind == "date":
            return self.styles(DATE, align="center")
        if column.kind in NUMBERS:
            unit = "" if " or " in column.unit else column.unit
            return self.styles(number_format(unit, values) or "General", align="right")
        return self.styles()


def add_scenario_sheet(
    sheet: Worksheet, rows: Worksheet, styles: Styles, plan: Plan, found: Values
) -> None:
    """Fill the sheet for the first scenario, and the hidden sheet that counts rows."""
    names = scenarios(plan)
    w = _Writer(sheet, rows, styles, plan, found, names[0])
    sheet.set_column(0, 0, FIRST_WIDTH)
    sheet.set_column(1, 30, WIDTH)
    sheet.hide_gridlines(2)
    sheet.freeze_panes(3, 1)
    put(
        sheet, 0, 0, "One scenario at a time", styles(bold=True, font_size=16, font_color="#1F3864")
    )
    look = styles(font_color="#595959", text_wrap=True, valign="top")
    sheet.merge_range(1, 0, 1, GUIDE_WIDTH, GUIDE, look)
    sheet.set_row(1, 32)
    put(sheet, CHOSEN[0], 0, "Scenario", styles(bold=True, font_size=12))
    put(sheet, *CHOSEN, names[0], styles(**CHOICE))
    outcomes = found[ScenarioOutcome]
    sheet.data_validation(
        *CHOSEN,
        *CHOSEN,
        {
            "validate": "list",
            "source": f"={outcomes.range('scenario')}",
            "error_title": "Unknown scenario",
            "error_message": "Choose one of the scenarios of this plan from the list.",
        },
    )
    _choose(w, outcomes)
    _add_sums(w)
    set_print(sheet, part=": its sums; what is done stands below them on screen")
    sheet.print_area(0, 0, w.row - 1, w.wide)
    for kind, table in found.items():
        if table.height and issubclass(kind, Dated) and (_people(kind) or kind is MarginalValue):
            w.table(kind)
    rows.hide()


def _choose(w: _Writer, outcomes: ResultTable) -> None:
    """Write what the scenario costs and misses, and where its row is."""
    cell = f"{SHEET}!${xl_col_to_name(CHOSEN[1])}${CHOSEN[0] + 1}"
    w.rows.write_string(0, 0, "chosen")  # as it stands in a list of scenarios
    marks = ",".join(f'ISNUMBER(FIND("{mark}",{cell}))' for mark in MARKS)
    quote = "CHAR(34)"
    doubled = f"{quote}&SUBSTITUTE({cell},{quote},{quote}&{quote})&{quote}"
    listed = f"IF(OR(LEFT({cell})={quote},{marks}),{doubled},{cell})"
    w.rows.write_formula(0, 1, f'=", "&{listed}&","', None, f", {list_of([w.scenario])},")
    w.rows.write_string(1, 0, "row")
    names, place = outcomes.range("scenario"), [*outcomes.values["scenario"]].index(w.scenario)
    where = f"SUMPRODUCT(({names}={cell})*(ROW({names})-1))"
    w.rows.write_formula(1, 1, f"={where}", None, place + 1)
    w.row = CHOSEN[0] + 1
    for each in shown(ScenarioOutcome, True):
        if each.name == "scenario":
            continue
        put(w.sheet, w.row, 0, title(each, w.plan), w.styles())
        found, value = (
            f"INDEX({outcomes.range(each.name)},{PLACE})",
            outcomes.values[each.name][place],
        )
        w.formula(1, f'IF({found}="","",{found})', value, w._look(each, [value]))
        w.row += 1


def _add_sums(w: _Writer) -> None:
    """Write the sums over the rows of the scenario."""
    money, unit = w.plan.currency, w.plan.unit
    of_money = [_Sum(CashFlow, "discounted"), _Sum(CashFlow, "amount")]
    present = set(w.found[CashFlow].values["heading"])
    headings = [each for each in w.plan.costs if each in present]
    titles, first = ("Discounted", "Undiscounted"), w.row + 2
    w.sums(
        f"Cost by heading [{money}]",
        titles,
        (
            (each.replace("_", " "), [(_of(one, "heading", each), None) for one in of_money])
            for each in headings
        ),
    )
    put(w.sheet, w.row, 0, "Total", w.styles(bold=True, top=1))
    for c, each in enumerate(of_money, start=1):
        letter = xl_col_to_name(c)
        style = w.styles(w.shown(each), bold=True, top=1, align="right")
        formula = f"SUM({letter}{first + 1}:{letter}{w.row})"
        w.formula(c, formula, w.total(each, None)[1], style)
    w.row += 1
    metals = sorted({m for kind, _ in summed() for m in _names(w.found, kind, "material")})
    w.sums(
        f"Quantities [{unit}]",
        metals,
        ((line.label, [*_metals(w.plan, kind, line, metals)]) for kind, line in summed()),
    )
    names = dict.fromkeys(_names(w.found, Delivery, "name"))
    names |= dict.fromkeys(_names(w.found, CashFlow, "name"))
    three = (_Sum(Delivery, "quantity"), *of_money)
    w.sums(
        "By offer, contract, outlet and site",
        (f"Delivered [{unit}]", *(f"{each} [{money}]" for each in titles)),
        ((name, [(_by(one, "name"), None) for one in three]) for name in names),
    )
    w.sums(
        "Suppliers",
        (f"Delivered [{unit}]",),
        (
            (name, [(_Sum(Delivery, "quantity", labelled="supplier"), None)])
            for name in sorted(_names(w.found, Delivery, "supplier"))
        ),
    )
    if paying := _names(w.found, Payment, "appropriation"):
        paid = [(_Sum(Payment, "amount", labelled="appropriation"), None)]
        w.sums("Appropriations", (f"Paid [{money}]",), ((each, paid) for each in paying))


def _of(of: _Sum, name: str, value: str) -> _Sum:
    return _Sum(of.kind, of.column, (*of.where, (name, value)), of.labelled)


def _by(of: _Sum, name: str) -> _Sum:
    return _Sum(of.kind, of.column, of.where, name)


def _metals(
    plan: Plan, kind: type[Result], line: SummedLine, metals: Iterable[str]
) -> Iterator[tuple[_Sum, _Sum | None]]:
    """Yield for each metal the sum of a line of the summary, and what is taken off it."""
    calendar = plan.stockpile.calendar
    last = (("date", calendar.begin(calendar.periods - 1)),) if line.side == "held" else ()
    for metal in metals:
        where = (*line.where, *last, ("material", metal))
        less = _Sum(kind, line.column, (*where, *line.but)) if line.but else None
        yield _Sum(kind, line.column, where), less


def _names(found: Values, kind: type[Result], name: str) -> list[str]:
    """Return the values of a column of text, each once."""
    table = found.get(kind)
    return [each for each in dict.fromkeys(table.values[name]) if each] if table else []


def _people(kind: type[Result]) -> bool:
    return not kind.FOR_PROGRAMS


def _columns(kind: type[Result], plan: Plan) -> list[Column]:
    """Return the columns that a scenario has alone, sentences last: they run beyond their cell."""
    found = [
        each
        for each in shown(kind, bool(plan.stockpile.scenarios))
        if each.name not in DATED and each.over != "scenarios"
    ]
    return sorted(found, key=lambda each: each.sentence)


def _column(kind: type[Result], name: str) -> Column:
    return next(each for each in shown(kind, True) if each.name == name)


def _condition(table: ResultTable) -> str:
    """Return the letter of the column that must not be zero in a row that is shown; or nothing."""
    return table.letter("worth") if table.kind is MarginalValue else ""


def _kept(table: ResultTable) -> list[bool]:
    """Return which rows are shown where they hold."""
    if table.kind is MarginalValue:
        return [each != 0 for each in table.values["worth"]]
    return [True] * table.height


def _both(one: bool, other: bool) -> bool:
    return one and other


def _alike(value: object, wanted: object) -> bool:
    if isinstance(value, str) and isinstance(wanted, str):
        return value.casefold() == wanted.casefold()  # as a spreadsheet program compares
    return value == wanted
