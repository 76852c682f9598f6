"""Studies: how the plan changes with its inputs, over many changed copies of one workbook."""
