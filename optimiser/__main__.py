"""`python -m optimiser`, the same as `stockpile`."""

from optimiser.cli import main

main()
