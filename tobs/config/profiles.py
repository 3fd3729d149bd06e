"""Profiles: how many resources tobs uses, derived from the machine it runs on."""

from __future__ import annotations

import os

import psutil
from msgspec import Struct
from msgspec.structs import replace

from tobs.config.settings import ProfileName, Settings
from tobs.errors import ConfigError


class Machine(Struct, frozen=True):
    """Resources of the machine: number of CPUs, and memory in bytes."""

    cpus: int
    memory: int


class Profile(Struct, frozen=True):
    """Limits of a run.

    ``memory`` is in bytes, ``timeout`` and ``flood_threshold`` in seconds; ``queue_pages`` limits the pages fetched but
    not yet recorded, ``batch`` the notes written together.
    """

    name: ProfileName
    workers: int
    downloads: int
    batch: int
    queue_pages: int
    memory: int
    timeout: float
    flood_threshold: float


#: maximum of workers, workers per CPU, share of RAM, downloads per worker, notes per batch, request timeout, flood
#: threshold (both in seconds)
_DEFAULTS: dict[str, tuple[int, int, float, float, int, float, float]] = {
    "conservative": (4, 1, 0.20, 0.5, 100, 60.0, 3600.0),
    "balanced": (8, 1, 0.40, 1.0, 200, 45.0, 1800.0),
    "aggressive": (16, 2, 0.60, 1.0, 500, 30.0, 900.0),
}


def this_machine() -> Machine:
    """Return the CPUs and the memory available to tobs on this machine."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Machine(cpus=cpus, memory=psutil.virtual_memory().total)


def make_profile(settings: Settings, machine: Machine) -> Profile:
    """Make the profile for the settings.

    Explicit values win over those of the profile; ``custom`` requires all of them. Raises ConfigError naming the
    missing ones.
    """
    explicit = {
        name: value
        for name in ("workers", "downloads", "batch", "memory", "timeout", "flood_threshold")
        if (value := getattr(settings, name)) is not None
    }
    if settings.profile == "custom":
        missing = [
            name
            for name in ("workers", "downloads", "batch", "memory", "timeout", "flood_threshold")
            if name not in explicit
        ]
        if missing:
            raise ConfigError(
                f"The custom profile has no value for {', '.join(missing)}.",
                "Set each of them in config.toml or as TOBS_… variables, or choose another profile.",
            )
        return _with_queue(Profile(name="custom", queue_pages=0, **explicit))
    limit, per_cpu, share, downloads, batch, timeout, flood = _DEFAULTS[settings.profile]
    workers = min(limit, per_cpu * machine.cpus)
    profile = Profile(
        name=settings.profile,
        workers=workers,
        downloads=max(1, round(workers * downloads)),
        batch=batch,
        queue_pages=0,
        memory=int(machine.memory * share),
        timeout=timeout,
        flood_threshold=flood,
    )
    return _with_queue(replace(profile, **explicit))


#: A page of 100 messages, decoded and with its raw bytes, has at most about 2 MB.
_PAGE_BYTES = 2_000_000


def _with_queue(profile: Profile) -> Profile:
    """Set the number of pages that may wait to be recorded: two per worker, at most a quarter of the memory."""
    return replace(profile, queue_pages=max(1, min(2 * profile.workers, profile.memory // 4 // _PAGE_BYTES)))
