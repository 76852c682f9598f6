"""All benchmarks, one after the other."""

from tests.benchmarks import build_and_load, memory, whole_command

for each in (build_and_load, whole_command, memory):
    each.main()
