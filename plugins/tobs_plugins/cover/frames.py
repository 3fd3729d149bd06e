"""A preview frame of a video, and the duration of a video."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

from tobs.plugin import reason_of

if TYPE_CHECKING:
    import av
    from PIL.Image import Image

#: Positions of the frames, as parts of the duration: videos often begin with black.
_PLACES = (0.1, 0.3, 0.5)

#: Least standard deviation of brightness (of 255) of a picture with more than one colour.
_SPREAD = 12.0

#: Most frames decoded after a seek: the index of a video may be wrong.
_MOST_FRAMES = 400


class NotVideo(Exception):
    """The file cannot be decoded."""


def preview_frame(path: Path) -> Image | None:
    """Return the first of a few frames that has more than one colour, or the last one if none has; None for a file
    without pictures. Raises NotVideo."""
    with _opened(path) as (container, stream):
        if stream is None:
            return None
        if stream.codec_context is None:
            raise NotVideo("not readable as video: no codec that PyAV knows")
        stream.codec_context.thread_count = 1
        length = float((stream.duration or 0) * stream.time_base) if stream.time_base else 0.0
        image = None
        for part in _PLACES if length else (0.0,):
            image = _frame_at(container, stream, part * length) or image
            if image is not None and _shows_something(image):
                return image
        return image


def measured_duration(path: Path) -> float:
    """Measure the seconds of pictures in the file, independent of its header; 0 for none. Raises NotVideo."""
    first, last = inf, 0.0
    with _opened(path) as (container, stream):
        if stream is None or stream.time_base is None:
            return 0.0
        for packet in container.demux(stream):
            if packet.pts is not None and packet.size and not packet.is_corrupt:
                start = float(packet.pts * stream.time_base)
                first, last = min(first, start), max(last, start + float((packet.duration or 0) * stream.time_base))
    return max(0.0, last - first)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[av.container.InputContainer, av.VideoStream | None]]:
    """Open a video: the container and its video stream, or None if there is none. Errors in the body of the ``with``
    become NotVideo, too."""
    import av

    try:
        # One thread: the worker's memory is limited, and other workers run beside it.
        with av.open(str(path), options={"threads": "1"}) as container:
            films = [s for s in container.streams.video if av.stream.Disposition.attached_pic not in s.disposition]
            yield container, films[0] if films else None
    except (av.FFmpegError, ValueError, OverflowError) as error:
        raise NotVideo(f"not readable as video: {reason_of(error)}") from error


def _frame_at(container: av.container.InputContainer, stream: av.VideoStream, seconds: float) -> Image | None:
    """Return the frame shown at ``seconds``, rotated upright."""
    assert stream.time_base is not None
    start = stream.start_time or 0
    wanted = start + int(seconds / stream.time_base)
    if seconds:
        container.seek(wanted, stream=stream)
    last = None
    for count, frame in enumerate(container.decode(stream)):
        last = frame
        if (frame.pts is not None and frame.pts >= wanted) or count >= _MOST_FRAMES:
            break
    if last is None:
        return None
    image: Image = last.to_image()  # type: ignore[no-untyped-call]
    return image.rotate(last.rotation, expand=True) if last.rotation else image


def _shows_something(image: Image) -> bool:
    from PIL import ImageStat

    return ImageStat.Stat(image.convert("L")).stddev[0] >= _SPREAD
