"""The note of a message: its properties, and the Markdown of everything a message can carry."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
import yaml

from tobs.model import (
    Button,
    Chat,
    Contact,
    Dice,
    Entity,
    FileItem,
    Forward,
    Game,
    Giveaway,
    GiveawayResults,
    Invoice,
    Location,
    Media,
    Message,
    PaidMedia,
    Person,
    Poll,
    PollAnswer,
    Reaction,
    RemoteFile,
    Reply,
    RichBlock,
    StoryRef,
    SuggestedPost,
    Text,
    TodoItem,
    TodoList,
    UnknownMedia,
    WebPage,
)
from tobs.render import (
    Attachment,
    AudioItem,
    ChatStats,
    Links,
    PersonStats,
    Rendered,
    RenderOptions,
    Templates,
    Topic,
    Year,
    load_builtin,
    managed_hash,
    render_audio,
    render_chat,
    render_message,
    render_person,
    stored_hash,
)
from tobs.render.views import Revisions

_CHAT = Chat(-1000000000005, "channel", "Club", username="club", about="All *about* it", members=3, pinned=(5,))
_PRIVATE = Chat(7, "private", "Anna")
_FOLDER = "Telegram/Club"
_LINKS = Links(
    topic=lambda chat, topic: ("Telegram/Club/Topics/Tea/Tea", "Tea?") if topic == 4 else None,
    message=lambda chat, message: f"{_FOLDER}/2024/01/2024-01-02 {message}" if message < 10 else None,
    person=lambda marked: ("Telegram/People/Anna", "Anna") if marked == 7 else None,
    chat=lambda marked: (f"{_FOLDER}/Club", "Club") if marked == _CHAT.id else None,
    peer_by_username={"club": _CHAT.id, "anna": 7}.get,
    attachment=lambda message, index: Attachment("placed", f"{_FOLDER}/media/{message.id}-{index}.jpg"),
)
_TEMPLATES = Templates(load_builtin)
_OPTIONS = RenderOptions(timezone=ZoneInfo("Europe/Berlin"))


def note(*messages: Message, links: Links = _LINKS, options: RenderOptions = _OPTIONS, chat: Chat = _CHAT) -> Rendered:
    return render_message(messages, chat, links, options, _TEMPLATES)


def message(number: int = 20, **fields: Any) -> Message:
    return Message(chat_id=_CHAT.id, id=number, date=1_700_000_000, **fields)


def body(rendered: Rendered) -> str:
    return rendered.text.partition("\n---\n\n")[2].removesuffix("\n")


def head(rendered: Rendered) -> dict[str, Any]:
    found = yaml.safe_load(rendered.text.removeprefix("---\n").partition("\n---\n")[0])
    assert isinstance(found, dict)
    return found


def test_a_message_has_all_its_properties_in_a_fixed_order() -> None:
    rendered = note(
        message(
            sender_id=7,
            text="Hello #one and #Two",
            entities=(Entity("hashtag", 6, 4), Entity("hashtag", 15, 4)),
            edited=1_700_000_060,
            views=12,
            forwards=3,
            reactions=(Reaction(12, "👍"), Reaction(1, paid=True), Reaction(2, custom_id=9)),
            reply=Reply(5),
            forward=Forward(1_600_000_000, chat_id=_CHAT.id, message_id=6),
            topic_id=4,
            media=FileItem("photo"),
        )
    )
    assert rendered.text.startswith(
        '---\ntobs_id: "-1000000000005/20"\n'
        f'tobs_hash: "{managed_hash(rendered.text)}"\n'
        "date: 2023-11-14T23:13:20\ndate_unix: 1700000000\n"
        'chat: "[[Telegram/Club/Club|Club]]"\nsender: "[[Telegram/People/Anna|Anna]]"\n'
        'message_id: 20\nlink: "https://t.me/club/20"\n'
        'topic: "[[Telegram/Club/Topics/Tea/Tea|Tea?]]"\nreply_to: "[[Telegram/Club/2024/01/2024-01-02 5]]"\n'
        'forwarded_from: "[[Telegram/Club/2024/01/2024-01-02 6]]"\nedited: 2023-11-14T23:14:20\n'
        'views: 12\nforwards: 3\nreactions:\n  - "👍 12"\n  - "⭐ 1"\n  - "custom 9 2"\n'
        'tags:\n  - "one"\n  - "Two"\nmedia:\n  - "[[Telegram/Club/media/20-0.jpg]]"\n---\n\n'
    )
    assert stored_hash(rendered.text) == managed_hash(rendered.text)
    assert rendered.text.endswith("Hello #one and #Two\n")
    assert set(rendered.links) == {(_CHAT.id, 5, True), (_CHAT.id, 6, True)}


def test_empty_properties_are_left_out_and_the_prefix_is_put_before_names() -> None:
    rendered = note(message(text="x"), options=RenderOptions(property_prefix="tg_"))
    assert list(head(rendered)) == [
        "tobs_id", "tobs_hash", "tg_date", "tg_date_unix", "tg_chat", "tg_message_id", "tg_link",
    ]  # fmt: skip


def test_counters_can_be_left_out() -> None:
    rendered = note(message(text="x", views=3), options=RenderOptions(counters=False))
    assert "views" not in head(rendered)


def test_private_chats_have_no_link_and_those_of_another_account_its_id() -> None:
    rendered = note(message(text="x"), chat=_PRIVATE, options=RenderOptions(account=99))
    assert head(rendered)["tobs_id"] == "99:7/20" and "link" not in head(rendered)
    assert head(note(message(text="x"), options=RenderOptions(account=99)))["tobs_id"] == "-1000000000005/20"


def test_an_album_is_one_note_with_every_file_and_caption() -> None:
    rendered = note(
        message(20, media=FileItem("photo"), text="One"), message(21, media=FileItem("photo"), text="*Two*")
    )
    assert body(rendered) == (
        "![[Telegram/Club/media/20-0.jpg]]\n\nOne\n\n![[Telegram/Club/media/21-0.jpg]]\n\n\\*Two\\*"
    )
    assert len(head(rendered)["media"]) == 2


def test_an_album_is_marked_deleted_when_all_of_it_is() -> None:
    def deleted(*ids: int) -> bool:
        links = msgspec.structs.replace(_LINKS, revisions=lambda one: Revisions(one.id in ids))
        rendered = note(*(message(n, album_id=5, media=FileItem("photo")) for n in (20, 21)), links=links)
        return "deleted" in head(rendered)

    assert not deleted() and not deleted(20) and not deleted(21)
    assert deleted(20, 21)


def test_the_one_caption_of_an_album_stands_below_its_pictures_and_its_origin_is_told_once() -> None:
    parts = [
        message(20 + n, media=FileItem("photo"), text="All" * (n == 0), forward=Forward(from_name="Bo", date=0))
        for n in range(3)
    ]
    pictures = "\n\n".join(f"![[Telegram/Club/media/{20 + n}-0.jpg]]" for n in range(3))
    assert body(note(*parts)) == f"*Forwarded from Bo*\n\n{pictures}\n\nAll"


def test_a_reply_is_linked_by_the_first_words_of_its_target() -> None:
    path = "Telegram/Club/2024/01/2024-01-02 5 Good evening, and welcome"
    links = msgspec.structs.replace(_LINKS, message=lambda chat, number: path)
    assert body(note(message(reply=Reply(5)), links=links)) == f"Reply to [[{path}|Good evening, and welcome]]"
    links = msgspec.structs.replace(_LINKS, message=lambda chat, number: "Telegram/Club/2024/2024-01-02#^m5")
    assert (
        body(note(message(reply=Reply(5)), links=links)) == "Reply to [[Telegram/Club/2024/2024-01-02#^m5|message 5]]"
    )


def test_a_link_to_a_comment_leads_to_the_message_in_the_discussion_group() -> None:
    links = msgspec.structs.replace(_LINKS, discussion_group={_CHAT.id: -1000000000009}.get)
    url = "https://t.me/club/50?comment=6"
    linked = message(text=url, entities=(Entity("url", 0, len(url)),))
    assert body(note(linked, links=links)) == f"[[{_FOLDER}/2024/01/2024-01-02 6|{url}]]"
    assert body(note(linked, links=msgspec.structs.replace(_LINKS, discussion_group=lambda chat: 0))) == url


def test_a_custom_emoji_is_told_by_the_one_that_stands_for_it() -> None:
    links = msgspec.structs.replace(_LINKS, emoji={5: "🔥"}.get)
    reactions = (Reaction(3, custom_id=5), Reaction(2, paid=True))
    assert head(note(message(reactions=reactions), links=links))["reactions"] == ["🔥 3", "⭐ 2"]
    assert head(note(message(reactions=reactions)))["reactions"] == ["custom 5 3", "⭐ 2"]


def test_a_hidden_picture_stays_folded() -> None:
    rendered = note(message(media=FileItem("photo", spoiler=True)))
    assert body(rendered) == "> [!quote]- Hidden until opened\n> ![[Telegram/Club/media/20-0.jpg]]"


def test_links_in_the_text_to_messages_and_people_become_wikilinks() -> None:
    text = "t.me/club/5 @anna https://t.me/club/50 t.me/club"
    entities = (Entity("url", 0, 11), Entity("mention", 12, 5), Entity("url", 18, 20), Entity("url", 39, 9))
    rendered = note(message(text=text, entities=entities))
    assert body(rendered) == (
        "[[Telegram/Club/2024/01/2024-01-02 5|t.me/club/5]] [[Telegram/People/Anna|@anna]] https://t.me/club/50 "
        "[[Telegram/Club/Club|t.me/club]]"
    )
    assert rendered.links == ((_CHAT.id, 5, True), (_CHAT.id, 50, False))


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"reply": Reply(5)}, "Reply to [[Telegram/Club/2024/01/2024-01-02 5|message 5]]"),
        ({"reply": Reply(50, quote="a\n# b")}, "Reply to [message 50](https://t.me/club/50)\n\n> a\n> \\# b"),
        ({"reply": Reply(4), "topic_id": 4}, ""),
        ({"forward": Forward(0, from_name="E[ve]")}, "*Forwarded from E\\[ve\\]*"),
        ({"forward": Forward(1_600_000_000, from_id=7)},
         "*Forwarded from [[Telegram/People/Anna|Anna]], 2020-09-13 14:26*"),
        ({"via_bot": 7, "signature": "Ed"}, "*via [[Telegram/People/Anna|Anna]], signed Ed*"),
        ({"buttons": ((Button("Go", url="http://e"), Button("Vote")),)}, "Buttons: [Go](http://e) · Vote"),
        ({"buttons": ((Button("Take", "copy", copy="a`b"), Button("Her", "user_profile", user_id=7)),)},
         "Buttons: Take (``a`b``) · [[Telegram/People/Anna|Her]]"),
        ({"suggested": SuggestedPost("accepted", 50, "XTR", 1_600_000_000), "paid_stars": 1},
         "*paid with 1 star, suggested post, accepted, 50 stars, 2020-09-13 14:26*"),
        ({"suggested": SuggestedPost(price=2_500_000_000, currency="TON")}, "*suggested post, 2.5 TON*"),
        ({"reply": Reply(from_name="E*ve*", quote="a")}, "Reply to a message of E\\*ve\\* in another chat\n\n> a"),
        ({"reply": Reply(chat_id=7, story_id=3)}, "Reply to a story of [[Telegram/People/Anna|Anna]]"),
        ({"fact_check": "No"}, "> [!note] Fact check\n> No"),
        ({"restriction": "local law"}, "*Telegram shows this message in some places only: local law*"),
        ({"kind": "unsupported"}, "*This message is of a kind that tobs cannot show yet; it is kept in the archive.*"),
        ({}, "*Empty message*"),
    ],
)  # fmt: skip
def test_what_stands_around_a_text(fields: dict[str, Any], text: str) -> None:
    assert body(note(message(**fields))) == (text or "*Empty message*")


@pytest.mark.parametrize(
    ("media", "text"),
    [
        (Dice("🎲", 5), "🎲 shows 5"),
        (Location(52.5, 13.25), "Location: [52.500000,13.250000](https://www.openstreetmap.org/?mlat=52.500000"
         "&mlon=13.250000#map=16/52.500000/13.250000)"),
        (Contact("Anna", phone="+123", user_id=7), "Contact: [[Telegram/People/Anna|Anna]]"),
        (Contact("Eve", phone="+123"), "Contact: Eve"),
        (Poll(Text("Q?"), (PollAnswer(Text("Yes"), 1, chosen=True), PollAnswer(Text("No"), 2)), 3, closed=True),
         "**Q?**\n\n- Yes — 1 vote (your answer)\n- No — 2 votes\n\n*Poll, closed, 3 voters*"),
        (TodoList(Text("Buy"), (TodoItem(1, Text("[x] a"), done=True, done_by=7), TodoItem(2, Text("b")))),
         "**Buy**\n\n- [x] \\[x\\] a ([[Telegram/People/Anna|Anna]])\n- [ ] b"),
        (WebPage("http://e", site="E", title="T", description="a\nb"),
         "> [!info] [T](http://e)\n> E\n>\n> a\n> b"),
        (Game("Chess", "Play"), "> [!info] Game: Chess\n> Play"),
        (Invoice("Mug", "Big", "EUR", 1250), "> [!info] Invoice: Mug\n> Big\n>\n> 12.50 EUR"),
        (PaidMedia(5, 2), "*Paid media: 5 stars (2 files, not bought)*"),
        (Giveaway(2, 1_700_000_000, months=3, channels=(_CHAT.id,)),
         "Giveaway: 2 prizes, Telegram Premium for 3 months, "
         "for the members of [[Telegram/Club/Club|Club]], until 2023-11-14 23:13"),
        (GiveawayResults(1, (7,), launch_id=5),
         "Giveaway results: 1 winner\n\n- [[Telegram/People/Anna|Anna]]\n\n"
         "[[Telegram/Club/2024/01/2024-01-02 5|message 5]]"),
        (StoryRef(7, 1, Text("hi")), "Story of [[Telegram/People/Anna|Anna]]\n\nhi"),
        (UnknownMedia("hologram"),
         "*Media of a kind that tobs cannot show yet (hologram); it is kept in the archive.*"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)  # fmt: skip
def test_media_without_a_file_are_told_in_words(media: Media, text: str) -> None:
    assert body(note(message(media=media))) == text


@pytest.mark.parametrize(
    ("item", "attachment", "text"),
    [
        (
            FileItem("voice"),
            Attachment("placed", "m/a.ogg", note="Audio/A"),
            "![[m/a.ogg]]\n\n[[Audio/A|Voice message]]",
        ),
        (
            FileItem("audio"),
            Attachment("placed", "m/a.mp3", note="Audio/P - T (0123abcd)"),
            "![[m/a.mp3]]\n\n[[Audio/P - T (0123abcd)|P - T]]",
        ),
        (
            FileItem("document", name="a|b.zip"),
            Attachment("placed", "m/a b.zip", name="a|b.zip"),
            "[[m/a b.zip|a/b.zip]]",
        ),
        (FileItem("document", name="a_.pdf"), Attachment("wanted"), "*File a\\_.pdf — not downloaded yet*"),
        (FileItem("video"), Attachment("skipped", reason="over 50 MB"), "*Video — not downloaded (over 50 MB)*"),
        (FileItem("photo", ttl=5), Attachment("unavailable"), "*Photo — disappeared (self-destructing)*"),
        (FileItem("sticker", emoji="😀"), Attachment("failed"), "*Sticker 😀 — could not be downloaded*"),
    ],
)
def test_a_file_is_embedded_linked_or_told(item: FileItem, attachment: Attachment, text: str) -> None:
    links = Links(attachment=lambda message, index: attachment)
    assert body(note(message(media=item), links=links)) == text


def test_phone_numbers_show_only_when_asked_for() -> None:
    rendered = note(message(media=Contact("Eve", phone="+123")), options=RenderOptions(phones=True))
    assert body(rendered) == "Contact: Eve, +123"


def _block(kind: str, *children: RichBlock | str, **values: Any) -> RichBlock:
    nodes = tuple(RichBlock("plain", child) if isinstance(child, str) else child for child in children)
    return RichBlock(kind, values=values, children=nodes)


@pytest.mark.parametrize(
    ("block", "text"),
    [
        (_block("heading", "A # b", level=3), "### A # b"),
        (_block("paragraph", "a ", _block("bold", "b", _block("italic", "c")), _block("url", "d", url="http://e")),
         "a **b<i>c</i>**[d](http://e)"),
        (_block("list", _block("list_item", "a"),
                _block("list_item", _block("paragraph", "b"), _block("list", _block("list_item", "c")))),
         "- a\n- b\n  - c"),
        (_block("ordered_list", _block("list_item", "a"), _block("list_item", "b", checkbox=True, checked=True),
                start=9),
         "9. a\n10. [x] b"),
        (_block("table", _block("table_row", _block("table_cell", "a|b", header=True),
                                       _block("table_cell", "c", header=True, align_right=True)),
                _block("table_row", _block("table_cell", "d", colspan=2))),
         "| a\\|b | c |\n| --- | ---: |\n| d |  |"),
        (_block("blockquote", "a", _block("caption", "b"), collapsed=True), "> [!quote]-\n> a\n>\n> — b"),
        (_block("details", _block("title", "T"), _block("paragraph", "a")), "> [!note]- T\n> a"),
        (_block("preformatted", "x = `1`", language="py"), "```py\nx = `1`\n```"),
        (_block("math", source="a^2"), "$$\na^2\n$$"),
        (_block("photo", _block("caption", "a", _block("credit", "b")), photo_id=1), "*Photo*: a, b"),
        (_block("divider"), "***"),
        (_block("hologram", "a"),
         "*A block of a kind that tobs cannot show yet (hologram); it is kept in the archive.*\n\na"),
    ],
    ids=lambda value: value.kind if isinstance(value, RichBlock) else "",
)  # fmt: skip
def test_a_block_of_a_rich_message_becomes_markdown(block: RichBlock, text: str) -> None:
    assert body(note(message(blocks=(block,)))) == text


def test_the_files_a_rich_message_names_stand_where_they_are_named_and_the_others_below() -> None:
    def picture(number: int) -> FileItem:
        return FileItem("photo", remote=RemoteFile("photo", number, 0, b"", 2))

    rich = message(
        blocks=(
            _block("paragraph", "above"),
            _block("photo", _block("caption", "a *view*"), photo_id=8),
            _block("photo", photo_id=99),
            _block("paragraph", "below"),
        ),
        attached=(picture(7), picture(8)),
    )
    rendered = note(rich)
    assert body(rendered) == (
        "above\n\n![[Telegram/Club/media/20-1.jpg]]\n\na \\*view\\*\n\n*Photo*\n\nbelow\n\n"
        "![[Telegram/Club/media/20-0.jpg]]"
    )
    assert head(rendered)["media"] == ["[[Telegram/Club/media/20-0.jpg]]", "[[Telegram/Club/media/20-1.jpg]]"]


def test_a_picture_in_a_line_of_a_rich_message_stands_there() -> None:
    def line(*pictures: RichBlock) -> tuple[RichBlock, ...]:
        return (_block("paragraph", "see ", *pictures, " here"),)

    attached = tuple(FileItem("document", remote=RemoteFile("document", number, 0, b"", 2)) for number in (7, 8))
    small = _block("image", document_id=8, w=20, h=14)
    rich = body(note(message(blocks=line(small), attached=attached)))
    assert rich == "see ![[Telegram/Club/media/20-1.jpg|20x14]] here\n\n![[Telegram/Club/media/20-0.jpg]]"
    linked = _block("url", "a", small, "b", url="https://e.example")
    rich = body(note(message(blocks=line(linked), attached=attached[1:])))
    assert rich == "see [a](https://e.example)![[Telegram/Club/media/20-0.jpg|20x14]][b](https://e.example) here"
    cell = _block("table", _block("table_row", _block("table_cell", small, header=True)))
    assert body(note(message(blocks=(cell,), attached=attached[1:]))).startswith(
        "| ![[Telegram/Club/media/20-0.jpg\\|20x14]] |"
    )
    assert body(note(message(blocks=line(_block("image", document_id=9, w=20, h=14))))) == "see \u200b here"


def test_a_message_of_blanks_alone_is_told_to_be_empty() -> None:
    assert body(note(message(text=" \n\xa0"))) == "*Empty message*"


def test_hashtags_of_a_rich_message_are_tags() -> None:
    block = _block("paragraph", "a ", _block("hashtag", "#one"))
    assert head(note(message(blocks=(block,))))["tags"] == ["one"]


def test_hashtags_in_table_cells_and_captions_of_stories_are_tags_with_their_prefix() -> None:
    cell = _block("table", _block("table_row", _block("table_cell", _block("hashtag", "#one"), header=True)))
    rendered = note(message(blocks=(cell,)), options=RenderOptions(tag_prefix="tg/"))
    assert head(rendered)["tags"] == ["tg/one"] and "| #tg/one |" in body(rendered)
    story = StoryRef(7, 3, caption=Text("#two", (Entity("hashtag", 0, 4),)))
    rendered = note(message(media=story), options=RenderOptions(tag_prefix="tg/"))
    assert head(rendered)["tags"] == ["tg/two"] and "#tg/two" in body(rendered)


def test_a_description_links_to_what_is_in_the_vault() -> None:
    about = "🙂 Ask @anna_x, a@b.example or @nobody_here. Rules: t.me/club/5, more on https://e.example/a_b."
    links = msgspec.structs.replace(_LINKS, peer_by_username={"anna_x": 7, "club": _CHAT.id}.get)
    text = body(render_chat(msgspec.structs.replace(_CHAT, about=about), ChatStats(), links, _OPTIONS, _TEMPLATES))
    assert "[[Telegram/People/Anna|@anna_x]], a@b.example or @nobody_here." in text
    assert "[[Telegram/Club/2024/01/2024-01-02 5|t.me/club/5]], more on https://e.example/a_b." in text


def test_a_chat_note_tells_what_the_chat_is() -> None:
    stats = ChatStats(
        messages=20,
        media=2,
        first=(_CHAT.id, 1, 0),
        last=(_CHAT.id, 20, 1_700_000_000),
        pinned=(5, 50),
        years=(Year(2022, 1, 0, (_CHAT.id, 50)), Year(2023, 20, 2, (_CHAT.id, 5))),
        past_titles=("Old",),
        topics=(Topic(4, "T", "Telegram/T"),),
        picture="Telegram/Club/media/club.jpg",
        base="Telegram/Club/Club.base",
    )
    rendered = render_chat(_CHAT, stats, _LINKS, _OPTIONS, _TEMPLATES)
    assert head(rendered)["aliases"] == ["Club", "Old"] and head(rendered)["tobs_id"] == "-1000000000005"
    for part in (
        "Channel, 20 messages, 3 members, 2 files\n\nEarlier titles: Old",
        "All \\*about\\* it",
        "- First message: [[Telegram/Club/2024/01/2024-01-02 1|1970-01-01 01:00]]",
        "- Last message: [2023-11-14 23:13](https://t.me/club/20)",
        "## Pinned\n\n- [[Telegram/Club/2024/01/2024-01-02 5|message 5]]\n- [message 50](https://t.me/club/50)",
        "## Topics\n\n- [[Telegram/T|T]]",
        "| Year | Messages | Files |\n| --- | ---: | ---: |\n"
        "| 2022 | 1 | 0 |\n| [[Telegram/Club/2024/01/2024-01-02 5\\|2023]] | 20 | 2 |",
        "![[Telegram/Club/media/club.jpg]]",
        "![[Telegram/Club/Club.base]]",
    ):
        assert part in body(rendered)


def test_a_person_note_has_names_counts_and_chats_but_no_phone() -> None:
    stats = PersonStats(3, None, (_CHAT.id, 5, 0), ("Ann",), ((_CHAT.id, 3),))
    rendered = render_person(Person(7, "Anna", username="anna"), stats, _LINKS, _OPTIONS, _TEMPLATES)
    assert head(rendered)["tobs_id"] == "person/7" and head(rendered)["aliases"] == ["Anna", "Ann"]
    assert body(rendered).startswith("@anna, 3 messages\n\n- Last message: ")
    assert body(rendered).endswith("## Chats\n\n- [[Telegram/Club/Club|Club]] (3 messages)")


def test_an_audio_note_has_the_tags_of_the_file_as_properties() -> None:
    item = AudioItem(
        "ab" * 32, "m/a.mp3", title="T", performer="P", year=2001, duration=1.5, transcript="la", found={"bpm": 90}
    )
    rendered = render_audio(item, [(_CHAT.id, 5)], _LINKS, _OPTIONS, _TEMPLATES)
    properties = head(rendered)
    assert properties["tobs_id"] == f"audio/{'ab' * 32}" and properties["duration"] == 1.5 and properties["bpm"] == 90
    assert "album" not in properties
    assert body(rendered) == (
        "![[m/a.mp3]]\n\n**P - T**\n\n2001, 2 seconds\n\n> [!quote] Transcript\n> la\n\n"
        "## In messages\n\n- [[Telegram/Club/2024/01/2024-01-02 5|message 5]], [[Telegram/Club/Club|Club]]"
    )
