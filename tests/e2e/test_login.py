"""``tobs login`` as people and scripts use it; and that no secret is told anywhere."""

from __future__ import annotations

import base64
import json
import os
import pty
import re
import select
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.conftest import Serve
from tests.e2e.harness import TOBS, Served
from tobs.cli.prompt import draw_qr

WORLD = "synthetic:messages=40,chats=1,media=0.2,seed=1"


def test_a_password_is_wanted_with_its_hint_and_may_be_given_as_an_option(serve: Serve) -> None:
    served = serve(WORLD, "--password", "correct horse", "--hint", "a battery", login=False)
    assert served.ready["password"] == "correct horse"
    asked = served.tobs("login", "--code", served.ready["code"], "-q")
    assert asked.code == 3 and "hint: a battery" in asked.stderr and "--password" in asked.stderr
    wrong = served.tobs("login", "--code", served.ready["code"], "--password", "no", "-q")
    assert wrong.code == 3 and "password is wrong" in wrong.stderr
    done = served.tobs("login", "--code", served.ready["code"], "--password", "correct horse")
    assert done.code == 0 and "Logged in as" in done.stdout
    checked = served.tobs("login", "--check", "--json")
    assert checked.code == 0 and checked.json["phone"] and checked.json["name"] == "default"


@contextmanager
def on_a_terminal(served: Served, *arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A command whose standard streams are a terminal; gives its process and the terminal's other end."""
    ours, theirs = pty.openpty()
    command = [*TOBS, *arguments]
    environment = served.environment() | {"TERM": "xterm"}
    process = subprocess.Popen(
        command, env=environment, cwd=served.home, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    try:
        yield process, ours
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def read_until(terminal: int, words: str) -> str:
    """What the terminal shows up to ``words``; for the last words of a command, up to its end."""
    shown = ""
    deadline = time.monotonic() + 30
    while words not in shown:
        assert select.select([terminal], [], [], max(0.0, deadline - time.monotonic()))[0], shown
        try:
            data = os.read(terminal, 65536)
        except OSError:  # the command has ended
            data = b""
        assert data, shown
        shown += data.decode(errors="replace").replace("\r\n", "\n")
    return shown


def type_secret(terminal: int, text: bytes) -> None:
    """Type a password once the terminal shows no more what is typed: what comes earlier is thrown away."""
    deadline = time.monotonic() + 30
    while termios.tcgetattr(terminal)[3] & termios.ECHO and time.monotonic() < deadline:
        time.sleep(0.01)
    os.write(terminal, text + b"\n")


def test_on_a_terminal_everything_is_asked_for_and_asked_again(serve: Serve) -> None:
    served = serve(WORLD, "--password", "correct horse", "--hint", "a battery", login=False)
    with on_a_terminal(served, "login") as (process, terminal):
        read_until(terminal, "in the Telegram app; empty: send it by SMS, after 60 s:")
        os.write(terminal, b"\n")
        read_until(terminal, "by SMS; empty: send it by a phone call, after 60 s:")
        os.write(terminal, b"99999\n")
        read_until(
            terminal, "The login code is wrong. The code sent by SMS; empty: send it by a phone call, after 60 s:"
        )
        os.write(terminal, served.ready["code"].encode() + b"\n")
        read_until(terminal, "(hint: a battery):")
        type_secret(terminal, b"wrong horse")
        shown = read_until(terminal, "The password is wrong. The password of the account (hint: a battery):")
        type_secret(terminal, b"correct horse")
        shown += read_until(terminal, "Logged in as")
        assert process.wait(30) == 0 and "horse" not in shown


def test_a_qr_code_is_drawn_and_scanned(serve: Serve) -> None:
    served = serve(WORLD, "--password", "pw", login=False)
    process = subprocess.Popen(
        [*TOBS, "login", "--qr", "--password", "pw", "--json"],
        env=served.environment(),
        cwd=served.home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        drawn = ""
        for line in process.stderr:
            if line.startswith("tg://login?token="):
                break
            drawn += line
        assert drawn == draw_qr(line.strip())
        assert served.control("/accept-login", {"token": line.strip()})["user"]
        stdout, _ = process.communicate(timeout=30)
        assert process.returncode == 0 and json.loads(stdout)["title"]
    finally:
        process.kill()
        process.communicate()


def test_a_bot_logs_in_beside_the_person_and_its_export_is_refused(serve: Serve, tmp_path: Path) -> None:
    served = serve(WORLD)
    bot = served.tobs("login", "--account", "robot", "--bot-token", served.ready["bot_token"], "--json")
    assert bot.code == 0 and bot.json["is_bot"] is True
    assert served.tobs("login", "--account", "robot", "--check", "--json").json["id"] == bot.json["id"]
    assert served.tobs("login", "--check", "--json").json["id"] != bot.json["id"]
    refused = served.tobs("export", served.target, "--account", "robot", "--vault", str(tmp_path / "v"), "-q")
    assert refused.code == 3 and "bots may not read" in refused.stderr.lower() and "phone number" in refused.stderr
    other = served.tobs("login", "--bot-token", served.ready["bot_token"], "-q")
    assert other.code == 3 and "--account" in other.stderr


def test_a_revoked_session_ends_an_export_with_what_to_do(serve: Serve, tmp_path: Path) -> None:
    served = serve(WORLD)
    served.control("/end-logins", {"error": "AUTH_KEY_DUPLICATED"})
    done = served.tobs("export", served.target, "--vault", str(tmp_path / "v"), "-q")
    assert done.code == 3 and "two networks at once" in done.stderr and "tobs login" in done.stderr
    served.login()
    assert served.tobs("export", served.target, "--vault", str(tmp_path / "v"), "-q").code == 0


def test_wrong_ways_to_log_in_are_usage_errors(serve: Serve) -> None:
    served = serve(WORLD, login=False)
    assert served.tobs("login", "--qr", "--bot-token", "1:a", "-q").code == 2
    hidden = served.tobs("login", "--code", "1", "-q", TOBS_PROXY=f"tg://proxy?server=h&port=1&secret=ee{'0' * 40}")
    assert hidden.code == 2 and "uses fake TLS" in hidden.stderr and "0000" not in hidden.stderr


def test_no_secret_is_told_anywhere(serve: Serve, tmp_path: Path) -> None:
    """Everything a run writes or says, at its most talkative: no api hash, code, password, passphrase or key."""
    code, password, passphrase = "90210773", "Tr0ub4dor-and-three", "open-sesame-4711"
    served = serve(WORLD, "--code", code, "--password", password, login=False)
    env = {"TOBS_SESSION_LOCK": "passphrase", "TOBS_PASSPHRASE": passphrase, "TOBS_LOG_LEVEL": "trace"}
    vault, report = tmp_path / "v", tmp_path / "report.json"
    said = ""
    for arguments, expected in (
        (("login", "--code", "00000000", "-vv"), 3),
        (("login", "--code", code, "--password", "wrong-" + password, "-vv"), 3),
        (("login", "--code", code, "--password", password, "-vv"), 0),
        (("login", "--check", "-vv", "--json"), 0),
        (("export", served.target, "--vault", str(vault), "--report", str(report), "-vv"), 0),
        (("config", "show", "--json"), 0),
        (("export", "@nobody_at_all", "--vault", str(vault), "-vv"), 2),
    ):
        done = served.tobs(*arguments, **env)
        assert done.code == expected, (arguments, done.stderr)
        said += done.stdout + done.stderr
    keys = [bytes.fromhex(key) for key in keys_of(served, passphrase)]
    assert keys
    told = {"said": said.encode(), "report": report.read_bytes()}
    told |= {str(path): path.read_bytes() for path in vault.rglob("*") if path.is_file()}
    told |= {str(path): path.read_bytes() for path in served.home.rglob("*") if path.is_file()}
    assert any("tobs.log" in name for name in told) and any(name.endswith(".db") for name in told)
    secrets = {
        "api hash": [served.ready["api_hash"].encode()],
        "code": [code.encode()],
        "password": [password.encode()],
        "passphrase": [passphrase.encode()],
        "auth key": [shape for key in keys for shape in shapes(key)],
    }
    for where, data in told.items():
        for name, looks in secrets.items():
            assert not any(look in data for look in looks), f"the {name} is in {where}"


def keys_of(served: Served, passphrase: str) -> list[str]:
    """The auth keys of the locked session file, hex; read by tobs itself, in a process of its own."""
    script = (
        "import sys, pathlib, msgspec\n"
        "from tobs.telegram.net.session_encryption import read_envelope, unseal\n"
        "from tobs.telegram.net.session import Session\n"
        "data = pathlib.Path(sys.argv[1]).read_bytes()\n"
        "session = msgspec.json.decode(unseal(read_envelope(data), sys.argv[2]), type=Session)\n"
        "sys.stdout.write(' '.join(key.hex() for key in (session.key, *session.keys.values())))\n"
    )
    path = served.home / "sessions" / "default.session"
    done = subprocess.run(
        [sys.executable, "-c", script, str(path), passphrase], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def shapes(key: bytes) -> list[bytes]:
    """A secret's bytes as they might be written: as they are, hex, base64 and Python's repr, from several offsets."""
    looks = [
        key[:16],
        key[100:116],
        key.hex()[:32].encode(),
        key.hex()[200:232].encode(),
        key.hex().upper()[:32].encode(),
    ]
    looks += [base64.b64encode(key[start : start + 24])[:30] for start in (0, 1, 2, 90, 91, 92)]
    looks.append(re.sub(r"^b['\"]|['\"]$", "", repr(key[:24])).encode())
    return looks
