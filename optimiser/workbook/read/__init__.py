"""From a workbook or a folder of CSV files to rows: every fault at once, each with its cell."""
