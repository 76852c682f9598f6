"""Pages: a plan, a study, a comparison or any set of figures as one file that needs no network.

The memo of a plan is a page too, or a text document.
"""
