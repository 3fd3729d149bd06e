"""Messages without a note."""

from tobs_plugins.mute.plugin import Mute, MuteConfig

__all__ = ["Mute", "MuteConfig"]
