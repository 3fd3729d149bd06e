"""The words in PDF documents, so that a search finds them."""

from tobs_plugins.text.plugin import TextConfig, TextOfDocuments

__all__ = ["TextConfig", "TextOfDocuments"]
