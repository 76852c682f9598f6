"""The figures of plans, studies, comparisons and sampled scenarios, in no format.

A figure is computed once, from what it is of, as a named table, chart or text; a workbook, a page
and a terminal draw it. Each file holds one figure, or one for each material and the like, and is
listed once by its package: `of_plan`, `of_study`, `of_comparison`, `of_scenarios`. Whoever draws
goes through the list, or takes a figure by its name.
"""
