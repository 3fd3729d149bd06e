"""The waveform of a recording as a small SVG, and its loudness."""

from tobs_plugins.waveform.plugin import Waveform, WaveformConfig

__all__ = ["Waveform", "WaveformConfig"]
