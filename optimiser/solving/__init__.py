"""From a Pyomo model to HiGHS, or to any solver that Pyomo knows, and back.

Nothing here knows what a stockpile is.
"""
