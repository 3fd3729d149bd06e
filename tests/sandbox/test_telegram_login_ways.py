"""Every kind of login, and every end of a login that the user did not choose."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.telegram_room import answers, quick, settings_for, sign_in
from tobs.errors import LoginError, TobsError
from tobs.sandbox import Sandbox, SandboxOptions, open_world, serve
from tobs.sandbox.services.qr import accept, read_token
from tobs.telegram.login import CodePrompt, PasswordPrompt, check_login, login, login_bot, login_qr, logout
from tobs.telegram.net.rpc_errors import RPC_ERRORS
from tobs.telegram.net.session import Account, SessionFile
from tobs.telegram.net.settings import TelegramSettings
from tobs.telegram.opening import open_telegram

WORLD = "synthetic:messages=20,chats=1,media=0,seed=3"
LOCKED = SandboxOptions(password="correct horse", hint="a battery")


class Replies:
    """Give the answers one after the other; record the prompts."""

    def __init__(self, *texts: str) -> None:
        self.texts = list(texts)
        self.asked: list[Any] = []

    async def __call__(self, prompt: CodePrompt | PasswordPrompt) -> str:
        self.asked.append(prompt)
        return self.texts.pop(0)


async def enter(
    sandbox: Sandbox, settings: TelegramSettings, code: Any = None, password: Any = None, phone: str = ""
) -> Account:
    return await login(
        settings,
        phone=phone or sandbox.ready.phone,
        ask_code=code or answers(sandbox.ready.code),
        ask_password=password or answers("correct horse"),
    )


# passwords


async def test_a_password_is_asked_for_with_its_hint_and_may_be_mistyped_twice(tmp_path: Path) -> None:
    async with serve(open_world(WORLD), LOCKED) as sandbox:
        settings = settings_for(sandbox, tmp_path)
        typed = Replies("horse", "incorrect horse", "correct horse")
        account = await enter(sandbox, settings, password=typed)
        assert account.id == sandbox.world.me.id and await check_login(settings) == account
        assert [prompt.hint for prompt in typed.asked] == ["a battery"] * 3
        assert [prompt.problem for prompt in typed.asked] == ["", *["The password is wrong."] * 2]


async def test_three_wrong_passwords_end_the_login_and_the_same_one_twice_too(tmp_path: Path) -> None:
    async with serve(open_world(WORLD), LOCKED) as sandbox:
        settings = settings_for(sandbox, tmp_path)
        for tries in (["a", "b", "c"], ["a", "a"]):
            typed = Replies(*tries)
            with pytest.raises(LoginError, match="password is wrong"):
                await enter(sandbox, settings, password=typed)
            assert typed.texts == []
        assert SessionFile(settings).load() is None


async def test_a_challenge_that_grew_old_is_asked_for_again_without_asking_the_person(tmp_path: Path) -> None:
    options = SandboxOptions(password="correct horse", faults=("auth.checkPassword#1=error:400:SRP_ID_INVALID",))
    async with serve(open_world(WORLD), options) as sandbox:
        typed = Replies("correct horse")
        await enter(sandbox, settings_for(sandbox, tmp_path), password=typed)
        assert len(sandbox.log.calls("account.getPassword")) == 2


# codes


async def test_an_empty_answer_sends_the_code_another_way_until_there_is_none(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox:
        typed = Replies("", "", "11111", sandbox.ready.code)
        await enter(sandbox, settings_for(sandbox, tmp_path), code=typed)
        assert [(prompt.place, prompt.next_place) for prompt in typed.asked] == [
            ("in the Telegram app", "by SMS"),
            ("by SMS", "by a phone call"),
            ("by a phone call", ""),
            ("by a phone call", ""),
        ]
        assert typed.asked[0].timeout == 60


async def test_a_code_that_cannot_be_sent_another_way_is_asked_for_once_more(tmp_path: Path) -> None:
    faults = ("auth.resendCode#1=error:406:SEND_CODE_UNAVAILABLE",)
    async with serve(open_world(WORLD), SandboxOptions(faults=faults)) as sandbox:
        typed = Replies("", sandbox.ready.code)
        await enter(sandbox, settings_for(sandbox, tmp_path), code=typed)
        assert typed.asked[1].next_place == "" and "no other way" in typed.asked[1].problem


async def test_for_an_expired_code_a_new_one_is_sent(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox:
        typed = Replies("00000", sandbox.ready.code)

        async def slow(prompt: CodePrompt) -> str:
            if not typed.asked:
                sandbox.server.clock.advance(600)
            return await typed(prompt)

        await enter(sandbox, settings_for(sandbox, tmp_path), code=slow)
        assert "too old" in typed.asked[1].problem and "new one was sent" in typed.asked[1].problem
        assert len(sandbox.log.calls("auth.sendCode")) == 2


@pytest.mark.parametrize("name", ["PHONE_NUMBER_INVALID", "PHONE_NUMBER_BANNED", "PHONE_NUMBER_FLOOD", "NEVER_SEEN"])
async def test_numbers_that_telegram_refuses_are_told_in_a_sentence(name: str, tmp_path: Path) -> None:
    options = SandboxOptions(faults=(f"auth.sendCode=error:400:{name}",))
    async with serve(open_world(WORLD), options) as sandbox:
        with pytest.raises(TobsError) as caught:
            await enter(sandbox, settings_for(sandbox, tmp_path))
    if name in RPC_ERRORS:
        assert caught.value.exit_code == 3 and caught.value.message == RPC_ERRORS[name].message and caught.value.remedy
    else:
        assert caught.value.exit_code == 4 and name in caught.value.message and "auth.sendCode" in caught.value.message


async def test_a_number_of_another_data_centre_is_followed_there(tmp_path: Path) -> None:
    async with serve(open_world(WORLD), SandboxOptions(dcs=2)) as sandbox:
        settings = away(sandbox, tmp_path)
        account = await enter(sandbox, settings)
        session = SessionFile(settings).load()
        assert session is not None and session.dc == sandbox.ready.dc and await check_login(settings) == account


@pytest.mark.parametrize("name", ["PHONE_MIGRATE_4", "NETWORK_MIGRATE_4", "USER_MIGRATE_4"])
async def test_a_login_goes_where_telegram_sends_it(name: str, tmp_path: Path) -> None:
    async with serve(open_world(WORLD), SandboxOptions(dcs=2)) as sandbox:
        settings = settings_for(sandbox, tmp_path)
        sandbox.faults.add(f"auth.sendCode#1=error:303:{name}")  # DC 4 sends back: the account lives on DC 2
        await enter(sandbox, settings)
        asked = [(entry.dc, entry.error) for entry in sandbox.log.calls("auth.sendCode")]
        assert asked == [(2, name), (4, "PHONE_MIGRATE_2"), (2, None)]


def away(sandbox: Sandbox, home: Path) -> TelegramSettings:
    """Settings that know only a data centre where the account does not live."""
    settings = settings_for(sandbox, home)
    assert settings.server is not None
    dc, port = next((dc, port) for dc, port in sandbox.server.ports.items() if dc != sandbox.ready.dc)
    server = type(settings.server)(settings.server.host, port, dc, settings.server.key_pem)
    return settings_for(sandbox, home, server=server)


# QR codes


class Screen:
    """Draws QR codes on a list; ``scan_from`` says from which one on they are scanned."""

    def __init__(self, sandbox: Sandbox, scan_from: int = 1) -> None:
        self.sandbox = sandbox
        self.urls: list[str] = []
        self.scan_from = scan_from

    def __call__(self, url: str) -> None:
        self.urls.append(url)
        if len(self.urls) >= self.scan_from:
            user = int(self.sandbox.world.me.id)
            asyncio.get_running_loop().call_later(0.05, accept, self.sandbox.server.context, read_token(url), user)


async def test_a_scanned_qr_code_logs_in_at_once(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox:
        settings, screen = settings_for(sandbox, tmp_path), Screen(sandbox)
        async with asyncio.timeout(5):  # well before the code expires: Telegram has pushed it
            account = await login_qr(settings, show=screen, ask_password=answers(""))
        assert account == await check_login(settings)
        assert len(screen.urls) == 1 and screen.urls[0].startswith("tg://login?token=")
        assert len(sandbox.log.calls("auth.exportLoginToken")) == 2


async def test_a_qr_code_is_drawn_anew_when_it_expires(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox:
        waited: list[float] = []

        async def nap(seconds: float) -> None:
            waited.append(seconds)
            await asyncio.sleep(0.2 if len(screen.urls) >= 3 else 0)

        screen = Screen(sandbox, scan_from=3)
        await login_qr(settings_for(sandbox, tmp_path), show=screen, ask_password=answers(""), sleep=nap)
        assert len(set(screen.urls)) == 3 and all(20 < seconds <= 31 for seconds in waited)


async def test_a_qr_login_goes_on_at_the_accounts_data_centre_and_asks_for_the_password(tmp_path: Path) -> None:
    async with serve(open_world(WORLD), SandboxOptions(dcs=3, password="pw", hint="two letters")) as sandbox:
        settings, typed = away(sandbox, tmp_path), Replies("pw")
        account = await login_qr(settings, show=Screen(sandbox), ask_password=typed)
        session = SessionFile(settings).load()
        assert session is not None and session.dc == sandbox.ready.dc
        assert typed.asked == [PasswordPrompt("two letters")]
        assert len(sandbox.log.calls("auth.importLoginToken")) == 1
        assert await check_login(settings) == account


async def test_a_qr_code_that_nobody_scans_ends_with_what_to_press(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox:
        times = iter(range(0, 10_000, 100))
        with pytest.raises(LoginError, match="No one scanned") as caught:
            await login_qr(
                settings_for(sandbox, tmp_path),
                show=Screen(sandbox, scan_from=99),
                ask_password=answers(""),
                clock=lambda: float(next(times)),
                sleep=quick,
            )
        assert "Link Desktop Device" in caught.value.remedy


# bots and several accounts


async def test_a_bot_has_an_account_of_its_own_beside_the_persons_and_reads_no_history(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox:
        person = await sign_in(sandbox, settings_for(sandbox, tmp_path))
        for_bot = settings_for(sandbox, tmp_path, account="robot")
        with pytest.raises(LoginError, match="bot token is wrong"):
            await login_bot(for_bot, "1:no")
        bot = await login_bot(for_bot, sandbox.ready.bot_token)
        assert bot.is_bot and bot.name == "robot" and bot.id != person.id
        assert (await check_login(for_bot)).id == bot.id
        assert (await check_login(settings_for(sandbox, tmp_path))).id == person.id
        async with open_telegram(for_bot) as telegram:
            with pytest.raises(LoginError, match="Bots may not read") as caught:
                await telegram.resolve(sandbox.ready.targets[0])
        assert caught.value.exit_code == 3 and sandbox.log.calls("messages.getHistory") == []
        assert sorted(path.name for path in for_bot.sessions.iterdir()) == ["default.session", "robot.session"]
        assert await logout(for_bot) and (await check_login(settings_for(sandbox, tmp_path))).id == person.id


async def test_a_login_as_someone_else_than_who_is_logged_in_is_refused(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox:
        settings = settings_for(sandbox, tmp_path)
        await sign_in(sandbox, settings)
        with pytest.raises(LoginError, match="logged in as"):
            await login_bot(settings, sandbox.ready.bot_token)
        with pytest.raises(LoginError, match="logged in as"):
            await enter(sandbox, settings, phone="+1234567")


# sessions that ended


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("AUTH_KEY_UNREGISTERED", "No one is logged in"),
        ("SESSION_REVOKED", "ended from another device"),
        ("SESSION_EXPIRED", "too old"),
        ("AUTH_KEY_DUPLICATED", "two networks at once"),
        ("USER_DEACTIVATED", "was deleted"),
        ("USER_DEACTIVATED_BAN", "banned"),
    ],
)
async def test_an_ended_session_says_what_happened_and_a_new_login_goes_on(
    name: str, words: str, tmp_path: Path
) -> None:
    async with serve(open_world(WORLD)) as sandbox:
        settings = settings_for(sandbox, tmp_path)
        account = await sign_in(sandbox, settings)
        sandbox.server.state.end_logins(name)
        for ended in (check_login(settings), open_telegram(settings).__aenter__()):
            with pytest.raises(LoginError, match=words) as caught:
                await ended
            assert caught.value.exit_code == 3 and caught.value.remedy
        assert await sign_in(sandbox, settings) == account
        assert await check_login(settings) == account


async def test_what_to_do_names_the_account(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox:
        settings = settings_for(sandbox, tmp_path, account="work")
        with pytest.raises(LoginError, match="tobs login --account work`"):
            await check_login(settings)
        await sign_in(sandbox, settings)
        sandbox.server.state.end_logins("SESSION_REVOKED")
        with pytest.raises(LoginError, match="tobs login --account work` again"):
            await check_login(settings)


async def test_a_session_that_ends_during_a_run_says_so(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox:
        settings = settings_for(sandbox, tmp_path)
        await sign_in(sandbox, settings)
        async with open_telegram(settings) as telegram:
            sandbox.server.state.end_logins("SESSION_REVOKED")
            with pytest.raises(LoginError, match="ended from another device"):
                [chat async for chat in telegram.chats()]


async def test_a_server_that_forgot_the_key_says_so(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox:
        settings = settings_for(sandbox, tmp_path)
        await sign_in(sandbox, settings)
        sandbox.server.state.keys.clear()
        with pytest.raises(LoginError, match="does not know this session"):
            await check_login(settings)
        assert await sign_in(sandbox, settings)


async def test_logging_out_of_an_ended_session_removes_its_file(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox:
        settings = settings_for(sandbox, tmp_path)
        await sign_in(sandbox, settings)
        sandbox.server.state.end_logins("SESSION_REVOKED")
        assert await logout(settings) and not SessionFile(settings).path.exists()
