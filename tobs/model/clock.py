"""Types for the time, which is passed in: no package asks the system for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

Clock = Callable[[], float]
"""The time now, Unix seconds (or seconds of a monotonic clock where the user says so)."""

Sleep = Callable[[float], Awaitable[None]]
"""A pause of some seconds."""
