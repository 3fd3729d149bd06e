"""What holds for all tests.

Property tests draw the same examples every time, so that a change is judged by itself and not by luck; to look for
new counter-examples, run them with ``HYPOTHESIS_PROFILE=search``. An example may take any time: machines are busy.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]

# Hundreds of commands are started; without bytecode each of them compiles tobs first.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=_SLOW)
settings.register_profile("search", deadline=None, suppress_health_check=_SLOW)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))
