"""What a person can get wrong: one line that says what is wrong and what to do, the right exit code."""

from __future__ import annotations

import json
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from tests.e2e.conftest import Serve
from tests.e2e.harness import Done, Served, tree

WORLD = "synthetic:messages=120,chats=1,media=0,seed=1"


def told_in_one_line(done: Done, code: int, *words: str) -> None:
    """The command ended with ``code`` and one line on stderr with ``words``; no traceback."""
    assert done.code == code, (done.code, done.stderr)
    assert "Traceback" not in done.stderr
    told = [line for line in done.stderr.splitlines() if line.startswith("tobs: ")]
    assert len(told) == 1, done.stderr
    for word in words:
        assert word.lower() in told[0].lower(), told[0]


def test_an_unknown_username(serve: Serve, tmp_path: Path) -> None:
    served = serve(WORLD)
    told_in_one_line(served.tobs("export", "@nobody_at_all", "--vault", str(tmp_path / "v"), "-q"), 2, "nobody_at_all")


def test_a_channel_without_access(serve: Serve, tmp_path: Path) -> None:
    served = serve("demo")
    told_in_one_line(
        served.tobs("export", "@tobs_demo_closed", "--vault", str(tmp_path / "v"), "-q"),
        4,
        "tobs_demo_closed",
        "private",
    )


def test_an_error_of_telegram_that_nobody_knows_is_told_with_its_name_and_method(serve: Serve, tmp_path: Path) -> None:
    served = serve(WORLD, "--fault", "messages.getHistory*=error:400:SOMETHING_NEW_42")
    done = served.tobs("export", served.target, "--vault", str(tmp_path / "v"), "-q")
    told_in_one_line(done, 4, "SOMETHING_NEW_42", "messages.getHistory", "Synthetic: ")


def test_a_wrong_code(serve: Serve) -> None:
    served = serve(WORLD, login=False)
    told_in_one_line(served.tobs("login", "--code", "00000", "-q"), 3, "code")


def test_no_login_yet(serve: Serve, tmp_path: Path) -> None:
    served = serve(WORLD, login=False)
    told_in_one_line(served.tobs("export", served.target, "--vault", str(tmp_path / "v"), "-q"), 3, "tobs login")


def test_a_missing_api_id(serve: Serve, tmp_path: Path) -> None:
    served = serve(WORLD)
    done = served.tobs("export", served.target, "--vault", str(tmp_path / "v"), "-q", TOBS_API_ID="")
    told_in_one_line(done, 2, "my.telegram.org")


def test_an_unreachable_server(serve: Serve, tmp_path: Path) -> None:
    served = serve(WORLD)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        server = f"127.0.0.1:{nobody.getsockname()[1]}"
    done = served.tobs("export", served.target, "--vault", str(tmp_path / "v"), "-q", TOBS_SERVER=server)
    told_in_one_line(done, 4, server)


def test_a_vault_that_is_no_folder(serve: Serve, tmp_path: Path) -> None:
    served = serve(WORLD)
    (tmp_path / "file").write_text("I am a file")
    told_in_one_line(served.tobs("export", served.target, "--vault", str(tmp_path / "file" / "v"), "-q"), 5)


def test_a_broken_template_is_told_with_file_and_line_and_nothing_is_lost(serve: Serve, tmp_path: Path) -> None:
    served = serve(WORLD)
    vault = tmp_path / "v"
    (vault / ".tobs" / "templates").mkdir(parents=True)
    template = vault / ".tobs" / "templates" / "message.md.j2"
    template.write_text("fine\n{{ message. }}\n")
    done = served.tobs("export", served.target, "--vault", str(vault), "-q")
    told_in_one_line(done, 2, "message.md.j2", "2")
    template.unlink()
    assert served.tobs("export", served.target, "--vault", str(vault), "-q").code == 0
    assert len([name for name in tree(vault) if "/20" in name]) == 120


def test_a_vault_of_a_newer_tobs_is_left_alone(serve: Serve, tmp_path: Path) -> None:
    served = serve(WORLD)
    vault = tmp_path / "v"
    assert served.tobs("export", served.target, "--vault", str(vault), "-q").code == 0
    before = tree(vault)
    db = sqlite3.connect(vault / ".tobs" / "archive.db")
    db.execute("PRAGMA user_version = 9999")
    db.commit()
    db.close()
    told_in_one_line(served.tobs("export", served.target, "--vault", str(vault), "-q"), 5, "newer")
    assert tree(vault) == before


def test_two_exports_into_one_vault_at_once(serve: Serve, tmp_path: Path) -> None:
    served = serve("synthetic:messages=3000,chats=1,media=0,seed=1", "--latency", "1200")
    vault = tmp_path / "v"
    first = served.start("export", served.target, "--workers", "1", "--vault", str(vault))
    try:
        deadline = time.monotonic() + 20
        while not (vault / ".tobs" / "archive.db").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        told_in_one_line(
            served.tobs("export", served.target, "--vault", str(vault), "-q"), 5, str(first.pid), "writing"
        )
    finally:
        first.kill()
        first.wait()


def test_a_full_disk_is_one_line_and_the_next_run_goes_on(serve: Serve, tmp_path: Path) -> None:
    """A limit on the size of files stands for the full disk: the archive cannot grow past it."""
    served = serve("synthetic:messages=3000,chats=1,media=0,seed=1")
    vault = tmp_path / "v"
    told_in_one_line(
        limited(served, tmp_path, 600_000, "export", served.target, "--vault", str(vault), "-q"), 5, "disk"
    )
    assert served.tobs("export", served.target, "--vault", str(vault), "-q").code == 0
    assert len([name for name in tree(vault) if "/20" in name]) == 3000


def test_a_disk_that_fills_up_during_a_sync_is_one_line_and_the_next_sync_brings_everything(
    serve: Serve, tmp_path: Path
) -> None:
    served, vault = serve(WORLD), tmp_path / "v"
    assert served.tobs("export", served.target, "--layout", "message", "--vault", str(vault), "-q").code == 0
    served.control("/messages", {"text": "New words. " * 300, "count": 200})
    served.control("/edit", {"id": 20, "text": "Edited."})
    served.control("/delete", {"ids": [3]})
    whole = tmp_path / "whole"
    shutil.copytree(vault, whole)
    assert served.tobs("sync", "--vault", str(whole), "-q").code == 0
    before, size = tree(vault), (vault / ".tobs/archive.db").stat().st_size
    told_in_one_line(limited(served, tmp_path, size + 20_000, "sync", "--vault", str(vault), "-q"), 5, "disk")
    for name, text in tree(vault).items():
        assert text in (before.get(name), tree(whole).get(name)), f"{name} is torn"
    assert served.tobs("sync", "--vault", str(vault), "-q").code == 0
    assert tree(vault) == tree(whole)


def limited(served: Served, cwd: Path, size: int, *arguments: str) -> Done:
    """Run one command that can write no file larger than ``size`` bytes."""
    run = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}));"
        "sys.argv = ['tobs', *sys.argv[1:]]; from tobs.cli.main import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", run, *arguments],
        env=served.environment(),
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def test_usage_errors_are_exit_code_two(serve: Serve, tmp_path: Path) -> None:
    served = serve(WORLD)
    told_in_one_line(
        served.tobs("export", served.target, "--workers", "0", "--vault", str(tmp_path / "v")), 2, "workers"
    )
    told_in_one_line(served.tobs("export", "--vault", str(tmp_path / "v"), "-q"), 2, "target")
    assert served.tobs("no-such-command").code == 2
    assert served.tobs("export", "--no-such-option").code == 2


def test_the_report_file_and_stdout_hold_one_json_document(serve: Serve, tmp_path: Path) -> None:
    served = serve(WORLD)
    report = tmp_path / "report.json"
    done = served.tobs("export", served.target, "--vault", str(tmp_path / "v"), "--json", "--report", str(report))
    assert done.code == 0
    assert json.loads(report.read_text()) == done.json
