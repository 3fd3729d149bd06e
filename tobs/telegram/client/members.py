"""Search for members of a chat by a part of their name."""

from __future__ import annotations

from typing import Any

from telethon.tl import functions, types

from tobs.model import Person, bare_id, is_channel_id
from tobs.telegram.client.peers import PeerDirectory
from tobs.telegram.convert import person_of
from tobs.telegram.net.invoker import Invoker

_MOST = 200


async def find_members(invoker: Invoker, peers: PeerDirectory, chat_id: int, text: str) -> list[Person]:
    """Return the members of a chat whose name contains ``text``; of a private chat, the two people. One request.

    Raises RequestRefused, for example for channels, which show their members to administrators only.
    """
    if is_channel_id(chat_id):
        answer = await invoker(
            functions.channels.GetParticipantsRequest(
                channel=await peers.input_channel(chat_id),
                filter=types.ChannelParticipantsSearch(text),
                offset=0,
                limit=_MOST,
                hash=0,
            )
        )
    elif chat_id < 0:
        answer = await invoker(functions.messages.GetFullChatRequest(bare_id(chat_id)))
    else:
        answer = await invoker(
            functions.users.GetUsersRequest([types.InputUserSelf(), await _input_user(peers, chat_id)])
        )
    users: list[Any] = answer if isinstance(answer, list) else answer.users
    peers.remember(users)
    people = [person for user in users if (person := person_of(user)) is not None]
    return [person for person in people if text.casefold() in person.name.casefold()]


async def _input_user(peers: PeerDirectory, chat_id: int) -> Any:
    peer = await peers.input_peer(chat_id)
    return (
        types.InputUserSelf() if isinstance(peer, types.InputPeerSelf) else types.InputUser(chat_id, peer.access_hash)
    )
