"""What a case is called: beside its figures, and in running text."""

from typing import Protocol

from bench.model.text import printable


class Contestant(Protocol):
    """A case, or one without its workers."""

    @property
    def strategy(self) -> str:
        """How it downloads."""

    @property
    def client(self) -> str:
        """With which library."""

    @property
    def keep_alive(self) -> bool:
        """Whether a connection serves more than one request."""

    @property
    def variant(self) -> str:
        """Which of several otherwise equal ones it is; empty where there is only one."""


def client_named(who: Contestant) -> str:
    """Name the client, whether it opened a connection per request, and which of several equals it is."""
    return printable(f"{who.client}{'' if who.keep_alive else '/close'}{_variant(who)}")


def in_words(who: Contestant, workers: str = "") -> str:
    """Name it in running text; ``workers`` is what is to be said of them."""
    connection = "" if who.keep_alive else ", a connection per request"
    return printable(f"{who.strategy} with {who.client}{_variant(who)}{workers}{connection}")


def _variant(who: Contestant) -> str:
    return f"@{who.variant}" if who.variant else ""
