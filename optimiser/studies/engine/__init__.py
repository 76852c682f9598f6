"""How cases are run: compiled, proven, audited, recorded."""
