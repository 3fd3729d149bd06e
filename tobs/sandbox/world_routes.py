"""Routes of the control endpoint that change the world: messages, chats, topics, comments, stories, tags."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from telethon.tl import types

from tobs.sandbox.worlds import World
from tobs.sandbox.worlds.markup import detect_entities
from tobs.sandbox.worlds.sample_files import JPEG_LEAST, jpeg
from tobs.sandbox.worlds.threads import comment, create_topic, edit_topic, forward_post, recount_comments

Json = dict[str, Any]
Route = Callable[[Json], Any]


class WorldRoutes:
    """The routes of one world. Each takes the fields of a request and returns the JSON of its answer."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.routes: dict[tuple[str, str], Route] = {
            ("POST", "/messages"): self._post,
            ("POST", "/edit"): self._edit,
            ("POST", "/delete"): self._delete,
            ("POST", "/react"): self._react,
            ("POST", "/pin"): self._pin,
            ("POST", "/unpin"): self._unpin,
            ("POST", "/view"): self._view,
            ("POST", "/title"): self._title,
            ("POST", "/rename"): self._rename,
            ("POST", "/forget"): self._forget,
            ("POST", "/leave"): self._leave,
            ("POST", "/migrate"): self._migrate,
            ("POST", "/stories"): self._story,
            ("POST", "/tags"): self._tag,
            ("POST", "/topics"): self._topic,
            ("POST", "/comments"): self._comment,
            ("POST", "/discuss"): self._discuss,
        }

    def _chat(self, fields: Json) -> int:
        chat = fields.get("chat") or self._world.targets[0]
        if isinstance(chat, int) or chat.lstrip("-").isdigit():
            return int(chat)
        return int(self._world.me.id) if chat == "me" else self._world.resolve(chat)

    def _media(self, fields: Json) -> Any:
        """Make media of {kind, data (base64), name, mime, …}; None when the request has no media."""
        given = fields.get("media")
        if not given:
            return None
        data = base64.b64decode(given["data"], validate=True)
        if given.get("kind") == "photo":
            photo = self._world.files.add_photo(data, given.get("width", 640), given.get("height", 480))
            return types.MessageMediaPhoto(photo=photo)
        attributes: list[Any] = [types.DocumentAttributeFilename(given.get("name", "file.bin"))]
        if given.get("kind") in ("audio", "voice"):
            voice = given["kind"] == "voice"
            attributes.append(
                types.DocumentAttributeAudio(
                    given.get("duration", 0), voice=voice, title=given.get("title"), performer=given.get("performer")
                )
            )
        document = self._world.files.add_document(data, given.get("mime", "application/octet-stream"), attributes)
        return types.MessageMediaDocument(document=document)

    # -- messages

    def _post(self, fields: Json) -> Json:
        """{text, sender, reply_to, media: {kind, data (base64), name, mime}, grouped_id, count} -> {id, ids}."""
        media, chat, text = self._media(fields), self._chat(fields), fields.get("text", "")
        ids = [
            self._world.post(
                chat,
                text,
                entities=detect_entities(text),
                sender=fields.get("sender", 0),
                reply_to=fields.get("reply_to", 0),
                grouped_id=fields.get("grouped_id"),
                media=media,
                thread=fields.get("thread", 0),
            )
            for _ in range(fields.get("count", 1))
        ]
        return {"id": ids[-1], "ids": ids}

    def _edit(self, fields: Json) -> Json:
        text = fields["text"]
        self._world.edit(self._chat(fields), int(fields["id"]), text, entities=detect_entities(text))
        return {"ok": True}

    def _delete(self, fields: Json) -> Json:
        ids = fields["ids"] if "ids" in fields else [fields["id"]]
        chat = self._chat(fields)
        deleted = self._world.delete(chat, [int(id) for id in ids])
        recount_comments(self._world, chat)
        return {"deleted": deleted}

    def _react(self, fields: Json) -> Json:
        self._world.react(self._chat(fields), int(fields["id"]), fields["emoji"], fields.get("count"))
        return {"ok": True}

    def _pin(self, fields: Json) -> Json:
        self._world.pin(self._chat(fields), int(fields["id"]))
        return {"ok": True}

    def _unpin(self, fields: Json) -> Json:
        self._world.unpin(self._chat(fields), int(fields["id"]))
        return {"ok": True}

    def _view(self, fields: Json) -> Json:
        self._world.view(self._chat(fields), int(fields["id"]), int(fields["views"]), fields.get("forwards"))
        return {"ok": True}

    def _tag(self, fields: Json) -> Json:
        """{emoji, title} -> {titles}: give a tag of Saved Messages a title; with {id}, give that message the tag."""
        if "title" in fields:
            self._world.saved_tags[fields["emoji"]] = fields["title"]
        if "id" in fields:
            self._world.tag(int(fields["id"]), fields["emoji"])
        return {"titles": self._world.saved_tags}

    # -- chats and people

    def _title(self, fields: Json) -> Json:
        """{title} -> {id}: the id of the service message about the new title."""
        return {"id": self._world.retitle(self._chat(fields), fields["title"])}

    def _rename(self, fields: Json) -> Json:
        """{user, first_name, last_name}."""
        self._world.rename(int(fields["user"]), fields["first_name"], fields.get("last_name", ""))
        return {"ok": True}

    def _forget(self, fields: Json) -> Json:
        """{chat} -> {pts}: differences from before this pts are too long."""
        chat = self._chat(fields)
        self._world.changes.forget(chat)
        return {"pts": self._world.pts(chat)}

    def _leave(self, fields: Json) -> Json:
        """{chat}: the account is no longer a member of a channel."""
        self._world.leave(self._chat(fields))
        return {"ok": True}

    def _migrate(self, fields: Json) -> Json:
        """{chat, username} -> {id}: the supergroup that a basic group became."""
        return {"id": self._world.migrate(self._chat(fields), username=fields.get("username", ""))}

    # -- topics, comments, stories

    def _topic(self, fields: Json) -> Json:
        """{chat, title, icon} -> {id}: create a topic; with {id}, change its title, closed, hidden or pinned."""
        chat = self._chat(fields)
        if "id" not in fields:
            return {"id": create_topic(self._world, chat, fields["title"], icon=fields.get("icon", 0))}
        changes = {name: fields[name] for name in ("title", "closed", "hidden", "pinned") if name in fields}
        return {"told": edit_topic(self._world, chat, int(fields["id"]), **changes)}

    def _comment(self, fields: Json) -> Json:
        """{chat, post, text, sender, reply_to, media} -> {id}: the id of the comment in the discussion group."""
        id = comment(
            self._world,
            self._chat(fields),
            int(fields["post"]),
            fields.get("text", ""),
            sender=fields.get("sender", 0),
            reply_to=fields.get("reply_to", 0),
            media=self._media(fields),
        )
        return {"id": id}

    def _discuss(self, fields: Json) -> Json:
        """{chat, post} -> {id}: the copy of a post in the discussion group, which opens it for comments."""
        return {"id": forward_post(self._world, self._chat(fields), int(fields["post"]))}

    def _story(self, fields: Json) -> Json:
        """{chat, text, data (base64 of a JPEG), pinned} -> {id}: a new story."""
        world, owner = self._world, self._chat(fields)
        data = base64.b64decode(fields["data"]) if "data" in fields else _picture(world, owner)
        pinned = bool(fields.get("pinned"))
        return {"id": world.add_story(owner, fields.get("text", ""), data, date=world.clock(), pinned=pinned)}


def _picture(world: World, owner: int) -> bytes:
    return jpeg(1 + max(world.stories.get(owner, {}), default=0), JPEG_LEAST)
