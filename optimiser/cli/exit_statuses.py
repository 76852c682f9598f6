"""The exit statuses of `stockpile`."""

from __future__ import annotations

PLANNED, WRONG_INPUT, USAGE, INFEASIBLE, NO_PLAN, INTERNAL = 0, 1, 2, 3, 4, 70
DISAGREES = WRONG_INPUT  # a plan that its input does not bear out
