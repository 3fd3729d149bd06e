"""Every command that fails prints exactly one JSON document with its error, whatever ends it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.in_process import InProcess, serving
from tests.make_reference import commands
from tobs.vault.lock import write_lock

WORLD = "synthetic:messages=30,chats=1,media=0,seed=1"
#: Commands whose result is a run report.
RUNS = frozenset({"demo", "export", "import", "process", "render", "sync", "undo"})
#: Arguments that a command needs to get as far as its work.
NEEDED = {
    "export": ["@nobody"],
    "plan": ["@nobody"],
    "import": ["export/result.json"],
    "undo": ["last"],
    "login": ["--check"],
    "plugins info": ["tags"],
    "plugins new": ["mine"],
    "plugins test": ["missing.py"],
    "plugins trust": ["mine"],
    "plugins run": ["notify"],
    "sandbox serve": ["--world", "demo"],
}
EVERY = [name for name, _ in commands()]
#: Commands that read the configuration; a demo has one of its own.
CONFIGURED = [name for name in EVERY if name not in ("demo", "sandbox serve")]
WRITING = ["export", "import", "sync", "process", "render", "undo", "restore", "watch", "verify --repair"]
CONNECTING = ["login", "chats", "plan", "export", "sync", "sync --dry-run"]

RUN_REPORT = frozenset(
    ("run_id", "command", "targets", "started", "finished", "ok", "messages", "notes", "media", "processors", "flood")
) | {"requests", "problems", "recovered"}


@pytest.fixture(scope="module")
def gone(tmp_path_factory: pytest.TempPathFactory) -> InProcess:
    """A person with a login, a vault and a backup, whose Telegram cannot be reached any more."""
    folder = tmp_path_factory.mktemp("gone")
    with serving(folder, WORLD) as (ready, home):
        served = InProcess(ready, home)
        served.login()
        vault = str(folder / "vault")
        assert served.tobs("export", served.target, "--vault", vault, "-q").code == 0
        assert served.tobs("backup", "--vault", vault, "-q").code == 0
        key = folder / "key.pem"
        key.write_text(served.server_key())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        server = f"127.0.0.1:{free.getsockname()[1]}"
    export = home / "export"
    export.mkdir()
    chat = {"name": "A chat", "type": "personal_chat", "id": 1, "messages": []}
    (export / "result.json").write_text(json.dumps(chat))
    return InProcess(ready | {"server": server, "server_key": str(key)}, home)


@pytest.fixture
def vault(gone: InProcess) -> str:
    return str(gone.home.parent / "vault")


@pytest.fixture
def report(tmp_path: Path) -> Path:
    return tmp_path / "report.json"


def line(command: str) -> list[str]:
    """A command as it is typed, with the arguments it needs."""
    return [*command.split(), *NEEDED.get(command, [])]


def fails(person: InProcess, arguments: Sequence[str], code: int, report: Path, **env: str) -> Any:
    """The error of a command that ends with ``code``: one document on stdout and in the report file, a line on
    stderr."""
    typed = [str(person.home / each) if each.startswith("export/") else each for each in arguments]
    done = person.tobs(*typed, "--json", "--report", str(report), **env)
    assert done.code == code, (done.code, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    shown = [each for each in done.stderr.splitlines() if each.startswith("tobs: ")]
    document = done.json
    error = document["error"]
    assert set(error) == {"code", "message", "remedy"} and error["code"] == code and error["message"]
    assert any(" ".join(error["message"].rstrip(".").split()) in each for each in shown), (shown, error)
    assert json.loads(report.read_bytes()) == document
    assert document["ok"] is False
    if arguments[0] in RUNS:
        assert set(document) >= RUN_REPORT and document["command"] == arguments[0]
        assert document["started"] <= document["finished"]
    return document


def test_the_walk_goes_over_every_command() -> None:
    assert len(EVERY) > 20 and {*RUNS, *NEEDED} <= set(EVERY)


@pytest.mark.parametrize("command", EVERY)
def test_a_wrong_option(gone: InProcess, report: Path, command: str) -> None:
    error = fails(gone, [*line(command), "--no-such-option"], 2, report)["error"]
    assert "--no-such-option" in error["message"] and f"tobs {command} --help" in error["remedy"]


@pytest.mark.parametrize("command", ["import", "plugins info", "plugins new", "plugins test", "plugins trust"])
def test_a_missing_argument(gone: InProcess, report: Path, command: str) -> None:
    assert "Missing argument" in fails(gone, command.split(), 2, report)["error"]["message"]


def test_a_command_that_does_not_exist(gone: InProcess, report: Path) -> None:
    assert "exprot" in fails(gone, ["exprot"], 2, report)["error"]["message"]


def test_options_that_exclude_each_other(gone: InProcess, report: Path) -> None:
    assert "--quiet" in fails(gone, ["export", "@a", "-q", "-v"], 2, report)["error"]["message"]
    assert "--no-media" in fails(gone, ["plan", "@a", "--no-media", "--media", "all"], 2, report)["error"]["message"]


@pytest.mark.parametrize("command", CONFIGURED)
def test_a_broken_configuration(tmp_path: Path, gone: InProcess, report: Path, command: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "config.toml").write_text("profile = [")
    assert "config.toml" in fails(gone, line(command), 2, report, TOBS_HOME=str(home))["error"]["message"]


@pytest.mark.parametrize("command", CONNECTING)
def test_no_login(tmp_path: Path, gone: InProcess, vault: str, report: Path, command: str) -> None:
    arguments = [*line(command), "--vault", vault]
    document = fails(gone, arguments, 3, report, TOBS_HOME=str(tmp_path / "other"))
    assert "tobs login" in document["error"]["remedy"]
    if command == "export":
        assert document["targets"] == ["@nobody"] and document["run_id"]


@pytest.mark.parametrize("command", CONNECTING)
def test_a_telegram_that_cannot_be_reached(gone: InProcess, vault: str, report: Path, command: str) -> None:
    document = fails(gone, [*line(command), "--vault", vault], 4, report)
    if command == "export":
        assert [each["what"] for each in document["problems"]] == ["NetworkError"]


@pytest.mark.parametrize("command", ["sync", "watch", "render", "process", "undo", "undo --list", "verify", "restore"])
def test_no_vault(tmp_path: Path, gone: InProcess, report: Path, command: str) -> None:
    fails(gone, [*line(command), "--vault", str(tmp_path / "none")], 5, report)


@pytest.fixture
def locked(vault: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A vault that another process writes into."""
    monkeypatch.setitem(write_lock.__wrapped__.__kwdefaults__, "wait", 0.3)  # type: ignore[attr-defined]
    hold = (
        "import asyncio, pathlib, sys, time\n"
        "from tobs.vault.lock import write_lock\n"
        "async def hold():\n"
        "    async with write_lock(pathlib.Path(sys.argv[1]), clock=time.time, sleep=asyncio.sleep):\n"
        "        sys.stdout.write('locked\\n'), sys.stdout.flush()\n"
        "        sys.stdin.read()\n"
        "asyncio.run(hold())\n"
    )
    command = [sys.executable, "-c", hold, str(Path(vault) / ".tobs")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "locked\n"
        yield vault
        process.communicate()


def test_a_locked_vault(gone: InProcess, locked: str, report: Path) -> None:
    note = next(Path(locked).rglob("Telegram/*/2*/**/*.md"))
    note.rename(note.with_suffix(".gone"))  # so that there is something to repair
    for command in WRITING:
        error = fails(gone, [*line(command), "--vault", locked], 5, report)["error"]
        assert "is writing into this vault" in error["message"], (command, error)


def test_an_interrupted_run(gone: InProcess, locked: str, report: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(write_lock.__wrapped__.__kwdefaults__, "wait", 60.0)  # type: ignore[attr-defined]
    timer = threading.Timer(1.0, signal.raise_signal, [signal.SIGTERM])
    timer.start()
    error = fails(gone, ["sync", "--vault", locked], 130, report)["error"]
    timer.join()
    assert "kept" in error["remedy"]


def test_a_report_that_cannot_be_written_is_an_error_of_its_own(gone: InProcess, vault: str, tmp_path: Path) -> None:
    missing = str(tmp_path / "no" / "folder")
    done = gone.tobs("verify", "--vault", vault, "--json", "--report", missing)
    assert done.code == 2 and missing in done.json["error"]["message"]
    both = gone.tobs("sync", "--vault", vault, "--json", "--report", missing)
    assert both.code == 4 and both.json["error"]["code"] == 4 and missing in both.stderr


def test_a_broken_template_is_an_error_of_the_check(gone: InProcess, vault: str, report: Path) -> None:
    template = Path(vault) / ".tobs" / "templates" / "message.md.j2"
    template.parent.mkdir(exist_ok=True)
    template.write_text("{% if %}")
    try:
        done = gone.tobs("render", "--template-check", "--vault", vault, "--json", "--report", str(report))
    finally:
        template.unlink()
    assert done.code == 2 and done.json["error"]["code"] == 2 and done.json["items"]
