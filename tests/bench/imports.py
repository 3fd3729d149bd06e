"""What an import costs: 100,000 messages of a Telegram Desktop export, read, recorded and rendered."""

from __future__ import annotations

import json
import os
import random
import subprocess
from pathlib import Path
from typing import Any

from tests.e2e.harness import TOBS

MESSAGES = 100_000
_WORDS = ("sea", "calm", "today", "walked", "along", "the", "old", "pier", "before", "rain", "over", "hills", "harbour")


def write_export(path: Path, count: int = MESSAGES) -> Path:
    """An export of one group as Telegram Desktop writes it, indented, the same every time."""
    chance = random.Random(3)
    with path.open("w", encoding="utf-8") as file:
        file.write('{\n "name": "Pier",\n "type": "private_supergroup",\n "id": 4242,\n "messages": [\n')
        for number in range(1, count + 1):
            file.write(",\n" if number > 1 else "")
            file.write(json.dumps(_message(number, chance), ensure_ascii=False, indent=1))
        file.write("\n ]\n}\n")
    return path


def import_cost(folder: Path, export: Path, *options: str) -> tuple[float, float]:
    """(seconds of CPU, megabytes of the largest process) of an import into a new vault."""
    home = folder / "import-home"
    home.mkdir(exist_ok=True)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TOBS_")}
    vault = folder / f"import-vault{len(options)}"
    process = subprocess.Popen(
        [*TOBS, "import", str(export), "--vault", str(vault), "-q", *options],
        env=clean | {"TOBS_HOME": str(home)},
        cwd=home,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000


def _message(number: int, chance: random.Random) -> dict[str, Any]:
    pieces = [_piece(number, chance) for _ in range(chance.randint(1, 4))]
    told: dict[str, Any] = {
        "id": number,
        "type": "message",
        "date": "2020-09-13T12:26:40",
        "date_unixtime": str(1_600_000_000 + 613 * number),
        "from": f"Person {number % 50}",
        "from_id": f"user{1000 + number % 50}",
        "text": [piece["text"] if piece["type"] == "plain" else piece for piece in pieces],
        "text_entities": pieces,
    }
    if number % 7 == 0:
        told["reply_to_message_id"] = number - 3
    if number % 9 == 0:
        told["reactions"] = [{"type": "emoji", "count": 3, "emoji": "👍"}]
    return told


def _piece(number: int, chance: random.Random) -> dict[str, str]:
    kind = chance.choice(["plain", "plain", "bold", "italic", "link", "hashtag"])
    text = {"link": f"https://example.org/{number}", "hashtag": f"#{chance.choice(_WORDS)}"}.get(kind)
    return {"type": kind, "text": text or " ".join(chance.choices(_WORDS, k=chance.randint(3, 12))) + " "}
