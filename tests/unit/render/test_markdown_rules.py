"""Rules of the converter beyond the shared cases, one table."""

from __future__ import annotations

import time

import pytest

from tobs.model import Entity
from tobs.render.links import LinkTargets
from tobs.render.markdown import MarkdownOptions, hashtags, to_markdown

E = Entity
_TARGETS = LinkTargets(
    user=lambda user: "Telegram/People/Bob" if user == 7 else None,
    username=lambda name: "Telegram/People/Bob" if name == "bob" else None,
    url=lambda url: "Telegram/C/2024/01/2024-01-02 5" if url.endswith("t.me/c_c/5") else None,
)


@pytest.mark.parametrize(
    ("text", "entities", "markdown"),
    [
        # Parsers that make links of bare addresses would take escapes and markup into them.
        ("http://a/*b* x", [], "http:\\//a/\\*b\\* x"),
        ("http://a/b_c www.x*", [], "http://a/b_c www\\.x\\*"),
        ("http://ab", [E("bold", 8, 1)], "http:\\//a**b**"),
        ("http://a/b_c", [E("underline", 0, 12), E("url", 0, 12)], "[<u>http&#58;//a/b&#95;c</u>](http://a/b_c)"),
        ("http://a/*", [E("text_link", 0, 10, url="http://b")], "[http://a/\\*](http://b)"),
        ("[a]: b", [E("text_link", 0, 6, url="http://b"), E("code", 1, 5)], "[\\[`a]\u200b: b`](http://b)"),
        ("a ^b\xa0", [], "a \\^b\xa0"),
        ("a\nb\nc", [E("blockquote", 2, 1)], "a\n\n> b\n\nc"),
        ("a\n\n\nb", [E("blockquote", 4, 1)], "a\n\n> b"),
        ("a\nb", [E("expandable_blockquote", 0, 3)], "> [!quote]-\n> a\n> b"),
        ("a\n\nb", [E("blockquote", 0, 4)], "> a\n>\n> b"),
        ("a\nx = 1\nb", [E("pre", 2, 5, language="py")], "a\n\n```py\nx = 1\n```\n\nb"),
        ("q\nx", [E("blockquote", 0, 3), E("pre", 2, 1)], "> q\n>\n> ```\n> x\n> ```"),
        ("x", [E("pre", 0, 1), E("blockquote", 0, 1)], "> ```\n> x\n> ```"),
        ("```\na", [E("pre", 0, 5)], "````\n```\na\n````"),
        ("<% a %>", [E("pre", 0, 7)], "```\n<\u200b% a %>\n```"),
        ("x", [E("pre", 0, 1, language="dataviewjs")], "```tg-dataviewjs\nx\n```"),
        ("x", [E("pre", 0, 1, language="META-BIND-button")], "```tg-META-BIND-button\nx\n```"),
        ("$= x", [E("code", 0, 4)], "`\u200b$= x`"),
        ("<% x", [E("code", 0, 4)], "`<\u200b% x`"),
        ("ab", [E("code", 0, 1), E("code", 1, 1)], "`ab`"),
        ("a b", [E("bold", 0, 3), E("code", 2, 1)], "**a `b`**"),
        ("abc", [E("bold", 0, 3), E("italic", 0, 3)], "**<i>abc</i>**"),
        ("a b c", [E("bold", 0, 5), E("italic", 2, 1)], "**a *b* c**"),
        ("a b c", [E("bold", 0, 5), E("strikethrough", 2, 1)], "**a ~~b~~ c**"),
        ("ab", [E("bold", 0, 1), E("bold", 1, 1)], "**ab**"),
        ("a b", [E("bold", 0, 1), E("bold", 2, 1)], "**a** **b**"),
        ("да«нет»да", [E("bold", 2, 5)], "да<b>«нет»</b>да"),
        ("да«нет»да", [E("strikethrough", 2, 5)], "д&#1072;~~«нет»~~&#1076;а"),
        ("a b", [E("underline", 0, 3), E("bold", 0, 1)], "**<u>a</u>** <u>b</u>"),
        ("x", [E("underline", 0, 1), E("spoiler", 0, 1)], '<u><span class="tg-spoiler">x</span></u>'),
        ("a\nb", [E("spoiler", 0, 3)], '<span class="tg-spoiler">a</span>\n<span class="tg-spoiler">b</span>'),
        ("old new", [E("diff_delete", 0, 3), E("diff_insert", 4, 3)], "~~old~~ <u>new</u>"),
        ("today 😀", [E("date_time", 0, 5, date=1), E("custom_emoji", 6, 2)], "today 😀"),
        ("see", [E("text_link", 0, 3, url="http://e.example/a (b)")], "[see](<http://e.example/a (b)>)"),
        ("see", [E("text_link", 0, 3, url="e.example")], "[see](http://e.example)"),
        ("see", [E("text_link", 0, 3, url="obsidian://open?vault=x")], "see (`obsidian://open?vault=x`)"),
        ("see", [E("text_link", 0, 3, url="file:///etc/passwd")], "see (`file:///etc/passwd`)"),
        ("see", [E("text_link", 0, 3, url="mailto:a@b.example")], "[see](mailto:a@b.example)"),
        ("!x", [E("text_link", 1, 1, url="http://e.example/p.png")], "\\![x](http://e.example/p.png)"),
        ("^x", [E("text_link", 1, 1, url="http://e.example")], "\\^[x](http://e.example)"),
        ("a b", [E("text_link", 0, 3, url="http://e.example"), E("bold", 2, 1)], "[a **b**](http://e.example)"),
        ("ab", [E("bold", 0, 2), E("text_link", 0, 2, url="http://e.example")], "**[ab](http://e.example)**"),
        ("https://e.example/a_b", [E("url", 0, 21)], "https://e.example/a_b"),
        ("https://e.example/_b_", [E("url", 0, 21)], "<https://e.example/_b_>"),
        ("(https://e.example)", [E("url", 1, 17)], "(https://e.example)"),
        ("https://e.exampleя", [E("url", 0, 17)], "<https://e.example>я"),
        ("!https://e/[[x]]", [E("url", 1, 15)], "\\![https://e/\\[\\[x\\]&#93;](https://e/%5B[x%5D])"),
        ("[x]", [E("text_link", 1, 2, url="http://e")], "&#91;[x&#93;](http://e)"),
        ("x", [E("text_link", 0, 1, url="http://e/?a==%%b")], "[x](http://e/?a%3D=%25%25b)"),
        ("obsidian://x", [E("url", 0, 12)], "`obsidian://x`"),
        ("obsidian://x", [], "obsidian:\\//x"),
        ("https://t.me/c_c/5", [E("url", 0, 18)], "[[Telegram/C/2024/01/2024-01-02 5|https://t.me/c_c/5]]"),
        ("t.me/c_c/5", [E("url", 0, 10)], "[[Telegram/C/2024/01/2024-01-02 5|t.me/c_c/5]]"),
        ("!post", [E("text_link", 1, 4, url="http://t.me/c_c/5")], "\\![[Telegram/C/2024/01/2024-01-02 5|post]]"),
        ("a|b]]", [E("text_link", 0, 5, url="http://t.me/c_c/5")], "[[Telegram/C/2024/01/2024-01-02 5|a/b))]]"),
        ("Bob <% x", [E("text_mention", 0, 8, user_id=7)], "[[Telegram/People/Bob|Bob <\u200b% x]]"),
        ("Eve", [E("text_mention", 0, 3, user_id=8)], "[Eve](tg://user?id=8)"),
        ("hi @bob", [E("mention", 3, 4)], "hi [[Telegram/People/Bob|@bob]]"),
        ("hi @eve_", [E("mention", 3, 5)], "hi @eve\\_"),
        ("#a-b c", [E("hashtag", 0, 2)], "#a\\-b c"),
        ("#a🎉", [E("hashtag", 0, 2)], "\\#a🎉"),
        ("#123", [E("hashtag", 0, 4)], "\\#123"),
        ("#_x_", [E("hashtag", 0, 4)], "\\#\\_x\\_"),
        ("a#b ##c", [], "a#b ##c"),
        ("a\n= b\n=", [], "a\n= b\n\\="),
        ("a\n-", [], "a\n\\-"),
        ("| a |\n|---|", [], "\\| a |\n\\|---|"),
        (":-:|-", [], "\\:-:|-"),
        ("####### x", [], "####### x"),
        ("- x\n -y\n   + z", [], "\\- x\n -y\n   \\+ z"),
        ("**Bold** - x", [], "\\*\\*Bold\\*\\* - x"),
        ("- ab", [E("bold", 2, 2)], "\\- **ab**"),
        ("\tcode", [], "&nbsp;code"),
        ("a::b http://x", [], "a:\\:b http://x"),
        ("<%%>", [], "<\\%\\%>"),
        ("&notareference; &lt;", [], "&notareference; \\&lt;"),
        ("^abc\n x ^a-b  \na^b", [], "\\^abc\n x \\^a-b  \na^b"),
        ("a\0b\ud800", [], "a\ufffdb\ufffd"),
        ("a\r\nbc", [E("bold", 3, 1)], "a\n**b**c"),
        ("says: abc #d", [E("blockquote", 6, 3)], "says:\n\n> abc\n\n\\#d"),
        ("x \nabc \n  y", [E("pre", 3, 3)], "x\n\n```\nabc\n```\n\n  y"),
    ],
)
def test_a_rule_holds(text: str, entities: list[Entity], markdown: str) -> None:
    assert to_markdown(text, entities, targets=_TARGETS) == markdown


def test_line_breaks_can_be_made_hard_outside_of_code() -> None:
    text = "a\nb\n\nc\nx\ny"
    hard = to_markdown(text, [E("pre", 7, 3)], MarkdownOptions(line_breaks="two-space"))
    assert hard == "a  \nb\n\nc\n\n```\nx\ny\n```"


def test_hashtags_get_the_prefix_in_the_text_and_in_the_list() -> None:
    entities = [E("hashtag", 0, 2), E("hashtag", 3, 2), E("hashtag", 6, 2)]
    assert to_markdown("#a #A #1", entities, MarkdownOptions(tag_prefix="tg/")) == "#tg/a #tg/A \\#1"
    assert hashtags("#a #A #1", entities, "tg/") == ("tg/a",)


def test_thousands_of_overlapping_entities_take_no_minute() -> None:
    entities = [E(kind, n, 3) for n in range(0, 4000, 2) for kind in ("bold", "italic")]
    began = time.process_time()
    assert to_markdown("a:" * 2000, entities)
    assert time.process_time() - began < 20


def test_a_tag_that_nobody_could_read_is_text() -> None:
    text = "#" + "t" * 70_000
    assert to_markdown(text, [E("hashtag", 0, len(text))]) == "\\" + text
    assert hashtags(text, [E("hashtag", 0, len(text))]) == ()


@pytest.mark.parametrize("text", ["<%", "a%%b", "a==b", "a::b", "#tag", "x #tag", "&amp;"])
def test_a_link_that_may_not_be_one_wakes_nothing_at_its_borders(text: str) -> None:
    """Nothing is written where such a link begins: found by the fuzz tests as ``<`` and ``%`` side by side."""
    for at in range(len(text)):
        for length in range(1, len(text) - at + 1):
            markdown = to_markdown(text, [Entity("text_link", at, length, url="javascript:x")])
            for alive in ("<%", "%%", "==", "::", " #tag", "&amp;"):
                assert alive not in markdown.replace("\\#", "").replace("\\&", ""), (at, length, markdown)
            assert not markdown.startswith("#tag"), markdown
