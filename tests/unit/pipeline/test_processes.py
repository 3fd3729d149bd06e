"""How many processes press notes beside a run."""

from __future__ import annotations

import pytest

from tobs.config.profiles import Machine, make_profile
from tobs.config.settings import ProfileName, Settings
from tobs.pipeline.session.run_session import _processes

GIB = 2**30


@pytest.mark.parametrize(
    ("cpus", "profile", "workers", "processes"),
    [
        (1, "aggressive", 8, 0),
        (2, "aggressive", 1, 2),
        (2, "aggressive", 8, 2),
        (16, "aggressive", 16, 8),
        (2, "balanced", None, 2),
        (2, "conservative", None, 1),
        (16, "conservative", 4, 2),
    ],
)
def test_notes_are_pressed_by_at_least_two_however_few_workers_fetch(
    cpus: int, profile: ProfileName, workers: int | None, processes: int
) -> None:
    machine = Machine(cpus=cpus, memory=8 * GIB)
    assert _processes(machine, make_profile(Settings(profile=profile, workers=workers), machine)) == processes
