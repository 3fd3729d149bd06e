"""The worlds by the names of ``--world``."""

from __future__ import annotations

from pathlib import Path

from tobs.errors import UsageError
from tobs.sandbox.worlds.chats import chats_world
from tobs.sandbox.worlds.community import community_world
from tobs.sandbox.worlds.demo import demo_world
from tobs.sandbox.worlds.kinds import kinds_world
from tobs.sandbox.worlds.synthetic import parse_plan, synthetic_world
from tobs.sandbox.worlds.tdesktop import export_world
from tobs.sandbox.worlds.world import World


def open_world(spec: str) -> World:
    """Make the world of ``spec``, with nothing changed yet; raise ``UsageError`` for a wrong one.

    ``spec``: ``demo``, ``chats``, ``community``, ``kinds``,
    ``synthetic:messages=..,chats=..,media=..,sparse=..,seed=..``, or the path of an export.
    """
    if spec == "demo":
        return demo_world()
    if spec == "chats":
        return chats_world()
    if spec == "kinds":
        return kinds_world()
    if spec == "community":
        return community_world()
    if spec == "synthetic" or spec.startswith("synthetic:"):
        return synthetic_world(parse_plan(spec.partition(":")[2]))
    path = Path(spec)
    if path.exists():
        return export_world(path)
    raise UsageError(
        f"There is no world {spec!r}.",
        "Give demo, chats, community, kinds, synthetic:… or the path of a Telegram Desktop export.",
    )
