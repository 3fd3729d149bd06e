"""Links from what is written in chats to notes of one's own."""

from tobs_plugins.autolink.plugin import Autolink, AutolinkConfig

__all__ = ["Autolink", "AutolinkConfig"]
