"""Control a flag server in another process over its pipes. Used by the runner and the tests."""

import os
import selectors
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import BinaryIO, Final

from bench.errors import ServerDiedError
from bench.model.json_codec import from_json_value
from bench.model.served_trials import ObservedRound, Opening
from bench.model.server_settings import ServerSettings
from bench.server.control_messages import Message, error_from_json, from_line, to_line
from bench.server.request_log import Record

_CHUNK: Final = 64 * 1024


def server_command() -> tuple[str, ...]:
    """Return the command that starts a server process; its ``PYTHONPATH`` must lead to ``bench``.

    ``-P`` keeps a foreign ``bench`` of the current folder out.
    """
    return (sys.executable, "-P", "-m", "bench.server")


@dataclass(frozen=True, slots=True)
class Opened:
    """The address of an open trial.

    Attributes:
        url: its address; ``.<round>`` is added for each round.
        authority: the authority that clients must trust, as PEM; empty without encryption.
    """

    url: str
    authority: str


class FlagServer:
    """A flag server at the other end of two pipes.

    Every method but ``start`` needs a started server. All of them raise ``ServerDiedError`` if the server has
    ended or does not reply within ``reply_limit_s`` seconds, and otherwise the ``SetupError`` or
    ``UsageError`` that the server replies with.

    Attributes:
        base_url: the server's address without a slash at its end. Requests outside any trial meet the
            profile of the settings, in block 0.
        authority: the authority that clients must trust there, as PEM; empty without encryption.
    """

    def __init__(self, to_server: BinaryIO, from_server: BinaryIO, *, reply_limit_s: float = 10.0) -> None:
        self.base_url = ""
        self.authority = ""
        self._to_server = to_server
        self._from_server = from_server
        self._reply_limit_s = reply_limit_s
        self._received = bytearray()

    def start(self, settings: ServerSettings) -> None:
        """Open the port, and wait until requests are answered."""
        ready = self._ask({"start": settings})["ready"]
        self.base_url, self.authority = ready["url"], ready["authority"]

    def open_trial(self, opening: Opening) -> Opened:
        """Serve a trial with the delays and faults of its profile and block, and return its address."""
        opened = self._ask({"open": opening})["opened"]
        return Opened(opened["url"], opened["authority"])

    def first_requests(self, trial: str, number: int, most: int) -> tuple[list[Record], int]:
        """Return the first requests of a round by arrival, and how many came; its trial must be open."""
        reply = self._ask({"records": trial, "round": number, "most": most})
        (first,), (count,) = reply["rounds"].values() or [[]], reply["counts"].values() or [0]
        return [Record._make(each) for each in first], count

    def close_trial(self, trial: str) -> Mapping[int, ObservedRound]:
        """Stop serving a trial, and return each round that had a request.

        Requests without a response by now never get one.
        """
        rounds = self._ask({"close": trial})["rounds"]
        return {int(number): from_json_value(ObservedRound, each, number) for number, each in rounds.items()}

    def count_waits(self) -> int:
        """Return how often clients were found waiting because no descriptor was left for them."""
        return int(self._ask({"count": "waits"})["waits"])

    def _ask(self, message: Message) -> Message:
        try:
            self._to_server.write(to_line(message))
            self._to_server.flush()
        except (BrokenPipeError, ValueError) as error:
            raise _died("is gone") from error
        reply = from_line(self._read_line())
        if "error" in reply:
            raise error_from_json(reply["error"])
        return reply

    def _read_line(self) -> bytes:
        deadline_s = monotonic() + self._reply_limit_s
        while (end := self._received.find(b"\n")) < 0:
            if not self._receive(deadline_s):
                raise _died("is gone")
        line = bytes(self._received[:end])
        del self._received[: end + 1]
        return line

    def _receive(self, deadline_s: float) -> bool:
        """Read from the server; return False at the end of its output."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._from_server, selectors.EVENT_READ)
            if not selector.select(max(0.0, deadline_s - monotonic())):
                raise _died(f"has not replied for {self._reply_limit_s:g} s")
        part = os.read(self._from_server.fileno(), _CHUNK)
        self._received += part
        return bool(part)


def _died(reason: str) -> ServerDiedError:
    return ServerDiedError(f"the flag server {reason}")
