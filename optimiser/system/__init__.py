"""Errors, files, interrupts, output streams, and the versions of the packages."""
