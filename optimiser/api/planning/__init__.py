"""From a workbook to its plan."""
