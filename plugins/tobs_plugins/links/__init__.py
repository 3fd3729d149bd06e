"""Readable copies of the web pages behind links, as notes."""

from tobs_plugins.links.plugin import Links, LinksConfig

__all__ = ["Links", "LinksConfig"]
