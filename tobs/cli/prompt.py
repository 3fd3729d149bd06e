"""Questions on the terminal."""

from __future__ import annotations

import io
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.markup import escape

from tobs.app.prompt import NoPrompt, Question
from tobs.cli.output import stderr


class TerminalPrompt:
    """Asks on stderr; questions stand there, and QR codes. With ``may_confirm`` off no yes-or-no question is asked."""

    def __init__(self, *, may_confirm: bool) -> None:
        self._may_confirm = may_confirm
        self._drawn_lines = 0

    def ask(self, question: Question) -> str:
        """Return the answer. Raises LoginError if stdin is no terminal."""
        if not sys.stdin.isatty():
            return NoPrompt().ask(question)
        with _interruptible():
            answer = str(stderr.input(f"{question.text}: ", password=question.is_secret, markup=False))
        return answer if question.is_secret else answer.strip()

    def confirm(self, notice: str, question: str) -> bool:
        """Show ``notice`` and return the answer to a yes-or-no question; False if there is no terminal."""
        if not (self._may_confirm and sys.stdin.isatty() and sys.stderr.isatty()):
            return False
        stderr.print(f"[bold]tobs:[/] {escape(notice)}", soft_wrap=True)
        with _interruptible():
            return typer.confirm(question, default=False, err=True)

    def tell(self, text: str) -> None:
        """Show a sentence."""
        stderr.print(f"[yellow]tobs:[/] {escape(text)}", soft_wrap=True)

    def show_qr(self, url: str) -> None:
        """Draw ``url`` as a QR code, in place of the one before. Where stderr is no terminal the link follows: an app
        on this machine can open it."""
        drawn = draw_qr(url)
        if sys.stderr.isatty():
            if self._drawn_lines:
                sys.stderr.write(f"\x1b[{self._drawn_lines}A\x1b[J")
            text = f"{drawn}In Telegram: Settings, Devices, Link Desktop Device; scan this. It changes every 30 s.\n"
        else:
            text = f"{drawn}{url}\n"
        self._drawn_lines = text.count("\n")
        sys.stderr.write(text)
        sys.stderr.flush()


def draw_qr(url: str) -> str:
    """``url`` as a QR code of half blocks: its light parts are drawn."""
    import segno

    drawn = io.StringIO()
    segno.make(url, micro=False, error="l").terminal(drawn, compact=True, border=2)
    return drawn.getvalue()


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C end a question at once: inside a run it would wait for the answer."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
