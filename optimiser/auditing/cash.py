"""Money: cash flow and the objective, against what is due by the decisions and the input."""

from __future__ import annotations

from collections import defaultdict

from optimiser.auditing.findings import RELATIVE
from optimiser.auditing.futures import BASE
from optimiser.auditing.path_audit import Flow, PathAudit
from optimiser.auditing.together import Together
from optimiser.auditing.twin import AuditedSheet, Twin
from stockpile_model import amounts
from stockpile_model.tree import ALL


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


def worded(together: Together) -> None:
    """Compare what each marginal value says in words with its figures."""
    currency = together.clock.settings.currency
    for line in together.sheets["marginal_values"]:
        worth = line["worth"] / line["probability"]
        share = line["unit"] in ("1", "", None)  # a workbook shows no unit of it
        one = {"members": "member", "months": "month"}.get(line["unit"], line["unit"])
        unit = "percentage point" if share else one
        saved = f"{amounts.rounded(abs(worth) / (100 if share else 1))} {currency}"
        said = f"From {amounts.month(line['date'])} one {unit}"
        said += " less " if line["sense"] == "least" else " more "
        said += ("saves " if worth >= 0 else "costs ") + (saved if worth else "nothing")
        said += "" if line["scenarios"] == ALL else f", in {line['scenarios']}"
        together.record.term(line, "in_words", said)


TWIN = Twin(
    sheets=(
        AuditedSheet(
            name="marginal_values",
            on_average=True,
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
    settle=(cash_flow, costs),
    conclude=(objective, worded),
)
