"""Parts of files, by Telegram's rules of alignment (core.telegram.org/api/files#downloading-files), custom emoji."""

from __future__ import annotations

from typing import Any, Final

from telethon.tl import functions, types

from tobs.sandbox.peers import marked_id
from tobs.sandbox.rpc import Call, serves
from tobs.sandbox.services.cdn import hashes_at, redirect
from tobs.sandbox.worlds import Blob, RpcError
from tobs.sandbox.worlds.tl import to_date

_EMOJI_DATE: Final = 1_704_067_200  # 2024-01-01
_KIB: Final = 1024
_MIB: Final = 1 << 20
CDN_FROM: Final = 64 * _KIB
"""The smallest size in bytes of a file that is served by the CDN, if there is one."""

_TYPES: Final = (
    (b"\xff\xd8\xff", types.storage.FileJpeg),
    (b"\x89PNG", types.storage.FilePng),
    (b"GIF8", types.storage.FileGif),
    (b"%PDF", types.storage.FilePdf),
    (b"ID3", types.storage.FileMp3),
    (b"RIFF", types.storage.FileWebp),
)


@serves(functions.upload.GetFileRequest, any_dc=True)
def get_file(call: Call, request: Any) -> Any:
    check_alignment(request.offset, request.limit, precise=bool(request.precise))
    blob = _blob(call, request.location)
    if call.options.cdn and request.cdn_supported and blob.size >= CDN_FROM:
        return redirect(call, blob, _file_key(request.location), request.offset)
    part = blob.read(request.offset, request.limit) if request.offset < blob.size else b""
    return types.upload.File(_type_of(blob), 0, part)


def check_alignment(offset: int, limit: int, *, precise: bool) -> None:
    """Raise OFFSET_INVALID or LIMIT_INVALID for a part that Telegram would not serve."""
    unit = _KIB if precise else 4 * _KIB
    if offset < 0 or offset % unit:
        raise RpcError(400, "OFFSET_INVALID")
    if not 0 < limit <= _MIB or limit % unit or (not precise and _MIB % limit):
        raise RpcError(400, "LIMIT_INVALID")
    if offset // _MIB != (offset + limit - 1) // _MIB:
        raise RpcError(400, "LIMIT_INVALID")


def _blob(call: Call, location: Any) -> Blob:
    """Return the bytes of a file location; raise FILE_MIGRATE_X on another data centre than the file's."""
    world = call.world
    match location:
        case types.InputDocumentFileLocation():
            _check_dc(call, location.id)
            return world.files.open("document", location.id, location.thumb_size, bytes(location.file_reference))
        case types.InputPhotoFileLocation():
            _check_dc(call, location.id)
            return world.files.open("photo", location.id, location.thumb_size, bytes(location.file_reference))
        case types.InputPeerPhotoFileLocation():
            entity = world.entity(marked_id(world, location.peer))
            if getattr(getattr(entity, "photo", None), "photo_id", 0) != location.photo_id:
                raise RpcError(400, "LOCATION_INVALID")
            _check_dc(call, location.photo_id)
            return world.files.open("photo", location.photo_id, "c" if location.big else "a")
    raise RpcError(400, "LOCATION_INVALID")


def _file_key(location: Any) -> str:
    """Return a key of a file, the same for each location type that can name it."""
    if isinstance(location, types.InputPeerPhotoFileLocation):
        return f"photo {location.photo_id} {'c' if location.big else 'a'}"
    kind = "photo" if isinstance(location, types.InputPhotoFileLocation) else "document"
    return f"{kind} {location.id} {location.thumb_size}"


def _check_dc(call: Call, file_id: int) -> None:
    dc = call.world.files.locations.dc(file_id)
    if dc != call.dc:
        raise RpcError(303, f"FILE_MIGRATE_{dc}")


def _type_of(blob: Blob) -> Any:
    head = blob.read(0, 8)
    return next((kind() for magic, kind in _TYPES if head.startswith(magic)), types.storage.FileUnknown())


@serves(functions.upload.GetFileHashesRequest, any_dc=True)
def get_file_hashes(call: Call, request: Any) -> Any:
    """Return the SHA-256 of each 128 KiB in the MiB around ``offset``."""
    return hashes_at(_blob(call, request.location), request.offset)


@serves(functions.messages.GetCustomEmojiDocumentsRequest)
def get_custom_emoji_documents(call: Call, request: Any) -> Any:
    """Return the custom emoji that the world knows, and leave out the others."""
    known = [(id, call.world.emoji[id]) for id in request.document_id if id in call.world.emoji]
    return [_emoji_document(id, emoji) for id, emoji in known]


def _emoji_document(id: int, emoji: str) -> Any:
    attributes = [types.DocumentAttributeCustomEmoji(emoji, types.InputStickerSetEmpty())]
    return types.Document(id, 0, b"", to_date(_EMOJI_DATE), "application/x-tgsticker", 0, 2, attributes)
