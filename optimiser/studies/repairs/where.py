"""When and in which scenarios a repair is needed, and what its cells say, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from optimiser.solving.standard_form import StandardForm
from optimiser.studies.repairs.diagnosis import ClashingRule
from optimiser.studies.repairs.levers import GivingCell
from stockpile_model import amounts
from stockpile_model.formulation import Formulation
from stockpile_model.ledger import Limit
from stockpile_model.stockpile import Stockpile

LIMITED = 3  # periods or years that a sentence names


class Places:
    """The limits of a formulation by the rows and columns of its program, and by their cells."""

    def __init__(self, formulation: Formulation, form: StandardForm) -> None:
        self.stockpile: Stockpile = formulation.stockpile
        self._by_place: dict[int, Limit] = {}
        self._by_cell: dict[tuple[str, int, str], list[Limit]] = {}
        for limit in formulation.ledger.limits:
            row, column = form.row(limit.data), form.column(limit.data)
            if row is not None:
                self._by_place[row] = limit
            elif column is not None:
                self._by_place[-1 - column] = limit
            if limit.row is not None:
                key = (limit.row.TABLE, limit.row.line, limit.column)
                self._by_cell.setdefault(key, []).append(limit)

    def short(self, places: Iterable[int]) -> str:
        """Return when limits bind, first of all what is wanted: `Short in FY2028`, with the
        scenarios; blank where that is not known.

        `places` are rows of the program, and -1 - j for the bound of a column j.
        """
        limits = [self._by_place[each] for each in places if each in self._by_place]
        wanted = [limit for limit in limits if limit.sense == "least" and limit.row is not None]
        if not limits:
            return ""
        period = self.stockpile.tree.period
        return self._at(min(wanted or limits, key=lambda limit: period[limit.node]).node)

    def _at(self, node: int) -> str:
        """Return the fiscal year of a node, and the scenarios where they are not all."""
        stockpile = self.stockpile
        year = stockpile.calendar.fiscal_year(stockpile.tree.period[node])
        if node in stockpile.trunk:
            return f"Short in FY{year}"
        names = stockpile.holds[node]
        if len(names) == 1:
            return f"Short in FY{year} in scenario {names[0]}"
        shown = ", ".join(names[:LIMITED]) + (" …" if len(names) > LIMITED else "")
        return f"Short in FY{year} in the scenarios {shown}"

    def clashing(self, lever: GivingCell) -> ClashingRule:
        """Return a rule that clashes: what its cell says, and since when it binds."""
        key = (lever.row.TABLE, lever.row.line, lever.column.name)
        limits = self._by_cell.get(key, [])
        value = lever.value
        shown = amounts.quantity(value) if isinstance(value, (int, float)) else str(value)
        if not limits:
            return ClashingRule(lever.cell, f"{lever.address} = {shown}")
        whats = list(dict.fromkeys(limit.what for limit in limits))
        more = f" and {len(whats) - 1} more" if len(whats) > 1 else ""
        senses = {limit.sense for limit in limits}
        sense = "exactly" if len(senses) > 1 else f"at {senses.pop()}"
        nodes: Mapping[int, int] = {limit.node: 0 for limit in limits}
        scenarios = {name for node in nodes for name in self.stockpile.holds[node]}
        every = set(self.stockpile.scenarios)
        only = (
            f", in scenario {', '.join(sorted(scenarios))}"
            if every and len(scenarios) < len(every) and len(scenarios) <= LIMITED
            else ""
        )
        return ClashingRule(lever.cell, f"{whats[0]}{more}, {sense} {shown}{only}")
