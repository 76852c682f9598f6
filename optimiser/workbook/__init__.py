"""Workbooks: read inputs and plans, write plans, studies and comparisons, begin with a template."""
