"""Figures of speed and memory, as tables.

`python -m tests.benchmarks` prints all of them, from the root of the project.
"""
