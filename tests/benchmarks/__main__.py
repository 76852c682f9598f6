"""All benchmarks, one after the other."""

from tests.benchmarks import audit_and_write, build_and_load, hundred, memory, read_and_check, studies, whole_command

for each in (read_and_check, build_and_load, whole_command, audit_and_write, memory, studies, hundred):
    each.main()
