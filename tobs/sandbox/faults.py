"""Faults on demand: ``METHOD[#N|%P|*]=ACTION[:ARG]``.

METHOD is a name such as "messages.getHistory", or ``*`` for every method. ``#3``: the third call from now on · ``%5``:
five percent of the calls, by the sandbox's seed · ``*``: each call · nothing: the next call.
ACTION: ``flood:S`` · ``error:CODE:NAME`` · ``delay:MS`` · ``drop`` (the connection, without an answer) · ``corrupt``
(bytes of a file part are changed; any other answer is damaged on its way) · ``short`` (a file part loses its second
half, a page the newer half of its messages) · ``busy`` (transport error 429, then the connection ends) · ``expire``
(every file reference so far) · ``away:MS`` (every data centre disconnects and cannot be reached) · ``rate:N``
(FLOOD_WAIT_1 for more than N calls in a second).
"""

from __future__ import annotations

import random
import re
from collections import deque
from typing import Final, Literal

import msgspec

from tobs.errors import UsageError

Action = Literal["flood", "error", "delay", "drop", "corrupt", "short", "expire", "away", "rate", "busy"]

_SPEC: Final = re.compile(
    r"(?P<method>\*|[A-Za-z.]+)(?:#(?P<nth>\d+)|%(?P<percent>\d+(?:\.\d+)?)|(?P<each>\*))?"
    r"=(?P<action>[a-z]+)(?::(?P<arg>.+))?"
)


class Fault(msgspec.Struct, frozen=True):
    """A fault. ``nth`` 0 and ``percent`` 0 mean every call. ``seconds``: for delay and away. ``rate``: for rate."""

    spec: str
    method: str
    action: Action
    nth: int = 0
    percent: float = 0.0
    seconds: float = 0.0
    code: int = 0
    name: str = ""
    rate: int = 0


def parse_fault(spec: str) -> Fault:
    """Parse one ``--fault``; raise UsageError."""
    found = _SPEC.fullmatch(spec.strip())
    if found is None:
        raise UsageError(
            f"The fault {spec!r} is not METHOD[#N|%P|*]=ACTION[:ARG].", "Example: messages.getHistory#3=flood:2"
        )
    percent = float(found["percent"] or 0)
    nth = int(found["nth"]) if found["nth"] else 0 if percent or found["each"] else 1
    arg = found["arg"] or ""
    try:
        match found["action"]:
            case "flood":
                return Fault(spec, found["method"], "flood", nth, percent, code=420, name=f"FLOOD_WAIT_{int(arg)}")
            case "rate":
                return Fault(spec, found["method"], "rate", nth, percent, code=420, name="FLOOD_WAIT_1", rate=int(arg))
            case "error":
                code, _, name = arg.partition(":")
                if not re.fullmatch(r"[A-Z][A-Z0-9_]+", name):
                    raise ValueError(name)
                return Fault(spec, found["method"], "error", nth, percent, code=int(code), name=name)
            case "delay" | "away" as action:
                return Fault(spec, found["method"], action, nth, percent, seconds=float(arg) / 1000)
            case "drop" | "corrupt" | "short" | "expire" | "busy" as action if not arg:
                return Fault(spec, found["method"], action, nth, percent)
    except ValueError:
        pass
    raise UsageError(
        f"The fault {spec!r} has an unknown action or a wrong argument.",
        "Actions: flood:S, error:CODE:NAME, delay:MS, drop, corrupt, short, expire, busy, away:MS, rate:N.",
    )


class FaultPlan:
    """The active faults, with the number of calls that each has counted."""

    def __init__(self, specs: tuple[str, ...] = (), *, seed: int = 0) -> None:
        self._random = random.Random(seed)
        self._plans: list[tuple[Fault, list[int]]] = []
        self._times: dict[str, deque[float]] = {}
        for spec in specs:
            self.add(spec)

    def add(self, spec: str) -> Fault:
        """Add a fault and count its calls from now on; raise UsageError."""
        fault = parse_fault(spec)
        self._plans.append((fault, [0]))
        return fault

    def clear(self) -> None:
        """Remove all faults."""
        self._plans.clear()

    @property
    def specs(self) -> list[str]:
        """The active faults as they were written."""
        return [fault.spec for fault, _ in self._plans]

    def triggered(self, method: str, now: float = 0.0) -> list[Fault]:
        """Count one call of ``method`` and return the faults that apply to it. Only rates use ``now`` (seconds)."""
        hits: list[Fault] = []
        for fault, calls in self._plans:
            if fault.method not in ("*", method):
                continue
            calls[0] += 1
            if fault.percent:
                hit = self._random.random() * 100 < fault.percent
            else:
                hit = not fault.nth or calls[0] == fault.nth
            if hit and (not fault.rate or self._exceeds_rate(fault, now)):
                hits.append(fault)
        return hits

    def _exceeds_rate(self, fault: Fault, now: float) -> bool:
        times = self._times.setdefault(fault.spec, deque())
        while times and times[0] <= now - 1:
            times.popleft()
        if len(times) >= fault.rate:
            return True
        times.append(now)
        return False
