"""The whole error tree of tobs, with the exit code each error ends a run with.

    TobsError                      1   something went wrong
    ├── UsageError                 2   the command line or a target is wrong
    │   ├── TargetNotFound             no such chat, user or link
    │   └── ConfigError                a setting is missing or wrong
    │       └── TemplateBroken         a template of the vault or of tobs cannot be read
    ├── LoginError                 3   login needed or refused
    ├── TelegramError              4   Telegram or the network gave up
    │   ├── NetworkError               no connection, or lost for too long
    │   ├── RequestRefused             Telegram answered with an error (code, name, method)
    │   │   ├── FloodWait                  ... that says how long to wait
    │   │   └── MigrateNeeded              ... that names another data centre
    │   └── TransferFailed             a file could not be fetched whole
    ├── VaultError                 5   the vault or the archive cannot be used
    │   ├── VaultLocked                another tobs is writing into it
    │   ├── VaultUnwritable            no permission, read-only, or the disk is full
    │   └── VaultNewer                 made by a newer tobs
    ├── PluginError                1   a plugin failed (never ends a run)
    └── Interrupted              130   stopped by the user; state is kept

Every error has a sentence for the user and a remedy. The package that uses a library converts its
exceptions to this tree.
"""

from __future__ import annotations


class TobsError(Exception):
    """An error with a ``message`` and a ``remedy`` for the user, one line each.

    ``detail`` are lines printed unchanged below them, such as a marked position.
    """

    exit_code = 1

    def __init__(self, message: str, remedy: str = "", detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".rstrip()


class UsageError(TobsError):
    """A wrong command line."""

    exit_code = 2


class TargetNotFound(UsageError):
    """A target that neither Telegram nor the archive knows."""


class ConfigError(UsageError):
    """A setting that is missing, malformed or not allowed in its place."""


class TemplateBroken(ConfigError):
    """An error in a template; the message has the file name and ``line`` (0: no particular line)."""

    def __init__(self, message: str, remedy: str = "", *, template: str = "", line: int = 0) -> None:
        super().__init__(message, remedy)
        self.template = template
        self.line = line


class LoginError(TobsError):
    """A login that is missing or was refused by Telegram."""

    exit_code = 3


class TelegramError(TobsError):
    """A failure of Telegram or of the connection to it."""

    exit_code = 4


class NetworkError(TelegramError):
    """A missing connection to Telegram, or one lost for longer than tobs waits."""


class RequestRefused(TelegramError):
    """An error that Telegram returned for a request.

    ``code`` is Telegram's number (400, 403, 420, 500 ...), ``name`` its error name without the argument
    (``CHANNEL_PRIVATE``), ``method`` the request (``messages.getHistory``).
    """

    def __init__(self, message: str, remedy: str = "", *, code: int = 0, name: str = "", method: str = "") -> None:
        super().__init__(message, remedy)
        self.code = code
        self.name = name
        self.method = method


class FloodWait(RequestRefused):
    """A request to wait ``seconds`` before the method is called again; ``until`` is the time, if known."""

    def __init__(self, seconds: int, *, name: str = "FLOOD_WAIT", method: str = "", until: str = "") -> None:
        when = f"after {until}" if until else "later"
        super().__init__(
            f"Telegram asks to wait {seconds} s before {method or 'the next request'}.",
            f"Run the same command again {when}; what was fetched is kept.",
            code=420,
            name=name,
            method=method,
        )
        self.seconds = seconds


class MigrateNeeded(RequestRefused):
    """The account, phone or file belongs to data centre ``dc``."""

    def __init__(self, dc: int, *, name: str, method: str = "") -> None:
        super().__init__(
            f"Telegram sends {method or 'this'} to data centre {dc}.",
            "Run `tobs login` again.",
            code=303,
            name=name,
            method=method,
        )
        self.dc = dc


class TransferFailed(TelegramError):
    """A file that could not be fetched completely; ``retryable`` if a later run may succeed."""

    def __init__(self, message: str, remedy: str = "", *, retryable: bool = True) -> None:
        super().__init__(message, remedy)
        self.retryable = retryable


class VaultError(TobsError):
    """A vault or archive that cannot be used."""

    exit_code = 5


class VaultLocked(VaultError):
    """A vault into which another process is writing."""


class VaultUnwritable(VaultError):
    """A file of the vault that cannot be written: no permission, or a read-only or full disk."""


class VaultNewer(VaultError):
    """An archive made by a newer tobs."""


class PluginError(TobsError):
    """A failure of a plugin; the run continues without its result."""


class Interrupted(TobsError):
    """A run stopped by the user; everything recorded so far is saved."""

    exit_code = 130
