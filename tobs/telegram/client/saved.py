"""What the account calls the tags of its Saved Messages, and a reaction to one of them.

Which sub-dialog a saved message is in, and its tags, are told by the message itself.
Source: https://core.telegram.org/api/saved-messages
"""

from __future__ import annotations

from telethon.tl import functions, types

from tobs.telegram.convert.messages import tag_of
from tobs.telegram.net.invoker import Invoker


async def react_to_saved(invoker: Invoker, message_id: int, emoji: str) -> None:
    """React to a message to oneself; where the account is premium, a reaction is a tag there. The only request of tobs
    that puts something into a chat. Raises RequestRefused."""
    reactions = [types.ReactionEmoji(emoji)]
    await invoker(functions.messages.SendReactionRequest(types.InputPeerSelf(), message_id, reaction=reactions))


async def tag_titles(invoker: Invoker) -> dict[str, str]:
    """Titles by emoji; tags without a title are not among them. One request."""
    answer = await invoker(functions.messages.GetSavedReactionTagsRequest(hash=0))
    if not isinstance(answer, types.messages.SavedReactionTags):
        return {}
    return {tag_of(tag.reaction): tag.title for tag in answer.tags if tag.title}
