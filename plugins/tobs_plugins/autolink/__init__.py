"""Links from messages to the owner's own notes."""

from tobs_plugins.autolink.plugin import Autolink, AutolinkConfig

__all__ = ["Autolink", "AutolinkConfig"]
