"""Decode recordings for Whisper: 16,000 samples a second, one channel."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tobs.plugin import reason_of

if TYPE_CHECKING:
    import av
    import numpy as np
    from numpy.typing import NDArray

RATE = 16_000


class NoSound(Exception):
    """The file cannot be decoded as sound."""


def decode(path: Path, *, max_seconds: float) -> NDArray[np.float32] | None:
    """Decode the first audio stream of the file at ``path`` to samples (-1 to 1); None if it has none or is longer than
    ``max_seconds``.

    Of a damaged file, the readable part is decoded. Raises NoSound if nothing can be decoded.
    """
    import av
    import numpy as np

    parts: list[NDArray[np.int16]] = []
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                return None
            if container.duration and container.duration / av.time_base > max_seconds:
                return None
            resampler = av.AudioResampler("s16", "mono", RATE)
            count = 0
            for packet in container.demux(container.streams.audio[0]):
                with suppress(av.InvalidDataError):  # skip damaged parts, as players do
                    for frame in packet.decode():
                        count += _take(resampler, frame, parts)
                if count > max_seconds * RATE:
                    return None  # longer than its header says
            _take(resampler, None, parts)  # flush the resampler
    except (av.FFmpegError, ValueError, OverflowError) as error:
        if not parts:
            raise NoSound(f"not readable as audio: {reason_of(error)}") from error
    if not parts:
        raise NoSound("not readable as audio: nothing in it can be decoded")
    return np.concatenate(parts).astype(np.float32) / 32768.0


def _take(resampler: av.AudioResampler, frame: av.AudioFrame | None, parts: list[NDArray[np.int16]]) -> int:
    import numpy as np

    count = 0
    for part in resampler.resample(frame):
        parts.append(part.to_ndarray().reshape(-1).astype(np.int16, copy=False))
        count += part.samples
    return count
