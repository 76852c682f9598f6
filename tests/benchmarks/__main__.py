"""All benchmarks, one after the other."""

from tests.benchmarks import build_and_load, memory, read_and_check, whole_command

for each in (read_and_check, build_and_load, whole_command, memory):
    each.main()
