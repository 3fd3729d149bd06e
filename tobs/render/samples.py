"""Sample data for every template, used by ``tobs render --template-check`` and by the tests of tobs' own templates."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tobs import model
from tobs.errors import TemplateBroken
from tobs.model import (
    Action,
    Button,
    Chat,
    Entity,
    FileItem,
    Forward,
    Message,
    Person,
    Poll,
    PollAnswer,
    Reaction,
    Reply,
    Text,
    WebPage,
)
from tobs.render.builtin import load_builtin
from tobs.render.index import IndexedChat, render_index
from tobs.render.notes import MESSAGE_TEMPLATE, render_message
from tobs.render.overview import render_audio, render_chat, render_person
from tobs.render.period import PeriodNote, render_period
from tobs.render.templates import Templates
from tobs.render.topics import render_topic
from tobs.render.views import (
    Attachment,
    AudioItem,
    ChatStats,
    Links,
    PersonStats,
    Rendered,
    RenderOptions,
    Topic,
    TopicStats,
    Year,
)

_CHAT = Chat(id=-1000000000005, kind="supergroup", title="Sample", username="sample", about="About us", members=9)
_ANNA = Person(7, "Anna", username="anna", about="Hello")
_DAY = 1_704_164_645

_MESSAGES: tuple[tuple[Message, ...], ...] = (
    (
        Message(
            chat_id=_CHAT.id,
            id=2,
            date=_DAY,
            sender_id=7,
            text="Hello #world",
            entities=(Entity("bold", 0, 5), Entity("hashtag", 6, 6)),
            edited=_DAY + 60,
            reply=Reply(1, quote="what?"),
            forward=Forward(_DAY - 60, from_id=7, chat_id=_CHAT.id, message_id=1),
            buttons=((Button("Open", url="https://example.org"),),),
            views=5,
            forwards=1,
            reactions=(Reaction(2, "👍"),),
            signature="Anna",
            via_bot=7,
            fact_check="True",
        ),
    ),
    tuple(
        Message(chat_id=_CHAT.id, id=n, date=_DAY, sender_id=7, album_id=1, text="Two", media=FileItem("photo"))
        for n in (3, 4)
    ),
    (Message(chat_id=_CHAT.id, id=5, date=_DAY, media=Poll(Text("Well?"), (PollAnswer(Text("Yes"), voters=1),))),),
    (Message(chat_id=_CHAT.id, id=6, date=_DAY, text="See", media=WebPage("https://example.org", title="Example")),),
    (Message(chat_id=_CHAT.id, id=7, date=_DAY, kind="service", sender_id=7, action=Action("pin_message")),),
    (Message(chat_id=_CHAT.id, id=8, date=_DAY),),
)
_LINKS = Links(
    message=lambda chat, message: f"Telegram/Sample/2024/01/2024-01-02 {message}" if message < 5 else None,
    person=lambda marked: ("Telegram/People/Anna", "Anna") if marked == _ANNA.id else None,
    chat=lambda marked: ("Telegram/Sample/Sample", "Sample") if marked == _CHAT.id else None,
    attachment=lambda message, index: Attachment("placed", f"Telegram/Sample/media/{message.id}.jpg"),
)
_STATS = ChatStats(
    messages=8,
    media=2,
    first=(_CHAT.id, 1, _DAY - 60),
    last=(_CHAT.id, 8, _DAY),
    pinned=(2,),
    years=(Year(2024, 8, 2, (_CHAT.id, 1)),),
    past_titles=("Example",),
    topics=(Topic(1, "General", "Telegram/Sample/Topics/General", 8),),
    picture="Telegram/Sample/media/chat.jpg",
    base="Telegram/Sample/Sample.base",
)
_AUDIO = AudioItem(
    "0" * 64,
    "Telegram/Sample/media/song.mp3",
    title="Song",
    performer="Anna",
    album="Songs",
    genre="Folk",
    year=2024,
    track=1,
    duration=180.5,
    bitrate=192,
    size=4_000_000,
    format="mp3",
    date=_DAY,
    transcript="La la",
    transcript_language="en",
    cover="Telegram/Sample/media/song.jpg",
)


def check_templates(templates: Templates, options: RenderOptions | None = None) -> list[TemplateBroken]:
    """Render every kind of note with sample data.

    Returns at most one error per template, with file and line in its text.
    """
    options = options or RenderOptions()
    ends = ((_CHAT.id, 2, _DAY), (_CHAT.id, 8, _DAY))
    person = PersonStats(8, *ends, aliases=("Ann",), chats=((_CHAT.id, 8),), picture="Telegram/People/Anna.jpg")
    topic = TopicStats(8, (2, _DAY), (8, _DAY), past_titles=("Chat",))
    rest = (_LINKS, options, templates)
    # A block of a day uses the message template; an error in that template is reported once, for messages.
    of_days = (_LINKS, options, templates.with_template(MESSAGE_TEMPLATE, load_builtin))
    jobs: list[list[Callable[[], Rendered]]] = [
        [partial(render_message, album, _CHAT, *rest) for album in _MESSAGES],
        [
            partial(render_period, PeriodNote(f"{_CHAT.id}/{period}", period, _CHAT, _MESSAGES), *of_days)
            for period in ("2024-01-02", "2024-01")
        ],
        [partial(render_chat, _CHAT, stats, *rest) for stats in (_STATS, ChatStats())],
        [
            partial(render_topic, _CHAT, model.Topic(2, "Talk", _DAY, _ANNA.id), stats, *rest)
            for stats in (topic, TopicStats())
        ],
        [partial(render_person, _ANNA, stats, *rest) for stats in (person, PersonStats())],
        [partial(render_audio, item, [(_CHAT.id, 2)], *rest) for item in (_AUDIO, AudioItem("0" * 64))],
    ]
    indexed = IndexedChat("Telegram/Sample/Sample", "Sample", "supergroup", 8, _DAY - 60, _DAY)
    jobs.append([partial(render_index, chats, "Telegram/Telegram.base", *rest) for chats in ((indexed,), ())])
    wrong: dict[str, TemplateBroken] = {}
    for notes in jobs:
        for note in notes:
            try:
                note()
            except TemplateBroken as error:
                wrong.setdefault(error.template, error)
                break
    return list(wrong.values())
