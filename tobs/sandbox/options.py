"""The options of a sandbox, and the ready file that it writes."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from tobs.sandbox.worlds import World
from tobs.sandbox.worlds.files import DC_ORDER

API_ID: Final = 1
API_HASH: Final = "0123456789abcdef0123456789abcdef"
CODE: Final = "12345"
BOT_TOKEN: Final = "7000000001:AAsandboxSandboxSandboxSandboxSandb"

HOST: Final = "127.0.0.1"
HOME_DC: Final = DC_ORDER[0]
CDN_DC: Final = 203


class SandboxOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options of ``tobs sandbox serve``.

    ``port``: of the home data centre, 0 for any free port. ``dcs``: number of data centres, each on its own port.
    ``latency``: seconds before each answer. ``bandwidth``: bytes a second of each connection, 0 for no limit.
    ``faults``: see ``faults.py``. ``seed``: of random faults. ``takeout_delay``: seconds that a takeout has to wait,
    0 for none. ``split_ranges``: number of ranges that messages.getSplitRanges offers. ``cdn``: redirect clients that
    support it to a CDN for files. ``code``: the login code. ``password``: of two-step verification, empty for none.
    ``hint``: the password's hint.
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
    """The ready file: everything that a client needs to log in."""

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
        """Make the ready file of a sandbox that serves ``world``."""
        return cls(
            server=f"{HOST}:{port}",
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
