"""Runs tobs as a user would: a sandbox in its own process, commands in theirs, folders of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

TOBS = [sys.executable, "-m", "tobs"]
_STARTS_WITHIN = 60.0


@dataclass(frozen=True)
class Done:
    """A command that ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """The one document on stdout."""
        return json.loads(self.stdout)


@dataclass(frozen=True)
class Served:
    """A sandbox that accepts connections, and a person's folder to use it from."""

    ready: dict[str, Any]
    home: Path

    @property
    def target(self) -> str:
        """The world's first target."""
        return str(self.ready["targets"][0])

    def server_key(self) -> str:
        """The sandbox's RSA public key, PEM."""
        return Path(self.ready["server_key"]).read_text(encoding="ascii")

    def environment(self) -> dict[str, str]:
        """What points tobs at this sandbox."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("TOBS_")}
        return clean | {
            "TOBS_HOME": str(self.home),
            "TOBS_API_ID": str(self.ready["api_id"]),
            "TOBS_API_HASH": self.ready["api_hash"],
            "TOBS_PHONE": self.ready["phone"],
            "TOBS_SERVER": self.ready["server"],
            "TOBS_SERVER_KEY": self.ready["server_key"],
            "TOBS_SERVER_DC": str(self.ready["dc"]),
            "COLUMNS": "100",
        }

    def tobs(self, *arguments: str, cwd: Path | None = None, timeout: float = 300.0, **env: str) -> Done:
        """Run one command to its end."""
        done = subprocess.run(
            [*TOBS, *arguments],
            env=self.environment() | env,
            cwd=cwd or self.home,
            capture_output=True,
            text=True,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str, **env: str) -> subprocess.Popen[bytes]:
        """Start one command and leave it running."""
        return subprocess.Popen(
            [*TOBS, *arguments],
            env=self.environment() | env,
            cwd=self.home,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
        )

    def login(self) -> None:
        """Log the world's person in."""
        done = self.tobs("login", "--code", self.ready["code"])
        assert done.code == 0, done.stderr

    def control(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Ask or tell the sandbox something."""
        data = None if body is None else json.dumps(body).encode()
        request = Request(self.ready["control"].rstrip("/") + path, data=data)
        with urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or b"null")

    def log(self, since: int = 0) -> list[dict[str, Any]]:
        """The requests the sandbox has answered."""
        entries: list[dict[str, Any]] = self.control(f"/log?since={since}")
        return entries


@contextmanager
def sandbox(folder: Path, world: str, *options: str) -> Iterator[Served]:
    """Serve ``world`` from a process of its own; ``folder`` becomes the person's home."""
    folder.mkdir(parents=True, exist_ok=True)
    ready_file = folder / "ready.json"
    ready_file.unlink(missing_ok=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TOBS_")}
    command = [*TOBS, "sandbox", "serve", "--world", world, "--ready-file", str(ready_file), "-q", *options]
    with (folder / "sandbox.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + _STARTS_WITHIN
            while not ready_file.exists() or not ready_file.read_bytes().strip():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError((folder / "sandbox.log").read_text())
                time.sleep(0.02)
            home = folder / "home"
            home.mkdir(exist_ok=True)
            yield Served(json.loads(ready_file.read_text()), home)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def eventually(holds: Callable[[], Any], what: str) -> None:
    """Wait until something is so: how long it takes is not what a test asserts."""
    deadline = time.monotonic() + _STARTS_WITHIN
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def tree(vault: Path) -> dict[str, bytes]:
    """Every file of the visible vault with its bytes; what lies in ``.tobs`` is tobs's own."""
    return {
        path.relative_to(vault).as_posix(): path.read_bytes()
        for path in sorted(vault.rglob("*"))
        if path.is_file() and ".tobs" not in path.relative_to(vault).parts
    }


def stamps(vault: Path) -> dict[str, int]:
    """Every file of the visible vault with its modification time in nanoseconds."""
    return {
        path.relative_to(vault).as_posix(): path.stat().st_mtime_ns
        for path in sorted(vault.rglob("*"))
        if path.is_file() and ".tobs" not in path.relative_to(vault).parts
    }
