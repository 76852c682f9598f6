"""The interface for programs: in memory, no printing."""
