"""Time as it is passed in: no room asks the system for it by itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

Clock = Callable[[], float]
"""The time now, Unix seconds (or seconds of a monotonic clock where the user says so)."""

Sleep = Callable[[float], Awaitable[None]]
"""A pause of some seconds."""
