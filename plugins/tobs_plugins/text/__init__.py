"""The text of PDF documents, so that a search finds it."""

from tobs_plugins.text.plugin import TextConfig, TextOfDocuments

__all__ = ["TextConfig", "TextOfDocuments"]
