"""What the README says about extending the project: rows, a kind of study and a command; a block of
its own is in `test_own_block.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import click
import pytest

import optimiser as so
from optimiser.cli.commands import cli
from optimiser.plan.plan import Plan
from optimiser.solving.options import Options
from optimiser.studies.engine.case import Case, CaseResult
from optimiser.studies.every_kind import EVERY_KIND
from optimiser.studies.kinds.asked import AnswerTable, Asked, Rounds
from optimiser.workbook.template import template_book
from optimiser.workbook.write.plan_book import compose
from stockpile_model.block import BLOCKS, Block, Deed
from stockpile_model.blocks.commitments import CommitmentKept
from stockpile_model.evaluation import evaluate
from stockpile_model.formulation import Formulation, summed
from stockpile_model.ledger import Exit, Heading, Ledger
from stockpile_model.schema import Dated, Row, column
from stockpile_model.stockpile import Stockpile
from tests.support.commands import run
from tests.support.plans import asked_beside

BOOK = {
    "settings": {"start": "2027-01-01", "periods": 3, "mip_gap": 0},
    "materials": [{"material": "gallium", "shortage_cost": 9000}],
    "suppliers": [{"supplier": "mill"}],
    "offers": [
        {
            "offer": "spot",
            "supplier": "mill",
            "material": "gallium",
            "price": 500,
            "order_cost": 1000,
        }
    ],
    "demand": [{"material": "gallium", "from": "2027-02-01", "quantity": 10}],
}

# A block of its own: metal is lent for a fee
# --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Loan(Row):
    """A borrower who pays for what is lent."""

    TABLE = "loans"
    PURPOSE = "Metal that is lent for a fee, and does not come back within the horizon."
    STEP = "need"
    loan: str = column("name of the loan", required=True, key=True)
    material: str = column("material that is lent", required=True, refers="materials")
    date: dt.date = column("date on which it leaves stock", required=True)
    quantity: float = column("most that is lent", "quantity", required=True, need=True, least=0)
    fee: float = column("fee of a unit", "money/quantity", required=True, least=0)


@dataclass(frozen=True, kw_only=True)
class Lent(Dated):
    """What is lent in a period."""

    SHEET = "loans"
    ABOUT = "metal that is lent"
    PLACE = 58
    date: dt.date = column("first day of the period")
    loan: str = column("name of the loan")
    quantity: float = column("what is lent", "quantity")


LOAN = Exit("loan")


def lends(stockpile: Stockpile, row: Loan, node: int) -> bool:
    """Return whether a loan is made at a node."""
    return stockpile.calendar.period(row.date) == stockpile.tree.period[node]


def add(m: pyo.ConcreteModel, stockpile: Stockpile, ledger: Ledger) -> None:
    """Add lend[k,w,a,n] ≥ 0 with Σ_{w,a} lend[k,w,a,n] ≤ quantity; it earns the fee."""
    rows = stockpile.keyed(Loan)
    m.LOANS = pyo.Set(
        dimen=4,
        initialize=[
            (k, w, a, n)
            for k, row in rows.items()
            for w in stockpile.sites
            for n in stockpile.tree.nodes
            if lends(stockpile, row, n)
            for a in stockpile.first_ages(row.material, n)
        ],
        doc="loan, site, age, node at which metal can be lent",
    )
    m.lend = pyo.Var(m.LOANS, domain=pyo.NonNegativeReals, doc="stock that is lent [quantity]")
    lent: dict[tuple[str, int], list[object]] = {}
    for (k, w, a, n), amount in m.lend.items():
        row = rows[k]
        lent.setdefault((k, n), []).append(amount)
        ledger.take(n, row.material, w, a, amount, LOAN, k)
        ledger.receive(n, "loan_fees", row.fee * amount, row.material, k)
    m.cap_loan = pyo.Constraint(
        pyo.Set(dimen=2, initialize=list(lent)),
        rule=lambda m, k, n: summed(lent[k, n]) <= rows[k].quantity,
        doc="no more is lent than is asked for [quantity]",
    )


def uses(stockpile: Stockpile, material: str, window: range, cheapest: float) -> float:
    """Return what loans take of a material in a window at most [quantity]."""
    return sum(
        row.quantity
        for row in stockpile.rows(Loan)
        if row.material == material and stockpile.calendar.period(row.date) in window
    )


def report(formulation: Formulation) -> Iterator[Lent]:
    """Yield what is lent."""
    m, stockpile = formulation.m, formulation.stockpile
    for (k, _, _, n), amount in m.lend.items():
        yield Lent(**stockpile.where(n), date=stockpile.date(n), loan=k, quantity=evaluate(amount))


def possible(stockpile: Stockpile, name: str) -> Iterator[int]:
    """Yield the nodes at which a loan can be made."""
    row = stockpile.keyed(Loan)[name]
    return (n for n in stockpile.tree.nodes if lends(stockpile, row, n))


def done(
    m: pyo.ConcreteModel, stockpile: Stockpile, name: str, level: str | None, node: int
) -> list[object]:
    """Return what is lent at a node."""
    return [amount for (k, _, _, n), amount in m.lend.items() if (k, n) == (name, node)]


LOANS = Block(
    tables=(Loan,),
    results=(Lent,),
    headings=(Heading("loan_fees", "fees of what is lent"),),
    exits=(LOAN,),
    decisions=("lend",),
    deeds=(Deed("lend", Loan.TABLE, metal=True, possible=possible, done=done),),
    add=add,
    report=report,
    uses=uses,
)


@pytest.fixture
def loans(monkeypatch: pytest.MonkeyPatch) -> so.Book:
    """The book with the block, before stock is balanced, and a loan worth an order."""
    at = next(k for k, block in enumerate(BLOCKS) if "use" in block.decisions)
    monkeypatch.setattr("stockpile_model.block.BLOCKS", [*BLOCKS[:at], LOANS, *BLOCKS[at:]])
    monkeypatch.setattr("stockpile_model.schema._COLUMNS", {})  # which hold the choices of before
    loan = {
        "loan": "maker",
        "material": "gallium",
        "date": "2027-02-01",
        "quantity": 100,
        "fee": 700,
    }
    return so.from_tables({**BOOK, "loans": [loan]})


def test_a_block_of_its_own_is_planned_and_has_its_sheets(loans: so.Book) -> None:
    """110 kg at 500 and one order cost of 1,000, less 100 kg at 700."""
    plan = plan_for(loans.stockpile)
    assert plan is not None
    assert plan.objective == pytest.approx(110 * 500 + 1000 - 100 * 700)
    assert [row.quantity for row in plan.of(Lent)] == pytest.approx([100])
    assert plan.costs["loan_fees"] == pytest.approx(-70_000)
    written = openpyxl.load_workbook(io.BytesIO(compose(plan)))
    assert [cell.value for cell in written["loans"][2]][1:3] == ["maker", 100]
    new = openpyxl.load_workbook(io.BytesIO(template_book.compose("blank")))
    assert {str(cell.value).split(" [")[0] for cell in new["loans"][1]} >= {"Loan", "Fee"}
    assert "## loans" in dictionary()


def test_a_loan_that_pays_less_than_its_metal_is_not_made(loans: so.Book) -> None:
    plan = plan_for(loans.change("loans[maker].fee = 400").stockpile)
    assert plan is not None
    assert plan.objective == pytest.approx(10 * 500 + 1000)
    assert [row.quantity for row in plan.of(Lent)] == pytest.approx([0])


def test_a_decision_of_its_own_can_be_committed(loans: so.Book) -> None:
    """A loan at a loss of 100 a unit is made where it is committed: 30 kg."""
    kept = {"kind": "lend", "name": "maker", "date": "2027-02-01", "quantity": 30}
    tables = {name: loans[name] for name in loans.tables if name != "settings"}
    book = so.from_tables(
        {"settings": BOOK["settings"], **tables, "commitments": [kept]},
        "loans[maker].fee = 400",
    )
    plan = plan_for(book.stockpile)
    assert plan is not None
    assert plan.objective == pytest.approx(40 * 500 + 1000 - 30 * 400)
    assert [row.planned for row in plan.of(CommitmentKept)] == pytest.approx([30])


# Rows, studies, commands
# --------------------------------------------------------------------------------------------------


def test_a_metal_a_supplier_an_offer_and_a_scenario_are_rows() -> None:
    """Of germanium 4 at 100; with a quarter of probability twice the gallium is needed."""
    more = {
        **BOOK,
        "materials": [*BOOK["materials"], {"material": "germanium"}],
        "suppliers": [*BOOK["suppliers"], {"supplier": "smelter"}],
        "offers": [
            *BOOK["offers"],
            {"offer": "ge", "supplier": "smelter", "material": "germanium", "price": 100},
        ],
        "demand": [
            *BOOK["demand"],
            {"material": "germanium", "from": "2027-01-01", "quantity": 4},
        ],
        "scenarios": [{"scenario": "war", "probability": 0.25}],
        "events": [
            {
                "scenario": "war",
                "table": "demand",
                "row": "row 2",
                "column": "quantity",
                "how": "scale",
                "value": 2,
            }
        ],
    }
    found = so.solve(so.from_tables(more)).plan
    assert found is not None
    assert found.objective == pytest.approx(4 * 100 + 10 * 500 + 1000 + 0.25 * 10 * 500)


def halves(asked: Asked) -> Rounds:
    """Ask what each input costs at half of itself."""
    (each,) = asked.inputs
    (half,) = yield [asked.case(each.base / 2)]
    rows = [(each.name, half.objective)]
    return [AnswerTable("halves", f"at half {half.objective:,.0f}", ("input", "cost"), rows)]


def test_a_study_kind_of_its_own_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EVERY_KIND, "halves", halves)
    found = so.study(so.from_tables(BOOK), "halves", {"demand[*].quantity": (5, 20)})
    assert found["halves"]["cost"].tolist() == [5 * 500 + 1000]
    assert found.answers == ("at half 3,500",)


HALF = Case(changes=(parse("demand[*].quantity scale 0.5"),), note="half of all demand")


def with_half(plan: Plan, results: Sequence[CaseResult], options: Options) -> Plan:
    """Return the plan with what it costs at half of all demand."""
    (half,) = results
    return replace(plan, verdict=f"{plan.verdict} At half of all demand: {half.objective:,.0f}.")


def half(asked: Asked) -> Rounds:
    """Ask the same of a workbook alone."""
    (found,) = yield [HALF]
    return [AnswerTable("half", f"at half {found.objective:,.0f}", ("cost",), [(found.objective,)])]


def test_a_what_if_of_its_own_is_asked_of_a_plan_and_of_a_workbook(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = WhatIf(
        kind="half_demand",
        option="half",
        refuse=no_refusal,
        cases=lambda plan: [HALF],
        attach=with_half,
        rounds=half,
    )
    book = so.from_tables(BOOK)
    plan = so.solve(book).plan
    assert plan is not None
    assert asked_beside(own, plan).verdict.endswith("At half of all demand: 3,500.")
    monkeypatch.setitem(EVERY_KIND, own.kind, own.rounds)
    assert so.study(book, own.kind).answers == ("at half 3,500",)


@pytest.mark.parametrize(
    ("error", "status"),
    [(so.InputError([so.Fault("offers!B2", "is odd")]), 1), (click.UsageError("none"), 2)],
)
def test_a_command_of_its_own_ends_as_all_do(
    error: Exception,
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    @click.command("own")
    def own() -> None:
        raise error

    monkeypatch.setitem(cli.commands, "own", own)
    ran = run(capsys, "own")
    assert (ran.status, ran.out) == (status, "")
    assert "is odd" in ran.err or "none" in ran.err
