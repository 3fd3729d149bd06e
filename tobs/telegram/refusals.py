"""Telegram's error names: split once, told in plain sentences, sorted into the error tree."""

from __future__ import annotations

import re
from typing import NamedTuple

from tobs.errors import FloodWait, LoginError, MigrateNeeded, RequestRefused, TargetNotFound, TobsError

_NUMBER = re.compile(r"_(\d+)(?=_|$)")
_WAITS = ("FLOOD_WAIT", "FLOOD_PREMIUM_WAIT", "FLOOD_TEST_PHONE_WAIT", "SLOWMODE_WAIT")
UNGREETED = {"CONNECTION_NOT_INITED", "CONNECTION_LAYER_INVALID"}
"""The server forgot which layer the connection speaks: it has to be told again."""
_PASSING = {"MSG_WAIT_FAILED", "MSG_WAIT_TIMEOUT", "INPUT_FETCH_FAIL", "INTERDC_CALL_ERROR", *UNGREETED}
STALE_REFERENCES = {
    "FILE_REFERENCE_EXPIRED",
    "FILE_REFERENCE_INVALID",
    "FILE_REFERENCE_EMPTY",
    "FILEREF_UPGRADE_NEEDED",
}
"""Cured by fetching the file's message again."""


class RpcError(Exception):
    """An ``rpc_error`` as it came over the wire: inside the room only, ``refusal`` makes it a TobsError.

    ``name`` has no number in it (``FLOOD_WAIT``), ``argument`` is that number, 0 for none.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        found = _NUMBER.search(message)
        self.argument = int(found[1]) if found else 0
        self.name = message[: found.start()] + message[found.end() :] if found else message

    @property
    def is_flood(self) -> bool:
        """Whether it asks to wait ``argument`` seconds before the method is called again."""
        return self.name in _WAITS

    @property
    def is_passing(self) -> bool:
        """Whether Telegram failed inside and the same request may succeed a moment later."""
        return self.code >= 500 or self.code < 0 or self.name in _PASSING


class _Told(NamedTuple):
    kind: type[TobsError]
    message: str
    remedy: str = ""


_LOGIN_AGAIN = "Run `tobs login` again."
_NUMBER_FORM = "Give the number with its country code, like +4912345678."
_ASK_ADMIN = "Ask an administrator of the chat for access, or use another account (--account)."

TABLE: dict[str, _Told] = {
    # login
    "API_ID_INVALID": _Told(
        LoginError, "The API id and hash do not belong together.", "See https://my.telegram.org/apps."
    ),
    "API_ID_PUBLISHED_FLOOD": _Told(
        LoginError, "This API id is public and blocked.", "Get your own at my.telegram.org."
    ),
    "PHONE_NUMBER_INVALID": _Told(LoginError, "Telegram does not know this phone number.", _NUMBER_FORM),
    "PHONE_NUMBER_BANNED": _Told(
        LoginError, "Telegram has banned this phone number.", "Write to recover@telegram.org."
    ),
    "PHONE_NUMBER_FLOOD": _Told(LoginError, "Too many codes were asked for this number.", "Try again tomorrow."),
    "PHONE_NUMBER_UNOCCUPIED": _Told(LoginError, "This number has no Telegram account.", "Sign up in a Telegram app."),
    "PHONE_PASSWORD_FLOOD": _Told(LoginError, "Too many wrong passwords were tried.", "Try again tomorrow."),
    "PHONE_CODE_INVALID": _Told(LoginError, "The login code is wrong.", "Run `tobs login` again with the newest code."),
    "PHONE_CODE_EMPTY": _Told(LoginError, "The login code is empty.", "Run `tobs login` again with the newest code."),
    "PHONE_CODE_EXPIRED": _Told(LoginError, "The login code is too old.", "Run `tobs login` again for a new code."),
    "PHONE_CODE_HASH_EMPTY": _Told(LoginError, "The login code is too old.", "Run `tobs login` again for a new code."),
    "SEND_CODE_UNAVAILABLE": _Told(
        LoginError, "Telegram has no other way to send the code.", "Wait for the one it sent, or use `tobs login --qr`."
    ),
    "PHONE_NUMBER_APP_SIGNUP_FORBIDDEN": _Told(
        LoginError, "This number has no Telegram account.", "Sign up in a Telegram app."
    ),
    "SIGN_IN_FAILED": _Told(LoginError, "Telegram could not finish the login.", _LOGIN_AGAIN),
    "UPDATE_APP_TO_LOGIN": _Told(LoginError, "Telegram wants a newer client for logins.", "Update tobs."),
    "AUTH_TOKEN_EXPIRED": _Told(LoginError, "The QR code was too old.", "Run `tobs login --qr` again."),
    "AUTH_TOKEN_INVALID": _Told(LoginError, "Telegram does not know this QR code.", "Run `tobs login --qr` again."),
    "AUTH_TOKEN_ALREADY_ACCEPTED": _Told(LoginError, "This QR code was used already.", "Run `tobs login --qr` again."),
    "SESSION_PASSWORD_NEEDED": _Told(LoginError, "This account has a password.", "Give it with --password."),
    "PASSWORD_HASH_INVALID": _Told(LoginError, "The password is wrong.", "Run `tobs login` again."),
    "SRP_ID_INVALID": _Told(LoginError, "The password was asked for anew meanwhile.", _LOGIN_AGAIN),
    "ACCESS_TOKEN_INVALID": _Told(LoginError, "The bot token is wrong.", "Ask @BotFather for it."),
    "ACCESS_TOKEN_EXPIRED": _Told(LoginError, "The bot token is no longer valid.", "Ask @BotFather for a new one."),
    "BOT_METHOD_INVALID": _Told(LoginError, "A bot may not do this.", "Log in with a phone number: `tobs login`."),
    # sessions
    "AUTH_KEY_UNREGISTERED": _Told(LoginError, "No one is logged in with this session.", "Run `tobs login`."),
    "AUTH_KEY_INVALID": _Told(LoginError, "Telegram does not accept this session.", _LOGIN_AGAIN),
    "AUTH_KEY_DUPLICATED": _Told(
        LoginError,
        "This session was used from two networks at once, so Telegram ended it.",
        "Run `tobs login` again, on each machine for itself: never copy a session file.",
    ),
    "SESSION_REVOKED": _Told(LoginError, "This session was ended from another device.", _LOGIN_AGAIN),
    "SESSION_EXPIRED": _Told(LoginError, "This session is too old.", _LOGIN_AGAIN),
    "USER_DEACTIVATED": _Told(LoginError, "This account was deleted.", "Log in with another one: `tobs login`."),
    "USER_DEACTIVATED_BAN": _Told(LoginError, "Telegram has banned this account.", "Write to recover@telegram.org."),
    # targets
    "USERNAME_INVALID": _Told(TargetNotFound, "This is no possible username.", "Check the spelling: `tobs chats`."),
    "USERNAME_NOT_OCCUPIED": _Told(TargetNotFound, "No one has this username.", "Check the spelling: `tobs chats`."),
    "PEER_ID_INVALID": _Told(TargetNotFound, "This account does not know this chat.", "See `tobs chats`."),
    "CHAT_ID_INVALID": _Told(TargetNotFound, "This account does not know this chat.", "See `tobs chats`."),
    "USER_ID_INVALID": _Told(TargetNotFound, "This account does not know this user.", "See `tobs chats`."),
    "CHANNEL_INVALID": _Told(TargetNotFound, "This account does not know this channel.", "See `tobs chats`."),
    "INVITE_HASH_INVALID": _Told(TargetNotFound, "This invite link is not valid.", "Ask for a new one."),
    "INVITE_HASH_EXPIRED": _Told(TargetNotFound, "This invite link is no longer valid.", "Ask for a new one."),
    # access
    "CHANNEL_PRIVATE": _Told(
        RequestRefused, "This channel is private, or the account was removed from it.", _ASK_ADMIN
    ),
    "CHANNEL_PUBLIC_GROUP_NA": _Told(RequestRefused, "This group can no longer be seen.", _ASK_ADMIN),
    "CHAT_ADMIN_REQUIRED": _Told(RequestRefused, "Only administrators of this chat may see this.", _ASK_ADMIN),
    "CHAT_FORBIDDEN": _Told(RequestRefused, "The account may not see this chat.", _ASK_ADMIN),
    "USER_BANNED_IN_CHANNEL": _Told(RequestRefused, "The account is banned in this chat.", _ASK_ADMIN),
    "CHAT_RESTRICTED": _Told(RequestRefused, "Telegram hides this chat from the account.", _ASK_ADMIN),
    "TAKEOUT_INVALID": _Told(RequestRefused, "The takeout session is over.", "Run the same command again."),
    "TAKEOUT_REQUIRED": _Told(RequestRefused, "Telegram wants a takeout session for this.", "Leave out --no-takeout."),
    "LOCATION_INVALID": _Told(RequestRefused, "Telegram no longer has this file."),
    "FILE_ID_INVALID": _Told(RequestRefused, "Telegram no longer has this file."),
}


def refusal(error: RpcError, method: str) -> TobsError:
    """The error of the tree for what Telegram answered to ``method``; an unknown one shows its name and method."""
    if error.is_flood:
        return FloodWait(error.argument, name=error.name, method=method)
    if error.code == 303:
        return MigrateNeeded(error.argument, name=error.name, method=method)
    kind, message, remedy = TABLE.get(error.name, _Told(RequestRefused, "", ""))
    if not message:
        message = f"Telegram answered {method} with {error.code} {error.name}."
        remedy = "Run the same command again later." if error.is_passing else ""
    if issubclass(kind, RequestRefused):
        return kind(message, remedy, code=error.code, name=error.name, method=method)
    return kind(message, remedy)
