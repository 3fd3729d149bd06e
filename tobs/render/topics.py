"""The note of a forum topic."""

from __future__ import annotations

from msgspec import Struct

from tobs.model import Chat, Topic
from tobs.render.context import Context
from tobs.render.escape import escape_name, one_line
from tobs.render.frontmatter import Value
from tobs.render.links import message_link
from tobs.render.notes import finish, link_to, tobs_id
from tobs.render.templates import Templates
from tobs.render.views import Links, Rendered, RenderOptions, TopicStats

TOPIC_TEMPLATE = "topic.md.j2"


class TopicView(Struct, frozen=True):
    """A topic as its template sees it: Markdown blocks (empty if there is nothing to show) and the plain structs."""

    title: str
    facts: str = ""
    ends: str = ""
    topic: Topic | None = None
    stats: TopicStats = TopicStats()


def render_topic(
    chat: Chat, topic: Topic, stats: TopicStats, links: Links, options: RenderOptions, templates: Templates
) -> Rendered:
    """Render the note of ``topic`` in the forum ``chat``."""
    context = Context(links, options, chat.id, chat.username)
    translate = context.translate
    facts = [translate("topic.of", chat=context.name(chat.id)), translate("messages", n=stats.messages)]
    facts += [translate(f"topic.{name}") for name in ("closed", "pinned", "hidden") if getattr(topic, name)]
    if topic.created:
        facts.append(translate("topic.created", date=context.when(topic.created), who=context.name(topic.creator)))
    past = [escape_name(title) for title in stats.past_titles]
    ends = [
        f"- {translate(key)}: {context.message_link(chat.id, end[0], context.when(end[1]))}"
        for key, end in (("first_message", stats.first), ("last_message", stats.last))
        if end is not None
    ]
    view = TopicView(
        title=one_line(topic.title),
        facts=", ".join(facts) + (f"\n\n{translate('past_titles')}: {', '.join(past)}" if past else ""),
        ends="\n".join(ends),
        topic=topic,
        stats=stats,
    )
    titles = dict.fromkeys(one_line(title) for title in (topic.title, *stats.past_titles))
    properties: list[tuple[str, Value]] = [
        ("tobs_id", tobs_id(chat.id, options, f"/topic/{topic.id}")),
        ("aliases", tuple(title for title in titles if title)),
        ("title", one_line(topic.title)),
        ("chat", link_to(links.chat(chat.id)) or one_line(chat.title)),
        ("date", context.local(topic.created) if topic.created else None),
        ("date_unix", topic.created or None),
        ("link", message_link(chat.id, chat.username, topic.id)),
        ("icon", _icon(topic)),
        ("closed", topic.closed),
        ("pinned", topic.pinned),
        ("hidden", topic.hidden),
        ("messages", stats.messages),
        ("first_message", context.local(stats.first[1]) if stats.first else None),
        ("last_message", context.local(stats.last[1]) if stats.last else None),
    ]
    body = templates.render(TOPIC_TEMPLATE, {"topic": view, "words": translate})
    return finish(properties, body, context)


def _icon(topic: Topic) -> str:
    """Return the id of the custom emoji before the title; else the colour of the bubble."""
    return str(topic.icon) if topic.icon else f"#{topic.color:06x}" if topic.color else ""
