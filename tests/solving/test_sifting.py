"""Linear programs of which HiGHS holds a part: they end as the whole does, whatever the part is."""

from __future__ import annotations

import numpy as np
import pytest

from optimiser.solving import highs
from optimiser.solving.branching import Master, Subproblem
from optimiser.solving.dive import attempt_anew
from optimiser.solving.linear import LinearProgram, SearchClock
from optimiser.solving.program import Program
from optimiser.solving.search_options import Options
from optimiser.solving.sifting import Core, Sifted
from optimiser.solving.structure import Structure
from optimiser.system.interrupts import Interrupt
from tests.support.programs import planning


def some(program: Program, share: float, seed: int) -> Core:
    r = np.random.default_rng(seed)
    return Core(r.random(program.columns) < share, r.random(program.rows) < share)


def drawn(seed: int) -> tuple[Program, Structure]:
    return planning(seed, leaves=1 + seed % 6, periods=2 + seed % 5)


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("seed", range(8))
def test_any_core_leads_to_the_vertex_of_the_whole(seed: int, share: float) -> None:
    program, _ = drawn(seed)
    whole = LinearProgram(program, SearchClock()).solve()
    part = Sifted(program, SearchClock(), some(program, share, seed)).solve()
    assert part.solved == whole.solved
    assert part.bound == pytest.approx(whole.bound, rel=1e-7)
    if part.solved:
        assert part.objective == pytest.approx(whole.objective, rel=1e-7)
        assert program.relaxed().holds(part.x, 1e-6)
        assert np.allclose(part.activity, program.activity(part.x))


@pytest.mark.parametrize("seed", range(8))
def test_parts_of_it_end_as_those_of_the_whole(seed: int) -> None:
    """Integers held, one after the other, at values of which some have no plan; from kept bases,
    below and above a cutoff.
    """
    program, shape = drawn(seed)
    extended = Master.program_of(program, shape)
    plain = Master(program, shape, LinearProgram(extended, SearchClock()))
    sifted = Master(program, shape, Sifted(extended, SearchClock(), some(program, 0.3, seed)))
    roots = [master.solve(Subproblem()) for master in (plain, sifted)]
    if not roots[0].solved:
        assert not roots[1].solved
        return
    r, ended = np.random.default_rng(seed), set()
    for _ in range(12):
        few = r.choice(
            plain.integers, size=min(len(plain.integers), int(r.integers(1, 8))), replace=False
        )
        part = Subproblem().hold(few, r.integers(0, 2, len(few)).astype(np.float64))
        free, same = (
            master.solve(part, root.basis)
            for master, root in zip((plain, sifted), roots, strict=True)
        )
        assert same.solved == free.solved
        assert same.bound == pytest.approx(free.bound, rel=1e-7)
        ended.add(free.solved)
        if free.solved:
            cutoff = free.bound - 1e-3 * abs(free.bound)
            found = sifted.solve(part, roots[1].basis, cutoff)
            assert cutoff - 1e-6 * abs(cutoff) <= found.bound <= free.bound + 1e-6 * abs(free.bound)
    assert True in ended


def test_a_basis_of_a_part_is_one_of_the_whole() -> None:
    program, _ = drawn(5)
    relaxation = Sifted(program, SearchClock(), some(program, 0.3, 1))
    vertex = relaxation.solve()
    kept, clock = relaxation.kept(vertex.basis), SearchClock()
    assert LinearProgram(program, clock).solve(kept).bound == pytest.approx(vertex.bound)
    assert clock.iterations == 0
    used = relaxation.core | Core.of(kept, program.rows)
    assert not used.columns.all()
    assert Sifted(program, clock, used).solve(kept).bound == pytest.approx(vertex.bound)
    assert clock.iterations == 0, "what was used is enough"


@pytest.mark.parametrize("seed", range(8))
def test_a_plan_solved_anew_costs_what_highs_finds_for_its_integers(seed: int) -> None:
    program, _ = drawn(seed)
    expected = highs.optimise(program, Options(gap=0.0, threads=1), Interrupt())
    if expected.x is None:
        return
    whole = np.round(expected.x[program.integer])
    core = some(program, 0.5, seed) | Core(expected.x != 0, np.zeros(program.rows, dtype=np.bool_))
    found, used = attempt_anew(program, whole, np.inf, core, SearchClock())
    assert found is not None
    assert found.objective == pytest.approx(expected.objective, rel=1e-7)
    assert program.holds(found.x, 1e-6)
    assert (used.columns >= (found.x != 0)).all()
    nothing, _ = attempt_anew(
        program, whole, found.objective - 1e-3 * abs(found.objective), used, SearchClock()
    )
    assert nothing is None, "what costs more than what is known is given up"
