"""What is said in voice messages, written down on this computer by Whisper."""

from tobs_plugins.whisper.plugin import Whisper, WhisperConfig

__all__ = ["Whisper", "WhisperConfig"]
