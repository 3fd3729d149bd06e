"""Worlds: the demo world, synthetic worlds, worlds for tests, a Telegram Desktop export served as if it were live."""

from tobs.sandbox.worlds.changes import COMMON, Change
from tobs.sandbox.worlds.files import Blob, StoredFile
from tobs.sandbox.worlds.history import History
from tobs.sandbox.worlds.open import open_world
from tobs.sandbox.worlds.peers import FullInfo
from tobs.sandbox.worlds.tl import Raw, RpcError
from tobs.sandbox.worlds.world import World

__all__ = ["COMMON", "Blob", "Change", "FullInfo", "History", "Raw", "RpcError", "StoredFile", "World", "open_world"]
