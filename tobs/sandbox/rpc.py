"""Remote calls: the wrappers around a request, the registry of services, the bytes of an answer."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
from telethon.tl import TLObject, functions, types

from tobs.sandbox.context import Clock, ServiceContext
from tobs.sandbox.mtproto import Session
from tobs.sandbox.options import SandboxOptions
from tobs.sandbox.state import KeyState, State
from tobs.sandbox.worlds import RpcError, World

Answer = Any  # a TL object, bytes already serialised, a bool, or a list of these or of longs
Handler = Callable[["Call", Any], Answer | Awaitable[Answer]]

_RPC_RESULT: Final = struct.Struct("<Iq")
_VECTOR: Final = 0x1CB5C415
_GZIP: Final = 0x3072CFA1
_TRUE, _FALSE = 0x997275B5, 0xBC799737

_WRAPPERS: Final = (
    functions.InvokeWithLayerRequest,
    functions.InitConnectionRequest,
    functions.InvokeWithoutUpdatesRequest,
    functions.InvokeAfterMsgRequest,
    functions.InvokeAfterMsgsRequest,
    functions.InvokeWithTakeoutRequest,
    functions.InvokeWithMessagesRangeRequest,
)


class Service(msgspec.Struct, frozen=True):
    """The service of one request type. ``login``: the caller must be logged in. ``any_dc``: answered on every DC."""

    handler: Handler
    login: bool
    any_dc: bool


_services: dict[type, Service] = {}


def serves(*request_types: type, login: bool = True, any_dc: bool = False) -> Callable[[Handler], Handler]:
    """Register a function as the service of request types: ``@serves(functions.messages.GetHistoryRequest)``."""

    def register(handler: Handler) -> Handler:
        for request_type in request_types:
            if request_type in _services:
                raise ValueError(f"{request_type.__name__} is served twice")
            _services[request_type] = Service(handler, login, any_dc)
        return handler

    return register


def service_of(request: Any) -> Service:
    """Return the service of a request; raise INPUT_METHOD_INVALID."""
    try:
        return _services[type(request)]
    except KeyError:
        raise RpcError(400, "INPUT_METHOD_INVALID") from None


class Call:
    """A request's session, message id and wrappers, with the parts of the server that a service needs."""

    def __init__(self, context: ServiceContext, session: Session, msg_id: int) -> None:
        self.context = context
        self.session = session
        self.msg_id = msg_id
        self.wrappers: tuple[str, ...] = ()
        self.takeout = 0
        self.range: Any = None
        self.after: tuple[int, ...] = ()
        self.with_updates = True
        self.damage = False

    @property
    def world(self) -> World:
        return self.context.world

    @property
    def state(self) -> State:
        return self.context.state

    @property
    def clock(self) -> Clock:
        return self.context.clock

    @property
    def options(self) -> SandboxOptions:
        return self.context.options

    @property
    def key(self) -> KeyState:
        return self.session.key

    @property
    def dc(self) -> int:
        """The data centre that received the request."""
        return self.session.key.dc

    def unwrap(self, request: Any) -> Any:
        """Take the wrappers off ``request``, store what they say, and return the request inside."""
        names: list[str] = []
        while isinstance(request, _WRAPPERS):
            names.append(method_name(type(request)))
            if isinstance(request, functions.InvokeWithLayerRequest):
                self.key.layer = request.layer
            elif isinstance(request, functions.InitConnectionRequest):
                self.key.api_id = request.api_id
            elif isinstance(request, functions.InvokeWithTakeoutRequest):
                self.takeout = request.takeout_id
            elif isinstance(request, functions.InvokeWithMessagesRangeRequest):
                self.range = request.range
            elif isinstance(request, functions.InvokeWithoutUpdatesRequest):
                self.with_updates = False
            elif isinstance(request, functions.InvokeAfterMsgRequest):
                self.after = (request.msg_id,)
            else:
                self.after = tuple(request.msg_ids)
            request = request.query
        self.wrappers = tuple(names)
        return request


_names: dict[type, str] = {}


def method_name(request_type: type) -> str:
    """Return a request type's name in the schema: "messages.getHistory" for messages.GetHistoryRequest."""
    if request_type not in _names:
        _names[request_type] = _schema_name(request_type)
    return _names[request_type]


def _schema_name(request_type: type) -> str:
    namespace = request_type.__module__.removeprefix(functions.__name__).removeprefix(".")
    name = request_type.__name__.removesuffix("Request")
    name = name[0].lower() + name[1:]
    return f"{namespace}.{name}" if namespace else name


def serialise(answer: Answer) -> bytes:
    """Return the bytes of an answer."""
    if isinstance(answer, bytes):
        return answer
    if isinstance(answer, bool):
        return struct.pack("<I", _TRUE if answer else _FALSE)
    if isinstance(answer, list):
        items = [struct.pack("<q", item) if isinstance(item, int) else bytes(item) for item in answer]
        return struct.pack("<Ii", _VECTOR, len(items)) + b"".join(items)
    return bytes(answer)


def gzipped(body: bytes) -> bytes:
    """Return ``body`` as gzip_packed if that is shorter, else unchanged."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    packed = packer.compress(body) + packer.flush()
    if len(packed) + 16 >= len(body):
        return body
    return struct.pack("<I", _GZIP) + bytes(TLObject.serialize_bytes(packed))


def rpc_result(msg_id: int, body: bytes) -> bytes:
    """Return the answer to message ``msg_id``."""
    return _RPC_RESULT.pack(0xF35C6D01, msg_id) + body


def rpc_error(code: int, name: str) -> bytes:
    """Return an rpc error as the body of a result."""
    return bytes(types.RpcError(code, name))
