"""What is heard in a file: peaks over time, duration, loudness. Decoded by PyAV, never all of it in memory."""

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

#: Samples a second that peaks are taken from, and how many of them make one peak (10 ms).
_RATE = 8000
_BLOCK = 80

#: Loudness (LUFS) below which EBU R128 measures nothing.
_SILENCE = -69.9


class NoSound(Exception):
    """The file cannot be decoded as sound."""


class Sound(Struct, frozen=True):
    """``peaks``: the largest amplitude (0 to 32768) of every 10 ms; ``loudness``: integrated, in LUFS (EBU R128), None
    for silence and for less than 0.4 s."""

    seconds: float
    peaks: list[int]
    loudness: float | None


def listen(path: Path, *, max_seconds: float) -> Sound | None:
    """Decode the first sound of the file at ``path``; None when it has none or lasts longer than ``max_seconds``.

    What can be decoded of a damaged file counts. Raises NoSound for one that cannot be decoded at all.
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
    """The frames that can be decoded; as players do, it goes on after what cannot."""
    import av

    for packet in container.demux(stream):
        with suppress(av.InvalidDataError):
            yield from packet.decode()


def _take(resampler: av.AudioResampler, frame: av.AudioFrame | None, samples: array[int], peaks: list[int]) -> int:
    """Resample ``frame`` (None: what is left) and add its full blocks to ``peaks``; the rest stays in ``samples``. How
    many samples it had."""
    count = 0
    for part in resampler.resample(frame):
        # A plane is padded: only so many bytes are sound.
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
    """Loudness as broadcasters measure it (EBU R128), by FFmpeg's filter."""

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
        """Take in the next part."""
        import av

        self._graph.push(frame)
        while True:
            try:
                heard = self._graph.pull()
            except (av.BlockingIOError, av.EOFError):
                return
            loudness = float(heard.metadata.get("lavfi.r128.I", _SILENCE))
            self.loudness = loudness if loudness > _SILENCE else None
