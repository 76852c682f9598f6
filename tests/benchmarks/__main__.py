"""All benchmarks, one after the other, but that of the search, which takes hours; the last two take
most of the time.
"""

from tests.benchmarks import (
    around_the_search,
    audit_and_write,
    build_and_load,
    hundred,
    memory,
    read_and_check,
    studies,
    thousand,
    whole_command,
)

for each in (
    read_and_check,
    build_and_load,
    whole_command,
    around_the_search,
    audit_and_write,
    memory,
    studies,
    hundred,
    thousand,
):
    each.main()
