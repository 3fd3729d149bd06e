"""Settings of hypothesis: examples have no time limit, and a machine that is busy is no failure."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("tobs", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tobs")
