"""Money: cash flow, payments, appropriations and the objective, against what is due by the
decisions and the input.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from optimiser.auditing.findings import RELATIVE
from optimiser.auditing.futures import BASE
from optimiser.auditing.path_audit import Flow, Outlay, PathAudit
from optimiser.auditing.together import Together
from optimiser.auditing.twin import AuditedSheet, Twin


def cash_flow(path: PathAudit) -> None:
    """Compare every cost and receipt with what quantities and inputs make of it.

    It is discounted from the start of its period.
    """
    record, inputs = path.record, path.inputs
    found: dict[Flow, float] = defaultdict(float)
    headings = path.twins.headings
    factors, whole = (
        [inputs.factor(t) for t in range(inputs.periods + 1)],
        len(path.together.futures) == 1,
    )
    for line in path.sheets["cash_flow"]:
        heading, t = line["heading"], inputs.period(line["date"])
        if record.fails(heading in headings):
            record.refuse(line.at("heading"), f"{heading!r} is no heading of cost")
            continue
        after = headings[heading].after and t == inputs.periods
        if not after and path.when(line) is None:
            continue
        record.term(line, "cash", headings[heading].cash)
        if whole:
            record.figure(line, "factor", factors[t])
            record.figure(line, "discounted", factors[t] * line["amount"])
        else:
            path.total(line, "factor", factors[t])
            path.total(line, "discounted", factors[t] * line["amount"])
        found[Flow(t, heading, line["material"], line["name"], line["buyer"])] += line["amount"]
    path.match(
        "cash_flow", "amount", path.cash, found, lambda flow: path.cent(flow.material, flow.heading)
    )


def payments(path: PathAudit) -> None:
    """Compare payments with outlays: each is paid in full, by appropriations that may pay it then.

    Without funds nothing is paid by an appropriation.
    """
    inputs, record = path.inputs, path.record
    funds = inputs.keyed("funds")
    if not funds:
        if record.fails(not path.sheets["payments"]):
            record.refuse("payments", "the input has no funds, so no appropriation pays anything")
        return
    sources = _sources(path.together)
    paid: dict[Outlay, float] = defaultdict(float)
    spent: dict[str, dict[int, float]] = {name: defaultdict(float) for name in sources}
    by_fund: dict[tuple[int, str, str], float] = defaultdict(float)
    for line in path.sheets["payments"]:
        t, fund, name = (
            path.when(line),
            path.known(line, "fund", "funds", funds),
            line["appropriation"],
        )
        if record.fails(name in sources):
            record.refuse(line.at("appropriation"), f"{name!r} is no appropriation of the input")
            continue
        if t is None or fund is None:
            continue
        owner, b = sources[name]
        record.term(line, "fund", owner)
        record.least(line, "amount", 0.0, path.cent(line["material"]))
        if b is not None:
            path.within(
                line,
                "date",
                inputs.at(t).rows("budgets")[b],
                "from_",
                "expires",
                f"and {name} can be spent",
            )
        for column, allowed in (
            ("uses", not fund.uses or line["use"] in fund.uses),
            ("materials", not fund.materials or line["material"] in fund.materials),
            ("buyer", fund.buyer is None or line["buyer"] in (None, fund.buyer)),
        ):
            if record.fails(allowed):
                message = (
                    f"{name} may not pay {line['use']} of {line['material'] or 'no one material'}"
                    f" for {line['buyer'] or 'all'}"
                )
                record.refuse(line.where, message, (fund, column), line["amount"])
        paid[Outlay(t, line["use"], line["material"], line["buyer"])] += line["amount"]
        spent[name][t] += line["amount"]
        by_fund[t, line["use"], line["fund"]] += line["amount"]
    path.match(
        "payments", "paid for", path.outlays, paid, lambda outlay: path.cent(outlay.material)
    )
    _payers(path, by_fund)
    for name, (fund, b) in sources.items():
        _appropriation(path, name, fund, b, spent[name])


def _sources(together: Together) -> dict[str, tuple[str, int | None]]:
    """Return each appropriation by the name that the plan gives it: fund and number of its row.

    The receipts that a fund keeps have no row.
    """
    found: dict[str, tuple[str, int | None]] = {}
    rows = together.base.rows("budgets")
    names = [f"{row.fund} {row.from_ or together.clock.start:%Y-%m}" for row in rows]
    for k, (name, row) in enumerate(zip(names, rows, strict=True)):
        found[f"{name} ({names[: k + 1].count(name)})" if names.count(name) > 1 else name] = (
            row.fund,
            k,
        )
    for row in together.base.rows("funds"):
        if row.keeps_receipts:
            found[f"{row.fund} receipts"] = row.fund, None
    return found


def _payers(path: PathAudit, paid: dict[tuple[int, str, str], float]) -> None:
    """Compare the outlays whose row names a fund with what that fund pays."""
    due: dict[tuple[int, str, str, str], tuple[float, Any]] = {}
    for flow, amount in path.cash.items():
        heading = path.twins.headings[flow.heading]
        row = path.inputs.keyed(heading.payer)[str(flow.name)] if heading.payer else None
        if row is not None and row.fund is not None:
            key = flow.t, heading.use, heading.payer, row.fund
            due[key] = due.get(key, (0.0, row))[0] + amount, row
    for (t, use, table, fund), (amount, row) in due.items():
        what = f"what {fund} pays for {table} in {path.inputs.begins[t]}"
        found = paid[t, use, fund]
        path.record.reaches("payments", what, amount, found, path.cent(), (row, "fund"))


def _appropriation(
    path: PathAudit, name: str, fund: str, b: int | None, spent: dict[int, float]
) -> None:
    """Compare what an appropriation pays on this path with its amount.

    The amount is that of the last period in which it can be spent. The rest lapses on its last day,
    or is left.
    """
    inputs, total = path.inputs, sum(spent.values())
    if b is None:
        amount, ends = _receipts(path, name, fund, spent), False
    else:
        windows = ((t, inputs.at(t).rows("budgets")[b]) for t in range(inputs.periods))
        able = [t for t, row in windows if t in inputs.spans(row.from_, row.expires)]
        row = inputs.at(max(able, default=inputs.periods)).rows("budgets")[b]
        amount, ends = (
            row.amount,
            row.expires is not None and inputs.period(row.expires) < inputs.periods,
        )
        path.record.within(
            "payments", f"what {name} pays", amount, total, path.cent(), (row, "amount")
        )
    rest, found = path.future.probability * max(0.0, amount - total), path.together.budgets[name]
    found.amount += path.future.probability * amount
    found.spent += path.future.probability * total
    found.lapsed += rest if ends else 0.0
    found.left += 0.0 if ends else rest


def _receipts(path: PathAudit, name: str, fund: str, spent: dict[int, float]) -> float:
    """Return what a fund receives and keeps [money].

    Compare when it is spent: no sooner than it arrives.
    """
    headings = path.twins.headings
    arrived: dict[int, float] = defaultdict(float)
    for flow, receipt in path.cash.items():
        table = headings[flow.heading].receiver
        if table and path.inputs.keyed(table)[str(flow.name)].fund == fund:
            arrived[flow.t] -= receipt
    amount = gone = 0.0
    for t in range(path.inputs.periods):
        amount, gone = amount + arrived.get(t, 0.0), gone + spent.get(t, 0.0)
        what = f"what {name} have paid by the end of {path.inputs.begins[t]}, before they arrive,"
        path.record.within("payments", what, amount, gone, path.cent())
    return amount


def budget(together: Together) -> None:
    """Compare what becomes of each appropriation, expected."""
    record, cent = together.record, together.noise.money()
    lines = {line["appropriation"]: line for line in together.sheets["budget"]}
    for name, (fund, b) in _sources(together).items():
        row, found, line = (
            None if b is None else together.base.rows("budgets")[b],
            together.budgets[name],
            lines.pop(name, None),
        )
        if record.fails(line is not None):
            record.refuse("budget", f"{name} is not on the sheet", (row, "fund"))
        if line is None:
            continue
        record.term(line, "fund", fund)
        record.term(line, "from", None if row is None else row.from_, (row, "from"))
        record.term(line, "expires", None if row is None else row.expires, (row, "expires"))
        record.figure(
            line, "amount", found.amount, 0.0 if row is not None else cent, (row, "amount")
        )
        record.figure(line, "spent", found.spent, cent)
        record.figure(line, "lapsed", found.lapsed, cent, (row, "expires"))
        record.figure(line, "left", found.left, cent)
    for line in lines.values():
        record.refuse(line.where, f"{line['appropriation']!r} is no appropriation of the input")


def costs(path: PathAudit) -> None:
    """Add up what a path costs, discounted, by heading."""
    outcome = path.outcome
    for flow, amount in path.cash.items():
        discounted = amount * path.inputs.factor(flow.t)
        outcome.costs[flow.heading] += discounted
        outcome.size += abs(discounted)


def tail(outcomes: list[tuple[float, float]], share: float) -> float:
    """Return the mean of the worst share of outcomes [money].

    Each is given by its probability and cost.
    """
    total, left = 0.0, min(share, sum(probability for probability, _ in outcomes))
    taken = left
    for cost, probability in sorted(
        ((cost, probability) for probability, cost in outcomes), reverse=True
    ):
        part = min(probability, left)
        total, left = total + part * cost, left - part
    return total / taken if taken > 0 else 0.0


def objective(together: Together) -> None:
    """Compare the summary: the cost by heading and in all, the waste and the shortfall.

    Compare what each scenario comes to.
    """
    record, sheets, settings = together.record, together.sheets, together.clock.settings
    found = [(each.probability, together.outcomes[each.name]) for each in together.futures]
    noise = together.noise.money() + RELATIVE * max(outcome.size for _, outcome in found)
    some = 10 * together.noise.quantity()
    for heading in dict.fromkeys([*together.twins.headings, *sheets.costs]):
        expected = sum(
            probability * outcome.costs.get(heading, 0.0) for probability, outcome in found
        )
        record.equal(
            "summary", f"discounted {heading}", expected, sheets.costs.get(heading, 0.0), noise
        )
    expected, worst = sum(probability * outcome.cost for probability, outcome in found), None
    weighed = expected
    if together.base.rows("scenarios"):
        worst = tail(
            [(probability, outcome.cost) for probability, outcome in found], settings.risk_tail
        )
        weighed = (1 - settings.risk_weight) * expected + settings.risk_weight * worst
    record.equal("summary", "objective", weighed, sheets.objective, noise)
    if sheets.expected_cost is not None:
        record.equal("summary", "expected cost", expected, sheets.expected_cost, noise)
    if sheets.cvar is not None:
        record.equal("summary", "CVaR", worst or 0.0, sheets.cvar, noise)
    if sheets.bound is not None:
        record.reaches(
            "summary",
            "objective, which no plan can be below,",
            sheets.bound,
            sheets.objective,
            noise,
        )
    _proof(together, noise)
    record.equal(
        "summary",
        "waste",
        sum(probability * each.waste for probability, each in found),
        sheets.waste,
        some,
    )
    record.equal(
        "summary",
        "shortfall",
        sum(probability * each.shortfall for probability, each in found),
        sheets.shortfall,
        some,
    )
    _outcomes(together, noise, some)


def _proof(together: Together, noise: float) -> None:
    """Compare the gap with objective and bound; an optimal plan has no more than was requested."""
    record, sheets = together.record, together.sheets
    if record.fails(sheets.status in (None, "optimal", "feasible")):
        record.refuse("summary", f"status is {sheets.status!r}, neither optimal nor feasible")
    if sheets.bound is None:
        if record.fails(sheets.gap is None):
            record.refuse("summary", "gap is known where no bound is")
        return
    apart, size = max(0.0, sheets.objective - sheets.bound), abs(sheets.objective)
    if sheets.gap is not None and size > noise:  # of next to nothing everything is a large share
        record.equal("summary", "gap", apart / size, sheets.gap, noise / size)
    if sheets.status == "optimal" and sheets.asked is not None:
        what = "objective less proven bound, of a plan that is optimal,"
        record.within("summary", what, sheets.asked * size, apart, noise)


def _outcomes(together: Together, noise: float, some: float) -> None:
    """Compare the sheet of scenarios.

    It says of each that may come how likely it is, when it is known, what it costs and misses.
    """
    record, lines = (
        together.record,
        {line["scenario"]: line for line in together.sheets["scenarios"]},
    )
    for each in together.futures if together.base.rows("scenarios") else ():
        line, outcome = lines.pop(each.name, None), together.outcomes[each.name]
        if record.fails(line is not None):
            record.refuse("scenarios", f"{each.name} is not on the sheet", (each.row, "scenario"))
        if line is None:
            continue
        record.figure(line, "probability", each.probability, cell=(each.row, "probability"))
        record.term(
            line,
            "follows",
            None if each.row is None else each.row.follows or BASE,
            (each.row, "follows"),
        )
        record.term(
            line,
            "revealed",
            None if each.row is None else together.clock.begin(each.known),
            (each.row, "revealed"),
        )
        record.figure(line, "cost", outcome.cost, noise)
        record.figure(line, "shortfall", outcome.shortfall, some)
        record.figure(line, "waste", outcome.waste, some)
    for line in lines.values():
        record.refuse(line.where, f"{line['scenario']!r} is no scenario that may come")


TWIN = Twin(
    sheets=(
        AuditedSheet(
            name="marginal_values",
            solved=(
                "limit",
                "cell",
                "date",
                "sense",
                "amount",
                "used",
                "unit",
                "worth",
                "holds_from",
                "holds_to",
            ),
        ),
    ),
    settle=(cash_flow, payments, costs),
    conclude=(budget, objective),
)
