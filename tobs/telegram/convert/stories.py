"""Conversion of a TL story into ``Message`` of kind story. Story ids are the peer's own: see ``stories_of``."""

from __future__ import annotations

from typing import Any

from telethon.tl import types

from tobs.model import Forward, Message, Reaction, stories_of
from tobs.telegram.convert.basics import marked, unix_time
from tobs.telegram.convert.entities import entities_of
from tobs.telegram.convert.media import media_of
from tobs.telegram.convert.messages import reaction_of


def story_of(story: Any, peer: int) -> Message | None:
    """Convert a story of ``peer`` (a marked id); None for one that is deleted or incomplete."""
    if not isinstance(story, types.StoryItem):
        return None
    views = story.views
    return Message(
        chat_id=stories_of(peer),
        id=story.id,
        date=unix_time(story.date),
        kind="story",
        sender_id=marked(story.from_id) or peer,
        text=story.caption or "",
        entities=entities_of(story.entities),
        media=media_of(story.media),
        forward=_forward(story.fwd_from) if story.fwd_from is not None else None,
        out=bool(story.out),
        pinned=bool(story.pinned),
        no_forwards=bool(story.noforwards),
        views=views.views_count if views is not None else None,
        forwards=views.forwards_count if views is not None else None,
        reactions=_reactions(views) if views is not None else (),
    )


def _forward(header: Any) -> Forward:
    return Forward(from_id=marked(header.from_), from_name=header.from_name or "")


def _reactions(views: Any) -> tuple[Reaction, ...]:
    return tuple([reaction_of(item) for item in views.reactions or ()])
