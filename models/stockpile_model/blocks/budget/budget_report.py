"""Report what each appropriation pays, for which obligation, and what becomes of it by year."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

from stockpile_model import amounts
from stockpile_model.acts import TO_ACTION, Cause
from stockpile_model.block import sources
from stockpile_model.blocks.budget.account_shares import Charged, Settled, share_out
from stockpile_model.blocks.budget.appropriating import Outlay, group
from stockpile_model.blocks.budget.budget_terms import About, Appropriations, Budget, label
from stockpile_model.blocks.budget.obligated import (
    OwedMoney,
    collect,
    net,
    settle_by_heading,
    taken,
)
from stockpile_model.evaluation import evaluate
from stockpile_model.formulation import Formulation
from stockpile_model.funds import Fund
from stockpile_model.leads import Lead
from stockpile_model.scale import NOISE
from stockpile_model.schema import ComparedSum, Dated, Result, column
from stockpile_model.solved_plan import SolvedPlan, averaged
from stockpile_model.stockpile import Stockpile


@dataclass(frozen=True, kw_only=True)
class BudgetUse(Result):
    """Describe what becomes of an appropriation, or of the receipts that a fund keeps, in a fiscal
    year."""

    SHEET = "budget"
    ABOUT = "each appropriation by fiscal year: obligated, paid, released, lapsed, left"
    PLACE = 60
    MEANS = ("appropriation", "fiscal_year")
    COMPARED = (
        ComparedSum("appropriated", "appropriation", "amount", unit="money"),
        ComparedSum("spent", "appropriation", "spent", unit="money"),
        ComparedSum("lapsed", "appropriation", "lapsed", unit="money"),
    )
    NAMED = ("appropriation", "fiscal_year")
    appropriation: str = column("fund and first date, or `receipts` kept by a fund")
    fund: str = column("fund")
    fiscal_year: int = column("fiscal year, by the calendar year in which it ends")
    from_: dt.date | None = column("date it can first be obligated")
    expires: dt.date | None = column("last date it can be obligated; blank = available until spent")
    pay_by: dt.date | None = column("last date it can pay; blank = `expires`")
    amount: float = column(
        "appropriated, in the year in which it can first be obligated, or received, expected",
        "money",
        over="scenarios",
    )
    obligated: float = column(
        "obligated in the fiscal year, expected; what was before the start stands in the first",
        "money",
        over="scenarios",
    )
    spent: float = column(
        "paid in the fiscal year, expected",
        "money",
        over="scenarios",
        leads=(
            Lead("payments", (("appropriation", "appropriation"), ("fiscal_year", "fiscal_year"))),
        ),
    )
    released: float = column(
        "obligated before and released, as it did not arrive, expected", "money", over="scenarios"
    )
    lapsed: float = column(
        "not obligated at `expires`, or released after it, expected",
        "money",
        alarm=True,
        over="scenarios",
    )
    left: float = column(
        "unspent and still available at the end of the horizon, expected", "money", over="scenarios"
    )

    @classmethod
    def missed(cls, plan: SolvedPlan) -> Iterator[str]:
        """Yield what lapses of money for metal while demand or a target is missed."""
        scale, funds = plan.stockpile.scale, plan.stockpile.keyed(Fund)
        if plan.shortfall <= scale.nothing:
            return
        lapsed: dict[str, float] = defaultdict(float)
        for row in plan.of(cls):
            uses = funds[row.fund].uses
            buys = not uses or not {*sources().values()}.isdisjoint(uses)
            if buys and row.lapsed > scale.no_money:
                lapsed[row.appropriation] += row.lapsed
        if lapsed:
            money, names = amounts.rounded(sum(lapsed.values())), amounts.listed(sorted(lapsed))
            yield (
                f"Meanwhile {money} {plan.currency} of appropriations that may buy metal lapse"
                f" unspent{averaged(plan)} ({names})."
            )


@dataclass(frozen=True, kw_only=True)
class Payment(Dated):
    """Describe what an appropriation pays in a period, and the obligation that it pays."""

    SHEET = "payments"
    ABOUT = "which appropriation pays what, and when that was obligated"
    PLACE = 61
    FOR_PROGRAMS = True
    MEANS = (
        "date",
        "appropriation",
        "use",
        "material",
        "buyer",
        "obligated",
        "kind",
        "obligation",
        "heading",
    )
    NAMED = ("appropriation", "use", "obligation", "date")
    ORDER = ("appropriation", "date")
    ONE_ACROSS = True
    date: dt.date = column("first day of the period")
    appropriation: str = column(
        "appropriation that pays",
        leads=(
            Lead("budget", (("appropriation", "appropriation"), ("fiscal_year", "fiscal_year"))),
        ),
    )
    fund: str = column("fund")
    use: str = column("what it pays for, as in the column uses of funds")
    material: str | None = column("material")
    buyer: str | None = column("for whom; blank = for all")
    amount: float = column(
        "paid, undiscounted; a click leads to the next payment of the same action",
        "money",
        leads=(Lead("payments", (("number", "number"),), onward=True),),
    )
    obligated: dt.date | None = column(
        "first day of the period in which it was obligated, or date of an order before the start; "
        "blank = before the start, not known when"
    )
    kind: str | None = column(
        "table of what it was obligated for: `offers` is an order, `contracts` a contract, "
        "`projects` a grant; a service is of `sites`, `outlets` or `moves`; what is due for orders "
        "together is of `suppliers` or `supply_curves`"
    )
    obligation: str | None = column("what it was obligated for, by its name in that table")
    number: str | None = column(
        "number of the action that it pays, as on the sheet `actions`; blank = none is its own",
        default=None,
        leads=(TO_ACTION,),
        several=True,
    )
    released: float = column("obligated with it and released, as it does not arrive", "money")
    heading: str | None = column(
        "heading under which it stands on the sheet `cash_flow`; blank = nothing is paid, all of "
        "it is released",
        leads=(
            Lead("cash_flow", (("name", "obligation"), ("heading", "heading"), ("date", "date"))),
        ),
    )
    fiscal_year: int = column(
        "fiscal year in which it is paid; a click leads to the next payment of the appropriation",
        leads=(Lead("payments", (("appropriation", "appropriation"),), onward=True),),
    )

    def cause(self) -> Cause | None:
        """Return what was signed or ordered when the money was obligated."""
        if self.kind is None or self.obligation is None or self.obligated is None:
            return None
        return Cause(self.kind, self.obligation, self.obligated)

    def joined(self, other: Self) -> Self:
        """Return the payment, with its number where both branches have the same."""
        return self if self.number == other.number else replace(self, number=None)


class _Item(NamedTuple):
    """A part of a class of outlays: when it was obligated, for what, and how much [money]."""

    bound: int
    name: str
    table: str
    heading: str
    amount: float


_Charges = Mapping[Charged, Settled]
_Room = dict[tuple[object, str, str], dict[int, float]]
"""What may still be obligated where, by its source, its name and its table [money]."""


def report(formulation: Formulation) -> Iterator[Result]:
    """Yield what each appropriation pays, and what becomes of it."""
    if not formulation.stockpile.given(Fund):
        return
    able, charged = _charged(formulation)
    yield from _payments(able, charged)
    years = _years(able, charged)
    for b in range(len(able.owners)):
        own = years[b]
        if b < able.number:
            _appropriate(able, b, charged, own)
        else:
            _receive(formulation, able, b, own)
        yield from _uses(able, b, own)


# --- What is charged ------------------------------------------------------------------------------


def _charged(formulation: Formulation) -> tuple[Appropriations, _Charges]:
    """Return who may pay, and what each appropriation pays, and holds, of each obligation."""
    m = formulation.m
    able, found, watched = collect(formulation.stockpile, formulation.ledger)
    settle_by_heading(m, found)
    charges: dict[Charged, Settled] = defaultdict(Settled)
    outlays = group(found.paid, able, watched)
    for key, amount in _assigned(m.pay, outlays, able):
        charges[key].paid += amount
    failing = group(found.failing, able, watched)
    paid = {key._replace(heading=""): key for key in reversed(charges)}
    for key, amount in _assigned(m.reserved, failing, able):
        charges[paid.get(key, key)].released += amount
    if able.accounts:
        charges = share_out(able, charges)
    return able, dict(sorted(charges.items(), key=lambda each: (each[0].node, each[0].b)))


def _assigned(
    variables: Any, outlays: Mapping[Outlay, Sequence[OwedMoney]], able: Appropriations
) -> Iterator[tuple[Charged, float]]:
    """Yield how much of each obligation is charged to each appropriation.

    What stands in one class may be paid by any of those that pay the class: the first pays first.
    """
    nothing = able.stockpile.scale.no_money
    charged: dict[Outlay, list[tuple[int, float]]] = defaultdict(list)
    for key, each in variables.items():
        if (amount := evaluate(each)) > nothing:
            charged[key[1:]].append((key[0], amount))
    room: _Room = {}
    for key, parts in charged.items():
        items = _items(outlays[key], room)
        *about, _, n = key
        for b, item, amount in _spread(parts, items, nothing):
            about_it = About(*about), item.bound, n, item.name, item.table, item.heading
            yield Charged(b, *about_it), amount


def _items(owed: Iterable[OwedMoney], room: _Room) -> list[_Item]:
    """Return what a class of outlays is made of.

    What may have been obligated at several nodes is where there is room for it: where it is signed
    or ordered.
    """
    sums: dict[tuple[object, str, str], list[tuple[str, float]]] = defaultdict(list)
    kinds: dict[tuple[object, str, str], OwedMoney] = {}
    for each in owed:
        source: object = each.bound if each.open is None else (each.node, *each.open.source)
        key = (source, each.name, each.table)
        sums[key].append((each.heading, evaluate(each.amount)))
        kinds[key] = each
    found: dict[tuple[int, str, str, str], float] = defaultdict(float)
    for key, amounts_of in sums.items():
        each, queue = kinds[key], net(amounts_of)
        if each.open is None:
            for heading, amount in queue.items():
                found[each.bound, each.name, each.table, heading] += amount
            continue
        if key not in room:
            room[key] = {s: evaluate(most) for s, most in each.open.most.items()}
        for s in each.open.nodes:
            for heading, part in taken(queue, max(0.0, room[key][s])):
                found[s, each.name, each.table, heading] += part
                room[key][s] -= part
        most = max(room[key], key=lambda s: room[key][s])
        for heading, rest in queue.items():
            found[most, each.name, each.table, heading] += rest
    return [_Item(*key, amount) for key, amount in sorted(found.items())]


def _spread(
    parts: Iterable[tuple[int, float]], items: Sequence[_Item], nothing: float
) -> Iterator[tuple[int, _Item, float]]:
    """Yield how much of each item each appropriation pays; their sums differ by noise alone."""
    largest = max(items, key=lambda item: item.amount)
    queue = [item for item in items if item.amount > nothing] or [largest]
    open_ = queue[0].amount
    for b, amount in parts:
        rest = amount
        while len(queue) > 1 and rest > open_ - nothing:
            if open_ > nothing:
                yield b, queue[0], open_
            rest -= open_
            queue.pop(0)
            open_ = queue[0].amount
        if rest > nothing:
            yield b, queue[0], rest
            open_ -= rest


def _payments(able: Appropriations, charged: _Charges) -> Iterator[Payment]:
    """Yield the payments, each with the obligation that it pays."""
    stockpile = able.stockpile
    for key, charge in charged.items():
        use, material, buyer, _ = key.about
        yield Payment(
            **stockpile.where(key.node),
            date=stockpile.date(key.node),
            appropriation=label(stockpile, key.b),
            fund=able.owners[key.b],
            use=use,
            material=material or None,
            buyer=buyer or None,
            obligated=able.date(key.bound),
            kind=key.table or None,
            obligation=key.name or None,
            amount=charge.paid,
            released=charge.released,
            heading=key.heading or None,
            fiscal_year=_year(stockpile, stockpile.tree.period[key.node]),
        )


# --- What becomes of an appropriation -------------------------------------------------------------


@dataclass
class _Year:
    """Describe what becomes of an appropriation in a fiscal year, expected [money]."""

    amount: float = 0.0
    obligated: float = 0.0
    spent: float = 0.0
    released: float = 0.0
    lapsed: float = 0.0
    left: float = 0.0

    @property
    def idle(self) -> bool:
        """Return whether nothing happens in it."""
        return not any(vars(self).values())


_Years = dict[int, _Year]


def _year(stockpile: Stockpile, period: int) -> int:
    """Return the fiscal year of a period; before the horizon its first, after it its last."""
    return stockpile.calendar.fiscal_year(min(max(0, period), stockpile.calendar.periods - 1))


def _years(able: Appropriations, charged: _Charges) -> list[_Years]:
    """Return what each appropriation obligates, pays and gets back, by fiscal year."""
    stockpile, tree = able.stockpile, able.stockpile.tree
    found: list[_Years] = [defaultdict(_Year) for _ in able.owners]
    for key, charge in charged.items():
        chance, own = tree.probability[key.node], found[key.b]
        bound = tree.period[key.bound] if key.bound >= 0 else 0
        own[_year(stockpile, bound)].obligated += chance * (charge.paid + charge.released)
        now = own[_year(stockpile, tree.period[key.node])]
        now.spent += chance * charge.paid
        now.released += chance * charge.released
    return found


def _appropriate(able: Appropriations, b: int, charged: _Charges, own: _Years) -> None:
    """Add what is appropriated, what lapses and what is left, expected over the leaves."""
    stockpile, tree, calendar = able.stockpile, able.stockpile.tree, able.stockpile.calendar
    mine = {(key.node, key): each for key, each in charged.items() if key.b == b}
    for leaf in tree.leaves:
        path, chance, last = {*tree.paths[leaf]}, tree.probability[leaf], able.last(b, leaf)
        row = able.row(b, leaf if last is None else last)
        begins = 0 if row.from_ is None else calendar.period(row.from_)
        own[_year(stockpile, begins)].amount += chance * row.amount
        charges = [(n, each) for (n, _), each in mine.items() if n in path]
        rest = _rest(stockpile, row.amount, sum(each.paid for _, each in charges))
        ends = None if row.expires is None else calendar.period(row.expires)
        if ends is None or ends >= calendar.periods:
            own[_year(stockpile, calendar.periods)].left += chance * rest
            continue
        for n, each in charges:
            if tree.period[n] > ends and each.released:
                late = min(each.released, rest)
                own[_year(stockpile, tree.period[n])].lapsed += chance * late
                rest -= late
        own[_year(stockpile, ends)].lapsed += chance * _rest(stockpile, rest, 0.0)


def _receive(formulation: Formulation, able: Appropriations, b: int, own: _Years) -> None:
    """Add what a fund receives and keeps, and what is left of it."""
    stockpile, tree = able.stockpile, able.stockpile.tree
    own[_year(stockpile, 0)].amount += stockpile.keyed(Fund)[able.owners[b]].receipts_left
    for each, amount in formulation.money:
        if each.fund == able.owners[b]:
            chance = tree.probability[each.node]
            own[_year(stockpile, tree.period[each.node])].amount += 0.0 - chance * amount
    received = sum(each.amount for each in own.values())
    paid = sum(each.spent for each in own.values())
    own[_year(stockpile, stockpile.calendar.periods)].left = _rest(stockpile, received, paid)


def _rest(stockpile: Stockpile, amount: float, spent: float) -> float:
    """Return what is left of an amount; nothing where only the solver's noise is."""
    noise = NOISE * max(stockpile.scale.money, amount)
    return amount - spent if amount - spent > noise else 0.0


def _uses(able: Appropriations, b: int, own: _Years) -> Iterator[BudgetUse]:
    """Yield the fiscal years in which anything becomes of an appropriation; one at least."""
    row: Budget | None = None
    if b < able.number:
        row = able.stockpile.rows(Budget)[b]
    years = {year: each for year, each in sorted(own.items()) if not each.idle}
    for year, each in (years or {min(own): _Year()}).items():
        yield BudgetUse(
            appropriation=label(able.stockpile, b),
            fund=able.owners[b],
            fiscal_year=year,
            from_=row.from_ if row else None,
            expires=row.expires if row else None,
            pay_by=row.pay_by if row else None,
            amount=each.amount,
            obligated=each.obligated,
            spent=each.spent,
            released=each.released,
            lapsed=each.lapsed,
            left=each.left,
        )
