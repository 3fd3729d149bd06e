"""A message when a run has ended: to a phone, by mail, or to any service of apprise."""

from tobs_plugins.notify.plugin import Notify, NotifyConfig

__all__ = ["Notify", "NotifyConfig"]
