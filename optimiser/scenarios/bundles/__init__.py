"""Many scenarios as bundles of few: a bound for all, and first decisions that are tried in each."""
