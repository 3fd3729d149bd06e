"""How a sandbox is to behave, and what it tells when it is ready."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from tobs.sandbox.worlds import World

API_ID: Final = 1
API_HASH: Final = "0123456789abcdef0123456789abcdef"
CODE: Final = "12345"
BOT_TOKEN: Final = "7000000001:AAsandboxSandboxSandboxSandboxSandb"


class SandboxOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What ``tobs sandbox serve`` takes.

    ``port``: of the home data centre, 0 for any. ``dcs``: how many data centres, each on its own port. ``latency``:
    seconds before each answer. ``bandwidth``: bytes a second of each connection, 0 for no limit. ``faults``: see
    ``faults.py``. ``seed``: of the faults that come by chance. ``takeout_delay``: seconds that a takeout has to wait
    for, 0 for none. ``split_ranges``: how many ranges messages.getSplitRanges offers. ``cdn``: whether clients that can
    are sent to a CDN for files. ``code``: that logs in. ``password``: of two-step verification, empty for none, with
    its ``hint``.
    """

    port: int = 0
    dcs: int = 1
    latency: float = 0.0
    bandwidth: int = 0
    faults: tuple[str, ...] = ()
    seed: int = 0
    takeout_delay: int = 0
    split_ranges: int = 1
    cdn: bool = False
    code: str = CODE
    password: str = ""
    hint: str = ""


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """The ready file: everything a client needs to log in."""

    server: str
    server_key: str
    dc: int
    api_id: int
    api_hash: str
    phone: str
    code: str
    password: str | None
    targets: tuple[str, ...]
    control: str
    bot_token: str = BOT_TOKEN

    @classmethod
    def of(cls, world: World, options: SandboxOptions, *, port: int, dc: int, pem: Path, control: str) -> Ready:
        """What a sandbox for ``world`` tells."""
        return cls(
            server=f"127.0.0.1:{port}",
            server_key=str(pem),
            dc=dc,
            api_id=API_ID,
            api_hash=API_HASH,
            phone=world.phone,
            code=options.code,
            password=options.password or None,
            targets=tuple(world.targets),
            control=control,
        )
