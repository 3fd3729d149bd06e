"""Pseudo-random numbers and bytes computed from seeds: the only source of chance in the worlds."""

from __future__ import annotations

from hashlib import shake_128

_MASK = (1 << 64) - 1


def splitmix64(*values: int) -> int:
    """Hash some integers to 64 evenly distributed bits."""
    state = 0x9E3779B97F4A7C15
    for value in values:
        state = (state + (value & _MASK) + 0x9E3779B97F4A7C15) & _MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
        state ^= state >> 31
    return state


def signed(value: int) -> int:
    """Return 64 bits as TL's signed long."""
    return value - (1 << 64) if value >> 63 else value


def access_hash(kind: str, id: int) -> int:
    """Return the access hash of a user, channel, photo or document."""
    return signed(splitmix64(id, *kind.encode())) or 1


def noise(seed: int, n: int) -> bytes:
    """Return ``n`` pseudo-random bytes."""
    return shake_128((seed & _MASK).to_bytes(8, "little")).digest(n)
