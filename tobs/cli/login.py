"""``tobs login`` and ``tobs logout``."""

from __future__ import annotations

import asyncio
import io
import sys
from typing import Annotated

import msgspec
import typer

from tobs.cli.common import Common, give, stderr, stdout, takes_common
from tobs.errors import LoginError, UsageError

_WHITE_ON_BLACK, _PLAIN = "\x1b[38;5;231;48;5;16m", "\x1b[0m"
_HOW = "In Telegram: Settings, Devices, Link Desktop Device; scan this. It changes twice a minute.\n"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("login")(takes_common(login))
    app.command("logout")(takes_common(logout))


def login(
    common: Common,
    phone: Annotated[str | None, typer.Option(help="Phone number, with +.")] = None,
    code: Annotated[str | None, typer.Option(help="The code Telegram sent.")] = None,
    password: Annotated[str | None, typer.Option(help="The two-step verification password.")] = None,
    qr: Annotated[bool, typer.Option("--qr", help="Draw a QR code to scan with a Telegram app.")] = False,
    bot_token: Annotated[str | None, typer.Option(help="Log a bot in (bots cannot read history).")] = None,
    check: Annotated[bool, typer.Option("--check", help="Only tell who is logged in.")] = False,
) -> int:
    """Log in to Telegram; asks for what is not given."""
    from tobs.app.context import open_app_context
    from tobs.app.login import Answers, who
    from tobs.app.login import login as log_in

    if sum((qr, bool(bot_token), code is not None)) > 1:
        raise UsageError("--qr, --bot-token and --code exclude each other.", "Give one of them.")
    context = open_app_context(common.settings(phone=phone), verbosity=common.verbose)
    if check:
        account = asyncio.run(who(context, say=common.say))
    else:
        drawing = QrDrawing() if qr else None
        answers = Answers(code=code, password=password, bot_token=bot_token, show_qr=drawing, ask=_ask)
        account = asyncio.run(log_in(context, answers, say=common.say))
    kind = "bot" if account.is_bot else "account"
    give(
        common,
        msgspec.structs.asdict(account),
        lambda: stdout.print(f"Logged in as {account.title} ({kind} {account.name}).", markup=False),
    )
    return 0


def logout(common: Common) -> int:
    """Log out and remove the session."""
    from tobs.app.context import open_app_context
    from tobs.app.login import logout as log_out

    context = open_app_context(common.settings(), verbosity=common.verbose)
    asyncio.run(log_out(context, say=common.say))
    give(common, {"logged_out": context.settings.account}, lambda: stdout.print("Logged out; the session is removed."))
    return 0


class QrDrawing:
    """Draws QR codes on stderr, each in the place of the one before."""

    def __init__(self) -> None:
        self._lines = 0

    def __call__(self, url: str) -> None:
        drawn = draw_qr(url)
        if sys.stderr.isatty():
            if self._lines:
                sys.stderr.write(f"\x1b[{self._lines}A\x1b[J")
            text = (
                f"{drawn}In Telegram: Settings, Devices, Link Desktop Device; scan this. It changes twice a minute.\n"
            )
        else:
            text = f"{drawn}{url}\n"  # for who reads stderr: an app on this machine can open the link
        self._lines = text.count("\n")
        sys.stderr.write(text)
        sys.stderr.flush()


def draw_qr(url: str) -> str:
    """``url`` as a QR code of half blocks: what is light is drawn."""
    import segno

    drawn = io.StringIO()
    segno.make(url, micro=False, error="l").terminal(drawn, compact=True, border=2)
    return drawn.getvalue()


def _ask(question: str, secret: bool) -> str:
    """Ask on the terminal. Raises LoginError when there is none to ask on."""
    if not sys.stdin.isatty():
        raise LoginError(
            f"{question} is needed and there is no terminal to ask on.",
            "Give it as an option: --phone, --code or --password.",
        )
    answer = str(stderr.input(f"{question}: ", password=secret, markup=False))
    return answer if secret else answer.strip()
