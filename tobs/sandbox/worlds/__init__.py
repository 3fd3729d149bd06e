"""What a sandbox serves: the demo world, synthetic worlds, a Telegram Desktop export as a live channel."""

from tobs.sandbox.worlds.files import Blob, RpcError, Stored
from tobs.sandbox.worlds.history import History
from tobs.sandbox.worlds.open import open_world
from tobs.sandbox.worlds.tl import Raw
from tobs.sandbox.worlds.world import COMMON, About, Change, World

__all__ = ["COMMON", "About", "Blob", "Change", "History", "Raw", "RpcError", "Stored", "World", "open_world"]
