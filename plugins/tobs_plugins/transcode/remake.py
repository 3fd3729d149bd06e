"""Convert sound and video with PyAV: streams are copied if possible, else converted."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tobs.plugin import reason_of
from tobs_plugins.transcode.formats import Plan, film_streams

if TYPE_CHECKING:
    import av
    from av.stream import Stream

    Packet = av.Packet[Stream]

#: Sample rates of MP3 (MPEG-1, 2 and 2.5).
_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)

#: Metadata that is copied, and the longest text.
_METADATA = ("title", "artist", "album", "date", "track", "genre")
_MAX_TEXT = 500

#: Most pixels of a video frame (8K has 33 million); larger ones may exhaust the memory.
_MAX_PIXELS = 36_000_000

_HARDWARE = "h264_vaapi"
_SOFTWARE = "libx264"


class NotMedia(Exception):
    """The file cannot be decoded, or nothing in it can."""


@cache
def film_encoder(*, hardware: bool) -> str:
    """Return the name of the video encoder: VA-API if ``hardware`` is set and a test succeeds, else software."""
    return _HARDWARE if hardware and _works(_HARDWARE) else _SOFTWARE


def _works(encoder: str) -> bool:
    """Test whether ``encoder`` can encode one black frame on this machine."""
    import av

    try:
        with av.open(BytesIO(), "w", format="mp4") as target:
            stream = _add_film(target, encoder, Fraction(25), 320, 240)
            frame = av.VideoFrame(320, 240, "nv12")
            for part in (frame, None):
                target.mux(stream.encode(part))
    except (av.FFmpegError, ValueError, RuntimeError, NotImplementedError):
        return False  # driver, device or encoder is missing: use software
    return True


def remake(path: Path, target: Path, plan: Plan, *, encoder: str, max_seconds: float) -> None:
    """Convert the file at ``path`` to ``target``. Of a damaged file, the readable part is converted.

    Raises NotMedia, also for a file that is far longer than its header says (``max_seconds``).
    """
    import av

    try:
        options = {} if plan.suffix == ".mp3" else {"movflags": "+faststart"}
        with av.open(str(path)) as source, av.open(str(target), "w", options=options) as made:
            tracks: dict[int, _Track] = {}
            if plan.suffix == ".mp4":
                film = film_streams(source)[0]
                tracks[film.index] = _Copy(made, film) if plan.copies_film else _Film(made, film, encoder)
            for sound in source.streams.audio[:1]:
                tracks[sound.index] = _Copy(made, sound) if plan.copies_sound else _Sound(made, sound, plan.suffix)
            made.metadata.update({k: v[:_MAX_TEXT] for k, v in source.metadata.items() if k.lower() in _METADATA})
            for packet in source.demux([source.streams[index] for index in tracks]):
                if packet.pts is not None and packet.time_base and packet.pts * packet.time_base > max_seconds:
                    raise NotMedia("longer than its header says")
                made.mux(list(tracks[packet.stream.index].take(packet)))
            for track in tracks.values():
                made.mux(list(track.rest()))
            if not any(track.count for track in tracks.values()):
                raise NotMedia("nothing in it can be decoded")
    except (av.FFmpegError, ValueError, OverflowError) as error:
        raise NotMedia(f"cannot be converted: {reason_of(error)}") from error


class _Copy:
    """A stream whose packets are copied."""

    def __init__(self, made: av.container.OutputContainer, stream: av.AudioStream | av.VideoStream) -> None:
        self.count = 0
        self._stream = made.add_stream_from_template(stream)

    def take(self, packet: Packet) -> Iterator[Packet]:
        """Return ``packet`` for the new file; nothing for the empty packet at the end."""
        if packet.dts is not None:
            packet.stream = self._stream
            self.count += 1
            yield packet

    def rest(self) -> Iterator[Packet]:
        """Return nothing: copied packets are not buffered."""
        return iter(())


class _Sound:
    """An audio stream that is converted: MP3 alone, AAC beside a video."""

    def __init__(self, made: av.container.OutputContainer, stream: av.AudioStream, suffix: str) -> None:
        self.count = 0
        rate = next((r for r in _RATES if r >= stream.rate), _RATES[-1])
        self._stream = made.add_stream("libmp3lame" if suffix == ".mp3" else "aac", rate=rate)
        channels = min(2, stream.channels)
        self._stream.layout = "stereo" if channels == 2 else "mono"
        # Enough for speech of 8 kHz as for music of 48 kHz.
        self._stream.bit_rate = channels * max(32_000, 2 * rate)

    def take(self, packet: Packet) -> Iterator[Packet]:
        """Return the converted packets of ``packet``; damaged parts are skipped."""
        import av

        for frame in _frames(packet, av.AudioFrame):
            self.count += 1
            frame.pts = None  # old formats have wrong timestamps
            yield from self._stream.encode(frame)

    def rest(self) -> Iterator[Packet]:
        """Return the packets that are still in the encoder."""
        return iter(self._stream.encode(None))


class _Film:
    """A video stream that is converted to H.264, rotated upright."""

    def __init__(self, made: av.container.OutputContainer, stream: av.VideoStream, encoder: str) -> None:
        self.count = 0
        self._made = made
        self._source = stream
        self._encoder = encoder
        # Only frames have the rotation, but streams must be added before anything is written.
        self._turn = _turn_of(stream)
        width, height = stream.codec_context.width, stream.codec_context.height
        if not 0 < width * height <= _MAX_PIXELS:
            raise NotMedia("cannot be converted: too many pixels")
        if abs(self._turn) == 90:
            width, height = height, width
        rate = Fraction(stream.average_rate or 25).limit_denominator(1001)
        self._stream = _add_film(made, encoder, rate, width - width % 2, height - height % 2)
        self._stream.codec_context.time_base = stream.time_base or 1 / rate
        self._graph: av.filter.Graph | None = None

    def take(self, packet: Packet) -> Iterator[Packet]:
        """Return the converted packets of ``packet``; damaged parts are skipped."""
        import av

        for frame in _frames(packet, av.VideoFrame):
            self.count += 1
            yield from self._stream.encode(self._fitted(frame))

    def rest(self) -> Iterator[Packet]:
        """Return the packets that are still in the encoder."""
        return iter(self._stream.encode(None))

    def _fitted(self, frame: av.VideoFrame) -> av.VideoFrame:
        import av

        if self._graph is None:
            self._graph = graph = av.filter.Graph()
            turn = {90: [("transpose", "cclock")], -90: [("transpose", "clock")], 180: [("hflip", ""), ("vflip", "")]}
            size = f"{self._stream.width}:{self._stream.height}"
            steps = [*turn.get(self._turn, []), ("scale", size), ("format", _pixels(self._encoder))]
            nodes = [graph.add_buffer(template=self._source)]
            nodes += [graph.add(name, value) if value else graph.add(name) for name, value in steps]
            graph.link_nodes(*nodes, graph.add("buffersink")).configure()
        self._graph.push(frame)
        fitted = self._graph.pull()
        assert isinstance(fitted, av.VideoFrame)
        return fitted


_Track = _Copy | _Sound | _Film


def _add_film(
    made: av.container.OutputContainer, encoder: str, rate: Fraction, width: int, height: int
) -> av.VideoStream:
    import av
    from av.codec.hwaccel import HWAccel

    is_hardware = encoder == _HARDWARE
    options = {"qp": "24"} if is_hardware else {"crf": "23", "preset": "veryfast"}
    stream = made.add_stream(encoder, rate=rate, options=options, hwaccel=HWAccel("vaapi") if is_hardware else None)
    assert isinstance(stream, av.VideoStream)
    stream.width, stream.height, stream.pix_fmt = width, height, _pixels(encoder)
    return stream


def _pixels(encoder: str) -> str:
    return "nv12" if encoder == _HARDWARE else "yuv420p"


def _turn_of(stream: av.VideoStream) -> int:
    """Return the rotation (counterclockwise, in degrees) that turns the first frame upright: 0, 90, -90 or 180."""
    import av

    with av.open(str(stream.container.name)) as again:
        for frame in again.decode(again.streams[stream.index]):
            if isinstance(frame, av.VideoFrame):
                turn = round(frame.rotation / 90) * 90
                return -90 if turn == 270 else 180 if abs(turn) == 180 else turn
    return 0


_Frame = TypeVar("_Frame", "av.AudioFrame", "av.VideoFrame")


def _frames(packet: Packet, kind: type[_Frame]) -> list[_Frame]:
    """Return the frames in ``packet``; none for a damaged one."""
    import av

    try:
        return [frame for frame in packet.decode() if isinstance(frame, kind)]
    except av.InvalidDataError:
        return []
