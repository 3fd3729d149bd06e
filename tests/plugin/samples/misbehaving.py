"""Plugins that fail in every way there is, for the tests of the host."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from msgspec import Struct

from tobs.plugin import Item, NewFile, Plugin, Result, Unreadable


class NoOptions(Struct, frozen=True):
    pass


class Quiet(Plugin[NoOptions]):
    """Behaves: tells what was in the file."""

    name = "quiet"
    version = "1"
    handles = frozenset({"document"})

    def process(self, item: Item) -> Result | None:
        text = item.path.read_text()
        return Result(fields={"words": len(text.split()), "pid": os.getpid()}) if text else None


class Bad(Plugin[NoOptions]):
    """Does what the file says."""

    name = "bad"
    version = "1"
    handles = frozenset({"document"})
    time_limit = 0.5
    memory_limit = 400 * 2**20

    def process(self, item: Item) -> Result | None:
        return getattr(self, f"_{item.path.read_text()}")(item)

    def _fine(self, item: Item) -> Result:
        return Result(fields={"pid": os.getpid()})

    def _hang(self, item: Item) -> None:
        time.sleep(60)

    def _hang_with_child(self, item: Item) -> None:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        (item.path.parent / "child.pid").write_text(str(child.pid))
        time.sleep(60)

    def _hang_with_escaped_child(self, item: Item) -> None:
        code = "import time; time.sleep(60)"
        child = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
        (item.path.parent / "child.pid").write_text(str(child.pid))
        time.sleep(60)

    def _raise(self, item: Item) -> None:
        raise RuntimeError("the moon\nis wrong")

    def _unreadable(self, item: Item) -> None:
        raise Unreadable("not my kind of file")

    def _exit(self, item: Item) -> None:
        sys.exit(3)

    def _kill(self, item: Item) -> None:
        os.kill(os.getpid(), 9)

    def _last_words(self, item: Item) -> None:
        os.write(2, b"something went very wrong\n")
        os._exit(7)

    def _junk(self, item: Item) -> None:
        for descriptor in range(3, 20):
            with contextlib.suppress(OSError):
                os.write(descriptor, b"\0\0\0\4junk")
        time.sleep(60)

    def _memory(self, item: Item) -> Result:
        return Result(fields={"length": len(bytearray(2**30))})

    def _print(self, item: Item) -> Result:
        sys.stdout.write("not for the host's ears\n" * 1000)
        sys.stdout.flush()
        return Result()

    def _read_input(self, item: Item) -> Result:
        return Result(fields={"input": sys.stdin.read()})

    def _dict(self, item: Item) -> dict[str, str]:
        return {"title": "x"}

    def _wrong_field(self, item: Item) -> Result:
        return Result(fields={"title": {"deep": 1}})

    def _object(self, item: Item) -> Result:
        return Result(fields={"title": object()})

    def _huge_number(self, item: Item) -> Result:
        return Result(fields={"track": 2**80})

    def _not_a_number(self, item: Item) -> Result:
        return Result(fields={"track": float("nan")})

    def _own_field(self, item: Item) -> Result:
        return Result(fields={"tobs_id": "-1/1"})

    def _bad_name(self, item: Item) -> Result:
        return Result(fields={"a: b\nc": "x"})

    def _bad_tag(self, item: Item) -> Result:
        return Result(tags=("two words",))

    def _long_text(self, item: Item) -> Result:
        return Result(fields={"title": "x" * 70_000})

    def _huge_result(self, item: Item) -> Result:
        return Result(fields={f"f{n}": "x" * 2000 for n in range(10_000)})

    def _outside(self, item: Item) -> Result:
        return Result(files=(NewFile(Path("/etc/passwd"), "cover"),))

    def _dots(self, item: Item) -> Result:
        item.new_file("x").write_text("x")
        return Result(replacement=item.work / ".." / ".." / item.path.name)

    def _link(self, item: Item) -> Result:
        link = item.new_file("cover.jpg")
        link.symlink_to(item.path)
        return Result(files=(NewFile(link, "cover"),))

    def _absent(self, item: Item) -> Result:
        return Result(files=(NewFile(item.work / "never-made.jpg", "cover"),))

    def _empty_file(self, item: Item) -> Result:
        item.new_file("cover.jpg").touch()
        return Result(files=(NewFile(item.work / "cover.jpg", "cover"),))

    def _other_format(self, item: Item) -> Result:
        item.new_file("tagged.mp3").write_text("x")
        return Result(replacement=item.work / "tagged.mp3", in_place=True)

    def _nothing_in_place(self, item: Item) -> Result:
        return Result(in_place=True)

    def _work_elsewhere(self, item: Item) -> Result:
        elsewhere = item.path.parent / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / "diary.txt").write_text("mine")
        item.work.parent.mkdir(parents=True, exist_ok=True)
        item.work.symlink_to(elsewhere)
        return Result(files=(NewFile(item.work / "diary.txt", "cover"),))

    def _folder_elsewhere(self, item: Item) -> Result:
        item.new_file("x")
        (item.work / "folder").symlink_to(item.path.parent)
        return Result(files=(NewFile(item.work / "folder" / item.path.name, "cover"),))

    def _circle(self, item: Item) -> Result:
        one, other = item.new_file("one.jpg"), item.new_file("other.jpg")
        one.symlink_to(other)
        other.symlink_to(one)
        return Result(files=(NewFile(one, "cover"),))

    def _nul(self, item: Item) -> Result:
        return Result(replacement=item.work / "a\0b.jpg")

    def _long_name(self, item: Item) -> Result:
        return Result(replacement=item.work / ("a" * 5000))

    def _relative(self, item: Item) -> Result:
        return Result(replacement=Path("pyproject.toml"))

    def _pipe(self, item: Item) -> Result:
        os.mkfifo(item.new_file("cover.jpg"))
        return Result(files=(NewFile(item.work / "cover.jpg", "cover"),))

    def _close_everything(self, item: Item) -> Result:
        os.closerange(3, 100)
        return Result()

    def _fork(self, item: Item) -> Result:
        os.fork()  # both answer
        return Result(fields={"pid": os.getpid()})

    def _recurse(self, item: Item) -> Result:
        return self._recurse(item)

    def _raise_oddly(self, item: Item) -> Result:
        class Odd(Exception):
            def __str__(self) -> str:
                raise RuntimeError("not even a name")

        raise Odd

    def _interrupt(self, item: Item) -> Result:
        raise KeyboardInterrupt

    def _threads(self, item: Item) -> Result:
        for _ in range(3):
            threading.Thread(target=time.sleep, args=(60,)).start()
        return Result(fields={"threads": threading.active_count()})

    def _elsewhere(self, item: Item) -> Result:
        os.chdir("/")
        sys.stdout = None  # type: ignore[assignment]
        sys.stderr = None  # type: ignore[assignment]
        return Result(fields={"here": str(Path.cwd())})

    def _secret(self, item: Item) -> Result:
        return Result(fields={"seen": sorted(name for name in os.environ if "TOBS" in name.upper())})


class Home(Struct, frozen=True):
    pid: int


class Unstartable(Plugin[Home]):
    """Can be made in one process only, and that is not its worker's."""

    name = "unstartable"
    version = "1"
    handles = frozenset({"document"})

    def __init__(self, config: Home) -> None:
        super().__init__(config)
        if os.getpid() != config.pid:
            raise OSError("the model is not here")


class Lonely(Quiet):
    """As ``Quiet``, never in two processes at the same time."""

    name = "lonely"
    batch = 1
    processes = 1
