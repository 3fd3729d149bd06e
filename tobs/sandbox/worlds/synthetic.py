"""A world of any size, the same for the same seed: every message is computed from its chat, rank and seed.

Messages are built as bytes (a template for the fixed parts, sentences serialised once), because a million of them
must be served faster than a client can read them; ``message`` parses these bytes.
"""

from __future__ import annotations

import datetime as dt
import struct
from collections.abc import Iterable
from functools import lru_cache

from msgspec import Struct
from telethon.extensions import BinaryReader
from telethon.tl import TLObject, types

from tobs.errors import UsageError
from tobs.model import marked_channel
from tobs.sandbox.worlds import sample_files
from tobs.sandbox.worlds.files import FileLocations, MemoryBlob, RemoteKind, StoredFile
from tobs.sandbox.worlds.markup import parse, utf16
from tobs.sandbox.worlds.peers import FullInfo
from tobs.sandbox.worlds.phrases import CODE, HIDDEN_NAMES, NAMES, REACTIONS, SENTENCES, TITLES
from tobs.sandbox.worlds.seeds import access_hash, noise, splitmix64
from tobs.sandbox.worlds.sparse_ids import SparseIds
from tobs.sandbox.worlds.tl import Tl, peer
from tobs.sandbox.worlds.world import World

START = 1_640_995_200  # 2022-01-01
SPAN = 3 * 365 * 86_400
ME = 1_000_001
FIRST_USER = 5_000_001
FIRST_CHANNEL = 1_900_000_001


class Plan(Struct, frozen=True):
    """The size of a world: ``messages`` in all, evenly in ``chats``; ``media``: the share with a file."""

    messages: int = 100_000
    chats: int = 1
    media: float = 0.1
    sparse: int = 1
    seed: int = 7


def parse_plan(spec: str) -> Plan:
    """Parse ``messages=100000,chats=1,media=0.1,sparse=1,seed=7``, each part optional; raise ``UsageError``."""
    values: dict[str, float] = {}
    for part in filter(None, spec.split(",")):
        name, _, value = part.partition("=")
        if name.strip() not in Plan.__struct_fields__:
            raise UsageError(f"A synthetic world has no {name!r}.", f"It has {', '.join(Plan.__struct_fields__)}.")
        try:
            values[name.strip()] = float(value) if name.strip() == "media" else int(value)
        except ValueError:
            raise UsageError(f"{part!r} is not a number.") from None
    plan = Plan(**values)  # type: ignore[arg-type]
    if plan.messages < 0 or not 1 <= plan.chats <= 1000 or not 0 <= plan.media <= 1 or plan.sparse < 1:
        raise UsageError(f"A synthetic world cannot be {spec!r}.", "Counts are positive, media is from 0 to 1.")
    if plan.messages * plan.sparse >= 1 << 31:
        raise UsageError("Message ids would not fit into 31 bits.", "Take fewer messages or a smaller sparse.")
    return plan


class _Sentence:
    """A serialised sentence: UTF-8, length in UTF-16 units, and entities split around offset and length."""

    def __init__(self, source: str) -> None:
        text, entities = parse(source)
        self.utf8 = text.encode()
        self.units = utf16(text)
        self.entities = []
        for entity in entities:
            data = bytes(entity)
            at = 8 if isinstance(entity, types.MessageEntityBlockquote) else 4
            self.entities.append((data[:at], entity.offset, entity.length, data[at + 8 :]))


_SENTENCES = [_Sentence(source) for source in SENTENCES]
_CODE = [_Sentence(source) for source in CODE]
_TITLES = [(title.encode(), utf16(title)) for title in TITLES]
_BOLD = bytes(types.MessageEntityBold(0, 0))[:4]
_MESSAGE = bytes(types.Message(1, types.PeerUser(1), dt.datetime.fromtimestamp(0, dt.UTC), ""))[:4]
_REPLY = bytes(types.MessageReplyHeader(reply_to_msg_id=1))[:8]
_VECTOR = struct.pack("<I", 0x1CB5C415)
_REACTION_SETS = [
    bytes(
        types.MessageReactions(
            [
                types.ReactionCount(types.ReactionEmoji(REACTIONS[(first + step) % len(REACTIONS)]), 40 // (step + 1))
                for step in range(1 + first % 4)
            ]
        )
    )
    for first in range(16)
]
_SIGNATURE = TLObject.serialize_bytes("Ada L.")


def _date(seconds: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def _forwards() -> list[tuple[bytes, tuple[int, ...]]]:
    when = _date(START - 86_400)
    heads: list[tuple[Tl, tuple[int, ...]]]
    heads = [(types.MessageFwdHeader(when, from_name=name), ()) for name in HIDDEN_NAMES]
    heads += [(types.MessageFwdHeader(when, from_id=peer(user)), (user,)) for user in range(FIRST_USER, FIRST_USER + 3)]
    first = marked_channel(FIRST_CHANNEL)
    post = types.MessageFwdHeader(when, from_id=peer(first), channel_post=1, post_author="Ada L.")
    return [(bytes(head), ids) for head, ids in [*heads, (post, (first,))]]


_FORWARDS = _forwards()


class SyntheticBase:
    """The messages of one synthetic chat. ``index``: its number in the world, 0 for the channel @synthetic."""

    def __init__(self, plan: Plan, index: int, count: int, locations: FileLocations) -> None:
        self.count = count
        self._plan = plan
        self._index = index
        self._locations = locations
        self._seed = splitmix64(plan.seed, index)
        self._ids = SparseIds(count, plan.sparse, self._seed)
        self._step = max(1, SPAN // max(1, count))
        self._broadcast = index % 2 == 0
        self._peer = types.PeerChannel(FIRST_CHANNEL + index)
        self._peer_bytes = bytes(self._peer)
        self._senders = [bytes(types.PeerUser(FIRST_USER + step)) for step in range(len(NAMES))]
        self._media_below = int(plan.media * (1 << 16))
        self.top_id = self._ids.top_id
        self._cached = lru_cache(maxsize=4096)(lambda id, version: self._raw(id))

    def rank(self, id: int) -> int:
        return self._ids.rank(id)

    def at(self, rank: int) -> int:
        return self._ids.at(rank)

    def has(self, id: int) -> bool:
        return self._ids.has(id)

    def rank_of_date(self, date: int) -> int:
        rank = max(0, min(self.count, (date - START) // self._step))
        while rank < self.count and self.date(rank) < date:
            rank += 1
        return rank

    def date(self, rank: int) -> int:
        """Return the Unix time of message ``rank``; never before that of an older message."""
        return START + rank * self._step + splitmix64(self._seed, rank, 3) % self._step

    def raw(self, id: int) -> bytes:
        return self._cached(id, self._locations.version)

    def message(self, id: int) -> Tl:
        return BinaryReader(self._raw(id)).tgread_object()

    def peek(self, id: int) -> Tl:
        return self.message(id)

    def peers(self, id: int) -> Iterable[int]:
        rank = self.rank(id)
        bits = splitmix64(self._seed, rank)
        named = set() if self._broadcast else {FIRST_USER + bits % len(NAMES)}
        if bits >> 60 == 1 and not self._is_service(rank, bits):
            named.update(_FORWARDS[(bits >> 20) % len(_FORWARDS)][1])
        return named

    def media(self, rank: int) -> tuple[RemoteKind, int] | None:
        """Return the kind of the file of message ``rank`` and the seed of its content; None without a file."""
        bits = splitmix64(self._seed, rank)
        if (bits >> 32) & 0xFFFF >= self._media_below or self._is_service(rank, bits):
            return None
        seed = splitmix64(self._seed, rank, 9)
        return ("photo" if seed % 16 < 9 or self._album(rank) else "document"), seed

    def _album(self, rank: int) -> int:
        """Return the ``grouped_id`` of the four messages around ``rank``, mostly 0."""
        group = splitmix64(self._seed, rank // 4, 4)
        return (group >> 1) | 1 if group % 16 == 0 else 0

    def _is_service(self, rank: int, bits: int) -> bool:
        return rank == 0 or bits % 499 == 0

    def _service(self, id: int, rank: int, bits: int) -> bytes:
        sender = None if self._broadcast else types.PeerUser(FIRST_USER + bits % len(NAMES))
        action, reply = types.MessageActionChannelCreate(_title(self._index)), None
        if rank:
            action = types.MessageActionPinMessage()
            reply = types.MessageReplyHeader(reply_to_msg_id=self.at(rank - 1))
        message = types.MessageService(
            id=id,
            peer_id=self._peer,
            date=_date(self.date(rank)),
            action=action,
            from_id=sender,
            reply_to=reply,
            post=self._broadcast,
        )
        return bytes(message)

    def _raw(self, id: int) -> bytes:
        rank = self._ids.rank(id)
        bits = splitmix64(self._seed, rank)
        if self._is_service(rank, bits):
            return self._service(id, rank, bits)
        flags = 128
        head = [self._peer_bytes]
        if not self._broadcast:
            flags |= 256
            head.insert(0, self._senders[bits % len(NAMES)])
        kind = bits >> 60
        if kind == 1:
            flags |= 4
            head.append(_FORWARDS[(bits >> 20) % len(_FORWARDS)][0])
        elif kind < 5:
            flags |= 8
            head += (_REPLY, struct.pack("<i", self.at(max(0, rank - 1 - (bits >> 24) % 40))))
        date = self.date(rank)
        words, entities = self._words(id, bits)
        tail = [entities]
        media = self.media(rank) if self._media_below else None
        if media is not None:
            flags |= 512
            tail.insert(0, self._media_bytes(rank, date, *media))
        if self._broadcast:
            flags |= 1024 | 16384
            views = 100 + (bits >> 8) % 5000
            tail.append(struct.pack("<ii", views, views // 60))
        if bits >> 16 & 15 == 0:
            flags |= 32768
            tail.append(struct.pack("<I", date + 60 + (bits >> 30) % 3600))
        if self._broadcast and bits >> 12 & 7 == 0:
            flags |= 65536
            tail.append(_SIGNATURE)
        if media is not None and (album := self._album(rank)):
            flags |= 131072
            tail.append(struct.pack("<q", album))
        if bits >> 50 & 3 == 0:
            flags |= 1048576
            tail.append(_REACTION_SETS[bits >> 52 & 15])
        start = _MESSAGE + struct.pack("<IIi", flags, 0, id)
        return b"".join((start, *head, struct.pack("<I", date), TLObject.serialize_bytes(words), *tail))

    def _words(self, id: int, bits: int) -> tuple[bytes, bytes]:
        """Return a message's UTF-8 text and the vector of its entities."""
        title, units = _TITLES[(bits >> 28) % len(_TITLES)]
        first = b"%b %d" % (title, id)
        units += len(first) - len(title)
        texts = [first]
        spans = [_BOLD + struct.pack("<ii", 0, units)]
        state = bits
        for index in range(3 + (bits >> 40) % 6):
            state = (state * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
            sentence = _SENTENCES[(state >> 33) % len(_SENTENCES)]
            if index == 2 and state >> 60 == 0:
                sentence = _CODE[state >> 33 & 1]
            gap = b"\n\n" if index % 4 == 0 else b"\n" if state >> 58 == 0 else b" "
            units += len(gap)
            texts += (gap, sentence.utf8)
            for front, offset, length, back in sentence.entities:
                spans.append(front + struct.pack("<ii", units + offset, length) + back)
            units += sentence.units
        return b"".join(texts), _VECTOR + struct.pack("<i", len(spans)) + b"".join(spans)

    def _media_bytes(self, rank: int, date: int, kind: RemoteKind, seed: int) -> bytes:
        id = file_id(self._index, rank)
        reference, dc = self._locations.reference(kind, id), self._locations.dc(id)
        if kind == "photo":
            sizes = [
                types.PhotoSize("m", sample_files.JPEG_WIDTH, sample_files.JPEG_HEIGHT, sample_files.JPEG_LEAST),
                types.PhotoSize("x", sample_files.JPEG_WIDTH, sample_files.JPEG_HEIGHT, photo_size(seed)),
            ]
            photo = types.Photo(id, access_hash(kind, id), reference, _date(date), sizes, dc)
            return bytes(types.MessageMediaPhoto(photo=photo))
        mime, size, attributes = document_facts(seed)
        document = types.Document(id, access_hash(kind, id), reference, _date(date), mime, size, dc, attributes)
        return bytes(types.MessageMediaDocument(document=document, voice=mime == "audio/ogg" or None))

    def file(self, kind: RemoteKind, rank: int) -> StoredFile | None:
        """Return the file of message ``rank``; None if it has none of this kind."""
        media = self.media(rank) if 0 <= rank < self.count else None
        if media is None or media[0] != kind:
            return None
        seed = media[1]
        if kind == "photo":
            return StoredFile(
                {
                    "m": MemoryBlob(sample_files.jpeg(seed, sample_files.JPEG_LEAST)),
                    "x": MemoryBlob(sample_files.jpeg(seed, photo_size(seed))),
                }
            )
        return StoredFile({"": MemoryBlob(document_bytes(seed))})


def file_id(chat: int, rank: int) -> int:
    """Return the id of the file of message ``rank`` in chat ``chat``."""
    return (1 << 60) | (chat << 40) | (rank + 1)


def photo_size(seed: int) -> int:
    """Return the size of a photo in bytes: 3 to 200 KB, small ones more often."""
    return sample_files.JPEG_LEAST + ((seed >> 8) % 443) ** 2


def document_facts(seed: int) -> tuple[str, int, list[Tl]]:
    """Return MIME type, size in bytes and attributes of a document."""
    number = seed >> 44
    match seed % 3:
        case 0:
            seconds = 1 + (seed >> 8) % 20
            voice = types.DocumentAttributeAudio(seconds, voice=True, waveform=noise(seed, 63))
            return "audio/ogg", sample_files.ogg_size(seconds), [voice]
        case 1:
            name = types.DocumentAttributeFilename(f"chart {number}.png")
            size = types.DocumentAttributeImageSize(sample_files.PNG_WIDTH, sample_files.PNG_HEIGHT)
            return "image/png", sample_files.PNG_LEAST + (seed >> 8) % 90_000, [size, name]
        case _:
            return "text/plain", 1_000 + (seed >> 8) % 60_000, [types.DocumentAttributeFilename(f"notes {number}.txt")]


def document_bytes(seed: int) -> bytes:
    """Return the bytes of the document that ``document_facts`` describes."""
    mime, size, attributes = document_facts(seed)
    match mime:
        case "audio/ogg":
            return sample_files.ogg(seed, attributes[0].duration)
        case "image/png":
            return sample_files.png(seed, size)
        case _:
            return sample_files.text(seed, size)


def _title(index: int) -> str:
    return "Synthetic" if index == 0 else f"Synthetic {index + 1}"


def synthetic_world(plan: Plan) -> World:
    """Make the world of a plan. The first chat is channel @synthetic, then groups and channels alternate."""
    me = types.User(
        ME, is_self=True, access_hash=access_hash("user", ME), first_name="Sandy", last_name="Shore",
        username="sandy_shore", phone="9996620001", contact=True, mutual_contact=True,
    )  # fmt: skip
    world = World(f"synthetic seed {plan.seed}", me, epoch=START + SPAN + 86_400)
    for step, (first, last) in enumerate(NAMES):
        id = FIRST_USER + step
        username = f"synthetic_{first.lower()}" if step % 3 == 0 and first.isalpha() and first.isascii() else None
        world.add_user(
            types.User(
                id, access_hash=access_hash("user", id), first_name=first, last_name=last or None, username=username
            )
        )
    bases: list[SyntheticBase] = []
    for index in range(plan.chats):
        count = plan.messages // plan.chats + (index < plan.messages % plan.chats)
        bases.append(SyntheticBase(plan, index, count, world.files.locations))
        _add_chat(world, index, bases[-1])
    world.targets = ["@synthetic" + (str(index + 1) if index else "") for index in range(plan.chats)]

    @lru_cache(maxsize=64)
    def find(kind: RemoteKind, id: int) -> StoredFile | None:
        chat, rank = (id >> 40) & 0xFFFFF, (id & 0xFFFFFFFFFF) - 1
        if id >> 60 != 1 or chat >= len(bases):
            return None
        return bases[chat].file(kind, rank)

    world.files.add_finder(find)
    return world


def _add_chat(world: World, index: int, base: SyntheticBase) -> None:
    id = FIRST_CHANNEL + index
    broadcast = index % 2 == 0
    people = tuple(range(FIRST_USER, FIRST_USER + len(NAMES)))
    channel = types.Channel(
        id, _title(index), types.ChatPhotoEmpty(), _date(START), access_hash=access_hash("channel", id),
        broadcast=broadcast or None, megagroup=None if broadcast else True,
        username="synthetic" + (str(index + 1) if index else ""), participants_count=len(people),
    )  # fmt: skip
    about = FullInfo(
        about="Made of numbers.", members=() if broadcast else (world.me.id, *people), members_count=len(people)
    )
    world.add_chat(marked_channel(id), channel, base, about)
