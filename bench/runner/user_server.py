"""A target in the place of the flag server: the harness can neither start such a server nor ask it."""

from collections.abc import Mapping, Sequence
from typing import Final

from bench.errors import ServerDiedError
from bench.model.served_trials import ObservedRound, Opening
from bench.model.target import Target
from bench.server.control_client import Opened
from bench.server.request_log import Record
from bench.system.authorities import read_authorities


class UserServer:
    """A server of the user's, with the methods of a running flag server; it has no log and no known process.

    Attributes:
        current: the server itself: nothing ever takes its place.
        pids: no process.
    """

    pids: Final[tuple[int, ...]] = ()

    def __init__(self, target: Target) -> None:
        self.current = self
        self.handle = self
        self._opened = Opened(target.url, read_authorities(target.authority) if target.is_encrypted else "")

    def open_trial(self, _opening: Opening) -> Opened:
        """Return its address, the same for every trial."""
        return self._opened

    def close_trial(self, _trial: str) -> Mapping[int, ObservedRound]:
        """Return no round: there is no log."""
        return {}

    def first_requests(self, _trial: str, _number: int, _most: int) -> tuple[Sequence[Record], int]:
        """Return no request: there is no log."""
        return (), 0

    def count_waits(self) -> int:
        """Return 0: whether clients had to wait is not known."""
        return 0

    def restart(self, error: ServerDiedError) -> str:
        """Raise the error again: this server is not ours to start."""
        raise error
