from __future__ import annotations

import stat
from pathlib import Path

import pytest
from telethon.crypto import AuthKey
from telethon.sessions import StringSession

from tests.sandbox.telegram_room import answers, room, settings_for, sign_in
from tobs.errors import LoginError
from tobs.sandbox import SandboxOptions, open_world, serve
from tobs.telegram.login import CodePrompt, check_login, login, logout
from tobs.telegram.net.session import SessionFile
from tobs.telegram.opening import open_telegram

WORLD = "synthetic:messages=20,chats=1,seed=3"


async def test_a_login_is_kept_and_found_again(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox:
        settings = settings_for(sandbox, tmp_path)
        account = await sign_in(sandbox, settings)
        assert account.id == sandbox.world.me.id and account.title
        assert await check_login(settings) == account
        assert await sign_in(sandbox, settings) == account
        assert len(sandbox.log.calls("auth.sendCode")) == 1


async def test_the_session_file_is_the_owners_alone(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox:
        settings = settings_for(sandbox, tmp_path)
        await sign_in(sandbox, settings)
    path = SessionFile(settings).path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [item.name for item in path.parent.iterdir()] == ["default.session"]


async def test_a_wrong_code_is_refused_and_keeps_no_session(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox:
        settings = settings_for(sandbox, tmp_path)
        with pytest.raises(LoginError) as caught:
            await login(settings, phone=sandbox.ready.phone, ask_code=answers("99999"), ask_password=answers(""))
        assert "code is wrong" in caught.value.message and caught.value.exit_code == 3
        assert SessionFile(settings).load() is None


async def test_a_mistyped_code_may_be_given_again(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox:
        settings = settings_for(sandbox, tmp_path)
        typed = iter(["11111", sandbox.ready.code])
        heard: list[str] = []

        async def ask(prompt: CodePrompt) -> str:
            heard.append(f"{prompt.place} {prompt.problem}")
            return next(typed)

        await login(settings, phone=sandbox.ready.phone, ask_code=ask, ask_password=answers(""))
        assert heard == ["in the Telegram app ", "in the Telegram app The login code is wrong."]


async def test_an_unknown_number_and_a_wrong_api_hash_are_told(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox:
        settings = settings_for(sandbox, tmp_path)
        with pytest.raises(LoginError, match="phone number"):
            await login(settings, phone="+999", ask_code=answers("1"), ask_password=answers(""))
        wrong = settings_for(sandbox, tmp_path, api_hash="x" * 32)
        with pytest.raises(LoginError, match="API id"):
            await login(wrong, phone=sandbox.ready.phone, ask_code=answers("1"), ask_password=answers(""))


async def test_logout_ends_the_session_and_removes_its_file(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox:
        settings = settings_for(sandbox, tmp_path)
        await sign_in(sandbox, settings)
        assert await logout(settings) is True
        assert len(sandbox.log.calls("auth.logOut")) == 1
        assert not SessionFile(settings).path.exists()
        assert await logout(settings) is False
        with pytest.raises(LoginError):
            await check_login(settings)


async def test_a_string_session_stands_for_a_file(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox:
        settings = settings_for(sandbox, tmp_path)
        account = await sign_in(sandbox, settings)
        kept = SessionFile(settings).load()
        assert kept is not None
        text = StringSession()
        text.set_dc(kept.dc, kept.host, kept.port)
        text.auth_key = AuthKey(kept.key)
        other = settings_for(sandbox, tmp_path / "elsewhere", session=text.save())
        assert (await check_login(other)).id == account.id
        assert not (tmp_path / "elsewhere").exists()


async def test_a_bot_is_told_that_it_may_not_read_history(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox:
        sandbox.world.me.bot, sandbox.world.me.bot_info_version = True, 1
        async with room(sandbox, tmp_path) as opened:
            assert opened.telegram.account.is_bot
            with pytest.raises(LoginError, match="Bots"):
                await opened.telegram.resolve("@synthetic")


async def test_no_secret_is_shown(tmp_path: Path) -> None:
    async with serve(open_world(WORLD), SandboxOptions()) as sandbox:
        settings = settings_for(sandbox, tmp_path)
        await sign_in(sandbox, settings)
        kept = SessionFile(settings).load()
        assert kept is not None
        shown = [repr(settings), str(settings), repr(kept)]
        async with open_telegram(settings) as telegram:
            shown += [repr(telegram), repr(telegram.account)]
        for text in shown:
            assert settings.api_hash not in text
            assert repr(kept.key)[2:20] not in text
