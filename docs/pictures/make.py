"""Makes the README's picture from a real run: ``python -m docs.pictures.make`` (needs Chromium and the Inter font).

``tobs demo`` writes its vault into a temporary folder. Three of its notes, as they are on disk, are laid out the way
Obsidian shows them, and Chromium takes the picture. Nothing in it is written by hand: names, properties, text, links,
photo, sizes and counts come from the vault.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

from docs.pictures.window import Pane, Window, window_html

HERE = Path(__file__).parent
CHANNEL = "Telegram/The Old Exchange · Mill Lane 7"
PANES = (
    Pane(f"{CHANNEL}/2024/03/2024-03-02 5 The house this morning. The left window on the.md"),
    Pane("Telegram/Audio/The Old Exchange · Mill Lane 7 2024-03-07 17 voice message.md"),
    Pane("Telegram/Party Line ☎️/2024/03/2024-03-09 37 Four visitors from the attic the black one.md", folded=True),
)
OPEN_FOLDERS = ("Telegram", "Telegram/People", CHANNEL, f"{CHANNEL}/2024", f"{CHANNEL}/2024/03")

SIZE = (1440, 1096)
SCALE = 1.5
MOST_BYTES = 400_000


def main() -> None:
    """Run the demo and write ``vault.png`` beside this file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chromium", default=shutil.which("chromium") or "chromium")
    chromium = parser.parse_args().chromium
    with tempfile.TemporaryDirectory(prefix="tobs-pictures-") as folder:
        work = Path(folder)
        vault = work / "demo-vault"
        _run_demo(vault)
        page = work / "window.html"
        window = Window(vault, PANES, OPEN_FOLDERS)
        page.write_text(window_html(window, (HERE / "window.css").read_text(encoding="utf-8")), encoding="utf-8")
        _photograph(chromium, page, work)
        _pack(work / "shot.png", HERE / "vault.png")


def _run_demo(vault: Path) -> None:
    """The vault of ``tobs demo``."""
    command = [sys.executable, "-m", "tobs", "demo", "--quiet", "--vault", str(vault)]
    subprocess.run(command, env=os.environ | {"TOBS_TIMEZONE": "Europe/Vienna"}, check=True)


def _photograph(chromium: str, page: Path, work: Path) -> None:
    """Let Chromium take the picture, with nothing of its own talking to the network."""
    subprocess.run(
        [
            chromium,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            f"--user-data-dir={work / 'chromium'}",
            f"--window-size={SIZE[0]},{SIZE[1]}",
            f"--force-device-scale-factor={SCALE}",
            f"--screenshot={work / 'shot.png'}",
            page.as_uri(),
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )


def _pack(shot: Path, picture: Path) -> None:
    """256 colours are enough for drawn pictures and text, and make a small file."""
    with Image.open(shot) as image:
        image.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(picture, optimize=True)
    size = picture.stat().st_size
    if size > MOST_BYTES:
        raise SystemExit(f"{picture.name} has {size} bytes; at most {MOST_BYTES} may be committed")


if __name__ == "__main__":
    main()
