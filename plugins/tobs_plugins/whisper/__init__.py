"""Transcribe voice messages on this computer with Whisper."""

from tobs_plugins.whisper.plugin import Whisper, WhisperConfig

__all__ = ["Whisper", "WhisperConfig"]
