"""A workbook to begin with, and what guards its cells while an officer fills them."""
