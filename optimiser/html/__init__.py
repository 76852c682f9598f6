"""Pages: a plan, a study, a comparison or any set of figures as one file that needs no network."""
