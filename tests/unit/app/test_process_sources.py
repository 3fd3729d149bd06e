"""`tobs process` fetches what is wanted from the source that has it."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from tobs.app.context import open_app_context
from tobs.app.events import Events
from tobs.app.execute import execute
from tobs.archive import MediaDecision, open_archive, record_page
from tobs.model import Chat, DroppedFile, Page
from tobs.model.requests import ImportRequest, ProcessRequest
from tobs.sources.inbox import INBOX, INBOX_CHAT, inbox_message

EXPORT = '{"name": "Ada", "type": "personal_chat", "id": 42, "messages": [%s]}'
MESSAGE = '{"id": 1, "type": "message", "date": "2020-09-13T12:26:40", "date_unixtime": "1600000000", "from": "Ada",'
MESSAGE += ' "from_id": "user42", "text": "hello", "text_entities": []}'


def test_a_file_of_the_inbox_comes_from_the_inbox_and_needs_no_telegram(tmp_path: Path) -> None:
    app = open_app_context({"vault": str(tmp_path / "vault"), "timezone": "UTC"}, cwd=tmp_path, home=tmp_path / "home")
    (tmp_path / "result.json").write_text(EXPORT % MESSAGE)
    asyncio.run(execute(ImportRequest(path=str(tmp_path / "result.json")), app, Events()))
    inbox = tmp_path / "vault/Telegram/Inbox"
    inbox.mkdir()
    (inbox / "memo.txt").write_text("remember")
    with open_archive(tmp_path / "vault/.tobs/archive.db", clock=time.time) as archive:
        assert archive.chats.source(0, 42) == "desktop"
        archive.chats.put(0, Chat(INBOX, INBOX_CHAT.kind, INBOX_CHAT.title, top=1), source="inbox")
        archive.notes.claim(
            str(INBOX), "chat", account=0, chat_id=INBOX, message_id=0, candidates=["Telegram/Inbox/Inbox.md"]
        )
        dropped = inbox_message(1, DroppedFile("memo.txt", 8, 1_600_000_000.0), sender=0)
        record_page(archive, 0, Page(INBOX, 1, 1, (dropped,)), lambda *_: MediaDecision("wanted"), source="inbox")
    report = asyncio.run(execute(ProcessRequest(offline=True), app, Events()))
    assert (report.media.downloaded, report.problems) == (1, [])
    [placed] = (inbox / "media").glob("*.txt")
    assert placed.read_text() == "remember"
