"""Stock Telethon logs into the sandbox and out again."""

from __future__ import annotations

import pytest
from telethon import errors
from telethon.tl import functions

from tobs.sandbox import Sandbox


async def test_a_code_logs_in_and_logging_out_ends_it(sandbox: Sandbox, connect) -> None:
    async with connect(login=False) as client:
        assert not await client.is_user_authorized()
        await client.send_code_request(sandbox.ready.phone)
        me = await client.sign_in(sandbox.ready.phone, sandbox.ready.code)
        assert me.id == sandbox.world.me.id
        assert await client.is_user_authorized()
        await client(functions.auth.LogOutRequest())
        with pytest.raises(errors.AuthKeyUnregisteredError):
            await client(functions.updates.GetStateRequest())


async def test_a_wrong_code_is_refused_and_the_right_one_still_works(sandbox: Sandbox, connect) -> None:
    async with connect(login=False) as client:
        await client.send_code_request(sandbox.ready.phone)
        with pytest.raises(errors.PhoneCodeInvalidError):
            await client.sign_in(sandbox.ready.phone, "00000")
        assert (await client.sign_in(sandbox.ready.phone, sandbox.ready.code)).is_self


async def test_an_unknown_phone_is_refused(connect) -> None:
    async with connect(login=False) as client:
        with pytest.raises(errors.PhoneNumberInvalidError):
            await client.send_code_request("+10000000000")


async def test_wrong_api_credentials_are_refused(sandbox: Sandbox, connect) -> None:
    async with connect(login=False) as client:
        client.api_hash = "f" * 32
        with pytest.raises(errors.ApiIdInvalidError):
            await client.send_code_request(sandbox.ready.phone)


async def test_nothing_personal_is_answered_before_the_login(connect) -> None:
    async with connect(login=False) as client:
        with pytest.raises(errors.AuthKeyUnregisteredError):
            await client.get_dialogs()


async def test_a_method_the_sandbox_does_not_know_gets_a_clear_error_and_is_logged(sandbox: Sandbox, client) -> None:
    with pytest.raises(errors.InputMethodInvalidError):
        await client(functions.account.GetThemesRequest("android", 0))
    (entry,) = sandbox.log.calls("account.getThemes")
    assert entry.error == "INPUT_METHOD_INVALID"
