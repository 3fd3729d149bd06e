"""A loopback Telegram: real MTProto over TCP, several data centres, seeded worlds, faults on demand."""

from tobs.sandbox.options import API_HASH, API_ID, Ready, SandboxOptions
from tobs.sandbox.serve import Sandbox, serve
from tobs.sandbox.worlds import World, open_world

__all__ = ["API_HASH", "API_ID", "Ready", "Sandbox", "SandboxOptions", "World", "open_world", "serve"]
