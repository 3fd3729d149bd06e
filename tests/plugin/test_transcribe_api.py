"""The plugin ``transcribe-api`` against a real server (faster-whisper-server), and against one that refuses, hangs
and breaks in every way there is."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.plugin.weights import tiny_en
from tests.plugin.words import word_errors, words
from tobs.plugin.testing import make_item, try_plugins
from tobs_plugins.transcribe_api import TranscribeApi, TranscribeApiConfig
from tobs_plugins.transcribe_api.endpoint import Endpoint, FileRejected, Request, RequestFailed, Segment, Transcription
from tobs_plugins.transcribe_api.languages import language_code

VOICE = Path(__file__).parents[1] / "data" / "voice"
PLUGIN = Path(__file__).parents[2] / "plugins" / "tobs_plugins" / "transcribe_api"
NOTE = Request(VOICE / "auth-incorrect.oga", "voice.ogg", "audio/ogg")
KEY = "sk-very-secret"
FINE = {"text": " Hello.", "language": "english", "segments": [{"start": 0.5, "end": 1, "text": " Hello.", "id": 0}]}


class Stub(ThreadingHTTPServer):
    """Gives the ``answers`` in their order: (status, headers, body); None holds its tongue. Keeps what was asked."""

    def __init__(self, *answers: tuple[int, dict[str, str], object] | None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = list(answers)
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        self.ended = threading.Event()
        self.waits: list[float] = []

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def ask(self, *, key: str = KEY, timeout: float = 20, retries: int = 3, patience: float = 60) -> Transcription:
        with Endpoint(
            self.base_url,
            key=key,
            model="whisper-1",
            timeout=timeout,
            retries=retries,
            patience=patience,
            sleep=self.waits.append,
        ) as endpoint:
            return endpoint.transcribe(NOTE)


class Handler(BaseHTTPRequestHandler):
    server: Stub

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, dict(self.headers), body))
        answer = self.server.answers.pop(0)
        if answer is None:
            self.server.ended.wait(60)
            return
        status, headers, told = answer
        data = told if isinstance(told, bytes) else json.dumps(told).encode()
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(data))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def stub() -> Iterator[Stub]:
    with Stub() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield server
        server.ended.set()
        server.shutdown()
        thread.join()


def test_a_file_is_sent_as_the_interface_wants_it(stub: Stub) -> None:
    stub.answers = [(200, {}, FINE)]
    assert stub.ask() == Transcription(" Hello.", "english", [Segment(" Hello.", 0.5, 1.0)])
    ((path, headers, body),) = stub.asked
    assert path == "/v1/audio/transcriptions" and headers["Authorization"] == f"Bearer {KEY}"
    assert b'name="model"\r\n\r\nwhisper-1\r\n' in body and b'name="response_format"\r\n\r\nverbose_json' in body
    assert b'filename="voice.ogg"\r\nContent-Type: audio/ogg' in body and NOTE.path.read_bytes() in body
    assert NOTE.path.name.encode() not in body


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_may_come_right_is_tried_again(stub: Stub, status: int) -> None:
    stub.answers = [(status, {}, b"busy"), (status, {"Retry-After": "7"}, b"busy"), (200, {}, FINE)]
    assert stub.ask().text == " Hello."
    assert stub.waits == [1.0, 7.0]


def test_a_date_may_say_when_to_come_back(stub: Stub) -> None:
    stub.answers = [(503, {"Retry-After": formatdate(time.time() + 30, usegmt=True)}, b""), (200, {}, FINE)]
    stub.ask()
    assert len(stub.waits) == 1 and 0 < stub.waits[0] <= 30


def test_attempts_and_patience_end(stub: Stub) -> None:
    stub.answers = [(500, {}, b"<html>")] * 10
    with pytest.raises(RequestFailed, match=r"^the server answered 500, 4 times$"):
        stub.ask(retries=3)
    assert stub.waits == [1.0, 2.0, 4.0]
    stub.answers = [(429, {"Retry-After": "3600"}, b"")]
    with pytest.raises(RequestFailed, match=r"too many requests.*asks to wait 3600 s"):
        stub.ask()
    assert len(stub.asked) == 5


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (401, {"error": {"message": f"Incorrect key: {KEY}"}}, "401 (the key is wrong or missing: Incorrect key: ***)"),
        (403, {}, "403 (the key may not do this)"),
        (404, b"<html>", "404 (no such address or model)"),
        (429, {"error": {"code": "insufficient_quota", "message": "no money"}}, "429 (too many requests: no money)"),
        (302, b"", "302"),
        (200, b"<html>", "is no transcription"),
        (200, {"text": 5}, "is no transcription"),
    ],
)
def test_a_refusal_is_told_at_once_and_without_the_key(stub: Stub, status: int, body: object, reason: str) -> None:
    stub.answers = [(status, {"Location": "/elsewhere"} if status == 302 else {}, body)]
    with pytest.raises(RequestFailed) as caught:
        stub.ask()
    assert reason in str(caught.value) and KEY not in str(caught.value)
    assert len(stub.asked) == 1 and not stub.waits


@pytest.mark.parametrize(("status", "reason"), [(413, "too large for it"), (415, "415"), (422, "422")])
def test_a_file_the_server_will_not_have_is_the_files_fault(stub: Stub, status: int, reason: str) -> None:
    stub.answers = [(status, {}, {"detail": {"error": {"message": "no"}}})]
    with pytest.raises(FileRejected, match=reason):
        stub.ask()


def test_a_server_without_times_is_asked_for_the_plain_form(stub: Stub) -> None:
    stub.answers = [(400, {}, {"error": {"message": "verbose_json is not known"}}), (200, {}, {"text": " Hello."})]
    assert stub.ask() == Transcription(" Hello.")
    assert b"verbose_json" in stub.asked[0][2] and b"verbose_json" not in stub.asked[1][2]
    stub.answers = [(400, {}, {}), (400, {}, {"error": {"message": "Invalid file format."}})]
    with pytest.raises(FileRejected, match="Invalid file format"):
        stub.ask()


def test_a_server_that_holds_its_tongue_is_left(stub: Stub) -> None:
    stub.answers = [None, None]
    with pytest.raises(RequestFailed, match="did not answer in time, 2 times"):
        stub.ask(timeout=0.2, retries=1)
    assert len(stub.asked) <= 2, "how far each attempt came is the machine's business"


def test_a_server_that_is_not_there_is_told() -> None:
    with socket.socket() as held:  # bound, but nobody listens
        held.bind(("127.0.0.1", 0))
        stub = Stub()
        stub.server_close()
        stub.server_port = held.getsockname()[1]
        with pytest.raises(RequestFailed, match="cannot be reached"):
            stub.ask(retries=1)


def test_the_note_gets_what_was_understood(stub: Stub, tmp_path: Path) -> None:
    plugin = TranscribeApi(TranscribeApiConfig(base_url=stub.base_url, key=KEY, max_megabytes=0.01))
    segments = [{"start": 0, "text": " Hi."}, {"start": 2, "text": " You", "no_speech_prob": 0.9}]
    stub.answers = [(200, {}, FINE | {"segments": segments}), (200, {}, {"text": "Plain."})]
    result = plugin.process(make_item(NOTE.path, tmp_path, kind="voice"))
    assert result is not None and result.fields == {"transcript_language": "en"}
    assert [section.title for section in result.sections] == ["Transcript", "Transcript by time"]
    assert result.sections[0].text == "Hi." and result.sections[0].plain
    plain = plugin.process(make_item(NOTE.path, tmp_path, kind="voice"))
    assert plain is not None and [section.text for section in plain.sections] == ["Plain."]
    # Music, and what is larger than allowed, is not sent.
    assert plugin.handles == {"voice", "round"}
    assert plugin.process(make_item(VOICE / "demo-nogo.oga", tmp_path, kind="voice")) is None
    assert len(stub.asked) == 2
    plugin._endpoint.__exit__()


def test_nothing_is_sent_before_an_address_is_given() -> None:
    missing = TranscribeApi(TranscribeApiConfig()).available()
    assert missing is not None and missing.what == "the option base_url"
    assert TranscribeApi(TranscribeApiConfig(base_url="http://127.0.0.1:1/v1")).available() is None


def test_languages_are_codes_whatever_the_server_calls_them() -> None:
    told = ["english", "Russian", "de", "yue", "klingonese", "", "<b>"]
    assert [language_code(name) for name in told] == ["en", "ru", "de", "yue", "", "", ""]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """faster-whisper-server on loopback with tiny.en; the system chooses the port, the server's log tells it."""
    command = [sys.executable, "-m", "faster_whisper_server", str(tiny_en()), "--host", "127.0.0.1", "--port", "0"]
    with subprocess.Popen(
        [*command, "--log-level", "info"], env=os.environ | {"HF_HUB_OFFLINE": "1"}, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        url = next(found[0] for line in lines if (found := re.search(r"http://127\.0\.0\.1:\d+", line)))
        drain = threading.Thread(target=process.stderr.read, daemon=True)
        drain.start()
        yield f"{url}/v1"
        process.terminate()
        process.wait(20)
        drain.join()


async def test_a_real_server_writes_recorded_speech_down(server: str, tmp_path: Path) -> None:
    rubbish = tmp_path / "rubbish.oga"
    rubbish.write_bytes(b"no sound at all")
    voices = {voice["file"]: voice["text"] for voice in json.loads((VOICE / "transcripts.json").read_text())}
    chosen = ["auth-incorrect.oga", "tt-allbusy.oga"]
    items = [make_item(path, tmp_path / path.name, kind="voice") for path in (*(VOICE / n for n in chosen), rubbish)]
    settings = {"transcribe-api": {"base_url": server, "key": KEY, "language": "en", "retries": 0}}
    first, second, third = await try_plugins(PLUGIN, items, env=os.environ, settings=settings)
    errors = 0
    for trial in (first, second):
        result = json.loads(trial.detail)
        assert result["fields"] == {"transcript_language": "en"}
        errors += word_errors(voices[trial.item], result["sections"][0]["text"])
    assert errors / sum(len(words(voices[name])) for name in chosen) < 0.10
    assert len(json.loads(second.detail)["sections"][1]["passages"]) == 2
    assert third.outcome == "failed" and "the server answered 500" in third.detail
