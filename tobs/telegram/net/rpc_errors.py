"""Telegram's error names: parsed, explained in plain sentences, and mapped to ``tobs.errors``.

Source: https://core.telegram.org/api/errors
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tobs.errors import FloodWait, LoginError, MigrateNeeded, RequestRefused, TargetNotFound, TobsError

_NUMBER = re.compile(r"_(\d+)(?=_|$)")
_WAITS = ("FLOOD_WAIT", "FLOOD_PREMIUM_WAIT", "FLOOD_TEST_PHONE_WAIT", "SLOWMODE_WAIT")
NOT_INITIALISED = {"CONNECTION_NOT_INITED", "CONNECTION_LAYER_INVALID"}
"""The server lost the layer of the connection: initConnection has to be sent again."""
_TRANSIENT = {"MSG_WAIT_FAILED", "MSG_WAIT_TIMEOUT", "INPUT_FETCH_FAIL", "INTERDC_CALL_ERROR", *NOT_INITIALISED}
_STALE = ("FILE_REFERENCE_EXPIRED", "FILE_REFERENCE_INVALID", "FILE_REFERENCE_EMPTY", "FILEREF_UPGRADE_NEEDED")
STALE_REFERENCES = frozenset(_STALE)
"""Errors that are resolved by fetching the file's message again."""


class RpcError(Exception):
    """An ``rpc_error`` as received; used inside ``tobs.telegram`` only, ``translate_rpc_error`` makes it a TobsError.

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
        """True when it requires a wait of ``argument`` seconds before the method is called again."""
        return self.name in _WAITS

    @property
    def is_transient(self) -> bool:
        """True for a failure inside Telegram: the same request may succeed a moment later."""
        return self.code >= 500 or self.code < 0 or self.name in _TRANSIENT


class _Translation(NamedTuple):
    kind: type[TobsError]
    message: str
    remedy: str = ""


_LOGIN_AGAIN = "Run `tobs login` again."
_NUMBER_FORM = "Give the number with its country code, like +4912345678."
_LATER = "Run the same command again later."
_REPORT = "Please report this, with the command and the report."
_ASK_ADMIN = "Ask an administrator of the chat for access, or use another account (--account)."

RPC_ERRORS: dict[str, _Translation] = {
    # login
    "API_ID_INVALID": _Translation(
        LoginError, "The API id and hash do not belong together.", "See https://my.telegram.org/apps."
    ),
    "API_ID_PUBLISHED_FLOOD": _Translation(
        LoginError, "This API id is public and blocked.", "Get your own at my.telegram.org."
    ),
    "PHONE_NUMBER_INVALID": _Translation(LoginError, "Telegram does not know this phone number.", _NUMBER_FORM),
    "PHONE_NUMBER_BANNED": _Translation(
        LoginError, "Telegram has banned this phone number.", "Write to recover@telegram.org."
    ),
    "PHONE_NUMBER_FLOOD": _Translation(LoginError, "Too many codes were asked for this number.", "Try again tomorrow."),
    "PHONE_NUMBER_UNOCCUPIED": _Translation(
        LoginError, "This number has no Telegram account.", "Sign up in a Telegram app."
    ),
    "PHONE_PASSWORD_FLOOD": _Translation(LoginError, "Too many wrong passwords were tried.", "Try again tomorrow."),
    "PHONE_CODE_INVALID": _Translation(
        LoginError, "The login code is wrong.", "Run `tobs login` again with the newest code."
    ),
    "PHONE_CODE_EMPTY": _Translation(
        LoginError, "The login code is empty.", "Run `tobs login` again with the newest code."
    ),
    "PHONE_CODE_EXPIRED": _Translation(
        LoginError, "The login code is too old.", "Run `tobs login` again for a new code."
    ),
    "PHONE_CODE_HASH_EMPTY": _Translation(
        LoginError, "The login code is too old.", "Run `tobs login` again for a new code."
    ),
    "SEND_CODE_UNAVAILABLE": _Translation(
        LoginError, "Telegram has no other way to send the code.", "Wait for the one it sent, or use `tobs login --qr`."
    ),
    "PHONE_NUMBER_APP_SIGNUP_FORBIDDEN": _Translation(
        LoginError, "This number has no Telegram account.", "Sign up in a Telegram app."
    ),
    "SIGN_IN_FAILED": _Translation(LoginError, "Telegram could not finish the login.", _LOGIN_AGAIN),
    "UPDATE_APP_TO_LOGIN": _Translation(LoginError, "Telegram requires a newer client for logins.", "Update tobs."),
    "AUTH_TOKEN_EXPIRED": _Translation(LoginError, "The QR code was too old.", "Run `tobs login --qr` again."),
    "AUTH_TOKEN_INVALID": _Translation(
        LoginError, "Telegram does not know this QR code.", "Run `tobs login --qr` again."
    ),
    "AUTH_TOKEN_ALREADY_ACCEPTED": _Translation(
        LoginError, "This QR code was used already.", "Run `tobs login --qr` again."
    ),
    "SESSION_PASSWORD_NEEDED": _Translation(LoginError, "This account has a password.", "Give it with --password."),
    "PASSWORD_HASH_INVALID": _Translation(LoginError, "The password is wrong.", "Run `tobs login` again."),
    "PASSWORD_EMPTY": _Translation(LoginError, "The password is empty.", "Run `tobs login` again."),
    "SRP_PASSWORD_CHANGED": _Translation(LoginError, "The password was changed meanwhile.", _LOGIN_AGAIN),
    "SRP_ID_INVALID": _Translation(LoginError, "The password check was started again meanwhile.", _LOGIN_AGAIN),
    "ACCESS_TOKEN_INVALID": _Translation(LoginError, "The bot token is wrong.", "Ask @BotFather for it."),
    "ACCESS_TOKEN_EXPIRED": _Translation(
        LoginError, "The bot token is no longer valid.", "Ask @BotFather for a new one."
    ),
    "AUTH_RESTART": _Translation(LoginError, "Telegram requires a new login.", _LOGIN_AGAIN),
    "AUTH_BYTES_INVALID": _Translation(LoginError, "Another data centre did not accept this login.", _LOGIN_AGAIN),
    "AUTH_KEY_PERM_EMPTY": _Translation(LoginError, "Telegram does not accept this session.", _LOGIN_AGAIN),
    "BOT_METHOD_INVALID": _Translation(
        LoginError, "A bot may not do this.", "Log in with a phone number: `tobs login`."
    ),
    # sessions
    "AUTH_KEY_UNREGISTERED": _Translation(LoginError, "No one is logged in with this session.", "Run `tobs login`."),
    "AUTH_KEY_INVALID": _Translation(LoginError, "Telegram does not accept this session.", _LOGIN_AGAIN),
    "AUTH_KEY_DUPLICATED": _Translation(
        LoginError,
        "This session was used from two networks at once, so Telegram ended it.",
        "Run `tobs login` again, on each machine for itself: never copy a session file.",
    ),
    "SESSION_REVOKED": _Translation(LoginError, "This session was ended from another device.", _LOGIN_AGAIN),
    "SESSION_EXPIRED": _Translation(LoginError, "This session is too old.", _LOGIN_AGAIN),
    "USER_DEACTIVATED": _Translation(LoginError, "This account was deleted.", "Log in with another one: `tobs login`."),
    "USER_DEACTIVATED_BAN": _Translation(
        LoginError, "Telegram has banned this account.", "Write to recover@telegram.org."
    ),
    "FROZEN_METHOD_INVALID": _Translation(
        LoginError, "Telegram has frozen this account.", "Appeal in a Telegram app, or use another account (--account)."
    ),
    # targets
    "USERNAME_INVALID": _Translation(
        TargetNotFound, "This is not a valid username.", "Check the spelling: `tobs chats`."
    ),
    "USERNAME_NOT_OCCUPIED": _Translation(
        TargetNotFound, "No one has this username.", "Check the spelling: `tobs chats`."
    ),
    "PEER_ID_INVALID": _Translation(TargetNotFound, "This account does not know this chat.", "See `tobs chats`."),
    "CHAT_ID_INVALID": _Translation(TargetNotFound, "This account does not know this chat.", "See `tobs chats`."),
    "USER_ID_INVALID": _Translation(TargetNotFound, "This account does not know this user.", "See `tobs chats`."),
    "CHANNEL_INVALID": _Translation(TargetNotFound, "This account does not know this channel.", "See `tobs chats`."),
    "INVITE_HASH_INVALID": _Translation(TargetNotFound, "This invite link is not valid.", "Ask for a new one."),
    "INVITE_HASH_EXPIRED": _Translation(TargetNotFound, "This invite link is no longer valid.", "Ask for a new one."),
    "INVITE_HASH_EMPTY": _Translation(TargetNotFound, "This invite link has no code.", "Copy the whole link."),
    "MSG_ID_INVALID": _Translation(TargetNotFound, "The message of this chat or topic is gone.", "See `tobs chats`."),
    "PHONE_NOT_OCCUPIED": _Translation(
        TargetNotFound, "No one this account may see has this number.", "See `tobs chats`."
    ),
    "INPUT_USER_DEACTIVATED": _Translation(TargetNotFound, "This account was deleted.", "See `tobs chats`."),
    # access
    "CHANNEL_PRIVATE": _Translation(
        RequestRefused, "This channel is private, or the account was removed from it.", _ASK_ADMIN
    ),
    "CHANNEL_PUBLIC_GROUP_NA": _Translation(RequestRefused, "This group can no longer be seen.", _ASK_ADMIN),
    "CHAT_ADMIN_REQUIRED": _Translation(RequestRefused, "Only administrators of this chat may see this.", _ASK_ADMIN),
    "CHAT_FORBIDDEN": _Translation(RequestRefused, "The account may not see this chat.", _ASK_ADMIN),
    "USER_BANNED_IN_CHANNEL": _Translation(RequestRefused, "The account is banned in this chat.", _ASK_ADMIN),
    "CHAT_RESTRICTED": _Translation(RequestRefused, "Telegram hides this chat from the account.", _ASK_ADMIN),
    "INVITE_REQUEST_SENT": _Translation(
        RequestRefused, "An administrator has to let the account in first.", "Run the same command again after that."
    ),
    "CHANNELS_TOO_MUCH": _Translation(
        RequestRefused, "The account is in too many channels and groups to join another.", "Leave some of them first."
    ),
    "USERS_TOO_MUCH": _Translation(RequestRefused, "This chat is full.", "Try again later."),
    "USER_CHANNELS_TOO_MUCH": _Translation(
        RequestRefused, "The account is in too many channels and groups to join another.", "Leave some of them first."
    ),
    "CHANNEL_FORUM_MISSING": _Translation(RequestRefused, "This chat has no topics.", "Leave out --topic."),
    "TAKEOUT_INIT_DELAY": _Translation(
        RequestRefused,
        "Telegram requires permission for the export.",
        "Press Allow in the chat 'Telegram' of a Telegram app, and run the same command again.",
    ),
    "TAKEOUT_INVALID": _Translation(RequestRefused, "The takeout session is over.", "Run the same command again."),
    "TAKEOUT_REQUIRED": _Translation(
        RequestRefused, "Telegram requires a takeout session for this.", "Leave out --no-takeout."
    ),
    "PERSISTENT_TIMESTAMP_EMPTY": _Translation(RequestRefused, "The request for changes has no start.", _REPORT),
    "PERSISTENT_TIMESTAMP_INVALID": _Translation(
        RequestRefused, "Telegram does not know the moment of the last run.", "Run `tobs export` again."
    ),
    "PERSISTENT_TIMESTAMP_OUTDATED": _Translation(
        RequestRefused, "Telegram cannot return the changes of this chat at the moment.", _LATER
    ),
    # files
    "LOCATION_INVALID": _Translation(RequestRefused, "Telegram no longer has this file."),
    "LOCATION_NOT_AVAILABLE": _Translation(RequestRefused, "Telegram no longer has this file."),
    "FILE_ID_INVALID": _Translation(RequestRefused, "Telegram no longer has this file."),
    **{
        name: _Translation(RequestRefused, "Telegram no longer takes the reference of this file.", _LATER)
        for name in _STALE
    },
    "OFFSET_INVALID": _Translation(RequestRefused, "Telegram does not give this part of a file.", _REPORT),
    "LIMIT_INVALID": _Translation(RequestRefused, "Telegram does not give this part of a file.", _REPORT),
    "FILE_TOKEN_INVALID": _Translation(RequestRefused, "The CDN no longer gives this file.", _LATER),
    "REQUEST_TOKEN_INVALID": _Translation(RequestRefused, "Telegram does not upload this file to its CDN.", _LATER),
    "CDN_METHOD_INVALID": _Translation(RequestRefused, "The CDN does not answer this.", _LATER),
    # failures inside Telegram, reported when retries do not help
    "INTERNAL": _Translation(RequestRefused, "Telegram has an internal error.", _LATER),
    "RPC_CALL_FAIL": _Translation(RequestRefused, "Telegram has an internal error.", _LATER),
    "RPC_MCGET_FAIL": _Translation(RequestRefused, "Telegram has an internal error.", _LATER),
    "WORKER_BUSY_TOO_LONG_RETRY": _Translation(RequestRefused, "Telegram is busy.", _LATER),
    "HISTORY_GET_FAILED": _Translation(RequestRefused, "Telegram could not read this history.", _LATER),
    "TIMEOUT": _Translation(RequestRefused, "Telegram took too long.", _LATER),
    "Timeout": _Translation(RequestRefused, "Telegram took too long.", _LATER),
    "DC_ID_INVALID": _Translation(RequestRefused, "Telegram does not know this data centre.", _REPORT),
    "INPUT_METHOD_INVALID": _Translation(
        RequestRefused, "Telegram does not know a request of this tobs.", "Update tobs."
    ),
}


_UNSPECIFIC = frozenset(
    translation.message
    for translation in RPC_ERRORS.values()
    if translation.remedy in (_LATER, _REPORT) and translation.kind is RequestRefused
)
"""General sentences, to which the error's name and the method are added."""


def translate_rpc_error(error: RpcError, method: str) -> TobsError:
    """Map Telegram's error for ``method`` to the error tree; an unknown one shows its name and method."""
    if error.is_flood:
        return FloodWait(error.argument, name=error.name, method=method)
    if error.code == 303:
        return MigrateNeeded(error.argument, name=error.name, method=method)
    kind, message, remedy = RPC_ERRORS.get(error.name, _Translation(RequestRefused, "", ""))
    if not message:
        message = f"Telegram answered {method} with {error}."
        remedy = _LATER if error.is_transient else _REPORT
    elif message in _UNSPECIFIC:
        message = f"{message.rstrip('.')} ({method}: {error})."
    if issubclass(kind, RequestRefused):
        return kind(message, remedy, code=error.code, name=error.name, method=method)
    return kind(message, remedy)
