"""Session files: locked with a passphrase or the system's keyring, elsewhere, damaged."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.errors
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keyring.backend import KeyringBackend

from tests.sandbox.telegram_room import room, settings_for, sign_in
from tobs.errors import ConfigError, LoginError
from tobs.sandbox import SandboxOptions, open_world, serve
from tobs.telegram.login import check_login, logout
from tobs.telegram.net.session import SessionFile
from tobs.telegram.net.session_encryption import seal, unseal

WORLD = "synthetic:messages=20,chats=1,media=0,seed=3"


class MemoryKeyring(KeyringBackend):
    """A keyring of this process."""

    priority = 1.0

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.kept.pop((service, username), None) is None:
            raise keyring.errors.PasswordDeleteError(username)


class ShutKeyring(MemoryKeyring):
    """A keyring that its owner did not unlock."""

    def get_password(self, service: str, username: str) -> str | None:
        raise keyring.errors.KeyringLocked("locked")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise keyring.errors.KeyringLocked("locked")


@pytest.fixture
def ring() -> Iterator[MemoryKeyring]:
    before, made = keyring.get_keyring(), MemoryKeyring()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


async def test_a_session_locked_with_a_passphrase_shows_no_key_and_opens_with_it_only(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox:
        locked = settings_for(sandbox, tmp_path, session_lock="passphrase", passphrase="open sesame")
        account = await sign_in(sandbox, locked)
        file = SessionFile(locked)
        assert stat.S_IMODE(file.path.stat().st_mode) == 0o600 and file.wants_passphrase()
        plain = file.load()
        assert plain is not None
        data = file.path.read_bytes()
        assert plain.key not in data and account.title.encode() not in data and b"sesame" not in data

        later = settings_for(sandbox, tmp_path, passphrase="open sesame")  # the file knows how it is locked
        assert await check_login(later) == account
        with pytest.raises(LoginError, match="passphrase does not open"):
            await check_login(settings_for(sandbox, tmp_path, passphrase="open barley"))
        with pytest.raises(LoginError, match="locked with a passphrase") as caught:
            await check_login(settings_for(sandbox, tmp_path))
        assert "TOBS_PASSPHRASE" in caught.value.remedy


async def test_a_session_stays_locked_when_a_run_adds_a_key_to_it(tmp_path: Path) -> None:
    async with serve(open_world(WORLD), SandboxOptions(dcs=2)) as sandbox:
        locked = settings_for(sandbox, tmp_path, session_lock="passphrase", passphrase="pw")
        await sign_in(sandbox, locked)
        async with room(sandbox, tmp_path, passphrase="pw") as opened:
            await opened.telegram.invoke(_config(), dc=4)
        file = SessionFile(locked)
        session = file.load()
        assert file.wants_passphrase() and session is not None and list(session.keys) == [4]


def _config() -> object:
    from telethon.tl import functions

    return functions.help.GetConfigRequest()


async def test_a_plain_session_is_locked_by_the_next_login_without_a_new_code(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox:
        await sign_in(sandbox, settings_for(sandbox, tmp_path))
        locked = settings_for(sandbox, tmp_path, session_lock="passphrase", passphrase="pw")
        await sign_in(sandbox, locked)
        assert SessionFile(locked).wants_passphrase() and len(sandbox.log.calls("auth.sendCode")) == 1


async def test_the_keyring_keeps_the_key_and_forgets_it_at_the_logout(tmp_path: Path, ring: MemoryKeyring) -> None:
    async with serve(open_world(WORLD)) as sandbox:
        locked = settings_for(sandbox, tmp_path, session_lock="keyring")
        account = await sign_in(sandbox, locked)
        assert await check_login(settings_for(sandbox, tmp_path)) == account
        assert len(ring.kept) == 1 and not SessionFile(locked).wants_passphrase()
        keyring.set_keyring(ShutKeyring())
        with pytest.raises(ConfigError, match="keyring cannot be used"):
            await check_login(locked)
        keyring.set_keyring(MemoryKeyring())
        with pytest.raises(LoginError, match="has no key for this session"):
            await check_login(locked)
        keyring.set_keyring(ring)
        assert await logout(locked) and ring.kept == {}


async def test_a_keyring_that_cannot_be_used_fails_the_login_with_what_to_do(
    tmp_path: Path, ring: MemoryKeyring
) -> None:
    keyring.set_keyring(ShutKeyring())
    async with serve(open_world(WORLD)) as sandbox:
        locked = settings_for(sandbox, tmp_path, session_lock="keyring")
        with pytest.raises(ConfigError, match="passphrase") as caught:
            await sign_in(sandbox, locked)
        assert caught.value.exit_code == 2 and not SessionFile(locked).path.exists()
        assert sandbox.log.calls("auth.signIn") == []


async def test_a_session_may_lie_elsewhere_and_its_folder_keeps_its_mode(tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir(mode=0o755)
    async with serve(open_world(WORLD)) as sandbox:
        given = settings_for(sandbox, tmp_path, session=str(folder / "mine.session"))
        account = await sign_in(sandbox, given)
        assert await check_login(given) == account and not given.sessions.exists()
        assert stat.S_IMODE((folder / "mine.session").stat().st_mode) == 0o600
        assert stat.S_IMODE(folder.stat().st_mode) == 0o755


@pytest.mark.parametrize("data", [b"", b"\x00\xff", b"[]", b"{}", b'{"lock": "passphrase"}', b'{"lock": "thumb"}'])
async def test_a_damaged_file_is_told(data: bytes, tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox:
        given = settings_for(sandbox, tmp_path, passphrase="pw")
        given.sessions.mkdir()
        (given.sessions / "default.session").write_bytes(data)
        with pytest.raises(LoginError) as caught:
            await check_login(given)
        assert caught.value.remedy


@given(plain=st.binary(min_size=1, max_size=300), passphrase=st.text(max_size=20), place=st.integers(0, 10_000))
@settings(max_examples=4, deadline=None)
def test_what_is_sealed_comes_out_whole_or_not_at_all(plain: bytes, passphrase: str, place: int) -> None:
    envelope = seal(plain, "passphrase", passphrase)
    assert unseal(envelope, passphrase) == plain
    spoilt = bytearray(envelope.sealed)
    spoilt[place % len(spoilt)] ^= 1
    with pytest.raises(LoginError):
        unseal(type(envelope)("passphrase", "", envelope.n, envelope.salt, envelope.nonce, bytes(spoilt)), passphrase)
