"""The control endpoint: JSON over loopback HTTP, for tests and plugin authors to play with the world.

POST ``/messages`` ``/edit`` ``/delete`` ``/react`` ``/pin`` ``/leave`` ``/faults`` ``/clock`` ``/expire`` ``/drop``
``/accept-login`` ``/end-logins`` ``/allow-takeout`` with a JSON object, GET ``/log?since=N`` and ``/state``. ``chat``
is a marked id or ``@username``; without it, the first target.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

import msgspec
from telethon.tl import types

from tobs.errors import UsageError
from tobs.sandbox.play import routes_around
from tobs.sandbox.services.qr import accept, read_token
from tobs.sandbox.services.takeout import allow
from tobs.sandbox.worlds import Refused
from tobs.sandbox.worlds.markup import found_entities
from tobs.sandbox.worlds.threads import recount_comments

if TYPE_CHECKING:
    from tobs.sandbox.server import Server

_MAX_BODY: Final = 64 << 20

Json = dict[str, Any]


class _Bad(Exception):
    """A request that cannot be answered: status and a sentence."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Control:
    """Answers one request a connection."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._routes: dict[tuple[str, str], Callable[[Json], Any]] = {
            ("POST", "/messages"): self._post,
            ("POST", "/edit"): self._edit,
            ("POST", "/delete"): self._delete,
            ("POST", "/react"): self._react,
            ("POST", "/pin"): self._pin,
            ("POST", "/unpin"): self._unpin,
            ("POST", "/view"): self._view,
            ("POST", "/title"): self._title,
            ("POST", "/rename"): self._rename,
            ("POST", "/forget"): self._forget,
            ("POST", "/leave"): self._leave,
            ("POST", "/faults"): self._faults,
            ("POST", "/clock"): self._clock,
            ("POST", "/expire"): self._expire,
            ("POST", "/drop"): self._drop,
            ("POST", "/accept-login"): self._accept_login,
            ("POST", "/end-logins"): self._end_logins,
            ("POST", "/allow-takeout"): self._allow_takeout,
            ("GET", "/log"): self._log,
            ("GET", "/state"): self._state,
            **routes_around(server.world, self._chat, self._media),
        }

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read a request, write its answer, close."""
        try:
            status, answer = HTTPStatus.OK, self._answer(*await _read(reader))
        except _Bad as bad:
            status, answer = bad.status, {"error": str(bad)}
        except Refused as refused:
            status, answer = HTTPStatus.BAD_REQUEST, {"error": refused.name}
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            writer.close()
            return
        body = json.dumps(answer, ensure_ascii=False).encode()
        head = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
        writer.close()

    def _answer(self, method: str, target: str, body: bytes) -> Any:
        url = urlsplit(target)
        route = self._routes.get((method, url.path))
        if route is None:
            raise _Bad(HTTPStatus.NOT_FOUND, f"there is no {method} {url.path}")
        fields: Json = {name: values[-1] for name, values in parse_qs(url.query).items()}
        if body:
            try:
                fields |= msgspec.json.decode(body, type=Json)
            except msgspec.DecodeError as error:
                raise _Bad(HTTPStatus.BAD_REQUEST, f"the body is no JSON object: {error}") from None
        try:
            return route(fields)
        except KeyError as error:
            raise _Bad(HTTPStatus.BAD_REQUEST, f"{error} is missing") from None
        except (TypeError, ValueError) as error:
            raise _Bad(HTTPStatus.BAD_REQUEST, str(error)) from None

    # -- routes

    def _chat(self, fields: Json) -> int:
        world = self._server.world
        chat = fields.get("chat") or world.targets[0]
        if isinstance(chat, int) or chat.lstrip("-").isdigit():
            return int(chat)
        return int(world.me.id) if chat == "me" else world.resolve(chat)

    def _post(self, fields: Json) -> Json:
        """{text, sender, reply_to, media: {kind, data (base64), name, mime}, grouped_id} -> {id}; count: so many."""
        media = self._media(fields["media"]) if fields.get("media") else None
        chat, text = self._chat(fields), fields.get("text", "")
        ids = [
            self._server.world.post(
                chat,
                text,
                entities=found_entities(text),
                sender=fields.get("sender", 0),
                reply_to=fields.get("reply_to", 0),
                grouped_id=fields.get("grouped_id"),
                media=media,
                thread=fields.get("thread", 0),
            )
            for _ in range(fields.get("count", 1))
        ]
        return {"id": ids[-1], "ids": ids}

    def _media(self, given: Json) -> Any:
        data = base64.b64decode(given["data"], validate=True)
        world = self._server.world
        if given.get("kind") == "photo":
            return types.MessageMediaPhoto(
                photo=world.add_photo(data, given.get("width", 640), given.get("height", 480))
            )
        attributes: list[Any] = [types.DocumentAttributeFilename(given.get("name", "file.bin"))]
        if given.get("kind") in ("audio", "voice"):
            voice = given["kind"] == "voice"
            attributes.append(
                types.DocumentAttributeAudio(
                    given.get("duration", 0), voice=voice, title=given.get("title"), performer=given.get("performer")
                )
            )
        document = world.add_document(data, given.get("mime", "application/octet-stream"), attributes)
        return types.MessageMediaDocument(document=document)

    def _edit(self, fields: Json) -> Json:
        text = fields["text"]
        self._server.world.edit(self._chat(fields), int(fields["id"]), text, entities=found_entities(text))
        return {"ok": True}

    def _delete(self, fields: Json) -> Json:
        ids = fields["ids"] if "ids" in fields else [fields["id"]]
        world, chat = self._server.world, self._chat(fields)
        deleted = world.delete(chat, [int(id) for id in ids])
        recount_comments(world, chat)
        return {"deleted": deleted}

    def _react(self, fields: Json) -> Json:
        self._server.world.react(self._chat(fields), int(fields["id"]), fields["emoji"], fields.get("count"))
        return {"ok": True}

    def _pin(self, fields: Json) -> Json:
        self._server.world.pin(self._chat(fields), int(fields["id"]))
        return {"ok": True}

    def _unpin(self, fields: Json) -> Json:
        self._server.world.unpin(self._chat(fields), int(fields["id"]))
        return {"ok": True}

    def _view(self, fields: Json) -> Json:
        self._server.world.view(self._chat(fields), int(fields["id"]), int(fields["views"]), fields.get("forwards"))
        return {"ok": True}

    def _title(self, fields: Json) -> Json:
        """{title} -> {id}: of the service message that tells it."""
        return {"id": self._server.world.retitle(self._chat(fields), fields["title"])}

    def _rename(self, fields: Json) -> Json:
        """{user, first_name, last_name}."""
        self._server.world.rename(int(fields["user"]), fields["first_name"], fields.get("last_name", ""))
        return {"ok": True}

    def _forget(self, fields: Json) -> Json:
        """{chat}: differences from before are too long."""
        chat = self._chat(fields)
        self._server.world.forget(chat)
        return {"pts": self._server.world.pts(chat)}

    def _leave(self, fields: Json) -> Json:
        """{chat}: the account is no member of a channel any more."""
        self._server.world.leave(self._chat(fields))
        return {"ok": True}

    def _faults(self, fields: Json) -> Json:
        """{faults: [spec], clear: bool} -> the faults in force."""
        if fields.get("clear"):
            self._server.faults.clear()
        try:
            for spec in fields.get("faults", []):
                self._server.faults.add(spec)
        except UsageError as error:
            raise _Bad(HTTPStatus.BAD_REQUEST, str(error)) from None
        return {"faults": self._server.faults.specs}

    def _clock(self, fields: Json) -> Json:
        """{advance: seconds} -> {now}."""
        self._server.clock.advance(float(fields.get("advance", 0)))
        return {"now": self._server.clock()}

    def _expire(self, fields: Json) -> Json:
        self._server.world.stamps.expire()
        return {"generation": self._server.world.stamps.generation}

    def _drop(self, fields: Json) -> Json:
        return {"connections": self._server.drop_connections()}

    def _accept_login(self, fields: Json) -> Json:
        """{token: "tg://login?token=..."} -> {user}: scan the QR code with the world's person."""
        user = int(self._server.world.me.id)
        accept(self._server, read_token(fields["token"]), user)
        return {"user": user}

    def _end_logins(self, fields: Json) -> Json:
        """{error: SESSION_REVOKED} -> {ended}: every login is ended as from another device."""
        return {"ended": self._server.state.end_logins(fields.get("error", "SESSION_REVOKED"))}

    def _allow_takeout(self, fields: Json) -> Json:
        """Press Allow in Telegram's own chat: a takeout that is delayed is given when it is asked for again."""
        allow(self._server)
        return {"ok": True}

    def _log(self, fields: Json) -> list[Json]:
        return [entry.shown() for entry in self._server.log.since(int(fields.get("since", 0)))]

    def _state(self, fields: Json) -> Json:
        server, world = self._server, self._server.world
        return {
            "world": world.name,
            "now": server.clock(),
            "ports": {str(dc): port for dc, port in server.ports.items()},
            "connections": len(server.connections),
            "requests": server.log.last,
            "faults": server.faults.specs,
            "failures": server.failures,
            "logged_in": sum(1 for key in server.state.keys.values() if key.user_id),
            "takeouts": [
                {"id": takeout.id, "finished": takeout.finished, "success": takeout.success}
                for takeout in server.state.takeouts.values()
            ],
            "chats": [
                {"chat": marked, "messages": world.history(marked).count, "top": world.history(marked).top_id}
                for marked in world.dialogs()
            ],
        }


async def _read(reader: asyncio.StreamReader) -> tuple[str, str, bytes]:
    """Method, target and body of one HTTP/1.1 request."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    parts = head[0].split(" ")
    if len(parts) != 3:
        raise _Bad(HTTPStatus.BAD_REQUEST, "this is no HTTP request")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > _MAX_BODY:
        raise _Bad(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the body is too long")
    return parts[0], parts[1], await reader.readexactly(int(length))
