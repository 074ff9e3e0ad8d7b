"""Log each request of a round. ``bench.server.server_rounds`` computes a round's figures from the records.

A round may have 100,000 requests, so records are packed: 53 bytes each, and no objects that the garbage
collector must visit.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from struct import Struct
from typing import Final, NamedTuple, TypeAlias

from bench.model.faults import KINDS

UNANSWERED: Final = 0
"""The status of a request that got no response, or not all of it."""

_PACKED: Final = Struct("=IdddddH2sIB")
_FAULTS: Final = ("", *KINDS)
_FAULT_NUMBERS: Final = {kind: number for number, kind in enumerate(_FAULTS)}


@dataclass(frozen=True, slots=True)
class ConnectionInfo:
    """A connection in the log: its number since the server's start, from 1, and its acceptance."""

    number: int
    accepted_s: float


class Record(NamedTuple):
    """A request. Times are of ``time.perf_counter()``, the clock of the workers.

    Attributes:
        connection: the number of its connection, from 1, since the server started.
        accepted_s: acceptance of that connection.
        start_s: when the first byte was sent; the same as ``end_s`` if none was.
        end_s: when the last byte to be sent was handed to the kernel, or the client had left.
        delay_s: planned from arrival to start.
        status: ``UNANSWERED`` if not all of the response was sent, for any reason, or if the bytes sent have
            no status.
        country: empty if the request was not for a country.
        attempt: earlier requests of the round for the same country.
        fault: the fault carried out, a kind of ``bench.model.faults``, whether or not the client stayed;
            empty if there was none, or the client left before it began.
    """

    connection: int
    accepted_s: float
    arrival_s: float
    start_s: float
    end_s: float
    delay_s: float
    status: int
    country: str
    attempt: int
    fault: str = ""


WriteRecord: TypeAlias = Callable[[int, float, float, float, float, float, int, str, int, str], None]
"""Takes the fields of a record, in order."""


class RequestLog:
    """The records of one round, in the order of the ends of the responses."""

    def __init__(self) -> None:
        self._packed = bytearray()

    def add(  # noqa: PLR0913, PLR0917  a record's fields; building it for every request would cost
        self,
        connection: int,
        accepted_s: float,
        arrival_s: float,
        start_s: float,
        end_s: float,
        delay_s: float,
        status: int,
        country: str,
        attempt: int,
        fault: str,
        /,
    ) -> None:
        """Add a record."""
        self._packed += _PACKED.pack(
            connection,
            accepted_s,
            arrival_s,
            start_s,
            end_s,
            delay_s,
            status,
            country.encode(),
            attempt,
            _FAULT_NUMBERS[fault],
        )

    def __len__(self) -> int:
        return len(self._packed) // _PACKED.size

    def __iter__(self) -> Iterator[Record]:
        for *figures, country, attempt, fault in _PACKED.iter_unpack(self._packed):
            yield Record._make((*figures, country.rstrip(b"\0").decode(), attempt, _FAULTS[fault]))
