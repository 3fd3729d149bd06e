"""Photos that look alike: the same photo sent in another size, or saved again."""

from tobs_plugins.dedupe.plugin import Dedupe, DedupeConfig

__all__ = ["Dedupe", "DedupeConfig"]
