"""The schedule of offtakes: where each can be signed, where it delivers, and its contract years.

Worked out before algebra, from the rows and from where projects can go ahead.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from stockpile_model.blocks.commitments.commitment_terms import gone_before
from stockpile_model.blocks.contracts import contract_terms as terms
from stockpile_model.blocks.contracts.contract_terms import Contract, Floor
from stockpile_model.blocks.projects.project_terms import ready
from stockpile_model.extremes import smaller, whole_above, whole_below
from stockpile_model.stockpile import Stockpile
from stockpile_model.tables import Project

Delivery = tuple[str, int, int]
"""A contract, the period of its first delivery, and a node of delivery.

Contract years and escalation run from the first delivery.
"""

Level = tuple[str, str, int, int]
"""A delivery at one level: contract, level, period of first delivery, node."""


class Signature(NamedTuple):
    """The signing of a contract at a node, and the node at which its project goes ahead."""

    node: int
    going: int | None  # None where the contract waits for no project


@dataclass(frozen=True)
class Extension:
    """The extension of the term that begins in period `first`, decided at a node.

    No tuple, which could equal a signature.
    """

    node: int
    first: int


Cover = Signature | Extension
"""What a delivery may be covered by: a signature during the term, an extension after it."""


@dataclass(frozen=True, eq=False)
class ContractYear:
    """The contract year of a delivery that ends at its node, or its whole term or extension."""

    periods: range  # within the horizon
    nodes: tuple[int, ...]  # of these periods, on the path
    gone: int  # periods of it that lie before the start
    ending: Sequence[Cover]  # of which it is a year; a scenario may change the term at signing
    delivering: Sequence[Cover]  # in these periods; the year of some goes on or ended before

    @property
    def others(self) -> list[Cover]:
        """Return the signatures that deliver in these periods and whose year ends elsewhere."""
        return [each for each in self.delivering if each not in self.ending]


@dataclass(frozen=True, eq=False)
class Schedule:
    """The contracts whose supplier counts, as they stand at each node.

    `starts`: for a contract of a project and a node of signing, the nodes up to it at which the
    project can go ahead. `signings`: contract and node of signing. `active`: the signatures or
    extensions that cover each delivery. `options`: the deliveries at whose node it is decided
    whether the term is extended. `years`: the contract year of each delivery at whose node one
    ends. `terms`: the whole term instead, of contracts with a least total. `carriers`: for a
    project and a node, the contracts and levels that carry it when signed there. `backers`: where
    grant and floors carry it together, those that can be signed with it, with what each brings
    [money].
    """

    stockpile: Stockpile
    contracts: Mapping[str, Contract]
    rows: Sequence[Mapping[str, Contract]]
    menus: Sequence[Mapping[str, Mapping[str, Floor]]]
    starts: Mapping[tuple[str, int], Sequence[int]]
    signings: Sequence[tuple[str, int]]
    active: Mapping[Delivery, Sequence[Cover]]
    options: Sequence[Delivery]
    years: Mapping[Delivery, ContractYear]
    terms: Mapping[Delivery, ContractYear]
    carriers: Mapping[tuple[str, int], Sequence[tuple[str, str]]]
    backers: Mapping[tuple[str, int], Sequence[tuple[str, str, float]]]

    @functools.cached_property
    def levels(self) -> Mapping[str, tuple[str, ...]]:
        """Return the names of the levels of each contract: one where it was signed before."""
        menu = terms.menu(self.stockpile)
        return {
            k: tuple(floors) if row is None else (terms.signed_level(self.stockpile, row),)
            for k, floors in menu.items()
            for row in [terms.signed_before(self.stockpile, k)]
        }

    def contract(self, k: str, n: int) -> Contract:
        """Return a contract as it stands at a node."""
        return self.rows[n][k]

    def lot(self, k: str, n: int) -> float | None:
        """Return the lot of a call-off [quantity]; None where it is of any quantity."""
        return terms.lot(self.stockpile, self.contract(k, n))

    def floor(self, k: str, f: str, n: int) -> Floor:
        """Return a level of a contract as it stands at a node."""
        return self.menus[n][k][f]

    def even(self, k: str, f: str, n: int) -> float:
        """Return the even rate of a level at a node [quantity/period]."""
        return terms.even(self.stockpile, self.floor(k, f, n))

    def most(self, k: str, f: str, n: int) -> float:
        """Return the most that is called off at a node [quantity]."""
        return self.contract(k, n).flex * self.even(k, f, n)

    def least(self, k: str, f: str, n: int) -> float:
        """Return the least that is called off at a node [quantity]."""
        return terms.least_take(self.stockpile, self.contract(k, n), self.floor(k, f, n))

    def in_lots(self, k: str, n: int) -> bool:
        """Return whether what is called off at a node is whole lots."""
        return self.lot(k, n) is not None and self.stockpile.firm(n)

    def most_called(self, k: str, f: str, n: int) -> float:
        """Return the most that is called off at a node, in whole lots where it is [quantity]."""
        most, lot = self.most(k, f, n), self.lot(k, n)
        return most if lot is None or not self.in_lots(k, n) else whole_below(most, lot) * lot

    def least_called(self, k: str, f: str, n: int) -> float:
        """Return the least that is called off at a node, in whole lots where it is [quantity]."""
        least, lot = self.least(k, f, n), self.lot(k, n)
        return least if lot is None or not self.in_lots(k, n) else whole_above(least, lot) * lot

    def signable(self, k: str, n: int) -> list[int]:
        """Return the nodes on the path to a node at which a contract can be signed."""
        return [s for s in self.stockpile.tree.paths[n] if (k, s) in self._signable]

    @functools.cached_property
    def _signable(self) -> frozenset[tuple[str, int]]:
        return frozenset(self.signings)

    def prepayment(self, k: str, f: str, d: int, s: int) -> float:
        """Return what can be credited of a prepayment of a contract signed at a node [money]."""
        return terms.prepayment(self.stockpile, self.contract(k, s), self.floor(k, f, s), d)

    @functools.cached_property
    def owing(self) -> Mapping[Delivery, ContractYear]:
        """Return the spans at whose end a least quantity is owed: a contract year, or the term."""
        years = {key: each for key, each in self.years.items() if not self.totals(key[0])}
        return years | {**self.terms}

    @functools.cached_property
    def year_begins(self) -> Sequence[int]:
        """Return for each node the first node of its fiscal year on the path to it."""
        tree, calendar = self.stockpile.tree, self.stockpile.calendar
        years = [calendar.fiscal_year(period) for period in tree.period]
        found: list[int] = []
        for n, parent in enumerate(tree.parent):
            same = parent is not None and years[parent] == years[n]
            found.append(found[parent] if parent is not None and same else n)
        return found

    def totals(self, k: str) -> bool:
        """Return whether a least total takes the place of a contract's take-or-pay."""
        return self.contracts[k].least_total is not None

    @functools.cached_property
    def prepaid(self) -> frozenset[str]:
        """Return the contracts of which a prepayment may be credited."""
        return frozenset(k for k in self.contracts if terms.prepays(self.stockpile, k))

    def credit(self, k: str, f: str, d: int, n: int) -> float:
        """Return what is taken off the price of a unit [money/quantity]."""
        return terms.credit(self.stockpile, self.contract(k, n), self.floor(k, f, n), d, n)

    @functools.cached_property
    def takes(self) -> list[Level]:
        """Return the deliveries of metal, by level."""
        return self._of_form("purchase")

    @functools.cached_property
    def topups(self) -> list[Level]:
        """Return the deliveries of cash alone, by level."""
        return self._of_form("cfd")

    def _of_form(self, form: str) -> list[Level]:
        known = [key for key in self.active if self.contracts[key[0]].form == form]
        return [(k, f, d, n) for k, d, n in known for f in self.levels[k]]

    @functools.cached_property
    def upsides(self) -> list[Level]:
        """Return the deliveries with a share of the upside, by level, also where it is nothing."""
        known = [(k, d, n) for k, d, n in self.active if self.contract(k, n).upside_share > 0]
        return [(k, f, d, n) for k, d, n in known for f in self.levels[k]]

    @functools.cached_property
    def prices(self) -> Mapping[Level, float]:
        """Return the price of each delivery of metal [money/quantity]."""
        return {
            (k, f, d, n): terms.price(
                self.stockpile, self.contract(k, n), self.floor(k, f, n), d, n
            )
            for k, f, d, n in self.takes
        }

    @functools.cached_property
    def parts(self) -> Mapping[tuple[str, int], list[tuple[str, int]]]:
        """Return the levels and first deliveries at which each contract may deliver at a node."""
        found: dict[tuple[str, int], list[tuple[str, int]]] = {}
        for k, f, d, n in self.takes:
            found.setdefault((k, n), []).append((f, d))
        return found


def schedule(
    stockpile: Stockpile,
    grants: Collection[tuple[str, int]],
    carriages: Collection[tuple[str, int]],
) -> Schedule:
    """Return the schedule of the contracts.

    Projects can go ahead by a grant at `grants` and by a contract at `carriages` (project, node).
    """
    nodes = stockpile.tree.nodes
    rows = [stockpile.at(n).keyed(Contract) for n in nodes]
    menus = [terms.menu(stockpile.at(n)) for n in nodes]
    going = {*grants, *carriages}
    contracts = {
        k: row for k, row in stockpile.keyed(Contract).items() if stockpile.counts(row.supplier)
    }
    windows = {k: list(terms.signable(stockpile, row)) for k, row in contracts.items()}
    starts = {
        (k, n): _starts(stockpile, rows[n][k], n, going)
        for k, row in contracts.items()
        if _waits(stockpile, row)
        for n in windows[k]
    }
    signings = [
        (k, n)
        for k, row in contracts.items()
        for n in windows[k]
        if not _waits(stockpile, row) or starts[k, n]
    ]
    active = _active(stockpile, rows, starts, signings)
    options = _options(stockpile, contracts, active)
    active |= _extensions(stockpile, contracts, options)
    together = [(g, n) for g, n in carriages if terms.financed(stockpile.at(n).keyed(Project)[g])]
    alone = [each for each in carriages if each not in set(together)]
    return Schedule(
        stockpile,
        contracts,
        rows,
        menus,
        starts,
        signings,
        active,
        options,
        _years(stockpile, rows, active, terms.years),
        _years(
            stockpile,
            rows,
            {
                key: each
                for key, each in active.items()
                if contracts[key[0]].least_total is not None
            },
            terms.whole,
        ),
        _carriers(stockpile, rows, signings, alone),
        _backers(stockpile, rows, starts, together),
    )


def _waits(stockpile: Stockpile, contract: Contract) -> bool:
    """Return whether a contract waits for a project that has not gone ahead before the start."""
    return contract.project is not None and gone_before(stockpile, contract.project) is None


def _starts(
    stockpile: Stockpile, contract: Contract, node: int, going: Collection[tuple[str, int]]
) -> list[int]:
    """Return where the project of a contract can go ahead for a signing at a node.

    These are the nodes up to it from which the project is ready to deliver within the horizon.
    """
    project = str(contract.project)
    return [
        each
        for each in stockpile.tree.paths[node]
        if (project, each) in going
        and terms.begun(stockpile, contract, node, ready(stockpile, project, each))
    ]


def _carriers(
    stockpile: Stockpile,
    rows: Sequence[Mapping[str, Contract]],
    signings: Iterable[tuple[str, int]],
    carriages: Iterable[tuple[str, int]],
) -> dict[tuple[str, int], list[tuple[str, str]]]:
    """Return the contracts and levels whose signing at a node makes a project go ahead."""
    found: dict[tuple[str, int], list[tuple[str, str]]] = {key: [] for key in carriages}
    for k, n in signings:
        row = rows[n][k]
        carried = found.get((str(row.project), n))
        if carried is not None:
            for f, floor in terms.menu(stockpile.at(n))[k].items():
                if terms.carries(stockpile, row, floor, n):
                    carried.append((k, f))
    return found


def _backers(
    stockpile: Stockpile,
    rows: Sequence[Mapping[str, Contract]],
    starts: Mapping[tuple[str, int], Sequence[int]],
    carriages: Iterable[tuple[str, int]],
) -> dict[tuple[str, int], list[tuple[str, str, float]]]:
    """Return what each level signed as its project goes ahead brings towards the capital.

    A level counts for no more than can be lacking, when other contracts take away all they can. So
    the relaxation cannot carry a plant by a part of a level that brings several times its capital.
    """
    brings: dict[tuple[str, int], dict[str, dict[str, float]]] = {key: {} for key in carriages}
    for (k, n), begins in starts.items():
        g = str(rows[n][k].project)
        if n in begins and (g, n) in brings:
            project = stockpile.at(n).keyed(Project)[g]
            brings[g, n][k] = {
                f: terms.backing(stockpile, project, floor, n)
                for f, floor in terms.menu(stockpile.at(n))[k].items()
            }
    found: dict[tuple[str, int], list[tuple[str, str, float]]] = {}
    for (g, n), menus in brings.items():
        taken = {k: smaller(0.0, *each.values()) for k, each in menus.items()}
        lacking = terms.capital(stockpile.at(n).keyed(Project)[g]) - sum(taken.values())
        found[g, n] = [
            (k, f, smaller(each, lacking + taken[k]))
            for k, levels in menus.items()
            for f, each in levels.items()
        ]
    return found


def _active(
    stockpile: Stockpile,
    rows: Sequence[Mapping[str, Contract]],
    starts: Mapping[tuple[str, int], Sequence[int]],
    signings: Iterable[tuple[str, int]],
) -> dict[Delivery, list[Cover]]:
    """Return the signatures that cover each delivery."""
    found: dict[Delivery, list[Cover]] = {}
    for k, s in signings:
        row = rows[s][k]
        for going in starts.get((k, s), (None,)):
            opened = None if going is None else ready(stockpile, str(row.project), going)
            for n, first in terms.begun(stockpile, row, s, opened).items():
                found.setdefault((k, first, n), []).append(Signature(s, going))
    return found


def _options(
    stockpile: Stockpile, contracts: Mapping[str, Contract], active: Iterable[Delivery]
) -> list[Delivery]:
    """Return the deliveries at whose node it is decided whether the term is extended.

    The dates of such a contract are the same in all scenarios.
    """
    return [
        (k, d, n)
        for k, d, n in active
        if terms.extension(stockpile, contracts[k], d)
        and terms.deciding(stockpile, contracts[k], d) == stockpile.tree.period[n]
    ]


def _extensions(
    stockpile: Stockpile, contracts: Mapping[str, Contract], options: Iterable[Delivery]
) -> dict[Delivery, list[Cover]]:
    """Return the extension that covers each delivery after a term."""
    return {
        (k, d, s): [Extension(n, d)]
        for k, d, n in options
        for s in extended(stockpile, contracts[k], d, n)
    }


def extended(stockpile: Stockpile, contract: Contract, first: int, node: int) -> list[int]:
    """Return the nodes of delivery of an extension that is decided at a node."""
    tree, span = stockpile.tree, terms.extension(stockpile, contract, first)
    return [n for n in tree.below[node] if tree.period[n] in span]


def _years(
    stockpile: Stockpile,
    rows: Sequence[Mapping[str, Contract]],
    active: Mapping[Delivery, Sequence[Cover]],
    spans: Callable[[Stockpile, range], list[range]],
) -> dict[Delivery, ContractYear]:
    """Return the span of each delivery at whose node one ends."""
    tree = stockpile.tree

    @functools.cache
    def last_periods(k: str, d: int, cover: Cover) -> Mapping[int, range]:
        """Return the spans of a term or extension by their last period."""
        within = terms.extension if isinstance(cover, Extension) else terms.term
        whole = within(stockpile, rows[cover.node][k], d)
        return {year[-1]: year for year in spans(stockpile, whole)}

    periods: dict[Delivery, range] = {}
    ending: dict[Delivery, list[Cover]] = {}
    for (k, d, n), covers in active.items():
        for cover in covers:
            year = last_periods(k, d, cover).get(tree.period[n])
            if year is not None:
                periods[k, d, n] = year
                ending.setdefault((k, d, n), []).append(cover)
    found: dict[Delivery, ContractYear] = {}
    for (k, d, n), year in periods.items():
        nodes = tuple(s for s in tree.paths[n] if tree.period[s] in year)
        delivering = (each for s in nodes for each in active.get((k, d, s), ()))
        left = range(max(0, year.start), year.stop)
        found[k, d, n] = ContractYear(
            left,
            nodes,
            max(0, -year.start),
            ending[k, d, n],
            list(dict.fromkeys(delivering)),
        )
    return found
