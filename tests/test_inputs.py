"""The workbooks in `inputs/`: built from their tables, every row with its source, and what the
planner makes of them.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import openpyxl
import pytest

import optimiser as so
from inputs.build import CASES, build
from inputs.dictionary import README, dictionary
from optimiser.plan.plan import Plan
from optimiser.workbook.read.input_reader import read
from optimiser.workbook.write.plan_book import write
from stockpile_model.block import tables as block_tables
from stockpile_model.blocks.budget import BudgetUse, Payment
from stockpile_model.blocks.contracts import contract_terms
from stockpile_model.blocks.contracts.call_off_report import CallOff
from stockpile_model.blocks.contracts.contract_outcomes import ContractOutcome
from stockpile_model.blocks.contracts.contract_terms import Contract, begun, even, last_period, menu
from stockpile_model.blocks.demand import Demand, DemandMet, covers
from stockpile_model.blocks.objective import ScenarioOutcome
from stockpile_model.blocks.offers import offer_terms
from stockpile_model.blocks.offers.offer_terms import Offer, lead
from stockpile_model.blocks.offers.order_report import Order
from stockpile_model.blocks.offers.order_windows import placeable
from stockpile_model.blocks.policy.rule_outcomes import RuleKept
from stockpile_model.blocks.policy.rule_terms import Rule
from stockpile_model.blocks.projects.project_outcomes import ProjectOutcome
from stockpile_model.blocks.rotation import outlet_terms
from stockpile_model.blocks.rotation.outlet_terms import Outlet
from stockpile_model.blocks.rotation.rotated import Rotated
from stockpile_model.blocks.stock.lot_outcomes import Delivery, LotStock
from stockpile_model.blocks.targets import Target, TargetMet
from stockpile_model.calendar import overlap
from stockpile_model.scenarios import unfold
from stockpile_model.schema import PROVENANCE, Dated
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Supplier
from stockpile_model.tree import ALL
from tests.support.office import office, pages
from tests.support.oracle import optimum
from tests.support.recompute import check_summary

INPUTS = Path(__file__).parents[1] / "inputs"
PATIENCE = 1800.0  # a golden run is not cut short where the machine is busy [s]
T = TypeVar("T", bound=Dated)


def answer(
    case: str, folder: Path, changes: Sequence[str] = (), gap: float | None = None
) -> so.Solution:
    return so.solve(
        INPUTS / f"{case}.xlsx",
        output=folder / "plan.xlsx",
        changes=changes,
        gap=gap,
        time_limit=PATIENCE,
    )


def plan(case: str, folder: Path, changes: Sequence[str] = (), gap: float | None = None) -> Plan:
    found = answer(case, folder, changes, gap).plan
    assert found is not None
    return found


def tables(case: str) -> dict[str, list[dict[str, str]]]:
    """The plain tables of a case; blank cells are left out."""
    found = {}
    for file in sorted((INPUTS / case).glob("*.csv")):
        with file.open(encoding="utf-8", newline="") as stream:
            found[file.stem] = [
                {name: cell for name, cell in row.items() if cell} for row in csv.DictReader(stream)
            ]
    return found


# --- Built from plain tables ----------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
def test_the_workbook_is_what_its_tables_build(case: str, tmp_path: Path) -> None:
    build(case, tmp_path / "fresh.xlsx")
    fresh, kept = (contents(path) for path in (tmp_path / "fresh.xlsx", INPUTS / f"{case}.xlsx"))
    assert kept == fresh, "stale: run python inputs/build.py"


def contents(path: Path) -> dict[str, dict[str, tuple[Any, str, str]]]:
    """Of every cell of every sheet its value, its format and its comment."""
    book = openpyxl.load_workbook(path)
    cells = {
        sheet.title: [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
        for sheet in book
    }
    return {
        title: {
            cell.coordinate: (
                cell.value,
                cell.number_format,
                cell.comment.text if cell.comment else "",
            )
            for cell in found
        }
        for title, found in cells.items()
    }


@pytest.mark.parametrize("case", CASES)
def test_a_workbook_reads_like_its_folder(case: str) -> None:
    workbook, folder = read(INPUTS / f"{case}.xlsx"), read(INPUTS / case)
    assert workbook.stockpile.settings == folder.stockpile.settings
    assert workbook.stockpile.tables == folder.stockpile.tables
    assert workbook.warnings == folder.warnings == ()


@pytest.mark.parametrize("case", CASES)
def test_a_workbook_is_made_to_be_read(case: str) -> None:
    book = openpyxl.load_workbook(INPUTS / f"{case}.xlsx")
    assert book.sheetnames[0] == "guide"
    assert set(book.sheetnames[1:]) == {name for name, rows in tables(case).items() if rows}
    for sheet in book.worksheets[1:]:
        assert sheet.freeze_panes in ("B2", "C2")
        assert all(cell.comment for cell in sheet[1]), sheet.title
        assert not any(cell.data_type == "f" for row in sheet.iter_rows() for cell in row)
    start = next(row[1].value for row in book["settings"].iter_rows() if row[0].value == "start")
    assert isinstance(start, dt.datetime)
    assert {cell.value for cell in book["offers"][1]} >= {
        "Offer",
        "Lead time months",
        "Minimum order [kg]",
    }


def test_text_that_looks_like_a_formula_stays_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in (INPUTS / "small").iterdir():
        (tmp_path / "small" / file.name).parent.mkdir(exist_ok=True)
        (tmp_path / "small" / file.name).write_text(
            file.read_text(encoding="utf-8").replace("Dear and at once", "=1+1"), encoding="utf-8"
        )
    monkeypatch.setattr("inputs.build.HERE", tmp_path)
    build("small", tmp_path / "small.xlsx")
    notes = [
        cell
        for row in openpyxl.load_workbook(tmp_path / "small.xlsx")["offers"].iter_rows()
        for cell in row
        if str(cell.value).startswith("=1+1")
    ]
    assert [cell.data_type for cell in notes] == ["s"]


def test_a_column_that_no_table_has_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "settings.csv").write_text(
        "name,value\nstart,2030-01-01\nperiods,1\n", encoding="utf-8"
    )
    (tmp_path / "odd" / "sites.csv").write_text("site,colour\ndepot,grey\n", encoding="utf-8")
    (tmp_path / "odd" / "guide.md").write_text("# Odd\n", encoding="utf-8")
    monkeypatch.setattr("inputs.build.HERE", tmp_path)
    with pytest.raises(ValueError, match="sites has no column 'colour'"):
        build("odd", tmp_path / "odd.xlsx")


def test_the_data_dictionary_is_not_stale() -> None:
    assert README.read_text(encoding="utf-8") == dictionary(), "stale: run python inputs/build.py"


def test_the_data_dictionary_holds_every_column() -> None:
    text = dictionary()
    for kind in block_tables():
        assert f"## {kind.TABLE}\n" in text
    assert (
        "| `lead_time_months` | months | number | 0 | at least 0 | time from order to arrival |"
        in text
    )
    assert "| weight w of the tail: minimise (1-w)·mean + w·CVaR |" in text


@pytest.mark.parametrize("case", CASES)
def test_every_row_says_where_it_comes_from(case: str) -> None:
    for name, rows in tables(case).items():
        for line, row in enumerate(rows, 2):
            where = f"{case}/{name}.csv row {line}"
            assert row.keys() >= {"source", "source_date", "confidence"}, where
            assert re.fullmatch(r"\d{4}(-\d{2}(-\d{2})?)?", row["source_date"]), where
            assert row["confidence"] in ("high", "medium", "low", "assumption"), where
            if row["source"] == "assumption":
                assert row["confidence"] == "assumption", where
            if case != "small":
                assert row["note"], where


@pytest.mark.parametrize(
    "guide", sorted(INPUTS.glob("*/guide.md")), ids=lambda path: path.parent.name
)
def test_guides_say_million(guide: Path) -> None:
    """An m is a metre, or a month."""
    assert re.findall(r"\d m\b", guide.read_text(encoding="utf-8")) == []


# --- Small: the hand calculation of its guide -----------------------------------------------------


def test_small_is_the_plan_of_its_guide(tmp_path: Path) -> None:
    found = plan("small", tmp_path)
    assert found.status == "optimal"
    assert found.objective == pytest.approx(630)
    assert {name: cost for name, cost in found.costs.items() if cost} == pytest.approx(
        {
            "purchases": 390,
            "order_costs": 20,
            "offtakes": 240,
            "signing": 10,
            "storage": 20,
            "sales": -50,
        }
    )
    assert [(row.offer, row.date.month, row.ordered) for row in found.of(Order)] == [
        ("spot", 1, 10),
        ("framework", 3, 30),
    ]
    assert [(row.contract, row.level) for row in found.of(ContractOutcome)] == [("offtake", "low")]
    assert [(row.outlet, row.date.month, row.quantity) for row in found.of(Rotated)] == [
        ("resale", 4, 10)
    ]
    assert sum(row.spent for row in found.of(BudgetUse)) == pytest.approx(680)


def test_small_by_brute_force() -> None:
    found: dict[str, Any] = {
        name: [{key: cell for key, cell in row.items() if key not in PROVENANCE} for row in rows]
        for name, rows in tables("small").items()
    }
    settings = {row["name"]: row["value"] for row in found["settings"]}
    found["settings"] = settings | {
        name: int(settings[name]) for name in ("periods", "period_months")
    }
    assert optimum(found).objective == Fraction(630)


NO_LOW, NO_HIGH = "floors[offtake/low].floor set 99", "floors[offtake/high].floor set 99"
ANY_SUM = "budgets[treasury].amount set 1000"
DEAR = ("offers[spot].price set 30", "offers[framework].price set 30")


@pytest.mark.parametrize(
    ("changes", "cost"),
    [
        ([NO_LOW, NO_HIGH], 680),  # step 4: without the offtake
        ([NO_LOW, NO_HIGH, "budgets[treasury].amount set 679"], None),
        ([NO_LOW, NO_HIGH, "budgets[treasury].amount set 710"], 660),
        ([NO_LOW, ANY_SUM, *DEAR], 700 + 10 * (30 - 12)),  # step 5: level high, and 10 kg by spot
        (
            [NO_LOW, "budgets[treasury].amount set 679"],
            None,
        ),  # which the treasury cannot pay, nor the plan without it
        (
            ["budgets[treasury].amount set 679"],
            670,
        ),  # what to try: spot takes the place of framework in April
        (["budgets[treasury].amount set 669"], None),
        (["offers[framework].minimum_order set 20"], 590),
        (["funds[treasury].keeps_receipts set yes", "budgets[treasury].amount set 630"], 630),
        (["funds[treasury].keeps_receipts set yes", "budgets[treasury].amount set 629"], None),
    ],
)
def test_small_and_the_alternatives_of_its_guide(
    changes: list[str], cost: float | None, tmp_path: Path
) -> None:
    found = answer("small", tmp_path, changes)
    if cost is None:
        assert found.status == "infeasible"
    else:
        assert found.plan is not None
        assert found.plan.objective == pytest.approx(cost)


# --- Indium: golden run ---------------------------------------------------------------------------


def used(found: Plan) -> dict[str, dict[str, float]]:
    """What becomes of each appropriation over its fiscal years."""
    sums: dict[str, dict[str, float]] = {}
    for row in found.of(BudgetUse):
        own = sums.setdefault(row.appropriation, {})
        for name in ("amount", "obligated", "spent", "released", "lapsed", "left"):
            own[name] = own.get(name, 0.0) + getattr(row, name)
    return sums


@pytest.fixture(scope="module")
def indium(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """The base alone."""
    return plan("indium", tmp_path_factory.mktemp("indium"), BASE_ALONE)


def test_indium_costs_what_it_did(indium: Plan) -> None:
    # 73.8 m USD, November 2026. It was 69.9 m while an order could be placed before there was money
    # for it: what arrives in October and November of 2029 must now be ordered before the money of
    # October comes, so more is below the ramp (4.1 m more); 63.45 m before own buying moved the
    # price, with Russian metal, and before what contracts bind after the horizon was charged.
    assert indium.status == "optimal"
    assert indium.objective == pytest.approx(73.79e6, rel=0.001)
    assert indium.bound is not None
    assert indium.bound <= indium.objective <= indium.bound * 1.001
    assert indium.waste == 0  # no shelf life
    assert not indium.of(Rotated)


def test_indium_stops_short_where_the_money_ends(indium: Plan) -> None:
    targets = {row.date: row for row in indium.of(TargetMet)}
    last = targets[dt.date(2029, 12, 1)]
    assert last.stock == pytest.approx(394_400, rel=0.005)  # of 403 t: the rest is not paid for
    assert last.stock == pytest.approx(
        sum(row.quantity for row in indium.of(Delivery))
    )  # nothing leaves
    assert targets[dt.date(2029, 9, 1)].stock >= 222_000  # the firm part, far below the ramp
    money = used(indium)
    # The first one ends with fiscal year 2027, and pays until 2032 what was ordered before.
    for name in ("nds 2027-01", "nds 2027-10", "nds 2028-10", "nds 2029-10"):
        assert money[name]["spent"] == pytest.approx(money[name]["amount"], rel=0.001)
    assert money["nds 2027-01"]["obligated"] > money["nds 2027-01"]["amount"]  # some of it twice
    assert money["nds 2027-01"]["lapsed"] == 0
    first = dt.date(2029, 10, 1)  # whose money orders metal that arrives two months later
    assert min(row.date for row in targets.values() if row.below > 100) == first
    ahead = targets[dt.date(2027, 12, 1)]  # the last of that metal has come
    assert ahead.stock > 1.25 * ahead.target


def test_indium_signs_every_fixed_price_at_the_top(indium: Plan) -> None:
    outcomes = {row.contract: row for row in indium.of(ContractOutcome)}
    # Even the dearest level costs less than metal of dealers or from China, which is bought too.
    assert {name: row.level for name, row in outcomes.items()} == {
        **{"korea_zinc_idiq": "600", "teck_idiq": "605"},
        **{"umicore_idiq": "595", "dowa_idiq": "610"},
    }
    # Nearly all they bring until the end of 2029, from the first month after signing in January and the
    # lead time.
    delivered = {name: row.delivered for name, row in outcomes.items()}
    assert delivered == pytest.approx(
        {
            "korea_zinc_idiq": 64_000,
            "teck_idiq": 24_750,
            "umicore_idiq": 20_000,
            "dowa_idiq": 27_125,
        },
        rel=0.04,
    )


def test_indium_orders_whole_lots_and_reaches_its_breaks(indium: Plan) -> None:
    firm = [row for row in indium.of(Order) if row.date < dt.date(2028, 1, 1)]
    assert all(
        row.ordered % 50 == pytest.approx(0, abs=1e-6)
        or row.ordered % 50 == pytest.approx(50, abs=1e-6)
        for row in firm
    )
    sizes = {
        offer: [row.ordered for row in firm if row.offer == offer]
        for offer in ("asahi_framework", "china_spot", "auby_framework")
    }
    least = {"asahi_framework": 2500, "china_spot": 4000, "auby_framework": 1200}
    for offer, orders in sizes.items():  # the lowest price, but for an order or two that end a year
        assert sum(size >= least[offer] - 1e-6 for size in orders) >= 0.8 * len(orders) > 0


def test_indium_keeps_the_import_shares(indium: Plan) -> None:
    rules = {(row.rule, row.value, row.window): row for row in indium.of(RuleKept)}
    # China is bought as far as 13.3 m USD go.
    assert rules["china_money", "China", "FY2027"].observed == pytest.approx(13.3e6, rel=0.01)
    assert rules["china_money", "China", "FY2029"].observed == pytest.approx(13.3e6, rel=0.005)
    # In the autumn of 2029 the money of the year before is all but spent, for others too.
    assert 0.1 < (rules["china", "China", "FY2030"].observed or 0) <= 0.32 + 1e-6
    assert all((row.observed or 0) >= 7 for row in indium.of(RuleKept) if row.rule == "countries")
    russian = {row.supplier for row in indium.stockpile.rows(Supplier) if row.country == "Russia"}
    assert russian.isdisjoint(row.supplier for row in indium.of(Delivery))


def test_indium_under_scenarios(tmp_path: Path) -> None:
    found = plan("indium", tmp_path)
    assert found.status == "optimal"
    assert found.objective == pytest.approx(78.68e6, rel=0.002)  # see the base
    cost = {row.scenario: row.cost for row in found.of(ScenarioOutcome)}
    assert [*cost] == ["base", "customs", "licence", "fanya"]
    # The stock is worth less than half at the end where Fanya's metal comes to market, and more
    # where a licence makes metal dear; but there least of it can be paid for.
    assert sorted(cost, key=lambda name: cost[name]) == ["base", "customs", "licence", "fanya"]
    # Two months of papers: what is ordered in China from June 2027 arrives in four.
    late = [
        row
        for row in found.of(Order)
        if row.supplier in ("china_other_plants", "nanjing_germanium")
        and row.scenarios == "customs"
        and row.date >= dt.date(2027, 6, 1)
    ]
    assert late
    assert {round((row.arrives - row.date).days / 30.4) for row in late} == {4}


def test_the_sums_in_the_guide_of_indium() -> None:
    """The table `Do the sums add up?`, recomputed from the workbook."""
    guide = (INPUTS / "indium" / "guide.md").read_text(encoding="utf-8")
    shown = [
        [cell.strip() for cell in line.strip("| ").split("|")]
        for line in guide.splitlines()
        if re.match(r"\| [A-Z]", line)
    ]
    assert shown == reach(read(INPUTS / "indium.xlsx").stockpile)


def reach(stockpile: Stockpile) -> list[list[str]]:
    """What can come from each country in all [kg]: under offers, under contracts at the top of
    their menus, together.
    """
    country = {row.supplier: str(row.country) for row in stockpile.rows(Supplier)}
    offers, contracts = defaultdict[str, float](float), defaultdict[str, float](float)
    for offer in stockpile.rows(Offer):
        most = len(list(placeable(stockpile, offer))) * (offer.capacity or 0)
        offers[country[offer.supplier]] += (
            min(most, most if offer.total is None else offer.total) * offer.availability
        )
    for contract in stockpile.rows(Contract):
        first = min(
            begun(
                stockpile,
                contract,
                overlap(stockpile.calendar, contract.sign_from, contract.sign_to)[0],
            ).values()
        )
        top = max(even(stockpile, floor) for floor in menu(stockpile)[contract.contract].values())
        contracts[country[contract.supplier]] += (
            top * contract.flex * (last_period(stockpile, contract, first) - first + 1)
        )
    found = {
        name: [offers[name], contracts[name], offers[name] + contracts[name]]
        for name in offers.keys() | contracts.keys()
    }
    return [
        [name, *(f"{cell:,.0f}" for cell in found[name])]
        for name in sorted(found, key=lambda name: -found[name][2])
    ]


# --- Portfolio: golden run ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def portfolio(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return plan("portfolio", tmp_path_factory.mktemp("portfolio"))


def test_portfolio_costs_what_it_did(portfolio: Plan) -> None:
    # 128.7 m USD (November 2026), proven to 0.2 %: 377 m USD are paid, 155 m USD is the stock at the
    # end. It was 130.2 m with germanium at 2,000 USD/kg, and 127.6 m before what contracts bind
    # after the horizon was charged.
    assert portfolio.status == "optimal"
    assert portfolio.objective == pytest.approx(128.7e6, rel=0.002)
    assert portfolio.bound is not None
    assert portfolio.bound <= portfolio.objective <= portfolio.bound * 1.0021
    assert portfolio.waste == pytest.approx(0, abs=1e-3)


def test_portfolio_serves_both_buyers(portfolio: Plan) -> None:
    last = {
        (row.material, row.buyer): row
        for row in portfolio.of(TargetMet)
        if row.date == dt.date(2031, 10, 1)
    }
    wanted = {
        ("gallium", "us"): 17_686,
        ("gallium", "japan"): 16_000,
        ("indium", "us"): 222_000,
        ("indium", "japan"): 60_000,
    }
    wanted |= {("germanium", "us"): 28_888}
    assert {key: row.target for key, row in last.items()} == wanted
    # A break may bring a little more than is wanted: what that costs is within the gap.
    assert all(-1e-3 <= row.stock - row.target <= 0.02 * row.target for row in last.values())
    # Too little gallium before Metlen and Onsan deliver; everything else is on the ramp.
    short = {(row.material, row.date) for row in portfolio.of(TargetMet) if row.below > 1}
    assert {material for material, _ in short} == {"gallium"}
    assert {date.year for _, date in short} == {2027}
    assert all(row.unmet < 1e-6 for row in portfolio.of(DemandMet))


def test_portfolio_reaches_breaks_together(portfolio: Plan) -> None:
    ordered = defaultdict[str, list[float]](list)
    for row in portfolio.of(Order):
        ordered[row.offer].append(row.ordered)
    for offer, least in {"metlen_pool": 4000, "korea_zinc_pool": 6000, "dowa_pool": 5000}.items():
        # Most: an order short of its break costs less than what the gap of 0.2 % leaves open.
        assert sum(size >= least - 1e-6 for size in ordered[offer]) >= 0.8 * len(ordered[offer]) > 0
    # Either buyer takes less than a break in most quarters: what arrives is shared.
    sites = defaultdict[str, float](float)
    for delivery in portfolio.of(Delivery):
        if delivery.name == "metlen_pool":
            sites[str(delivery.site)] += delivery.quantity
    assert all(quantity / 16 < 4000 for quantity in sites.values())
    # Nobody is asked for more indium than 30 % of it, and Chinese indium goes to Japan, which asks
    # no duty.
    rules = {
        (row.rule, row.value): row for row in portfolio.of(RuleKept) if row.window == "horizon"
    }
    assert rules["one_indium_supplier", "korea_zinc"].observed == pytest.approx(0.3, abs=0.001)
    assert {
        str(row.site) for row in portfolio.of(Delivery) if row.supplier == "chinese_plants"
    } == {"japan_depot"}


def test_portfolio_carries_both_plants(portfolio: Plan) -> None:
    projects = {(row.project, row.level): row for row in portfolio.of(ProjectOutcome)}
    assert {row.project: row.decision for row in projects.values()} == {
        "jaga": "carried",
        "onsan": "carried",
    }
    assert {row.contract: row.level for row in portfolio.of(ContractOutcome)} == {
        "jaga_offtake": "687",
        "onsan_offtake": "550",
    }
    # 200 + 30.2 m / (annual quantity x 8.559): only the top of the menu is above it.
    assert projects["onsan", "550"].breakeven == pytest.approx(494.0, abs=0.1)
    assert projects["onsan", "497"].breakeven == pytest.approx(641.0, abs=0.1)


def test_portfolio_spends_shared_money_for_both(portfolio: Plan) -> None:
    paid = defaultdict[tuple[str, str | None], float](float)
    for row in portfolio.of(Payment):
        paid[row.fund, row.buyer] += row.amount
        assert not (
            row.fund == "joint" and row.material == "germanium"
        )  # bought for one buyer only
        assert (row.fund, row.buyer) not in (("nds", "japan"), ("jogmec", "us"))
    assert paid["joint", "us"] > 1e7
    assert paid["joint", "japan"] > 1e7
    # The two payments into it, and within the gap of the plan all that rotation earns.
    earned = sum(row.proceeds for row in portfolio.of(Rotated))
    assert sum(
        row.spent for row in portfolio.of(BudgetUse) if row.fund == "joint"
    ) == pytest.approx(25e6 + earned, rel=0.05)


def test_the_sums_in_the_guide_of_portfolio(portfolio: Plan) -> None:
    """The table `Do the sums add up?`: what is asked from the workbook, what is bought and leaves
    from the plan.
    """
    guide = (INPUTS / "portfolio" / "guide.md").read_text(encoding="utf-8")
    shown = [
        [cell.strip().replace(",", "") for cell in line.strip("| ").split("|")]
        for line in guide.splitlines()
    ]
    for name, us, japan, demand, bought, rotated in (
        row for row in shown if row[0] in ("gallium", "indium", "germanium")
    ):
        last = {
            row.buyer: row.quantity
            for row in read(INPUTS / "portfolio.xlsx").stockpile.rows(Target)
            if row.material == name
        }
        assert (float(us), float(japan)) == (last["us"], last.get("japan", 0))
        assert float(demand) == sum(
            row.required for row in portfolio.of(DemandMet) if row.material == name
        )
        assert float(bought) == pytest.approx(
            sum(row.quantity for row in portfolio.of(Delivery) if row.material == name), rel=0.02
        )
        assert float(rotated) == pytest.approx(
            sum(row.quantity for row in portfolio.of(Rotated) if row.material == name), rel=0.02
        )


# --- Gallium without its scenarios: golden run ----------------------------------------------------

BASE_ALONE = ("scenarios[*].probability set 0",)


@pytest.fixture(scope="module")
def gallium(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """The base alone, all orders whole."""
    return plan("gallium", tmp_path_factory.mktemp("gallium"), BASE_ALONE, gap=0.001)


def test_gallium_costs_what_it_did(gallium: Plan) -> None:
    # 69.4 m USD, November 2026. Of it 4.8 m are what contracts bind after the horizon. It was 69.2
    # m while call-offs were not in lots, and 58.8 m while rework cost 80 USD/kg, what was sold
    # earned up to 82 % of Rotterdam and nothing was charged after the horizon.
    assert gallium.status == "optimal"
    assert gallium.objective == pytest.approx(69.4e6, rel=0.002)
    assert gallium.bound is not None
    assert gallium.bound <= gallium.objective <= gallium.bound * 1.001
    # Recyclers pay more than disposal costs; what expires is less than the lot of a sale.
    assert gallium.waste < 50


def test_gallium_signs_floors_and_not_all_of_them(gallium: Plan) -> None:
    outcomes = {row.contract: row for row in gallium.of(ContractOutcome)}
    levels = {contract: row.level for contract, row in outcomes.items()}
    # The upside of Stade does not repay the 0.8 m USD at signing. Of JAGA and Rio one is enough
    # where old metal is exchanged for fresh; which of them is within the gap.
    unsigned = {contract for contract, level in levels.items() if level is None}
    assert len(unsigned) == 2
    assert unsigned > {"stade_cfd"}
    assert unsigned & {"jaga_offtake", "rio_offtake"}
    # The least quantity that brings the domestic share, at 2.2 times 236 USD/kg: below the fixed
    # floor of 550.
    assert levels["atalco_offtake"] == "china x 2.2"
    assert outcomes["atalco_offtake"].expected_price == pytest.approx(2.2 * 236)
    # The least level that carries the plant: 550 is below the break-even of 600.
    assert {levels["rio_offtake"], levels["jaga_offtake"]} == {None, "687"}
    assert levels["mtm_offtake"] == "687"  # the domestic metal of the first two years
    assert any(
        0 < (row.share_at_floor or 0) < 1 for row in outcomes.values()
    )  # a floor that binds in some months
    # 30 % of what the reference, 93 % of Rotterdam, is above 1,000: it falls there at the end of
    # 2028.
    assert 0 < (outcomes["metlen_offtake"].upside or 0) < 1_000_000


def test_gallium_helps_plants_by_floors_and_pays_no_grant(gallium: Plan) -> None:
    projects = {(row.project, row.level): row for row in gallium.of(ProjectOutcome)}
    decisions = {row.project: row.decision for row in projects.values()}
    assert decisions["stade"] == "no"
    assert {decisions["jaga"], decisions["rio"]} == {"no", "carried"}
    # 300 + 66.7 m / (annual quantity x 8.559), the annuity of 15 years at 8 %.
    breakeven = [projects["jaga", level].breakeven for level in ("425", "550", "687", "725")]
    assert breakeven == pytest.approx([1274.1, 787.0, 624.7, 536.1], abs=0.1)
    assert [projects["jaga", level].carries for level in ("425", "550", "687", "725")] == [
        False,
        False,
        True,
        True,
    ]
    assert all(row.grant == 0 for row in projects.values())
    assert sum(row.spent for row in gallium.of(BudgetUse) if row.fund == "matching") == 0


def test_gallium_buys_from_several(gallium: Plan) -> None:
    arrived = defaultdict[str, float](float)
    for row in gallium.of(Delivery):
        arrived[row.supplier] += row.quantity
    assert len(arrived) >= 8
    assert "rotterdam_trader" not in arrived  # no Chinese metal for a stockpile of defence
    assert max(arrived.values()) / sum(arrived.values()) <= 0.3 + 1e-6
    # 50 t at the end, turned over once a year on the way, 14 t of it exchanged for fresh metal.
    assert 147_000 < sum(arrived.values()) < 156_000


def test_gallium_orders_and_sells_lots_of_the_trade(gallium: Plan) -> None:
    ordered = [row.ordered for row in gallium.of(Order)]
    called_off = [row.called_off for row in gallium.of(CallOff)]
    left = defaultdict[tuple[object, ...], float](float)
    for row in gallium.of(Rotated):
        if row.outlet:  # what expires leaves through none
            left[row.outlet, row.date] += row.quantity  # several lots may leave in one sale
    assert ordered
    assert called_off
    assert left
    for quantity in (*ordered, *called_off, *left.values()):
        assert quantity / 50 == pytest.approx(round(quantity / 50))


def test_gallium_rotates_lot_by_lot(gallium: Plan) -> None:
    rotated = [row for row in gallium.of(Rotated) if row.outlet]
    assert {row.outlet for row in rotated} == {
        "us_refiners",
        "us_new_fabs",
        "japan_refiners",
        "eu_users",
        "recyclers",
        "refiner_exchange",
        "rework",
    }
    assert len({row.lot for row in rotated}) > 100
    oldest = Counter[str]()
    for row in rotated:
        oldest[str(row.outlet)] = max(oldest[str(row.outlet)], round(row.age))
    # The last month that leaves the taker the life that it asks for.
    assert oldest["us_refiners"] == 9
    assert oldest["us_new_fabs"] == 8
    abroad = ("japan_refiners", "eu_users", "recyclers")
    assert {row.age for row in rotated if row.outlet in abroad} == {9}  # once it counts no more
    gone = defaultdict[str, float](float)
    for row in rotated:
        gone[str(row.outlet)] += row.quantity
    # An exchange costs less than a sale and new metal; rework at 390 USD/kg is a last resort.
    assert gone["refiner_exchange"] > 12_000
    assert gone["rework"] < 6_000


def test_gallium_is_in_spec_at_the_end(gallium: Plan) -> None:
    targets = {row.date: row for row in gallium.of(TargetMet)}
    assert targets[dt.date(2029, 9, 1)].stock >= 23_000 - 1e-3
    assert targets[dt.date(2031, 12, 1)].stock >= 50_000 - 1e-3
    assert all(row.below == 0 for row in targets.values() if row.hard)
    assert all(row.unmet < 1e-6 for row in gallium.of(DemandMet))
    last = [row for row in gallium.of(LotStock) if row.date == dt.date(2031, 12, 1)]
    assert sum(row.quantity for row in last if (row.remaining_life or 0) >= 3) == pytest.approx(
        targets[dt.date(2031, 12, 1)].stock
    )


def test_gallium_is_bound_by_money_and_by_policy(gallium: Plan) -> None:
    money = used(gallium)
    for name in ("nds 2027-10", "nds 2028-10", "nds 2029-10", "nds 2030-10"):
        assert money[name]["spent"] == pytest.approx(money[name]["amount"], rel=0.01)
    # What fails to arrive once it has expired lapses.
    assert money["dpa 2027-10"]["spent"] == pytest.approx(money["dpa 2027-10"]["amount"], rel=0.05)
    binding = {row.rule for row in gallium.of(RuleKept) if row.binding}
    assert binding >= {"no_chinese_metal", "countries"}
    # 30 % from one supplier is reached as nearly as lots of 50 kg allow.
    largest = max(row.observed or 0 for row in gallium.of(RuleKept) if row.rule == "one_supplier")
    assert 0.299 < largest <= 0.3
    counted = [row for row in gallium.of(RuleKept) if row.rule == "countries"]
    assert len(counted) == 6  # fiscal years 2027 to 2032
    assert all((row.observed or 0) >= 4 for row in counted)


# --- Gallium under its scenarios: golden run ------------------------------------------------------


def test_gallium_under_scenarios(tmp_path: Path) -> None:
    """One test, as it is one search."""
    found = so.solve(INPUTS / "gallium.xlsx").plan
    assert found is not None
    write(found, tmp_path / "plan.xlsx")
    assert check_summary(tmp_path / "plan.xlsx") == []
    costs_what_it_did(found)
    orders_whole(found)
    decides_the_same_until_it_knows_more(found)
    lives_through_each(found)
    if office():
        assert pages(so.memo(found).save(tmp_path / "memo.docx")) == 2


def costs_what_it_did(found: Plan) -> None:
    # 71.07 m USD, the optimum of all whole orders, call-offs and sales to 0.4 %: 70.80 m is proven.
    assert found.status == "optimal"
    assert found.objective == pytest.approx(found.expected_cost)  # no weight on risk
    assert found.bound is not None
    assert 70.5e6 < found.bound < found.objective < 71.5e6
    cost = {row.scenario: row.cost for row in found.of(ScenarioOutcome)}
    assert [*cost] == ["base", "ban", "flood", "metlen_late", "outage", "emergency"]
    # Metal is dear in a ban, and what leaves earns no more than in the base; in a flood it is cheap.
    assert max(cost, key=lambda name: cost[name]) == "ban"
    assert min(cost, key=lambda name: cost[name]) == "flood"
    assert found.cvar == pytest.approx(cost["ban"])  # the worst tenth is a part of it


def orders_whole(found: Plan) -> None:
    offers = {row.offer: row for row in found.stockpile.rows(Offer)}
    assert max(row.date for row in found.of(Order)).year == 2031
    for row in found.of(Order):
        offer = offers[row.offer]
        assert not row.relaxed
        assert row.order_cost == offer.order_cost
        assert row.ordered >= (offer.minimum_order or 0) - 1e-6
        assert offer.lot_size is None or row.ordered == pytest.approx(
            round(row.ordered / offer.lot_size) * offer.lot_size
        )


def decides_the_same_until_it_knows_more(found: Plan) -> None:
    first = dt.date(2027, 7, 1)  # Metlen is late, or is not
    assert {row.scenarios for row in found.of(Order) if row.date < first} == {ALL}
    signed = {
        row.contract: row.level
        for row in found.of(ContractOutcome)
        if row.signed is not None and row.signed < first
    }
    assert signed == {
        "mtm_offtake": "687",
        "pavlodar_offtake": "550",
        "metlen_offtake": "550",
        "atalco_offtake": "china x 2.2",
    }
    metlen = [row for row in found.of(Delivery) if row.name == "metlen_offtake"]
    assert min(row.date for row in metlen if "metlen_late" in row.scenarios) >= dt.date(2028, 7, 1)
    assert min(row.date for row in metlen) < dt.date(2028, 7, 1)


def lives_through_each(found: Plan) -> None:
    def seen(rows: Iterable[T], scenario: str) -> list[T]:
        return [
            row for row in rows if row.scenarios == ALL or scenario in row.scenarios.split(", ")
        ]

    delivered = seen(found.of(Delivery), "outage")
    out = [row.date for row in delivered if row.name == "korea_zinc_offtake"]
    assert not [date for date in out if dt.date(2029, 7, 1) <= date < dt.date(2030, 11, 1)]
    assert [date for date in out if date >= dt.date(2030, 11, 1)]
    assert not [
        row
        for row in seen(found.of(Delivery), "ban")
        if row.supplier == "rotterdam_trader" and row.date.year in (2028, 2029)
    ]
    abroad = {"japan_refiners", "eu_users", "recyclers"}
    assert not [
        row
        for row in seen(found.of(Rotated), "emergency")
        if row.outlet in abroad and row.date.year == 2029
    ]
    drawn = sum(row.met for row in seen(found.of(DemandMet), "emergency") if row.date.year == 2029)
    # A kilogram that is missing costs less than the next lot of 50.
    assert 12 * (250 + 1474) - 50 < drawn < 12 * (250 + 1474) + 1e-3
    for name in found.stockpile.scenarios:
        hard = [row for row in seen(found.of(TargetMet), name) if row.hard]
        assert hard
        assert all(row.stock >= row.target - 1e-3 for row in hard)


def test_no_sale_of_gallium_can_earn() -> None:
    """In every scenario fresh metal is sold for less than the cheapest landed metal costs."""
    stockpile = unfold(read(INPUTS / "gallium.xlsx").stockpile)
    for n in stockpile.tree.nodes:
        paid = (
            outlet_terms.price(stockpile, row, 0, n)
            for row in stockpile.at(n).rows(Outlet)
            if row.form == "sale"
        )
        assert max(paid) < min(landed(stockpile, n))


def landed(stockpile: Stockpile, n: int) -> Iterator[float]:
    """What a unit of each offer, and of each contract that delivers, costs at the depot."""
    now, day = stockpile.at(n), stockpile.date(n)
    for offer in now.rows(Offer):
        if offer.supplier != "rotterdam_trader":
            price = offer_terms.price(stockpile, offer, n)
            yield price * (1 + offer.duty) + offer.freight
    for contract in now.rows(Contract):
        if contract.form == "purchase" and contract.deliver_from and contract.deliver_from <= day:
            for floor in menu(now)[contract.contract].values():
                price = contract_terms.price(stockpile, contract, floor, 0, n)
                due = price * (1 + contract.duty) + contract.freight
                yield due - contract_terms.upside(stockpile, contract, n)


def test_the_sums_in_the_guide_of_gallium() -> None:
    """The table `Do the sums add up?`, recomputed from the workbook."""
    stockpile = read(INPUTS / "gallium.xlsx").stockpile
    guide = (INPUTS / "gallium" / "guide.md").read_text(encoding="utf-8")
    shown = [
        [cell.strip() for cell in line.strip("| ").split("|")]
        for line in guide.splitlines()
        if re.match(r"\| 20\d\d ", line)
    ]
    assert shown == list(sums(stockpile))


def sums(stockpile: Stockpile) -> list[list[str]]:
    calendar = stockpile.calendar
    offers, offtakes, asked, sold, recycled = (defaultdict[int, float](float) for _ in range(5))

    def year(period: int) -> int:
        return calendar.begin(period).year

    barred = {
        rule.value for rule in stockpile.rows(Rule) if rule.of == "country" and rule.most == 0
    }
    plants = stockpile.keyed(Supplier)
    for offer in stockpile.rows(Offer):
        for n in (
            placeable(stockpile, offer) if plants[offer.supplier].country not in barred else ()
        ):
            offers[year(n + lead(stockpile, offer))] += (offer.capacity or 0) * offer.availability
    for contract in stockpile.rows(Contract):
        if contract.form != "purchase":
            continue
        first = min(
            begun(
                stockpile, contract, overlap(calendar, contract.sign_from, contract.sign_to)[0]
            ).values()
        )
        top = max(even(stockpile, floor) for floor in menu(stockpile)[contract.contract].values())
        for period in range(first, last_period(stockpile, contract, first) + 1):
            offtakes[year(period)] += top * contract.flex * contract.availability
    for demand in stockpile.rows(Demand):
        for period in covers(stockpile, demand):
            asked[year(period)] += demand.quantity
    for outlet in stockpile.rows(Outlet):
        for period in overlap(calendar, outlet.from_, outlet.to) if outlet.form == "sale" else ():
            (recycled if outlet.outlet == "recyclers" else sold)[year(period)] += (
                outlet.capacity or 0
            )
    target = {
        row["from"][:4]: float(row["quantity"])
        for row in tables("gallium")["targets"]
        if row["from"][5:7] == "12"
    }
    rows, before = [], 0.0
    for name, quantity in sorted(target.items()):
        y = int(name)
        rows.append(
            [quantity, quantity, offers[y], offtakes[y], before, asked[y], sold[y], recycled[y]]
        )
        before = quantity
    return [
        [name, *(f"{cell + 1e-9:,.0f}" for cell in row)]
        for name, row in zip(sorted(target), rows, strict=True)
    ]
