"""What each level of a contract is worth, as an option of the producer and to the buyer."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from stockpile_model.blocks.commitments.commitment_terms import gone_before
from stockpile_model.blocks.contracts import contract_terms as terms
from stockpile_model.blocks.contracts.contract_terms import Contract
from stockpile_model.blocks.contracts.reliance import delivers
from stockpile_model.blocks.contracts.schedule import extended
from stockpile_model.blocks.projects.project_terms import ready
from stockpile_model.formulation import Formulation
from stockpile_model.schema import Result, column
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Settings


@dataclass(frozen=True, kw_only=True)
class FloorOutcome(Result):
    """Describe what a level of a contract is worth under these scenarios at the even rate, signed
    or not.

    It is signed as the plan does or else at the first date it can be, its project then.
    """

    SHEET = "floors"
    ABOUT = "what each level of each contract is worth as an option"
    PLACE = 21
    MEANS = ("contract", "level")
    NAMED = ("contract", "level")
    ONE_ACROSS = True
    contract: str = column("offtake")
    level: str = column("level on its menu")
    signed: bool = column("whether the plan signs it")
    floor: float = column("floor, as it stands at signing", "money/quantity", given=True)
    annual_quantity: float = column("quantity committed", "quantity/year", given=True)
    expected_quantity: float = column(
        "delivered within the horizon at the even rate, over the scenarios", "quantity"
    )
    expected_price: float = column(
        "mean price over its deliveries and the scenarios; of a cfd the mean top-up",
        "money/quantity",
        per="expected_quantity",
    )
    binds: float | None = column(
        "how likely the floor sets the price, over deliveries and scenarios; "
        "blank = it always does",
        "1",
        per="expected_quantity",
    )
    expected_topup: float = column("expected payment above the reference, undiscounted", "money")
    option_value: float = column(
        "value of the floor to the producer as an option: the expected payment above it, "
        "discounted",
        "money",
    )
    option_per_unit: float = column(
        "the same, for each unit delivered", "money/quantity", per="expected_quantity"
    )
    extension_value: float | None = column(
        "value of the option to extend to the buyer, decided when it is due: the expected saving "
        "against the index less the option's price, where that is above 0, at the even rate, "
        "discounted; blank = no option or no index",
        "money",
    )
    waiting_value: float | None = column(
        "part of it that is due to deciding then and not at signing", "money"
    )
    producer_index: float | None = column(
        "index, as it is quoted, above which the floor is worth nothing to the producer",
        "money/quantity",
        given=True,
    )
    buyer_index: float | None = column(
        "index, as it is quoted, below which the buyer would pay less without the contract",
        "money/quantity",
        given=True,
    )
    breakeven: float | None = column(
        "floor at which its project pays for itself at that quantity", "money/quantity", given=True
    )
    cost_difference: float | None = column(
        "what the plan would cost more with this level signed; blank = not asked for", "money"
    )
    difference_at_least: float | None = column("proven to be at least", "money")
    to_change: str | None = column(
        "what would have had to change for it to be signed", sentence=True
    )

    def of_branches(self, first: Self, rows: Collection[Result], settings: Settings) -> Self:
        """Return the level; it is signed where a contract on any branch signs it."""
        from stockpile_model.blocks.contracts.contract_outcomes import ContractOutcome  # reads this

        contracts = (each for each in rows if isinstance(each, ContractOutcome) and each.signed)
        level = self.contract, self.level
        return replace(self, signed=any((each.contract, each.level) == level for each in contracts))


def floors(
    formulation: Formulation, row: Contract, signed: Sequence[tuple[str, int]]
) -> Iterator[FloorOutcome]:
    """Yield each level of a contract: where the plan signs it, or else the first date it can be.

    `signed`: level and node of each signature of the plan.
    """
    stockpile, k = formulation.stockpile, row.contract
    nodes = list(terms.signable(stockpile, row))
    held = terms.signed_before(stockpile, k)
    for f in terms.menu(stockpile)[k]:
        if at := [n for ff, n in signed if ff == f]:
            covered = {n: d for s in at for n, d in delivers(formulation, k, f, s).items()}
            yield _outcome(stockpile, k, f, at[0], covered, signed=True)
        elif nodes and held is None:
            covered = first_deliveries(stockpile, k, nodes)
            yield _outcome(stockpile, k, f, nodes[0], covered, signed=False)


def first_nodes(stockpile: Stockpile, nodes: Sequence[int]) -> list[int]:
    """Return the first of some nodes on each path."""
    paths = stockpile.tree.paths
    return [n for n in nodes if not any(each in nodes for each in paths[n][:-1])]


def first_deliveries(stockpile: Stockpile, k: str, nodes: Sequence[int]) -> dict[int, int]:
    """Return where a contract would deliver, signed at the first of the nodes on each path."""
    found: dict[int, int] = {}
    for s in first_nodes(stockpile, nodes):
        row = stockpile.at(s).keyed(Contract)[k]
        waits = row.project is not None and gone_before(stockpile, row.project) is None
        opened = ready(stockpile, str(row.project), s) if waits else None
        found |= terms.begun(stockpile, row, s, opened)
    return found


@dataclass(frozen=True)
class _Worth:
    """Describe what a level brings at the even rate, in expectation over its deliveries."""

    quantity: float
    paid: float
    binding: float  # quantity of which the floor sets the price
    above: float  # paid above the reference
    discounted: float  # the same, discounted


def _worth(stockpile: Stockpile, k: str, f: str, covered: Mapping[int, int]) -> _Worth:
    """Return what a level brings over its nodes of delivery, each with its first delivery."""
    tree = stockpile.tree
    quantity = paid = binding = above = discounted = 0.0
    for n, first in covered.items():
        row = stockpile.at(n).keyed(Contract)[k]
        floor = terms.menu(stockpile.at(n))[k][f]
        arrives = 1.0 if row.form == "cfd" else row.availability
        rate = tree.probability[n] * terms.even(stockpile, floor) * arrives
        least, found = (
            terms.floor_at(stockpile, floor, first, n),
            terms.reference(stockpile, row, n),
        )
        over = 0.0 if found is None else max(0.0, least - found)
        quantity += rate
        price = over if row.form == "cfd" else terms.price(stockpile, row, floor, first, n)
        paid += rate * price
        binding += rate * (found is not None and found < least)
        above += rate * over
        discounted += rate * over * stockpile.discount(tree.period[n])
    return _Worth(quantity, paid, binding, above, discounted)


def saving(stockpile: Stockpile, k: str, f: str, first: int, node: int) -> float | None:
    """Return what an extension saves against its index at the even rate, less its price [money].

    It is expected at the node of the decision, and discounted to the start of the horizon, with an
    upside before its cap. None where the floor alone is the price.
    """
    tree, row = stockpile.tree, stockpile.at(node).keyed(Contract)[k]
    if row.price_index is None:
        return None
    found = -row.option_price * stockpile.discount(tree.period[node])
    for n in extended(stockpile, row, first, node):
        there, floor = stockpile.at(n).keyed(Contract)[k], terms.menu(stockpile.at(n))[k][f]
        rate = terms.exchange_rate(stockpile, k, n)
        index = rate * stockpile.price(str(there.price_index), n)
        upside = terms.upside(stockpile, there, n)
        saved = (
            upside - terms.topup(stockpile, there, floor, first, n)
            if there.form == "cfd"
            else there.availability
            * (index + upside - terms.price(stockpile, there, floor, first, n))
        )
        weight = tree.probability[n] / tree.probability[node] * stockpile.discount(tree.period[n])
        found += weight * saved * terms.even(stockpile, floor)
    return found


def _extension_values(
    stockpile: Stockpile, k: str, f: str, covered: Mapping[int, int]
) -> tuple[float, float] | None:
    """Return the value of an option to extend, and the part of it that waiting is worth [money]."""
    row, tree = stockpile.keyed(Contract)[k], stockpile.tree
    savings = [
        tree.probability[n] * each
        for n, d in covered.items()
        if terms.extension(stockpile, row, d)
        and terms.deciding(stockpile, row, d) == tree.period[n]
        and (each := saving(stockpile, k, f, d, n)) is not None
    ]
    if not savings:
        return None
    value = sum(max(0.0, each) for each in savings)
    return value, value - max(0.0, sum(savings))


def _outcome(
    stockpile: Stockpile, k: str, f: str, at: int, covered: Mapping[int, int], signed: bool
) -> FloorOutcome:
    """Return what a level is worth; its terms as they stand at the node of signing."""
    row, level = stockpile.at(at).keyed(Contract)[k], terms.menu(stockpile.at(at))[k][f]
    worth = _worth(stockpile, k, f, covered)
    extension = _extension_values(stockpile, k, f, covered)
    quantity = worth.quantity
    floor, tied = terms.floor_value(stockpile, level, at), row.price_index is not None
    reached = floor / (1 - row.discount) if tied and row.discount < 1 else None
    rate = terms.exchange_rate(stockpile, k, at)
    quoted = floor / rate if tied and rate > 0 else None
    return FloorOutcome(
        contract=k,
        level=f,
        signed=signed,
        floor=floor,
        annual_quantity=level.annual_quantity,
        expected_quantity=quantity,
        expected_price=worth.paid / quantity if quantity else 0.0,
        binds=worth.binding / quantity if quantity and tied else None,
        expected_topup=worth.above,
        option_value=worth.discounted,
        option_per_unit=worth.discounted / quantity if quantity else 0.0,
        extension_value=None if extension is None else extension[0],
        waiting_value=None if extension is None else extension[1],
        producer_index=reached,
        buyer_index=reached if row.form == "cfd" else quoted,
        breakeven=terms.least_floor(stockpile, row, level, at),
        cost_difference=None,
        difference_at_least=None,
        to_change=None,
    )
