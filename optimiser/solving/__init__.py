"""Solve a Pyomo model by HiGHS, or by any solver that Pyomo knows.

Nothing here knows what a stockpile is.
"""
