"""Kinds of messages that people rarely send, the whole way from Telegram into a vault that strangers judge."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e import judge
from tests.e2e.harness import sandbox
from tests.e2e.judge import Vault

GROUP = "Telegram/Odds and Ends"


@pytest.fixture(scope="module", params=["message", "day"])
def vault(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    folder = tmp_path_factory.mktemp(request.param)
    with sandbox(folder / "sandbox", "kinds") as served:
        served.login()
        chats = [str(chat["id"]) for chat in served.tobs("chats", "--json").json]
        done = served.tobs("export", *chats, "--vault", str(folder / "vault"), "--layout", request.param, TZ="UTC")
        assert done.code == 0, done.stderr
        assert served.tobs("verify", "--vault", str(folder / "vault")).code == 0
    yield Vault(folder / "vault")


def test_strangers_find_nothing_wrong(vault: Vault) -> None:
    faults = {
        each.__name__: each(vault)
        for each in (
            judge.type_faults,
            judge.link_faults,
            judge.duplicate_faults,
            judge.tag_faults,
            judge.code_faults,
            judge.embeds_apart,
            judge.front_matter_faults,
        )
    }
    assert not any(faults.values()), judge.table(faults)
    assert judge.name_faults(vault.files) == []


def test_every_kind_says_what_it_is(vault: Vault) -> None:
    said = "\n".join(body for name, body in sorted(vault.bodies.items()) if name.startswith(GROUP))
    for words in (
        "Place: Café \\[\\[Blue\\]\\], Lake Road 5",
        "Live location, shared for 15 minutes",
        "> [!quote]- Hidden until opened",
        "*Photo — disappeared (self-destructing)*",
        "> [!info] Invoice: A mug",
        "*Paid media: 25 stars (1 file, not bought)*",
        "Giveaway: 3 prizes, Telegram Premium for 6 months",
        "Giveaway results: 2 winners",
        "Story of [[Telegram/People/Ada North|Ada North]]",
        "*Quiz, closed, 4 voters*",
        "> [!note] Fact check",
        "in some places only: local law",
        "suggested post, accepted, 50 stars",
        "paid with 7 stars",
        "a story of [[Telegram/People/Ada North|Ada North]]",
        "a message of A \\*hidden\\* friend in another chat",
        "Take (`` a `code` ``)",
        "## What I found",
        "> [!note]- More",
        "set messages to disappear after 1 day",
        "rejected the suggested post",
        "Missed video call",
    ):
        assert words in said, words
    assert said.count("This message is of a kind that tobs cannot show yet") == 1
    assert "Shop Window/2024/2024-03-09#^m2" in said or "Shop Window/2024/03/2024-03-09 2 Post 2|" in said
    assert "<script>" not in said.replace("`<script>alert(1)</script>`", "")


def test_files_of_rich_messages_polls_and_paid_media_are_here(vault: Vault) -> None:
    pictures = [name for name in vault.files if name.startswith(f"{GROUP}/media/") and name.endswith(".jpg")]
    assert len(pictures) == 7  # hidden, bought, of a story, of a quiz, two of a rich message, the chat's own
    embedded = "\n".join(vault.bodies.values())
    assert [name for name in pictures if f"![[{name}]]" not in embedded] == []


def test_custom_and_paid_reactions_are_counted(vault: Vault) -> None:
    told = [each["reactions"] for each in vault.properties.values() if "reactions" in each]
    text = "\n".join(body for name, body in vault.bodies.items() if "*🔥 3" in body)
    assert told == [["🔥 3", "🏅 2", "⭐ 9"]] or "🔥 3, 🏅 2, ⭐ 9" in text
