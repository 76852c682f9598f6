"""From figures and rows to a workbook, by reflection over the columns of the row types."""
