"""``tobs login`` and ``tobs logout``."""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec
import typer

from tobs.cli.common import Common, give, stdout, takes_common
from tobs.errors import UsageError


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
    check: Annotated[bool, typer.Option("--check", help="Only show who is logged in.")] = False,
) -> int:
    """Log in to Telegram; asks for what is not given."""
    from tobs.app.login import LoginAnswers, check_login
    from tobs.app.login import login as log_in

    if sum((qr, bool(bot_token), code is not None)) > 1:
        raise UsageError("--qr, --bot-token and --code exclude each other.", "Give one of them.")
    context = common.open(phone=phone)
    if check:
        account = asyncio.run(check_login(context, say=common.say))
    else:
        answers = LoginAnswers(code=code, password=password, bot_token=bot_token, qr=qr)
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
    from tobs.app.login import logout as log_out

    context = common.open()
    asyncio.run(log_out(context, say=common.say))
    give(common, {"logged_out": context.settings.account}, lambda: stdout.print("Logged out; the session is removed."))
    return 0
