"""Three versions of a note become one: the owner's lines are all there, and so is what is new."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from tobs.vault.merge import BrokenFrontMatter, ConflictWords, merge_notes
from tobs.vault.merge.blocks import CONFLICT_CALLOUT, split_body
from tobs.vault.merge.threeway import edits, three_way

_JS = Path(__file__).parents[2] / "js"
WORDS = ConflictWords()

# Generated notes

_BLOCKS = st.sampled_from(
    [
        "One paragraph.",
        "Two lines\nof one paragraph.",
        "A [[Telegram/A/1|link]] in it.",
        "![[Telegram/A/media/photo.jpg]]",
        "```py\nx = 1\n\n\ny = 2\n```",
        "> [!quote] Anna\n> said this\n> and that",
        "- item\n- item\n  - more",
        "| a | b |\n| - | - |\n| 1 | 2 |",
        "# Heading",
        "---",
        "~~~\nopen",
        "the same",
        "the same",
        "text ^m5",
    ]
)
_BODIES = st.lists(_BLOCKS, max_size=6)
_VALUES = st.sampled_from(
    [
        *(
            '"text"',
            "text",
            "5",
            "5.5",
            "2024-01-02T03:04:05",
            "true",
            '"[[Telegram/A/1]]"',
            "12:30",
            "",
            "[]",
            "[a, b]",
        ),
        *('\n  - "one"', "\n  - one\n  - two", '\n- "two"\n- "three"', "|\n  more\n  lines", "{a: 1}"),
    ]
)
_HEADS = st.dictionaries(st.sampled_from(["chat", "views", "tags", "aliases", "rating", "date"]), _VALUES, max_size=5)
_GAPS = st.sampled_from(["\n\n", "\n\n\n", "\n \n"])


@st.composite
def notes(draw: st.DrawFn) -> str:
    head = "".join(f"{name}:{value if value[:1] == chr(10) else f' {value}'}\n" for name, value in draw(_HEADS).items())
    body = draw(_GAPS).join(draw(_BODIES))
    return f'---\ntobs_id: "5/1"\ntobs_hash: "{draw(st.sampled_from(["aa", "bb", "cc"]))}"\n{head}---\n\n{body}\n'


@st.composite
def changed(draw: st.DrawFn, text: str, words: str) -> str:
    """``text`` with a few lines of its body removed, changed or put in; ``words`` mark who did it."""
    head, _, body = text.partition("\n---\n")
    lines = body.split("\n")
    for number in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(lines)))
        match draw(st.sampled_from(["insert", "paragraph", "change", "remove", "append"])):
            case "insert":
                lines.insert(at, f"{words} {number}")
            case "paragraph":
                lines[at:at] = ["", f"{words} {number}", ""]
            case "change" if at < len(lines) and lines[at].strip():
                lines[at] += f" {words} {number}"
            case "remove" if at < len(lines):
                del lines[at]
            case "append":
                lines += ["", f"{words} {number}", ""]
    return f"{head}\n---\n" + "\n".join(lines)


@st.composite
def versions(draw: st.DrawFn) -> tuple[str, str, str]:
    base = draw(notes())
    mine = draw(changed(base, "mine"))
    return base, mine, draw(changed(draw(st.sampled_from([base, base, draw(notes())])), "news"))


def merged(base: str, mine: str, new: str) -> str:
    return merge_notes(base, mine, new, lambda _: None, WORDS).text


def told_lines(text: str) -> list[str]:
    """The lines of a note, of our callouts what they quote."""
    return [line.lstrip("> ") for line in text.split("\n")]


@given(versions())
def test_every_line_of_the_owner_survives(texts: tuple[str, str, str]) -> None:
    base, mine, new = texts
    result = merged(*texts).split("\n")
    for line in mine.partition("\n---\n")[2].split("\n"):
        if "mine" in line:
            assert line in result
    assert merged(base, mine, base) == mine
    assert merged(base, base, new) == new


@given(versions())
def test_what_is_new_is_there_or_told(texts: tuple[str, str, str]) -> None:
    base, mine, new = texts
    result = merge_notes(base, mine, new, lambda _: None, WORDS)
    there = told_lines(result.text)
    for line in new.split("\n"):
        if "news" in line:
            assert line.lstrip("> ").removesuffix(" ^m5") in [each.removesuffix(" ^m5") for each in there]
    assert bool(result.conflicts) == (CONFLICT_CALLOUT in result.text) or any(not words for words in result.conflicts)


@given(versions())
def test_merging_again_changes_nothing(texts: tuple[str, str, str]) -> None:
    base, mine, new = texts
    result = merged(base, mine, new)
    assert merged(new, result, new) == result


@given(versions(), st.data())
def test_the_owners_lines_survive_every_later_merge(texts: tuple[str, str, str], data: st.DataObject) -> None:
    _, mine, new = texts
    later = data.draw(changed(new, "later"))
    result = merged(new, merged(*texts), later).split("\n")
    assert all(line in result for line in mine.split("\n") if "mine" in line)


@given(st.text("ab \n`~>^m5|[", max_size=60))
def test_blocks_joined_are_the_text(body: str) -> None:
    split = split_body(body)
    assert "".join(gap + text + told for gap, text, told in split.blocks) + split.end == body


@given(*[st.lists(st.sampled_from("abcd"), max_size=8)] * 3)
def test_chunks_cover_every_version(base: list[str], mine: list[str], new: list[str]) -> None:
    chunks = three_way(base, mine, new)
    for number, version in ((1, base), (2, mine), (3, new)):
        assert [item for chunk in chunks for item in version[slice(*chunk[number])]] == version
    for chunk in chunks:
        old, own, now = base[slice(*chunk.base)], mine[slice(*chunk.mine)], new[slice(*chunk.new)]
        assert chunk.kind not in ("kept", "new") or old == own
        assert chunk.kind not in ("kept", "mine") or old == now
        assert chunk.kind != "same" or own == now
    rebuilt = list(base)
    for edit in reversed(edits(base, mine)):
        rebuilt[slice(*edit.base)] = mine[slice(*edit.other)]
    assert rebuilt == mine


@given(versions())
def test_merged_front_matter_is_read_by_yaml(texts: tuple[str, str, str]) -> None:
    yaml.safe_load(merged(*texts).partition("---\n")[2].partition("\n---\n")[0])


# Single cases


def note(head: str, body: str = "text") -> str:
    return f'---\ntobs_id: "5/1"\n{head}---\n\n{body}\n'


@pytest.mark.parametrize(
    ("case", "base", "mine", "new", "result"),
    [
        ("an unknown key stays, with its comment", "views: 1\n", "# why\nmood: *a*b\nviews: 1\n", "views: 2\n", ""),
        (
            "another quoting is no edit",
            'chat: "A"\nviews: 1\n',
            "chat: A\nviews: 1\n",
            'chat: "B"\nviews: 1\n',
            'chat: "B"\nviews: 1\n',
        ),
        (
            "what nobody changed is not quoted anew",
            'chat: "A"\nviews: 1\n',
            "chat: 'A'\nviews: 1\n",
            'chat: "A"\nviews: 2\n',
            "chat: 'A'\nviews: 2\n",
        ),
        ("the owner's order stays", "a: 1\nb: 2\n", "b: 2\na: 1\n", "a: 1\nnew: 3\nb: 5\n", "b: 5\na: 1\nnew: 3\n"),
        ("a removed property stays removed", "a: 1\nviews: 2\n", "a: 1\n", "a: 2\nviews: 3\n", "a: 2\n"),
        (
            "what Telegram has no more goes",
            "a: 1\nedited: 2\n",
            "a: 1\nedited: 2\nmine: x\n",
            "a: 1\n",
            "a: 1\nmine: x\n",
        ),
        ("both alike", "a: 1\n", "a: 2\n", "a: 2\n", "a: 2\n"),
        (
            "a moment is text, quoted or not",
            "date: 2024-01-02T03:04:05\n",
            'date: "2024-01-02T03:04:05"\n',
            "date: 2024-01-02T03:04:06\n",
            "date: 2024-01-02T03:04:06\n",
        ),
        (
            "tags are a set",
            'tags:\n  - "a"\n  - "b"\n',
            "tags:\n  - a\n  - mine\n",
            'tags:\n  - "a"\n  - "b"\n  - "c"\n',
            'tags:\n  - a\n  - mine\n  - "c"\n',
        ),
        (
            "tags without quotes and indent are the same",
            'tags:\n  - "a"\n',
            "tags:\n- a\n",
            'tags:\n  - "a"\n  - "c"\n',
            'tags:\n  - "a"\n  - "c"\n',
        ),
        (
            "a list on one line",
            'tags:\n  - "a"\n',
            "tags: [a, mine]\n",
            'tags:\n  - "a"\n  - "c"\n',
            'tags:\n  - "a"\n  - "mine"\n  - "c"\n',
        ),
        (
            "a tag in other case is the same",
            'tags:\n  - "a"\n',
            "tags:\n  - A\n  - mine\n",
            'tags:\n  - "a"\n  - "c"\n',
            'tags:\n  - A\n  - mine\n  - "c"\n',
        ),
        ("a list the owner emptied", 'tags:\n  - "a"\n', "tags: []\n", 'tags:\n  - "a"\n  - "c"\n', 'tags:\n  - "c"\n'),
        ("a comment after a changed key", "a: 1\n", "a: 1\n# mine\n\n", "a: 2\n", "a: 2\n# mine\n\n"),
    ],
)
def test_properties(case: str, base: str, mine: str, new: str, result: str) -> None:
    if not result:
        mine, result = "# why\nmood: calm\nviews: 1\n", "# why\nmood: calm\nviews: 2\n"
    assert merged(note(base), note(mine), note(new)) == note(result), case


def test_a_property_that_both_changed_stays_and_the_other_is_told() -> None:
    result = merge_notes(note("a: 1\n"), note("a: 2\n"), note("a: 3\n"), lambda _: None, WORDS)
    assert result.text == note("a: 2\n", f"{CONFLICT_CALLOUT}{WORDS.properties}\n> `a: 3`\n\ntext")
    assert result.conflicts == ("a",)
    again = merge_notes(note("a: 3\n"), result.text, note("a: 4\n"), lambda _: None, WORDS)
    assert again.text == note("a: 2\n", f"{CONFLICT_CALLOUT}{WORDS.properties}\n> `a: 4`\n\ntext")


@pytest.mark.parametrize(
    ("case", "base", "mine", "new", "result"),
    [
        ("each side another paragraph", "a\n\nb\n\nc", "A\n\nb\n\nc", "a\n\nb\n\nC", "A\n\nb\n\nC"),
        ("neighbouring paragraphs", "a\n\nb", "A\n\nb", "a\n\nB", "A\n\nB"),
        ("each side another line of one paragraph", "a\nb\nc", "A\nb\nc", "a\nb\nC", "A\nb\nC"),
        ("both appended: ours first", "a", "a\n\nmine", "a\n\nnew", "a\n\nnew\n\nmine"),
        ("the owner appended, we changed the last", "a", "a\n\nmine", "b", "b\n\nmine"),
        ("a paragraph the owner removed stays away", "a\n\nb", "a", "A\n\nb", "A"),
        ("the owner's empty lines stay", "a\n\nb", "a\n\n\n\nb\n\n\n", "A\n\nb", "A\n\n\n\nb\n\n\n"),
        ("one line, two minds", "a", "mine", "new", f"mine\n\n{CONFLICT_CALLOUT}{WORDS.lines}\n> new"),
        ("removed, and changed", "a\n\nb", "b", "A\n\nb", f"{CONFLICT_CALLOUT}{WORDS.lines}\n> A\n\nb"),
        (
            "a code block is one",
            "```\na\n\nb\n```",
            "```\nmine\n\nb\n```",
            "```\nnew\n\nb\n```",
            f"```\nmine\n\nb\n```\n\n{CONFLICT_CALLOUT}{WORDS.lines}\n> new",
        ),
    ],
)
def test_bodies(case: str, base: str, mine: str, new: str, result: str) -> None:
    assert merged(note("", base), note("", mine), note("", new)) == note("", result), case


def test_a_second_conflict_takes_the_place_of_the_first_and_an_agreement_ends_it() -> None:
    first = merged(note("", "a"), note("", "mine"), note("", "new"))
    second = merged(note("", "new"), first, note("", "newer"))
    assert second == note("", f"mine\n\n{CONFLICT_CALLOUT}{WORDS.lines}\n> newer")


ONE, TWO, THREE = "10:00 Anna ^m1\n\nhello", "10:05 Bob ^m2\n\nhi", "11:00 Anna ^m3\n\nnew"
ONE_MINE, TWO_NEW, TWO_MINE = f"{ONE} mine", f"{TWO} there", "mine 10:05 Bob ^m2\n\nhi"
TOLD_HEADER = f"mine 10:05 Bob ^m2\n\n{CONFLICT_CALLOUT}{WORDS.lines}\n> new 10:05 Bob\n\nhi"


@pytest.mark.parametrize(
    ("case", "mine", "new", "result"),
    [
        (
            "a new message comes before what was written at the end",
            [ONE, TWO, "x"],
            [ONE, TWO, THREE],
            [ONE, TWO, THREE, "x"],
        ),
        ("a remark below a message stays there", [ONE, "x", TWO], [ONE, TWO, THREE], [ONE, "x", TWO, THREE]),
        ("one that comes later may stand before", [ONE, TWO, "x"], ["9:00 ^m0", ONE, TWO], ["9:00 ^m0", ONE, TWO, "x"]),
        ("one the owner removed stays away", [ONE], [ONE, TWO_NEW, THREE], [ONE, THREE]),
        ("one that is deleted goes", [ONE, TWO, "x"], [TWO], [TWO, "x"]),
        ("one the owner wrote into stays", [ONE_MINE, TWO], [TWO], [ONE_MINE, TWO]),
        ("each side another message", [ONE_MINE, TWO], [ONE, TWO_NEW], [ONE_MINE, TWO_NEW]),
        ("a header that both changed", [ONE, TWO_MINE], [ONE, f"new {TWO}"], [ONE, TOLD_HEADER]),
    ],
)
def test_in_a_note_of_many_messages_the_message_is_the_unit(
    case: str, mine: list[str], new: list[str], result: list[str]
) -> None:
    texts = (note("", "\n\n".join(blocks)) for blocks in ([ONE, TWO], mine, new))
    assert merged(*texts) == note("", "\n\n".join(result)), case


@pytest.mark.parametrize(
    "head", ["a: [1\n", "a: 1\na: 2\n", "- a\n", "a: 1\n  b: 2\n", "{a: 1, b: 2}\n", "a: \x00\n", '"a\n']
)
def test_front_matter_that_cannot_be_read_is_never_written(head: str) -> None:
    with pytest.raises(BrokenFrontMatter):
        merged(note("a: 1\n"), f"---\n{head}---\n\ntext\n", note("a: 2\n"))


@example(["views: 2"])
@given(
    st.lists(
        st.sampled_from(["views: 2", "a: 'b: c'", "n: 1e3", "t: 12:30", "e: [x, 'y']", "z: |\n  k\n  l"]), unique=True
    )
)
def test_what_the_owner_wrote_into_front_matter_reads_the_same_afterwards(lines: list[str]) -> None:
    mine = "".join(f"{line}\n" for line in lines if not line.startswith("views"))
    result = merged(note("views: 1\n"), note(f"views: 1\n{mine}"), note("views: 2\nedited: 2024-01-02T03:04:05\n"))
    front = result.partition("---\n")[2].partition("---\n")[0]
    assert mine in front
    assert yaml.safe_load(front)["views"] == 2


def test_npm_yaml_reads_merged_front_matter(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None or not (_JS / "node_modules").is_dir():
        if os.environ.get("CI"):
            pytest.fail("node and tests/js/node_modules are needed")
        pytest.skip("node is not installed")
    sources: list[str] = []

    @given(versions())
    def collect(texts: tuple[str, str, str]) -> None:
        sources.append(merged(*texts).partition("---\n")[2].partition("\n---\n")[0] + "\n")

    collect()
    done = subprocess.run(
        [node, str(_JS / "read_front_matter.mjs")],
        input=json.dumps(sources),
        capture_output=True,
        text=True,
        check=True,
    )
    read = json.loads(done.stdout)
    assert len(read) == len(sources) > 20
    assert [each["problems"] for each in read] == [[]] * len(read)
