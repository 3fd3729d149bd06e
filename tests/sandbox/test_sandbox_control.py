"""The ready file and the control endpoint."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.sandbox.conftest import SMALL, telethon_client
from tobs.errors import NetworkError, UsageError
from tobs.sandbox import Sandbox, SandboxOptions, open_world, serve
from tobs.sandbox.crypto.keys import process_key


async def post(sandbox: Sandbox, path: str, **fields: Any) -> Any:
    async with httpx.AsyncClient() as http:
        answer = await http.post(sandbox.ready.control + path, json=fields)
        answer.raise_for_status()
        return answer.json()


async def get(sandbox: Sandbox, path: str) -> Any:
    async with httpx.AsyncClient() as http:
        return (await http.get(sandbox.ready.control + path)).json()


def read_ready(ready_file: Path) -> tuple[dict[str, Any], str]:
    ready = json.loads(ready_file.read_text())
    return ready, Path(ready["server_key"]).read_text()


async def test_the_ready_file_has_everything_a_client_needs(tmp_path: Path) -> None:
    ready_file = tmp_path / "ready.json"
    async with serve(open_world(SMALL), ready_file=ready_file):
        ready, pem = read_ready(ready_file)
    assert set(ready) == {
        *("server", "server_key", "dc", "api_id", "api_hash", "phone", "code", "password", "bot_token"),
        *("targets", "control"),
    }
    assert ready["dc"] == 2 and ready["api_id"] == 1 and ready["password"] is None
    assert ready["targets"][0].startswith("@")
    assert pem == process_key().pem


async def test_messages_are_posted_edited_and_deleted(sandbox: Sandbox, client) -> None:
    target = sandbox.ready.targets[0]
    id = (await post(sandbox, "/messages", chat=target, text="from outside"))["id"]
    assert (await client.get_messages(target, ids=id)).message == "from outside"
    await post(sandbox, "/edit", id=id, text="changed")
    assert (await client.get_messages(target, ids=id)).message == "changed"
    await post(sandbox, "/react", id=id, emoji="🔥")
    await post(sandbox, "/pin", id=id)
    assert (await post(sandbox, "/delete", ids=[id, 10_000_000]))["deleted"] == [id]
    assert await client.get_messages(target, ids=id) is None


async def test_what_is_posted_has_the_entities_that_a_server_finds(sandbox: Sandbox, client) -> None:
    target = sandbox.ready.targets[0]
    id = (await post(sandbox, "/messages", chat=target, text="🙂 see https://e.example/x #tag"))["id"]
    found = (await client.get_messages(target, ids=id)).entities
    assert [(type(each).__name__, each.offset, each.length) for each in found] == [
        ("MessageEntityUrl", 7, 19),
        ("MessageEntityHashtag", 27, 4),
    ]
    await post(sandbox, "/edit", id=id, text="@someone")
    assert type((await client.get_messages(target, ids=id)).entities[0]).__name__ == "MessageEntityMention"


async def test_a_posted_file_can_be_downloaded(sandbox: Sandbox, client) -> None:
    data = b"a small file" * 1000
    media = {"kind": "document", "name": "small.txt", "mime": "text/plain", "data": base64.b64encode(data).decode()}
    id = (await post(sandbox, "/messages", text="with a file", media=media))["id"]
    message = await client.get_messages(sandbox.ready.targets[0], ids=id)
    assert message.file.name == "small.txt"
    assert await client.download_media(message, file=bytes) == data


async def test_the_log_has_the_fields_of_the_interface(sandbox: Sandbox, client) -> None:
    seen = (await get(sandbox, "/state"))["requests"]
    await client.get_messages(sandbox.ready.targets[0], 1)
    entries = await get(sandbox, f"/log?since={seen}")
    assert entries[-1]["method"] == "messages.getHistory"
    assert {"n", "time", "method", "wrappers", "connection", "dc", "auth_key_id"} <= set(entries[-1])
    assert [entry["n"] for entry in entries] == list(range(seen + 1, seen + 1 + len(entries)))


async def test_faults_the_clock_and_connections_are_turned_from_outside(sandbox: Sandbox, client) -> None:
    faults = await post(sandbox, "/faults", faults=["messages.getHistory=flood:3"])
    assert faults == {"faults": ["messages.getHistory=flood:3"]}
    assert await post(sandbox, "/faults", clear=True) == {"faults": []}
    before = sandbox.server.clock()
    assert (await post(sandbox, "/clock", advance=500))["now"] >= before + 500
    assert (await post(sandbox, "/expire"))["generation"] == 2
    assert (await post(sandbox, "/drop"))["connections"] == 1
    assert await client.get_messages(sandbox.ready.targets[0], 1)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/nowhere", {}, 404),
        ("/edit", {"id": 1}, 400),
        ("/edit", {"id": "x", "text": ""}, 400),
        ("/faults", {"faults": ["nonsense"]}, 400),
        ("/messages", {"chat": "@nobody_at_all"}, 400),
        ("/messages", {"media": {"data": "###"}}, 400),
    ],
)
async def test_a_wrong_request_is_answered_with_a_reason(
    sandbox: Sandbox, path: str, body: dict[str, Any], status: int
) -> None:
    async with httpx.AsyncClient() as http:
        answer = await http.post(sandbox.ready.control + path, json=body)
    assert answer.status_code == status and answer.json()["error"]


async def test_a_port_that_is_taken_and_too_many_data_centres_are_told(sandbox: Sandbox) -> None:
    port = int(sandbox.ready.server.partition(":")[2])
    with pytest.raises(NetworkError):
        async with serve(open_world(SMALL), SandboxOptions(port=port)):
            pass
    with pytest.raises(UsageError):
        async with serve(open_world(SMALL), SandboxOptions(dcs=6)):
            pass


async def test_logins_survive_a_restart_with_the_same_state() -> None:
    world = open_world(SMALL)
    async with serve(world) as first:
        port = int(first.ready.server.partition(":")[2])
        state = first.server.state
        async with telethon_client(first) as client:
            await first.server.stop()
            async with serve(world, SandboxOptions(port=port), state=state):
                await asyncio.sleep(0.05)
                assert await client.get_messages(first.ready.targets[0], 1)
