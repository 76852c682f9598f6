"""The columns of the events of a stress test, by their titles without a unit."""

from __future__ import annotations

EVENT, RANK, KNOWN_FROM = "event", "rank", "known from"
MORE, MORE_LEAST, MORE_MOST = "costs more than the plan", "at least", "at most"
SHORT, SHORTER = "shortfall", "more shortfall than the plan"
REGRET, REGRET_LEAST, REGRET_MOST = "regret", "regret at least", "regret at most"
COST, BOUND = "cost", "proven bound"
KNOWN_COST, KNOWN_BOUND = "cost if known from the start", "its proven bound"
IMPOSSIBLE, CHANGES = "what is impossible", "changes"
