"""MTProto sessions: message ids, sequence numbers, salts, containers, gzip and the service messages.

Source: core.telegram.org/mtproto/description and /service_messages. A session belongs to one connection at a time.
"""

from __future__ import annotations

import gzip
import struct
import time
import zlib
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Protocol

from telethon.errors import TypeNotFoundError
from telethon.extensions import BinaryReader
from telethon.tl import functions, types

from tobs.sandbox.crypto.envelope import Inner
from tobs.sandbox.state import KeyState

_CONTAINER: Final = 0x73F1F8DC
_GZIP: Final = 0x3072CFA1
_ITEM: Final = struct.Struct("<qii")  # msg_id, seq_no, length
_TOO_OLD, _TOO_NEW = 300, 30  # seconds that a message id may be before or after the clock
_REMEMBERED = 1024  # message ids
BAD_SALT, ID_TOO_LOW, ID_TOO_HIGH, ID_NOT_EVEN, BAD_CONTAINER = 48, 16, 17, 18, 64

# Errors of Telethon's reader on a body that is no object of this layer.
_READ_ERRORS = (TypeNotFoundError, BufferError, struct.error, RuntimeError, IndexError)


class SessionConnection(Protocol):
    """The methods of a connection that its sessions call."""

    number: int

    def send(self, session: Session, body: bytes, *, answer: bool = False, content: bool = True) -> None: ...

    def answer(
        self, session: Session, msg_id: int, body: bytes, *, damage: bool = False, pack: bool = True
    ) -> None: ...

    def destroy_session(self, session_id: int) -> bool: ...

    def drop_answer(self, msg_id: int) -> bool: ...

    def reject_flood(self) -> None: ...


def server_msg_id() -> int:
    """Return the message id of the present moment, a multiple of 4."""
    return int(time.time() * (1 << 32)) & ~3


class Session:
    """A session of one key: the ids of received messages, the id and sequence number of the next one to send."""

    def __init__(self, session_id: int, key: KeyState, connection: SessionConnection) -> None:
        self.session_id = session_id
        self.key = key
        self.connection = connection
        self.wants_updates = False
        self._received: deque[int] = deque(maxlen=_REMEMBERED)
        self._sent_content = 0
        self._last_id = 0

    def next_message(self, body: bytes, *, answer: bool, content: bool) -> Inner:
        """Give a message of the server its id and sequence number."""
        self._last_id = max(self._last_id + 4, server_msg_id())
        seq_no = self._sent_content * 2 + content
        self._sent_content += content
        return Inner(self.key.salt, self.session_id, self._last_id | (1 if answer else 3), seq_no, body)

    def is_duplicate(self, msg_id: int) -> bool:
        """Return True for a message id that was received before; remember a new one."""
        if msg_id in self._received:
            return True
        self._received.append(msg_id)
        return False

    def has_received(self, msg_id: int) -> bool:
        return msg_id in self._received


class Dispatcher:
    """Unpacks the messages of one session, answers the service messages and passes requests on."""

    def __init__(self, session: Session, on_request: Callable[[int, Any], None]) -> None:
        self._session = session
        self._on_request = on_request

    def receive(self, inner: Inner) -> None:
        """Process one decrypted message of the client."""
        if inner.salt != self._session.key.salt:
            self._send(types.BadServerSalt(inner.msg_id, inner.seq_no, BAD_SALT, self._session.key.salt), content=False)
            return
        fault = _id_fault(inner.msg_id)
        if fault:
            self._send(types.BadMsgNotification(inner.msg_id, inner.seq_no, fault), content=False)
            return
        self._message(inner.msg_id, inner.seq_no, inner.body)

    def _message(self, msg_id: int, seq_no: int, body: bytes) -> None:
        (constructor,) = struct.unpack_from("<I", body)
        if constructor == _GZIP:
            reader = BinaryReader(body[4:])
            try:
                body = gzip.decompress(reader.tgread_bytes())
            except (OSError, EOFError, zlib.error, *_READ_ERRORS):
                self._send(types.BadMsgNotification(msg_id, seq_no, BAD_CONTAINER), content=False)
                return
            (constructor,) = struct.unpack_from("<I", body)
        if constructor == _CONTAINER:
            self._container(msg_id, seq_no, body)
            return
        if self._session.is_duplicate(msg_id):
            return
        try:
            message = BinaryReader(body).tgread_object()
        except _READ_ERRORS:
            self._on_request(msg_id, constructor)
            return
        if not self._service_message(msg_id, message):
            self._on_request(msg_id, message)

    def _container(self, msg_id: int, seq_no: int, body: bytes) -> None:
        (count,) = struct.unpack_from("<i", body, 4)
        position = 8
        for _ in range(count):
            if position + _ITEM.size > len(body):
                self._send(types.BadMsgNotification(msg_id, seq_no, BAD_CONTAINER), content=False)
                return
            item_id, item_seq, length = _ITEM.unpack_from(body, position)
            position += _ITEM.size
            self._message(item_id, item_seq, body[position : position + length])
            position += length

    def _service_message(self, msg_id: int, message: Any) -> bool:
        """Handle a service message of the protocol; return False for a request."""
        session = self._session
        match message:
            case types.MsgsAck() | types.MsgsAllInfo() | types.MsgsStateInfo() | types.HttpWait():
                pass
            case functions.PingRequest() | functions.PingDelayDisconnectRequest():
                self._send(types.Pong(msg_id, message.ping_id), content=False, answer=True)
            case functions.GetFutureSaltsRequest():
                self._send(_future_salts(msg_id, session.key.salt), content=False, answer=True)
            case types.MsgsStateReq():
                info = bytes(4 if session.has_received(id) else 1 for id in message.msg_ids)
                self._send(types.MsgsStateInfo(msg_id, info), answer=True)
            case types.MsgResendReq():
                # Answers are not stored: 1 means that the message is unknown, and the client sends its request again.
                self._send(types.MsgsStateInfo(msg_id, b"\x01" * len(message.msg_ids)), answer=True)
            case functions.DestroySessionRequest():
                existed = session.connection.destroy_session(message.session_id)
                kind = types.DestroySessionOk if existed else types.DestroySessionNone
                self._send(kind(message.session_id), answer=True)
            case functions.RpcDropAnswerRequest():
                dropped = session.connection.drop_answer(message.req_msg_id)
                known = types.RpcAnswerDroppedRunning() if dropped else types.RpcAnswerUnknown()
                session.connection.answer(session, msg_id, bytes(known))
            case _:
                return False
        return True

    def _send(self, message: Any, *, content: bool = True, answer: bool = False) -> None:
        self._session.connection.send(self._session, bytes(message), answer=answer, content=content)


def _id_fault(msg_id: int) -> int:
    seconds = msg_id / (1 << 32) - time.time()
    if msg_id % 4:
        return ID_NOT_EVEN
    if seconds < -_TOO_OLD:
        return ID_TOO_LOW
    return ID_TOO_HIGH if seconds > _TOO_NEW else 0


def _future_salts(msg_id: int, salt: int) -> Any:
    now = int(time.time())
    return types.FutureSalts(msg_id, now, [types.FutureSalt(now - 60, now + 86_400, salt)])
