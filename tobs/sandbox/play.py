"""More of the control endpoint: what happens around a chat (topics, comments, tags, stories)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from tobs.sandbox.worlds import World, forge
from tobs.sandbox.worlds.migrating import migrate
from tobs.sandbox.worlds.stories import story
from tobs.sandbox.worlds.threads import comment, create_topic, edit_topic, forward_post

Json = dict[str, Any]


def routes_around(
    world: World, chat_of: Callable[[Json], int], media_of: Callable[[Json], Any]
) -> dict[tuple[str, str], Callable[[Json], Any]]:
    """Routes by method and path; ``chat_of`` tells the chat that a request's fields name, ``media_of`` makes a file."""

    def topics(fields: Json) -> Json:
        """{chat, title, icon} -> {id}: a new topic; with {id}: another title, closed, hidden, pinned."""
        if "id" not in fields:
            return {"id": create_topic(world, chat_of(fields), fields["title"], icon=fields.get("icon", 0))}
        changes = {name: fields[name] for name in ("title", "closed", "hidden", "pinned") if name in fields}
        return {"told": edit_topic(world, chat_of(fields), int(fields["id"]), **changes)}

    def comments(fields: Json) -> Json:
        """{chat, post, text, sender, reply_to, media} -> {id}: a comment under a post, its id in the discussion
        group."""
        more = {"sender": fields.get("sender", 0), "reply_to": fields.get("reply_to", 0)}
        more["media"] = media_of(fields["media"]) if fields.get("media") else None
        return {"id": comment(world, chat_of(fields), int(fields["post"]), fields.get("text", ""), **more)}

    def forwards(fields: Json) -> Json:
        """{chat, post} -> {id}: the copy of a post in the discussion group, which opens it for comments."""
        return {"id": forward_post(world, chat_of(fields), int(fields["post"]))}

    def stories(fields: Json) -> Json:
        """{chat, text, data (base64 of a JPEG), pinned} -> {id}: a new story."""
        found = world.stories.setdefault(chat_of(fields), {})
        id = max(found, default=0) + 1
        data = base64.b64decode(fields["data"]) if "data" in fields else forge.jpeg(id, forge.JPEG_LEAST)
        found[id] = story(
            world, id, fields.get("text", ""), data, date=world.clock(), pinned=bool(fields.get("pinned"))
        )
        return {"id": id}

    def migrates(fields: Json) -> Json:
        """{chat, username} -> {id}: the supergroup that a basic group became."""
        return {"id": migrate(world, chat_of(fields), username=fields.get("username", ""))}

    def tags(fields: Json) -> Json:
        """{emoji, title} -> {titles}: what a tag of Saved Messages is called; with {id} that message gets the tag."""
        if "title" in fields:
            world.saved_tags[fields["emoji"]] = fields["title"]
        if "id" in fields:
            world.tag(int(fields["id"]), fields["emoji"])
        return {"titles": world.saved_tags}

    return {
        ("POST", "/migrate"): migrates,
        ("POST", "/stories"): stories,
        ("POST", "/tags"): tags,
        ("POST", "/topics"): topics,
        ("POST", "/comments"): comments,
        ("POST", "/discuss"): forwards,
    }
