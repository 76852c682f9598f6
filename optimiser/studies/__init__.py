"""Studies: what becomes of the plan when its inputs change, over many changed copies of one
workbook.
"""
