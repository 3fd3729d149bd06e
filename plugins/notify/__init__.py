"""A message when a run has ended: to a phone, by mail, wherever apprise can send."""

from tobs_plugins.notify.plugin import Notify, NotifyConfig

__all__ = ["Notify", "NotifyConfig"]
