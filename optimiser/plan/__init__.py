"""The plan as frozen rows, as frames, and with its audit."""
