"""The parts of a server that its connections and services share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from tobs.sandbox.crypto.keys import ServerKey
from tobs.sandbox.faults import FaultPlan
from tobs.sandbox.log import RequestLog
from tobs.sandbox.mtproto import Session
from tobs.sandbox.options import SandboxOptions
from tobs.sandbox.state import State
from tobs.sandbox.worlds import World


class Clock:
    """The sandbox's clock in Unix seconds: the given one plus the seconds that ``/clock`` has added.

    MTProto's message ids follow the real clock, because clients compare it with their own.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.ahead = 0.0

    def __call__(self) -> float:
        return self._now() + self.ahead

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass at once."""
        self.ahead += seconds


class ServiceContext:
    """World, options, clock, state, faults and log of one server.

    ``keys``: the RSA key of each data centre. ``ports``: the port of each data centre that listens. ``sessions``: the
    MTProto sessions of all connections, in the order of their creation. ``failures``: a line for each request in
    which a service raised something else than RpcError.
    """

    def __init__(
        self,
        world: World,
        options: SandboxOptions,
        keys: dict[int, ServerKey],
        *,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self.world = world
        self.options = options
        self.keys = keys
        self.sleep = sleep
        self.clock = Clock(now)
        self.state = State()
        self.faults = FaultPlan(options.faults, seed=options.seed)
        self.log = RequestLog()
        self.ports: dict[int, int] = {}
        self.sessions: list[Session] = []
        self.failures: list[str] = []

    def update_sessions(self) -> list[Session]:
        """Return the logged-in sessions that get updates pushed."""
        return [session for session in self.sessions if session.wants_updates and session.key.user_id]
