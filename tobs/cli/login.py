"""``tobs login`` and ``tobs logout``."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import typer

from tobs.cli.common import Common, give, stderr, stdout, takes_common
from tobs.errors import LoginError


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("login")(takes_common(login))
    app.command("logout")(takes_common(logout))


def login(
    common: Common,
    phone: Annotated[str | None, typer.Option(help="Phone number, with +.")] = None,
    code: Annotated[str | None, typer.Option(help="The code Telegram sent.")] = None,
    password: Annotated[str | None, typer.Option(help="The two-step verification password.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Only tell who is logged in.")] = False,
) -> int:
    """Log in to Telegram; asks for what is not given."""
    from tobs import app as tobs_app

    place = tobs_app.open_workplace(common.settings(phone=phone), verbosity=common.verbose)
    if check:
        account = asyncio.run(tobs_app.who(place))
    else:
        answers = tobs_app.Answers(code=code, password=password, ask=_ask)
        account = asyncio.run(tobs_app.login(place, answers))
    give(common, account, lambda: stdout.print(f"Logged in as {account.title} (account {account.name}).", markup=False))
    return 0


def logout(common: Common) -> int:
    """Log out and remove the session."""
    from tobs import app as tobs_app

    place = tobs_app.open_workplace(common.settings(), verbosity=common.verbose)
    asyncio.run(tobs_app.logout(place))
    give(common, {"logged_out": place.settings.account}, lambda: stdout.print("Logged out; the session is removed."))
    return 0


def _ask(question: str, secret: bool) -> str:
    """Ask on the terminal. Raises LoginError when there is none to ask on."""
    if not sys.stdin.isatty():
        raise LoginError(
            f"The {question} is needed and there is no terminal to ask on.",
            "Give it as an option: --phone, --code or --password.",
        )
    return str(stderr.input(f"{question}: ", password=secret)).strip()
