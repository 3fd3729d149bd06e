"""A picture of what a recording sounds like: its waveform as a small SVG, and how loud it is."""

from tobs_plugins.waveform.plugin import Waveform, WaveformConfig

__all__ = ["Waveform", "WaveformConfig"]
