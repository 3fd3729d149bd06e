"""A TCP connection of a client: key exchange first, then encrypted sessions."""

from __future__ import annotations

import asyncio
import struct
from typing import Any

from loguru import logger
from telethon.tl import types

from tobs.sandbox.context import ServiceContext
from tobs.sandbox.crypto.envelope import BadEnvelope, seal, unseal
from tobs.sandbox.crypto.handshake import Handshake, HandshakeFailed
from tobs.sandbox.mtproto import Dispatcher, Session, server_msg_id
from tobs.sandbox.request_handler import RequestHandler
from tobs.sandbox.rpc import Call, gzipped, rpc_result
from tobs.sandbox.state import KeyState
from tobs.sandbox.transports import BadPacket, Transport, detect

_UNKNOWN_KEY, _TRANSPORT_FLOOD = -404, -429
_GZIP_FROM = 512  # bytes


class Connection:
    """Reads packets until the client disconnects; each request is answered in a task of its own."""

    def __init__(
        self,
        context: ServiceContext,
        handler: RequestHandler,
        dc: int,
        number: int,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._context = context
        self._handler = handler
        self.dc = dc
        self.number = number
        self._reader = reader
        self._writer = writer
        self._transport: Transport | None = None
        self._handshake = Handshake(context.keys[dc], dc)
        self._sessions: dict[int, tuple[Session, Dispatcher]] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._plain_id = 0
        self._free_at = 0.0

    async def run(self) -> None:
        """Serve until the connection ends."""
        try:
            self._transport = await detect(self._reader)
            while True:
                self._packet(await self._transport.read())
                if self._writer.transport.get_write_buffer_size():
                    await self._writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        except HandshakeFailed as failure:
            logger.debug("sandbox connection {}: {}", self.number, failure)
            self._transport_error(failure.code)
        except (BadPacket, BadEnvelope) as failure:
            logger.debug("sandbox connection {}: {}", self.number, failure)
        finally:
            for task in self._tasks.values():
                task.cancel()
            for session_id in list(self._sessions):
                self.destroy_session(session_id)
            self.close()

    def close(self) -> None:
        """End the connection now."""
        self._writer.close()

    def reject_flood(self) -> None:
        """End the connection with transport error 429, as Telegram does when a client sends too many requests."""
        self._transport_error(_TRANSPORT_FLOOD)
        self.close()

    def abort(self) -> None:
        """End the connection at once, as an unplugged cable would."""
        self._writer.transport.abort()

    # -- packets

    def _packet(self, packet: bytes) -> None:
        (key_id,) = struct.unpack_from("<Q", packet)
        if key_id == 0:
            body, new_key = self._handshake.answer(packet)
            if new_key is not None:
                key = KeyState(new_key.key, new_key.key_id, self.dc, new_key.salt)
                self._context.state.keys[key.key_id] = key
            self._plain(body)
            return
        key_state = self._context.state.keys.get(key_id)
        if key_state is None or key_state.dc != self.dc:
            self._transport_error(_UNKNOWN_KEY)
            return
        inner = unseal(key_state.key, packet)
        self._session(inner.session_id, inner.msg_id, key_state).receive(inner)

    def _session(self, session_id: int, msg_id: int, key: KeyState) -> Dispatcher:
        known = self._sessions.get(session_id)
        if known is None:
            session = Session(session_id, key, self)
            dispatcher = Dispatcher(session, lambda id, request: self._request(session, id, request))
            known = self._sessions[session_id] = session, dispatcher
            self._context.sessions.append(session)
            created = types.NewSessionCreated(msg_id, session_id & 0x7FFFFFFFFFFFFFFF, key.salt)
            self.send(session, bytes(created), content=False)
        return known[1]

    def destroy_session(self, session_id: int) -> bool:
        """Forget a session; return False if there was none."""
        known = self._sessions.pop(session_id, None)
        if known is None:
            return False
        self._context.sessions.remove(known[0])
        return True

    def _plain(self, body: bytes) -> None:
        self._plain_id = max(self._plain_id + 4, server_msg_id())
        self._write(struct.pack("<qqi", 0, self._plain_id | 1, len(body)) + body)

    def _transport_error(self, code: int) -> None:
        if self._transport is not None:
            self._write(struct.pack("<i", code))

    def _write(self, packet: bytes) -> None:
        if self._transport is not None and not self._writer.is_closing():
            self._writer.write(self._transport.frame(packet))

    # -- messages

    def send(self, session: Session, body: bytes, *, answer: bool = False, content: bool = True) -> None:
        """Send one message of a session."""
        self._write(
            seal(session.key.key, session.key.key_id, session.next_message(body, answer=answer, content=content))
        )

    def answer(self, session: Session, msg_id: int, body: bytes, *, damage: bool = False, pack: bool = True) -> None:
        """Send the result of a request."""
        if pack and len(body) > _GZIP_FROM:
            body = gzipped(body)
        inner = session.next_message(rpc_result(msg_id, body), answer=True, content=True)
        packet = seal(session.key.key, session.key.key_id, inner)
        if damage:
            packet = packet[:-1] + bytes((packet[-1] ^ 1,))
        self._write(packet)
        if damage:
            self.close()  # clients ignore a packet that they cannot read and would wait for ever

    # -- requests

    def _request(self, session: Session, msg_id: int, request: Any) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(Call(self._context, session, msg_id), request))
        self._tasks[msg_id] = task
        task.add_done_callback(lambda _: self._tasks.pop(msg_id, None))

    async def _serve(self, call: Call, request: Any) -> None:
        request = call.unwrap(request)
        earlier = [self._tasks[id] for id in call.after if id in self._tasks and id != call.msg_id]
        if earlier:
            await asyncio.wait(earlier)
        body = await self._handler.handle(call, request)
        if body is None:
            self.abort()
            return
        await self._pace(len(body))
        # A file part is compressed already, or compressing it is not worth the time.
        is_part = body[:4] == struct.pack("<I", types.upload.File.CONSTRUCTOR_ID)
        self.answer(call.session, call.msg_id, body, damage=call.damage, pack=not is_part)

    def drop_answer(self, msg_id: int) -> bool:
        """Cancel a running request (rpc_drop_answer); return False if it was not running."""
        task = self._tasks.get(msg_id)
        return task is not None and task.cancel()

    async def _pace(self, size: int) -> None:
        """Wait for the time that ``size`` bytes take at the configured bandwidth."""
        bandwidth = self._context.options.bandwidth
        if not bandwidth:
            return
        now = asyncio.get_running_loop().time()
        self._free_at = max(now, self._free_at) + size / bandwidth
        await self._context.sleep(self._free_at - now)
