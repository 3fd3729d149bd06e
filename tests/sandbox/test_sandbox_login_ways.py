"""Stock Telethon against the sandbox: passwords, other ways for the code, QR codes, bots, ended logins."""

from __future__ import annotations

import asyncio
import base64
import json
import urllib.request

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from telethon import errors
from telethon.password import compute_check
from telethon.tl import functions, types

from tests.sandbox.conftest import SMALL, telethon_client
from tobs.sandbox import Sandbox, SandboxOptions, open_world, serve
from tobs.sandbox.services.password import is_valid_proof, make_verifier
from tobs.sandbox.state import Challenge

LOCKED = SandboxOptions(password="correct horse", hint="a battery")
locked = pytest.mark.parametrize("sandbox", [LOCKED], indirect=True)


async def control(sandbox: Sandbox, path: str, body: dict) -> dict:
    def ask() -> dict:
        with urllib.request.urlopen(sandbox.ready.control + path, json.dumps(body).encode(), 10) as answer:
            return json.loads(answer.read())

    return await asyncio.to_thread(ask)


# passwords


@locked
async def test_an_account_with_a_password_wants_it_after_the_code(sandbox: Sandbox, connect) -> None:
    assert sandbox.ready.password == "correct horse"
    async with connect(login=False) as client:
        await client.send_code_request(sandbox.ready.phone)
        with pytest.raises(errors.SessionPasswordNeededError):
            await client.sign_in(sandbox.ready.phone, sandbox.ready.code)
        assert not await client.is_user_authorized()
        assert (await client(functions.account.GetPasswordRequest())).hint == "a battery"
        with pytest.raises(errors.PasswordHashInvalidError):
            await client.sign_in(password="wrong")
        assert (await client.sign_in(password="correct horse")).id == sandbox.world.me.id
        assert await client.is_user_authorized()


@locked
async def test_a_challenge_is_good_once_and_only_while_it_is_the_newest(sandbox: Sandbox, connect) -> None:
    async with connect(login=False) as client:
        await client.send_code_request(sandbox.ready.phone)
        with pytest.raises(errors.SessionPasswordNeededError):
            await client.sign_in(sandbox.ready.phone, sandbox.ready.code)
        old = compute_check(await client(functions.account.GetPasswordRequest()), "correct horse")
        used = compute_check(await client(functions.account.GetPasswordRequest()), "wrong")
        with pytest.raises(errors.SrpIdInvalidError):
            await client(functions.auth.CheckPasswordRequest(old))
        with pytest.raises(errors.PasswordHashInvalidError):
            await client(functions.auth.CheckPasswordRequest(used))
        with pytest.raises(errors.SrpIdInvalidError):
            await client(functions.auth.CheckPasswordRequest(used))


@locked
async def test_the_password_alone_lets_nobody_in(sandbox: Sandbox, connect) -> None:
    async with connect(login=False) as client:
        with pytest.raises(errors.AuthKeyUnregisteredError):
            await client(functions.account.GetPasswordRequest())


@given(b=st.integers(min_value=2**2000, max_value=2**2048 - 1), password=st.sampled_from(["x", "пароль", "a b c"]))
@settings(max_examples=6, deadline=None)
def test_the_two_sides_of_srp_agree_for_the_right_password_only(b: int, password: str) -> None:
    verifier = make_verifier(password)
    p = int.from_bytes(verifier.algo.p, "big")
    k = int.from_bytes(__import__("hashlib").sha256(verifier.algo.p + (3).to_bytes(256, "big")).digest(), "big")
    public = ((k * verifier.v + pow(3, b, p)) % p).to_bytes(256, "big")
    challenge = Challenge(1, b, public)
    rules = types.account.Password(
        new_algo=types.PasswordKdfAlgoUnknown(),
        new_secure_algo=types.SecurePasswordKdfAlgoUnknown(),
        secure_random=b"",
        current_algo=verifier.algo,
        srp_B=public,
        srp_id=1,
    )
    right = compute_check(rules, password)
    wrong = compute_check(rules, password + "!")
    assert is_valid_proof(verifier, challenge, right.A, right.M1)
    assert not is_valid_proof(verifier, challenge, wrong.A, wrong.M1)
    assert not is_valid_proof(verifier, challenge, bytes(256), right.M1)


# codes


async def test_a_code_is_sent_again_by_sms_then_by_a_call_and_then_no_more(sandbox: Sandbox, connect) -> None:
    async with connect(login=False) as client:
        sent = await client(
            functions.auth.SendCodeRequest(
                sandbox.ready.phone, sandbox.ready.api_id, sandbox.ready.api_hash, types.CodeSettings()
            )
        )
        seen = [(type(sent.type), type(sent.next_type))]
        while sent.next_type:
            sent = await client(functions.auth.ResendCodeRequest(sandbox.ready.phone, sent.phone_code_hash))
            seen.append((type(sent.type), type(sent.next_type)))
        assert seen == [
            (types.auth.SentCodeTypeApp, types.auth.CodeTypeSms),
            (types.auth.SentCodeTypeSms, types.auth.CodeTypeCall),
            (types.auth.SentCodeTypeCall, type(None)),
        ]
        with pytest.raises(errors.SendCodeUnavailableError):
            await client(functions.auth.ResendCodeRequest(sandbox.ready.phone, sent.phone_code_hash))
        assert await client.sign_in(sandbox.ready.phone, sandbox.ready.code, phone_code_hash=sent.phone_code_hash)


async def test_a_code_expires(sandbox: Sandbox, connect) -> None:
    async with connect(login=False) as client:
        await client.send_code_request(sandbox.ready.phone)
        await control(sandbox, "/clock", {"advance": 600})
        with pytest.raises(errors.PhoneCodeExpiredError):
            await client.sign_in(sandbox.ready.phone, sandbox.ready.code)


# QR codes


async def test_a_scanned_code_logs_in_and_the_client_is_told_at_once(sandbox: Sandbox, connect) -> None:
    async with connect(login=False) as client:
        shown = await client.qr_login()
        waiting = asyncio.create_task(shown.wait(10))
        await asyncio.sleep(0)
        assert await control(sandbox, "/accept-login", {"token": shown.url}) == {"user": sandbox.world.me.id}
        assert (await waiting).id == sandbox.world.me.id


async def test_another_client_accepts_a_code(sandbox: Sandbox, connect) -> None:
    async with connect() as inside, connect(login=False) as client:
        shown = await client.qr_login()
        waiting = asyncio.create_task(shown.wait(10))
        await asyncio.sleep(0)
        await inside(functions.auth.AcceptLoginTokenRequest(shown.token))
        assert (await waiting).is_self
        with pytest.raises(errors.AuthTokenAlreadyAcceptedError):
            await inside(functions.auth.AcceptLoginTokenRequest(shown.token))


async def test_tokens_expire_and_made_up_ones_are_refused(sandbox: Sandbox, connect) -> None:
    async with connect() as inside, connect(login=False) as client:
        shown = await client.qr_login()
        await control(sandbox, "/clock", {"advance": 31})
        with pytest.raises(errors.AuthTokenExpiredError):
            await inside(functions.auth.AcceptLoginTokenRequest(shown.token))
        with pytest.raises(errors.BadRequestError):
            await inside(functions.auth.AcceptLoginTokenRequest(b"x" * 32))
        with pytest.raises(errors.BadRequestError):
            await client(functions.auth.ImportLoginTokenRequest(shown.token))


@locked
async def test_a_scanned_code_of_an_account_with_a_password_wants_it(sandbox: Sandbox, connect) -> None:
    async with connect(login=False) as client:
        shown = await client.qr_login()
        waiting = asyncio.create_task(shown.wait(10))
        await asyncio.sleep(0)
        await control(sandbox, "/accept-login", {"token": base64.urlsafe_b64encode(shown.token).decode()})
        with pytest.raises(errors.SessionPasswordNeededError):
            await waiting
        assert (await client.sign_in(password="correct horse")).is_self


# bots and ended logins


async def test_a_bot_logs_in_by_its_token_and_may_not_read_history(sandbox: Sandbox, connect) -> None:
    async with connect(login=False) as client:
        with pytest.raises(errors.AccessTokenInvalidError):
            await client.sign_in(bot_token="1:nothing")
        me = await client.sign_in(bot_token=sandbox.ready.bot_token)
        assert me.bot and me.id != sandbox.world.me.id and (await client.get_me()).id == me.id
        for request in (
            functions.messages.GetHistoryRequest(types.InputPeerSelf(), 0, None, 0, 1, 0, 0, 0),
            functions.account.InitTakeoutSessionRequest(),
        ):
            with pytest.raises(errors.BotMethodInvalidError):
                await client(request)


@pytest.mark.parametrize("name", ["SESSION_REVOKED", "AUTH_KEY_DUPLICATED", "USER_DEACTIVATED_BAN"])
async def test_ended_logins_get_their_error_and_a_new_login_is_possible(name: str) -> None:
    async with serve(open_world(SMALL)) as sandbox:
        async with telethon_client(sandbox) as client:
            assert await control(sandbox, "/end-logins", {"error": name}) == {"ended": 1}
            with pytest.raises(errors.RPCError) as caught:
                await client(functions.users.GetUsersRequest([types.InputUserSelf()]))
            assert type(caught.value).__name__.removesuffix("Error").lower() == name.replace("_", "").lower()
        async with telethon_client(sandbox) as client:
            assert (await client.get_me()).id == sandbox.world.me.id
