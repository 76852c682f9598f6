"""How a stockpile is asked for and answered: the workbook, the solver, the plan, the command line."""
