"""Photos that look alike: the same one sent in another size, or saved once more."""

from tobs_plugins.dedupe.plugin import Dedupe, DedupeConfig

__all__ = ["Dedupe", "DedupeConfig"]
