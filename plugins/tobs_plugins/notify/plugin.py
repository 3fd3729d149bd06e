"""The plugin ``notify``: sends a message when a run has ended."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from tobs.plugin import SECRET, FinishedRun, Plugin, Requirement
from tobs_plugins.notify.message import Message, has_news, message_for


class NotifyConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Options of ``notify``."""

    urls: Annotated[
        tuple[str, ...], Meta(description="Addresses, in the notation of apprise; they contain keys"), SECRET
    ] = ()
    when: Annotated[
        Literal["always", "news", "problems"],
        Meta(description="After every run, after runs with news, or after runs with problems"),
    ] = "news"
    details: Annotated[bool, Meta(description="List problems with chats, files and reasons")] = True


class NotSent(Exception):
    """Some addresses did not accept the message."""


class Notify(Plugin[NotifyConfig]):
    """Send a message when a run has ended."""

    name = "notify"
    version = "1"
    summary = "Sends a message when a run has ended or failed (mail, phone, chat, by apprise)"
    opt_in = True
    bound = "network"

    def available(self) -> Requirement | None:
        """Check for apprise, which comes with an extra, and for an address."""
        if find_spec("apprise") is None:
            return Requirement("the package apprise", "pip install apprise")
        if not self.config.urls:
            return Requirement("the option urls", "set TOBS_PLUGIN_NOTIFY_URLS, or urls under [plugins.notify]")
        return None

    def run_ended(self, run: FinishedRun) -> None:
        """Send a message about ``run`` if the option ``when`` asks for it. Raises NotSent."""
        when = self.config.when
        if when == "always" or (when == "news" and has_news(run)) or not run.ok:
            self._send(message_for(run, details=self.config.details))

    def command(self, arguments: Sequence[str], vault: Path) -> str:
        """Send a test message (``tobs plugins run notify``). Raises NotSent."""
        text = " ".join(arguments) or "If you can read this, tobs can send you messages about its runs."
        self._send(Message("tobs: test message", text, "success"))
        return f"Sent to {_addresses(len(self.config.urls))}."

    def _send(self, message: Message) -> None:
        import apprise

        logging.getLogger("apprise").setLevel(logging.CRITICAL)  # its messages may contain keys
        failed = []
        for number, url in enumerate(self.config.urls, 1):
            service = apprise.Apprise.instantiate(url)
            sent = service is not None and service.notify(
                title=message.title, body=message.text, notify_type=apprise.NotifyType(message.weight)
            )
            if not sent:
                # Never the address itself: it contains a key.
                kind = url.partition("://")[0][:20] if "://" in url else "no address"
                failed.append(f"{number} ({kind}{'' if service else ', which apprise does not understand'})")
        if failed:
            raise NotSent(f"not sent to {', '.join(failed)} of {_addresses(len(self.config.urls))}")


def _addresses(count: int) -> str:
    return "1 address" if count == 1 else f"{count} addresses"
