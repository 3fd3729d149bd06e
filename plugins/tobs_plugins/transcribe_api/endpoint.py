"""A server with OpenAI's interface for transcriptions: send a file, and interpret the answer.

Source: https://platform.openai.com/docs/api-reference/audio/createTranscription
"""

from __future__ import annotations

import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

import msgspec
from msgspec import Struct

if TYPE_CHECKING:
    # Slow to import, and every start of tobs imports this module; so functions that send requests import it.
    import httpx

#: Status codes after which another attempt may succeed. Source: RFC 9110 (408, 500-504), RFC 6585 (429).
_TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})

#: Most bytes of an answer; no transcription is that long.
_MAX_ANSWER = 32 * 2**20

#: Seconds before the second attempt if the server names none; they double with each attempt.
_FIRST_WAIT = 1.0


class FileRejected(Exception):
    """The server works, but does not accept this file."""


class RequestFailed(Exception):
    """The server did not do the request; the text has the reason."""


class Segment(Struct, frozen=True):
    """Text from ``start`` to ``end`` (seconds); ``no_speech_prob`` is the probability that nobody speaks (0 to 1)."""

    text: str
    start: float = 0.0
    end: float = 0.0
    no_speech_prob: float = 0.0


class Transcription(Struct, frozen=True):
    """The answer of the server. ``segments`` is None if it returns no times."""

    text: str
    language: str = ""
    segments: list[Segment] | None = None


class Request(Struct, frozen=True):
    """The file at ``path``, sent under ``name`` with the type ``mime``; ``language`` (a code) may be empty."""

    path: Path
    name: str
    mime: str
    language: str = ""


class Endpoint:
    """``POST base_url/audio/transcriptions``. A context manager: leaving it closes all connections.

    An attempt ends after ``timeout`` seconds without data. The request fails after ``retries`` more attempts, or if the
    waits would exceed ``patience`` seconds in all.
    """

    def __init__(
        self,
        base_url: str,
        *,
        key: str,
        model: str,
        timeout: float,
        retries: int,
        patience: float,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        import httpx

        self._url = f"{base_url.rstrip('/')}/audio/transcriptions"
        self._key = key
        self._model = model
        self._retries = retries
        self._patience = patience
        self._sleep = sleep
        self._tells_times = True
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        # Redirects are not followed: the key is for this server alone.
        self._client = httpx.Client(headers=headers, timeout=httpx.Timeout(timeout, connect=min(timeout, 15.0)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def transcribe(self, request: Request) -> Transcription:
        """Transcribe a file. Raises FileRejected, RequestFailed."""
        waited, attempt = 0.0, 0
        while True:
            status, wait, reason = self._try(request)
            if status is not None:
                return status
            pause = _FIRST_WAIT * 2**attempt if wait is None else wait
            if attempt >= self._retries:
                raise RequestFailed(f"{reason}, {attempt + 1} times")
            if waited + pause > self._patience:
                raise RequestFailed(f"{reason}; it asks to wait {pause:.0f} s")
            self._sleep(pause)
            waited, attempt = waited + pause, attempt + 1

    def _try(self, request: Request) -> tuple[Transcription | None, float | None, str]:
        """Make one attempt. Return the transcription; or None, the seconds to wait (None: unknown), and the reason."""
        import httpx

        try:
            response, body = self._post(request)
        except httpx.TimeoutException:
            return None, None, "the server did not answer in time"
        except httpx.TransportError as error:
            return None, None, f"the server cannot be reached ({self._clean(str(error)) or type(error).__name__})"
        except httpx.InvalidURL as error:
            raise RequestFailed(f"base_url is no address: {error}") from error
        code = response.status_code
        if code == 200:
            return self._read(body), None, ""
        what = self._explanation(code, body)
        if code in _TRANSIENT and b'"insufficient_quota"' not in body:
            return None, _retry_after(response), what
        if code == 400 and self._tells_times:
            self._tells_times = False  # some models support only the plain form
            return self._try(request)
        if code in (400, 413, 415, 422):
            raise FileRejected(what)
        raise RequestFailed(what)

    def _post(self, request: Request) -> tuple[httpx.Response, bytes]:
        form = {"model": self._model, "response_format": "verbose_json" if self._tells_times else "json"}
        if request.language:
            form["language"] = request.language
        with (
            request.path.open("rb") as file,
            self._client.stream(
                "POST", self._url, data=form, files={"file": (request.name, file, request.mime)}
            ) as response,
        ):
            body = b""
            for part in response.iter_bytes():
                body += part
                if len(body) > _MAX_ANSWER:
                    raise RequestFailed("the server answered far more than a transcription")
            return response, body

    def _read(self, body: bytes) -> Transcription:
        try:
            return msgspec.json.decode(body, type=Transcription)
        except msgspec.MsgspecError as error:
            raise RequestFailed("the answer of the server is no transcription; check base_url") from error

    def _explanation(self, code: int, body: bytes) -> str:
        """Return the server's error text on one line and without the key."""
        known = {401: "the key is wrong or missing", 403: "the key may not do this", 404: "no such address or model"}
        known |= {413: "the file is too large for it", 429: "too many requests"}
        said = self._clean(_message(body))
        facts = [fact for fact in (known.get(code, ""), said) if fact]
        return f"the server answered {code}" + (f" ({': '.join(facts)})" if facts else "")

    def _clean(self, text: str) -> str:
        text = " ".join(text.split())
        return (text.replace(self._key, "***") if self._key else text)[:200]


def _message(body: bytes) -> str:
    """Return ``error.message`` of a JSON answer, at any level; empty if there is none (a page of HTML explains
    nothing)."""
    try:
        value = msgspec.json.decode(body)
    except msgspec.MsgspecError:
        return ""
    while isinstance(value, dict):
        value = value.get("error") or value.get("message") or value.get("detail")
    return value if isinstance(value, str) else ""


def _retry_after(response: httpx.Response) -> float | None:
    """Read the seconds to wait from a number or a date (RFC 9110, 10.2.3)."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isdigit():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None
