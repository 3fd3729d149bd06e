"""Every kind of chat, and every way to name one, through tobs.telegram over TCP."""

from __future__ import annotations

from pathlib import Path

import pytest
from telethon.tl import functions

from tests.sandbox.conftest import telethon_client
from tests.sandbox.telegram_room import fetch_all, room, served_ids
from tobs.errors import RequestRefused, TargetNotFound, UsageError
from tobs.model import bare_id
from tobs.pipeline.context.report import start_report
from tobs.pipeline.select.selection import Selection, select_chats
from tobs.sandbox import open_world, serve
from tobs.sandbox.worlds import chats as world


async def test_a_supergroup_tells_the_basic_group_it_grew_from_and_the_group_leads_to_it(tmp_path: Path) -> None:
    async with serve(open_world("chats")) as sandbox, room(sandbox, tmp_path) as opened:
        club = await opened.telegram.resolve("@chess_club")
        assert (club.id, club.migrated_from) == (world.CLUB, world.CIRCLE)
        assert (await opened.telegram.resolve(str(world.CIRCLE))).id == world.CLUB
        old = await opened.telegram.full(club.migrated_from)
        assert (old.kind, old.migrated_to) == ("group", world.CLUB)
        listed = [chat.id async for chat in opened.telegram.chats()]
        assert world.CLUB in listed and world.CIRCLE not in listed
        found = await fetch_all(opened, world.CIRCLE)
        assert sorted(found.messages) == served_ids(sandbox, world.CIRCLE)


async def test_chats_that_share_one_sequence_of_ids_are_each_fetched_whole(tmp_path: Path) -> None:
    async with serve(open_world("chats")) as sandbox, room(sandbox, tmp_path) as opened:
        everything: list[int] = []
        for chat in (world.ME, world.ADA, world.BEN, world.WEATHER, world.CIRCLE):
            await opened.telegram.dialogs()
            found = await fetch_all(opened, chat, workers=4)
            assert sorted(found.messages) == served_ids(sandbox, chat)
            assert {message.chat_id for message in found.messages.values()} == {chat}
            everything += found.messages
        assert len(everything) == len(set(everything)), "no id belongs to two chats"


@pytest.mark.parametrize(
    ("name", "chats"),
    [
        ("Games", {world.CLUB, world.ADA}),
        ("games", {world.CLUB, world.ADA}),
        ("People", {world.ME, world.ADA, world.WEATHER}),
        ("Channels", {world.MEMBERS}),
        ("shared", {world.CLUB, world.MEMBERS}),
        ("archive", {world.QUIET}),
    ],
)
async def test_a_folder_names_its_chats(name: str, chats: set[int], tmp_path: Path) -> None:
    async with serve(open_world("chats")) as sandbox, room(sandbox, tmp_path) as opened:
        found = await opened.telegram.expand(f"folder:{name}")
        assert {chat.id for chat in found} == chats
        assert len(found) == len(chats)


async def test_an_unknown_folder_is_told_with_the_folders_there_are(tmp_path: Path) -> None:
    async with serve(open_world("chats")) as sandbox, room(sandbox, tmp_path) as opened:
        with pytest.raises(TargetNotFound, match="no folder") as caught:
            await opened.telegram.expand("folder:Nothing")
        assert "Games, People, Channels" in caught.value.remedy


async def test_an_invite_link_is_never_joined_unasked(tmp_path: Path) -> None:
    async with serve(open_world("chats")) as sandbox, room(sandbox, tmp_path) as opened:
        link = f"https://t.me/+{world.INVITED_CODE}"
        with pytest.raises(TargetNotFound, match="not a member of 'By Invitation'") as caught:
            await opened.telegram.resolve(link)
        assert "--join" in caught.value.remedy
        assert not sandbox.log.calls("messages.importChatInvite")
        chat = await opened.telegram.resolve(link, join=True)
        assert chat.id == world.INVITED
        found = await fetch_all(opened, chat.id)
        assert sorted(found.messages) == served_ids(sandbox, world.INVITED)


@pytest.mark.parametrize("form", ["https://t.me/+{}", "t.me/joinchat/{}", "tg://join?invite={}"])
async def test_an_invite_link_of_a_chat_the_account_is_in_names_that_chat(form: str, tmp_path: Path) -> None:
    async with serve(open_world("chats")) as sandbox, room(sandbox, tmp_path) as opened:
        assert (await opened.telegram.resolve(form.format(world.MEMBERS_CODE))).id == world.MEMBERS
        assert not sandbox.log.calls("messages.importChatInvite")


@pytest.mark.parametrize(("code", "said"), [("Expired123456789", "no longer valid"), ("Nonsense", "not valid")])
async def test_a_dead_invite_link_is_told(code: str, said: str, tmp_path: Path) -> None:
    async with serve(open_world("chats")) as sandbox, room(sandbox, tmp_path) as opened:
        with pytest.raises(TargetNotFound, match=said):
            await opened.telegram.resolve(f"t.me/+{code}")


async def test_links_to_posts_topics_people_and_phones_name_their_chat(tmp_path: Path) -> None:
    async with serve(open_world("chats")) as sandbox, room(sandbox, tmp_path) as opened:
        await opened.telegram.dialogs()
        club = bare_id(world.CLUB)
        for link in (
            "https://t.me/chess_club/12",
            "https://t.me/chess_club/3/12?single",
            "t.me/chess_club?thread=3",
            f"https://t.me/c/{club}/3/12",
            f"tg://privatepost?channel={club}&post=5",
            "tg://resolve?post=4&domain=chess_club",
            "https://chess_club.t.me/9",
            "telegram.me/CHESS_CLUB#x",
        ):
            assert (await opened.telegram.resolve(link)).id == world.CLUB, link
        assert (await opened.telegram.resolve("+9996626666")).kind == "saved"
        with pytest.raises(TargetNotFound, match="number"):
            await opened.telegram.resolve("https://t.me/+4900000000")
        with pytest.raises(TargetNotFound, match="folder"):
            await opened.telegram.resolve("https://t.me/addlist/abcdef")


async def test_archived_chats_are_listed_last_and_left_channels_only_in_a_takeout(tmp_path: Path) -> None:
    async with serve(open_world("chats")) as sandbox, room(sandbox, tmp_path) as opened:
        listed = [chat.id async for chat in opened.telegram.chats()]
        assert listed[-1] == world.QUIET and world.LEFT not in listed
        with pytest.raises(RequestRefused, match="takeout session"):
            await opened.telegram.left_channels()
        async with opened.telegram.takeout(("channels",)):
            left = await opened.telegram.left_channels()
            assert {chat.id for chat in left} == {world.LEFT}
            found = await fetch_all(opened, world.LEFT)
        assert sorted(found.messages) == served_ids(sandbox, world.LEFT)


async def test_an_exclusion_that_fits_nothing_is_refused(tmp_path: Path) -> None:
    async with serve(open_world("chats")) as sandbox, room(sandbox, tmp_path) as opened:
        events = start_report("run", "export", [], lambda: 0.0).events
        with pytest.raises(UsageError, match="fits none"):
            await select_chats(opened.telegram, Selection(all=True, exclude=("Nobody",)), events)
        chosen = await select_chats(opened.telegram, Selection(all=True, exclude=("@ADA_north", "wea")), events)
        assert world.ADA not in {one.chat.id for one in chosen} and world.WEATHER not in {one.chat.id for one in chosen}


async def test_stock_telethon_reads_the_world_of_chats() -> None:
    served = open_world("chats")
    async with serve(served) as sandbox, telethon_client(sandbox) as client:
        dialogs = await client.get_dialogs()
        assert {dialog.id for dialog in dialogs} == set(served.dialogs())
        assert [dialog.id for dialog in dialogs if dialog.archived] == [world.QUIET]
        folders = await client(functions.messages.GetDialogFiltersRequest())
        assert [folder.title.text for folder in folders.filters[1:]] == ["Games", "People", "Channels", "Shared ♟"]
        joined = await client(functions.messages.ImportChatInviteRequest(world.INVITED_CODE))
        assert joined.updates.chats[0].title == "By Invitation"
        for chat in (world.CIRCLE, world.INVITED):
            found = [message.id async for message in client.iter_messages(chat, wait_time=0)]
            assert sorted(found) == served_ids(sandbox, chat)
