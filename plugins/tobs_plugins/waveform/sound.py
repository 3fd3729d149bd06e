"""Measure the sound of a file: peaks over time, duration, loudness. PyAV decodes it piece by piece."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from tobs.plugin import reason_of

if TYPE_CHECKING:
    import av

#: Samples per second, and samples per peak (10 ms).
_RATE = 8000
_BLOCK = 80

#: Loudness (LUFS) below which EBU R128 measures nothing.
_SILENCE = -69.9


class NoSound(Exception):
    """The file cannot be decoded as sound."""


class Sound(Struct, frozen=True):
    """The measured sound. ``peaks``: the largest amplitude (0 to 32768) of every 10 ms; ``loudness``: integrated, in
    LUFS (EBU R128), None for silence and for less than 0.4 s."""

    seconds: float
    peaks: list[int]
    loudness: float | None


def listen(path: Path, *, max_seconds: float) -> Sound | None:
    """Decode the first audio stream of the file at ``path``; None if it has none or is longer than ``max_seconds``.

    Of a damaged file, the readable part is measured. Raises NoSound for a file that cannot be decoded at all.
    """
    import av

    samples, peaks = array("h"), list[int]()
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                return None
            stream = container.streams.audio[0]
            if container.duration and container.duration / av.time_base > max_seconds:
                return None
            resampler = av.AudioResampler("s16", "mono", _RATE)
            meter = _Meter(stream)
            count = 0
            for frame in _frames(container, stream):
                meter.hear(frame)
                count += _take(resampler, frame, samples, peaks)
                if count > max_seconds * _RATE:
                    return None
            count += _take(resampler, None, samples, peaks)
    except (av.FFmpegError, ValueError, OverflowError) as error:
        if not peaks:
            raise NoSound(f"not readable as audio: {reason_of(error)}") from error
        count = len(peaks) * _BLOCK
    if not count:
        raise NoSound("not readable as audio: nothing in it can be decoded")
    if samples:
        peaks.append(_peak(samples))
    return Sound(count / _RATE, peaks, meter.loudness)


def _frames(container: av.container.InputContainer, stream: av.AudioStream) -> Iterator[av.AudioFrame]:
    """Return the frames that can be decoded; damaged ones are skipped, as in players."""
    import av

    for packet in container.demux(stream):
        with suppress(av.InvalidDataError):
            yield from packet.decode()


def _take(resampler: av.AudioResampler, frame: av.AudioFrame | None, samples: array[int], peaks: list[int]) -> int:
    """Resample ``frame`` (None: flush the resampler) and return the number of its samples.

    Full blocks are added to ``peaks``; the remaining samples stay in ``samples``.
    """
    count = 0
    for part in resampler.resample(frame):
        # A plane is padded: the bytes after the samples are no sound.
        samples.frombytes(bytes(part.planes[0])[: 2 * part.samples])
        count += part.samples
    whole = len(samples) - len(samples) % _BLOCK
    peaks.extend(_peak(samples[at : at + _BLOCK]) for at in range(0, whole, _BLOCK))
    del samples[:whole]
    return count


def _peak(samples: array[int]) -> int:
    highest, lowest = max(samples), min(samples)
    return max(highest, -lowest)


class _Meter:
    """Integrated loudness (EBU R128), measured by FFmpeg's filter."""

    def __init__(self, stream: av.AudioStream) -> None:
        import av

        self.loudness: float | None = None
        self._graph = av.filter.Graph()
        source = self._graph.add_abuffer(template=stream)
        meter = self._graph.add("ebur128", "metadata=1:peak=none")
        sink = self._graph.add("abuffersink")
        source.link_to(meter)
        meter.link_to(sink)
        self._graph.configure()

    def hear(self, frame: av.AudioFrame) -> None:
        """Measure the next frame."""
        import av

        self._graph.push(frame)
        while True:
            try:
                heard = self._graph.pull()
            except (av.BlockingIOError, av.EOFError):
                return
            loudness = float(heard.metadata.get("lavfi.r128.I", _SILENCE))
            self.loudness = loudness if loudness > _SILENCE else None
