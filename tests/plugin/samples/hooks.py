"""Plugins with the hooks that are not about files; texts of messages tell them what to do."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from tobs.plugin import (
    Enrichment,
    Export,
    Exported,
    FinishedRun,
    MessageItem,
    NewNote,
    NoConfig,
    Plugin,
    RenderedNote,
    Run,
    Section,
)


class Reader(Plugin[NoConfig]):
    name = "reader"
    version = "1"
    time_limit = 0.5

    def enrich(self, item: MessageItem) -> Enrichment | None:
        text = item.message.text
        match text:
            case "":
                return None
            case "hang":
                time.sleep(60)
            case "raise":
                raise RuntimeError("the moon is wrong")
            case "nonsense":
                return {"fields": {}}  # type: ignore[return-value]
            case "kill":
                os.kill(os.getpid(), 9)
            case "own_field":
                return Enrichment(fields={"sender": "me"})
            case "own_field_of_a_note":
                return Enrichment(notes=(NewNote("a", "A", "", {"tobs_id": "1"}),))
        return Enrichment(
            fields={"words": len(text.split())},
            sections=(Section("Read", f"{item.chat}, {item.sender}"),),
            tags=("read",),
            related=("Reading",),
            notes=(NewNote(text, f"About {text}", "body"),),
        )


class Places(Struct, frozen=True):
    log: str


class Herald(Plugin[Places]):
    name = "herald"
    version = "1"
    opt_in = True

    def run_started(self, run: Run) -> None:
        self._write(f"{run.command} of {', '.join(run.targets)} started")

    def run_ended(self, run: FinishedRun) -> None:
        self._write(f"ok {run.ok}, {run.report['messages']['new']} new, {run.error or 'no error'}")
        if not run.ok:
            raise RuntimeError("nobody listens")

    def command(self, arguments: Sequence[str], vault: Path) -> str:
        return f"heard {' '.join(arguments)}" if arguments else 1 / 0  # type: ignore[return-value]

    def _write(self, line: str) -> None:
        with Path(self.config.log).open("a", encoding="utf-8") as log:
            log.write(f"{line}\n")


class Teller(Plugin[NoConfig]):
    name = "teller"
    version = "1"
    time_limit = 0.5

    def export(self, export: Export) -> Exported | None:
        made = export.new_file("told.txt")
        made.write_text("".join(f"{one.came} {one.chat} {one.message.text}\n" for one in export.messages()))
        match next(export.messages()).message.text:
            case "hang":
                time.sleep(60)
            case "raise":
                raise RuntimeError("the moon is wrong")
            case "nonsense":
                return [made]  # type: ignore[return-value]
            case "kill":
                os.kill(os.getpid(), 9)
            case "outside":
                return Exported((Path(__file__),))
            case "link":
                link = export.new_file("link")
                link.symlink_to(__file__)
                return Exported((link,))
        return Exported((made,))


class Finisher(Plugin[NoConfig]):
    name = "finisher"
    version = "1"
    time_limit = 0.5

    def post_render(self, note: RenderedNote) -> str | None:
        match note.body:
            case "hang":
                time.sleep(60)
            case "raise":
                raise RuntimeError("the moon is wrong")
            case "nonsense":
                return 7  # type: ignore[return-value]
            case "kill":
                os.kill(os.getpid(), 9)
            case "empty":
                return " \n"
            case "surrogate":
                return "\ud800"
            case "keep":
                return None
        if "blocks" in note.body:
            return note.body.replace(" ^m2", "")
        return f"{note.body.upper()} {note.kind} {note.chat} {len(note.messages)}"
