"""Conversion of one TL message into ``Message``. Hot path: called once for every message of an export."""

from __future__ import annotations

from typing import Any

from telethon.tl import types

from tobs.model import Action, Button, FileItem, Forward, Message, Reaction, Reply, SuggestedPost
from tobs.telegram.convert.attached import attached_of
from tobs.telegram.convert.basics import marked, plain_fields, snake, unix_time
from tobs.telegram.convert.entities import entities_of
from tobs.telegram.convert.files import photo_of
from tobs.telegram.convert.media import media_of
from tobs.telegram.convert.richtext import blocks_of

_ACTION_PREFIX = "MessageAction"
_DISCARD_REASON_PREFIX = "phone_call_discard_reason_"
_CHANNELS = -(10**12)


def message_of(message: Any, me: int = 0) -> Message | None:
    """Convert a TL message as the account with user id ``me`` sees it; None for an empty (deleted) one."""
    if isinstance(message, types.MessageService):
        return _service(message, me)
    if not isinstance(message, types.Message):
        return None
    chat_id = marked(message.peer_id)
    media = message.media
    reply_to = message.reply_to
    reply, topic_id = _reply_and_topic(reply_to) if reply_to is not None else (None, 0)
    replies = message.replies
    rich = message.rich_message
    return Message(
        chat_id=chat_id,
        id=message.id,
        date=unix_time(message.date),
        kind="unsupported" if type(media) is types.MessageMediaUnsupported else "message",
        sender_id=_sender(message, chat_id, me),
        text=message.message or "",
        entities=entities_of(message.entities),
        blocks=blocks_of(rich) if rich is not None else (),
        media=media_of(media) if media is not None else None,
        attached=attached_of(media, rich) if media is not None or rich is not None else (),
        edited=0 if message.edit_hide else unix_time(message.edit_date),
        album_id=message.grouped_id or 0,
        topic_id=topic_id,
        reply=reply,
        forward=_forward(message.fwd_from) if message.fwd_from is not None else None,
        via_bot=message.via_bot_id or 0,
        signature=message.post_author or "",
        out=bool(message.out),
        pinned=bool(message.pinned),
        silent=bool(message.silent),
        no_forwards=bool(message.noforwards),
        ttl=message.ttl_period or 0,
        restriction=_restriction(message.restriction_reason) if message.restriction_reason else "",
        effect=message.effect or 0,
        saved_from=_saved_from(message),
        buttons=_buttons(message.reply_markup) if message.reply_markup is not None else (),
        views=message.views,
        forwards=message.forwards,
        comments=replies.replies if replies is not None and replies.comments else None,
        reactions=_reactions(message.reactions) if message.reactions is not None else (),
        saved_tags=_saved_tags(message.reactions) if message.reactions is not None else (),
        fact_check=_fact_check(message.factcheck),
        suggested=_suggested(message.suggested_post) if message.suggested_post is not None else None,
        paid_stars=message.paid_message_stars or 0,
        business_bot=message.via_business_bot_id or 0,
    )


def _service(message: Any, me: int) -> Message:
    chat_id = marked(message.peer_id)
    action = message.action
    reply, topic_id = _reply_and_topic(message.reply_to) if message.reply_to is not None else (None, 0)
    if isinstance(action, types.MessageActionTopicCreate):
        topic_id = message.id
    return Message(
        chat_id=chat_id,
        id=message.id,
        date=unix_time(message.date),
        kind="service",
        sender_id=_sender(message, chat_id, me),
        media=action_photo(action),
        action=action_of(action),
        topic_id=topic_id,
        reply=reply,
        out=bool(message.out),
        silent=bool(message.silent),
        ttl=message.ttl_period or 0,
        reactions=_reactions(message.reactions) if message.reactions is not None else (),
    )


def _sender(message: Any, chat_id: int, me: int) -> int:
    """Return the marked id of the sender: the named one, the channel itself, or a side of a private chat; 0 when
    hidden."""
    if message.from_id is not None:
        return marked(message.from_id)
    if message.post or chat_id < _CHANNELS:
        return chat_id
    if chat_id > 0:
        return me if message.out else chat_id
    return 0


def _reply_and_topic(header: Any) -> tuple[Reply | None, int]:
    """Return the reply and the forum topic id; the first message level of a topic replies to the topic itself."""
    if isinstance(header, types.MessageReplyStoryHeader):
        return Reply(chat_id=marked(header.peer), story_id=header.story_id), 0
    target = header.reply_to_msg_id or 0
    topic_id = 0
    if header.forum_topic:
        topic_id = header.reply_to_top_id or target
        if not header.reply_to_top_id and not header.quote_text:
            return None, topic_id
    chat_id = marked(header.reply_to_peer_id)
    origin = header.reply_from
    if not target and not header.quote_text and not chat_id and origin is None:
        return None, topic_id
    reply = Reply(
        message_id=target,
        chat_id=chat_id,
        quote=header.quote_text or "",
        quote_entities=entities_of(header.quote_entities),
        todo_item=header.todo_item_id or 0,
        from_id=marked(origin.from_id) if origin is not None else 0,
        from_name=(origin.from_name or "") if origin is not None else "",
        thread_id=0 if header.forum_topic else header.reply_to_top_id or 0,
    )
    return reply, topic_id


def _forward(header: Any) -> Forward:
    from_id = marked(header.from_id)
    return Forward(
        date=unix_time(header.date),
        from_id=from_id,
        from_name=header.from_name or "",
        chat_id=from_id if from_id < 0 else 0,
        message_id=header.channel_post or 0,
        signature=header.post_author or "",
        imported=bool(header.imported),
    )


def _saved_from(message: Any) -> int:
    """Return the sub-dialog of Saved Messages, else the chat that a saved message was forwarded from; 0 for none."""
    if message.saved_peer_id is not None:
        return marked(message.saved_peer_id)
    header = message.fwd_from
    return marked(header.saved_from_peer) if header is not None else 0


def _restriction(reasons: Any) -> str:
    return "; ".join(dict.fromkeys(reason.text or reason.reason for reason in reasons))


def _saved_tags(reactions: Any) -> tuple[str, ...]:
    """Return the tags of a saved message, which Telegram sends as reactions.

    Source: https://core.telegram.org/api/saved-messages
    """
    return tuple([tag_of(item.reaction) for item in reactions.results]) if reactions.reactions_as_tags else ()


def tag_of(reaction: Any) -> str:
    """Return the emoji of a tag; ``custom 5`` for a custom one."""
    if isinstance(reaction, types.ReactionEmoji):
        return str(reaction.emoticon)
    return f"custom {reaction.document_id}" if isinstance(reaction, types.ReactionCustomEmoji) else ""


def _reactions(reactions: Any) -> tuple[Reaction, ...]:
    if reactions.reactions_as_tags:
        return ()
    return tuple([reaction_of(item) for item in reactions.results])


def reaction_of(item: Any) -> Reaction:
    """Convert a TL ``ReactionCount``."""
    reaction = item.reaction
    if isinstance(reaction, types.ReactionEmoji):
        return Reaction(item.count, emoji=reaction.emoticon)
    if isinstance(reaction, types.ReactionCustomEmoji):
        return Reaction(item.count, custom_id=reaction.document_id)
    return Reaction(item.count, paid=isinstance(reaction, types.ReactionPaid))


def _buttons(markup: Any) -> tuple[tuple[Button, ...], ...]:
    """Convert the inline buttons under a message; a reply keyboard belongs to the input field and is left out."""
    if not isinstance(markup, types.ReplyInlineMarkup):
        return ()
    return tuple(tuple(_button(button) for button in row.buttons) for row in markup.rows)


def _button(button: Any) -> Button:
    form = button.type
    kind = snake(type(form).__name__.removeprefix("InlineButtonType"))
    return Button(
        button.text,
        kind,
        url=getattr(form, "url", None) or "",
        copy=getattr(form, "copy_text", None) or "",
        user_id=form.user_id if isinstance(form, types.InlineButtonTypeUserProfile) else 0,
    )


def _suggested(post: Any) -> SuggestedPost:
    price = post.price
    in_ton = isinstance(price, types.StarsTonAmount)
    return SuggestedPost(
        state="accepted" if post.accepted else "rejected" if post.rejected else "",
        price=price.amount if price is not None else 0,
        currency="" if price is None else "TON" if in_ton else "XTR",
        date=unix_time(post.schedule_date),
    )


def _fact_check(check: Any) -> str:
    return check.text.text if check is not None and check.text is not None else ""


def action_of(action: Any) -> Action:
    """Convert any ``MessageAction``: ``chat_add_user`` with ``{"users": [5]}``."""
    values = plain_fields(action)
    reason = values.get("reason")
    if isinstance(reason, str):
        values["reason"] = reason.removeprefix(_DISCARD_REASON_PREFIX)
    return Action(snake(type(action).__name__.removeprefix(_ACTION_PREFIX)), values)


def action_photo(action: Any) -> FileItem | None:
    """Return the picture of an action (a chat's new photo); None for others."""
    photo = getattr(action, "photo", None)
    return photo_of(photo) if isinstance(photo, types.Photo) else None
