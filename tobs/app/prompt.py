"""Questions to a person. Only the command line answers them from a terminal; everything below it knows ``Prompt``."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from tobs.errors import LoginError


class Question(Struct, frozen=True):
    """A question; ``remedy`` is what the person can do when nobody can be asked."""

    text: str
    is_secret: bool = False
    remedy: str = ""


class Prompt(Protocol):
    """A way to ask a person. Calls block until there is an answer."""

    def ask(self, question: Question) -> str:
        """Return the answer. Raises LoginError if nobody can be asked."""

    def confirm(self, notice: str, question: str) -> bool:
        """Show ``notice`` and return the answer to a yes-or-no question; False if nobody can be asked."""

    def tell(self, text: str) -> None:
        """Show a sentence."""

    def show_qr(self, url: str) -> None:
        """Show ``url`` as a QR code, in place of the one before."""


class NoPrompt:
    """A prompt with nobody behind it: a job, a server, a test."""

    def ask(self, question: Question) -> str:
        """Raise LoginError with the remedy of the question."""
        raise LoginError(f"{question.text} is needed and there is no terminal to ask on.", question.remedy)

    def confirm(self, notice: str, question: str) -> bool:
        """Return False: nobody said yes."""
        return False

    def tell(self, text: str) -> None:
        """Show nothing."""

    def show_qr(self, url: str) -> None:
        """Raise LoginError: nobody can scan a QR code."""
        raise LoginError("There is nobody to scan a QR code.", "Run `tobs login --qr` on a terminal.")
