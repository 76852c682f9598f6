"""Actions: all that a plan asks an officer to sign, one row each, the first period first.

Each has a number, by which the rows that follow from it name it. Which rows are actions the result
types say themselves (`act`): a new one is on the list without a line here.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, cast

from optimiser.plan.reasons import Reason, settled
from stockpile_model.acts import TO_BUDGET, TO_LOT, TO_PAYER, TO_PAYMENTS, Act
from stockpile_model.amounts import clean, month
from stockpile_model.block import choices
from stockpile_model.blocks.budget import BudgetUse, Payment
from stockpile_model.blocks.objective import CashFlow
from stockpile_model.blocks.stock.lot_outcomes import Delivery
from stockpile_model.leads import Lead
from stockpile_model.name_lists import list_of, names_in
from stockpile_model.schema import (
    INSTRUCTION,
    Dated,
    Result,
    column,
    columns,
)
from stockpile_model.stockpile import Stockpile
from stockpile_model.tree import ALL

Rows = Mapping[type[Result], Sequence[Result]]
EXACTLY = "exactly"  # how a commitment to what the plan does is kept


@dataclass(frozen=True, kw_only=True)
class Action(Dated):
    """Something to sign: an order, a signature, a grant, a call-off, what goes through an outlet.

    The columns from `kind` to `how` are those of the table `commitments`.
    """

    SHEET = "actions"
    ABOUT = "all that is to be signed, the first period first, with dates, money and reason"
    PLACE = 1
    RENEWED = True
    DECIDED = "date"
    NAMED = ("number",)
    PARTED = "date"
    PRINTED = "date_signed"
    ONE_ACROSS = True
    number: str = column(
        "number of the action, by which other sheets name it",
        leads=(Lead("", (("number", "number"),), named="sheet"),),
    )
    what: str = column("what it is, and of what: offer, contract, project, outlet or move")
    supplier: str | None = column("supplier or producer with whom it is signed")
    signed_quantity: float | None = column(
        "quantity as it is signed: ordered, called off, committed for a year, or sent", "quantity"
    )
    expected: float | None = column(
        "what is expected to arrive by it, or to come back", "quantity", over="rest"
    )
    price: float | None = column(
        "price of a unit: delivered; of a contract its floor; of a sale what is received",
        "money/quantity",
    )
    cost: float | None = column(
        "all that is paid for it within the horizon, expected", "money", over="rest"
    )
    invoice: float | None = column("most to pay for it at once", "money", leads=(TO_PAYMENTS,))
    appropriation: str | None = column(
        "appropriations that pay for it in the plan; blank = none is needed, or money is unlimited",
        leads=(TO_BUDGET,),
        several=True,
    )
    sign_by: dt.date = column(
        "last day to sign it: the period's, the input's own, or the last on which the money that "
        "pays can be obligated",
        leads=(TO_PAYER,),
    )
    pay_by: dt.date | None = column("last day on which the money that pays may pay; blank = none")
    status: str = column("`firm`, or `indicative`: it lies beyond firm_periods, as a forecast")
    why: str | None = column("why, as far as the plan shows it", sentence=True)
    signed_by: str | None = column("to fill in: who signed", default=None)
    date_signed: dt.date | None = column("to fill in: when", default=None)
    kind: str | None = column("kind of commitment; blank = commitments cannot name it")
    name: str = column("offer, contract, project, outlet or move")
    level: str | None = column("level of the contract")
    date: dt.date = column("first day of the period in which it is signed")
    quantity: float | None = column(
        "what a commitment to it asks for: a quantity, or 1 where it is done",
        "quantity or times",
    )
    how: str | None = column(
        "how a commitment would keep to it; blank = none can, or it holds in some scenarios only"
    )
    measure: str = column("unit of that: quantity, or times")
    material: str | None = column("material")
    receipt: float | None = column("what is received for it", "money")
    due: dt.date | None = column("first day of the period in which the invoice falls due")
    lots: str | None = column("lots that it becomes", default=None, leads=(TO_LOT,), several=True)
    sheet: str = column("sheet of the plan with its details")
    details: str = column("what to do, as its sheet says it", sentence=True)


class Part(NamedTuple):
    """A result row that is an action, or a part of one: its kind, its place, what it asks."""

    kind: type[Dated]
    place: int
    row: Dated
    act: Act


@dataclass
class Numbered:
    """An action with its number, the node at which it is decided, and the rows that say it."""

    number: str
    node: int
    parts: list[Part] = field(default_factory=list)

    @property
    def act(self) -> Act:
        """Return what it is, as its first row says it."""
        return self.parts[0].act


class Nodes:
    """The node of a dated row, by its date and the scenarios for which it holds."""

    def __init__(self, stockpile: Stockpile) -> None:
        self.stockpile = stockpile
        self._listed: dict[tuple[int, str], int] = {}
        for node in reversed(stockpile.tree.nodes):
            key = stockpile.tree.period[node], stockpile.where(node)["scenarios"]
            self._listed[key] = node

    def of(self, day: dt.date, scenarios: str) -> int | None:
        """Return the node; None outside the horizon, or where the rows of many are one."""
        key = self.stockpile.calendar.period(day), scenarios
        if key not in self._listed:
            self._listed[key] = self._passed(*key)
        found = self._listed[key]
        return None if found < 0 else found

    def _passed(self, period: int, scenarios: str) -> int:
        """Return the node of a period that all of some scenarios pass; -1: there is none."""
        if scenarios == ALL and len(self.stockpile.tree.at.get(period, ())) == 1:
            return self.stockpile.tree.at[period][0]
        names = set(names_in(scenarios))
        nodes = self.stockpile.tree.at.get(period, ())
        return next((n for n in nodes if names <= set(self.stockpile.holds[n])), -1)


def with_actions(
    rows: Rows,
    stockpile: Stockpile,
    because: Callable[[Dated, int], str | None] = lambda row, node: None,
) -> dict[type[Result], tuple[Result, ...]]:
    """Return the rows of a plan with its actions, and with their numbers where others follow.

    `because`: why a row at a node is done.
    """
    nodes = Nodes(stockpile)
    found = {kind: list(members) for kind, members in rows.items() if kind is not Action}
    made = numbered(found, nodes)
    for action in made:
        for part in action.parts:
            known: dict[str, Any] = {"number": action.number}
            if said := because(part.row, action.node):
                known["why"] = said
            found[part.kind][part.place] = replace(part.row, **known)
    lots = _follow(found, made, nodes)
    _become(found, made, lots)
    _of_lots(found, nodes)
    _pay(found)
    found[Action] = [*_actions(found, made, lots, stockpile)]
    return {kind: tuple(members) for kind, members in found.items()}


def numbered(rows: Mapping[type[Result], Sequence[Result]], nodes: Nodes) -> list[Numbered]:
    """Return the actions of a plan in the order of their dates, with their numbers.

    A number is a letter for its kind, its period, and its place there by name: what is done in
    other periods does not change it.
    """
    groups: dict[tuple[Any, ...], list[Part]] = defaultdict(list)
    for kind, members in rows.items():
        for place, row in enumerate(members if kind.LETTER else ()):
            assert isinstance(row, Dated)
            day = getattr(row, kind.dated_by())
            node = None if day is None else nodes.of(day, row.scenarios)
            act = None if node is None else row.act(nodes.stockpile.at(node))
            if act is not None and node is not None:
                key = act.date, kind.LETTER, act.name, act.level or "", act.material or "", node
                groups[key].append(Part(cast("type[Dated]", kind), place, row, act))
    counts: dict[tuple[dt.date, str], int] = defaultdict(int)
    found = []
    for key in sorted(groups):
        day, letter, *_, node = key
        counts[day, letter] += 1
        number = f"{letter}{month(day)}/{counts[day, letter]}"
        found.append(Numbered(number, node, groups[key]))
    return found


# --- What follows from an action ------------------------------------------------------------------


class Sources:
    """The actions from which a row may follow, by table and name."""

    def __init__(self, made: Iterable[Numbered], nodes: Nodes) -> None:
        self.nodes, self.by_name = nodes, defaultdict[tuple[str, str], list[Numbered]](list)
        self._known: dict[tuple[object, ...], str | None] = {}
        for each in made:
            act = each.act
            self.by_name[act.table, act.name].append(each)
            if act.supplier is not None and act.comes is not None:  # what is due for all orders
                self.by_name["suppliers", act.supplier].append(each)

    def number(self, row: Dated) -> str | None:
        """Return the numbers of the actions from which a row follows."""
        cause = row.cause()
        if cause is None:
            return None
        day = getattr(row, type(row).dated_by())
        key = (*cause, day, row.scenarios)
        if key not in self._known:
            node = self.nodes.of(day, row.scenarios)
            numbers = (
                each.number
                for each in self.by_name[cause.table, cause.name]
                if self._leads(each, cause.date, cause.comes) and self._before(each.node, node)
            )
            self._known[key] = list_of(numbers) or None
        return self._known[key]

    @staticmethod
    def _leads(source: Numbered, day: dt.date, comes: bool) -> bool:
        act = source.act
        if act.lasts:
            return act.date <= day
        return day == (act.comes if comes else act.date)

    def _before(self, decided: int, node: int | None) -> bool:
        """Return whether a decision is on the path to a node; None: to a row of all paths."""
        if node is None:
            return decided in self.nodes.stockpile.trunk
        return decided in self.nodes.stockpile.tree.paths[node]


def _follow(
    rows: dict[type[Result], list[Result]], made: Sequence[Numbered], nodes: Nodes
) -> dict[str, list[str]]:
    """Give the rows that follow from actions their numbers; return the lots of each number."""
    sources, lots = Sources(made, nodes), defaultdict[str, list[str]](list)
    for kind, members in rows.items():
        if not issubclass(kind, Dated) or kind.cause is Dated.cause:
            continue
        for place, row in enumerate(cast("list[Dated]", members)):
            number = sources.number(row)
            if number is None:
                continue
            members[place] = replace(row, number=number)  # type: ignore[call-arg]
    for came in Delivery.in_order(rows.get(Delivery, ())):
        assert isinstance(came, Delivery)
        for each in names_in(came.number or ""):
            lots[each] += [] if came.lot in lots[each] else [came.lot]
    return lots


def _become(
    rows: dict[type[Result], list[Result]],
    made: Iterable[Numbered],
    lots: Mapping[str, Sequence[str]],
) -> None:
    """Say in the rows of actions which lots they become, where they have a column for it."""
    with_lots = {kind for kind in rows if any(each.name == "becomes" for each in columns(kind))}
    for action in made:
        for kind, place, *_ in action.parts:
            if kind in with_lots:
                row = rows[kind][place]
                said = list_of(lots.get(action.number, ())) or None
                rows[kind][place] = replace(row, becomes=said)  # type: ignore[call-arg]


def _of_lots(rows: dict[type[Result], list[Result]], nodes: Nodes) -> None:
    """Give the rows of a lot the number by which it came."""
    came = defaultdict[tuple[str, str], list[tuple[int | None, str]]](list)
    for row in cast("Sequence[Delivery]", rows.get(Delivery, ())):
        if row.number is not None:
            came[row.lot, row.material].append((nodes.of(row.date, row.scenarios), row.number))
    paths, known = nodes.stockpile.tree.paths, dict[tuple[str, str, dt.date, str], str | None]()
    for kind, members in rows.items():
        names = {each.name for each in columns(kind)}
        if kind.LETTER or kind is Delivery or not {"lot", "number"} <= names:
            continue
        for place, row in enumerate(cast("list[Any]", members)):
            if (row.lot, row.material) not in came:
                continue
            key = row.lot, row.material, row.date, row.scenarios
            if key not in known:
                node = nodes.of(row.date, row.scenarios)
                path = paths[node] if node is not None else ()
                of = came[row.lot, row.material]
                numbers = (each for at, each in of if at is None or node is None or at in path)
                known[key] = (
                    list_of(dict.fromkeys(name for each in numbers for name in names_in(each)))
                    or None
                )
            if known[key] is not None:
                members[place] = replace(row, number=known[key])


def _pay(rows: dict[type[Result], list[Result]]) -> None:
    """Say of each outlay of the cash flow which appropriations pay it."""
    paid = defaultdict[tuple[object, ...], dict[str, None]](dict)
    for row in cast("Sequence[Payment]", rows.get(Payment, ())):
        if row.heading is not None:
            of = row.heading, row.obligation, row.material, row.buyer
            paid[row.scenarios, row.date, *of][row.appropriation] = None
    for place, flow in enumerate(cast("list[CashFlow]", rows.get(CashFlow, []))):
        of = flow.heading, flow.name, flow.material, flow.buyer
        if names := paid.get((flow.scenarios, flow.date, *of)):
            rows[CashFlow][place] = replace(flow, appropriation=list_of(names))


# --- The list of actions --------------------------------------------------------------------------


@dataclass
class ActPayers:
    """Describe what pays an action: its appropriations, and by when each can be obligated and
    pay."""

    budgets: Mapping[str, BudgetUse]
    of: Mapping[str, Sequence[Payment]]

    @classmethod
    def read(cls, rows: Rows) -> ActPayers:
        """Read the payments of a plan by number."""
        uses = cast("Sequence[BudgetUse]", rows.get(BudgetUse, ()))
        of = defaultdict[str, list[Payment]](list)
        for row in cast("Sequence[Payment]", rows.get(Payment, ())):
            for number in names_in(row.number or ""):
                of[number].append(row)
        return cls({each.appropriation: each for each in uses}, of)

    def names(self, number: str) -> list[str]:
        """Return the appropriations that pay an action."""
        paid = sorted(self.of.get(number, ()), key=lambda each: (each.date, each.appropriation))
        return list(dict.fromkeys(each.appropriation for each in paid))

    def dates(self, number: str, day: dt.date) -> tuple[list[dt.date], list[dt.date]]:
        """Return by when what is signed on a day can be obligated, and by when it may be paid."""
        of = (each for each in self.of.get(number, ()) if each.obligated == day)
        now = [self.budgets[name] for name in dict.fromkeys(each.appropriation for each in of)]
        until = [each.expires for each in now if each.expires is not None]
        pay = (each.pay_by or each.expires for each in now)
        return until, [each for each in pay if each is not None]


def _actions(
    rows: Rows, made: Iterable[Numbered], lots: Mapping[str, Sequence[str]], stockpile: Stockpile
) -> Iterator[Action]:
    """Yield the list of actions."""
    payers, known = ActPayers.read(rows), _reasons(rows)
    for each in made:
        act, parts = each.act, _told_apart(each)
        current = [cast("Any", rows[part.kind][part.place]) for part in each.parts]
        signed = _sum(part.act.quantity for part in parts)
        until, pay_by = payers.dates(each.number, act.date)
        yield Action(
            **stockpile.where(each.node),
            **_as_commitment(stockpile, each, signed),
            number=each.number,
            what=f"{act.what}: {act.name}" + (f", level {act.level}" if act.level else ""),
            supplier=act.supplier,
            material=act.material,
            signed_quantity=signed,
            expected=_mean(each, lambda act: act.expected),
            price=_price(each),
            cost=_mean(each, lambda act: act.cost) or None,
            invoice=_sum(part.act.invoice for part in parts),
            receipt=_sum(part.act.receipt for part in parts),
            appropriation=list_of(payers.names(each.number)) or None,
            sign_by=min([_end(stockpile, act.date), *until, *filter(None, [act.until])]),
            due=act.due,
            pay_by=min(pay_by, default=None),
            status="indicative" if act.relaxed else "firm",
            why=_why(current) or known.get((act.table, act.name, act.level)),
            details=_details(current),
            lots=list_of(lots.get(each.number, ())) or None,
            sheet=each.parts[0].kind.SHEET,
        )


def _as_commitment(stockpile: Stockpile, action: Numbered, signed: float | None) -> dict[str, Any]:
    """Return the columns by which a commitment would name an action."""
    act, scenarios = action.act, stockpile.where(action.node)["scenarios"]
    certain = scenarios == ALL or len(stockpile.scenarios) < 2
    return {
        "kind": act.deed or None,
        "name": act.name,
        "level": act.level,
        "date": act.date,
        "quantity": (1.0 if act.times else signed) if act.deed else None,
        "how": EXACTLY if act.deed and certain else None,
        "measure": "times" if act.times else "quantity",
    }


def _end(stockpile: Stockpile, day: dt.date) -> dt.date:
    """Return the last day of the period that contains a date."""
    return stockpile.calendar.end(stockpile.calendar.period(day))


def _why(rows: Iterable[Any]) -> str:
    """Return why rows are done, each reason once."""
    said = (getattr(row, "why", None) for row in rows)
    return "; ".join(dict.fromkeys(each for each in said if each))


def _details(rows: Iterable[Any]) -> str:
    """Return the instructions of rows, each once; where they have none it is blank."""
    said = (getattr(row, INSTRUCTION, None) for row in rows)
    return "\n".join(dict.fromkeys(each for each in said if each))


def _told_apart(action: Numbered) -> list[Part]:
    """Return the rows that are parts of an action; of rows that all say the same the first."""
    return action.parts if action.act.adds else action.parts[:1]


def _sum(values: Iterable[float | None]) -> float | None:
    """Return the sum of what is known; None where nothing is."""
    found = [each for each in values if each is not None]
    return clean(math.fsum(found)) if found else None


def _mean(action: Numbered, figure: Callable[[Act], float | None]) -> float | None:
    """Return a figure of an action, expected over the scenarios of its rows."""
    if action.act.adds:
        return _sum(figure(part.act) for part in action.parts)
    rows = {part.row.scenarios: part for part in action.parts}.values()
    if len(rows) == 1 or all(figure(part.act) is None for part in rows):
        return figure(action.act)
    whole = sum(part.row.probability for part in rows)
    return sum(part.row.probability * (figure(part.act) or 0.0) for part in rows) / whole


def _price(action: Numbered) -> float | None:
    """Return the price of a unit: the mean of its parts."""
    parts = [each.act for each in _told_apart(action)]
    weights = [each.quantity or 0.0 for each in parts]
    if action.act.price is None or len(parts) == 1 or not sum(weights):
        return action.act.price
    priced = zip(parts, weights, strict=True)
    return math.fsum((each.price or 0.0) * weight for each, weight in priced) / sum(weights)


def _reasons(rows: Rows) -> Mapping[tuple[str, str, str | None], str]:
    """Return why what is used over the whole horizon is, by its table, name and level."""
    tables = {choice.kind: choice.table for choice in choices()}
    return {
        (tables[row.choice], row.name, row.level): settled(row.reason)
        for row in cast("Sequence[Reason]", rows.get(Reason, ()))
        if row.fiscal_year is None and row.choice in tables
    }
