"""One file for one concern: its tables, its mathematics, its result rows.

A block is a module with
  TABLES                          the row types it owns
  check(stockpile)                what is wrong with its rows beyond a single cell, as `Problem`s
  review(stockpile)               the same, asked only when every row is sound
  add(m, stockpile, ledger)       its sets, variables and constraints; the equation stands in the docstring
  report(formulation)             its solved values as `Result` rows
Each but TABLES is optional. A block reads components of the blocks before it in `build.BLOCKS`.
"""
