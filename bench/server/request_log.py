"""What the server did with each request of a round; ``bench.server.server_rounds`` says what follows from it.

A round may have 100,000 requests, so records are packed: 53 bytes each, and nothing for the garbage
collector to visit.
"""

from collections.abc import Callable, Iterator
from struct import Struct
from typing import Final, NamedTuple, TypeAlias

from bench.model.faults import KINDS

_PACKED: Final = Struct("=IdddddH2sIB")
UNANSWERED: Final = 0
"""The status of a request that had no answer, or not all of it."""
_FAULTS: Final = ("", *KINDS)
_FAULT_NUMBERS: Final = {kind: number for number, kind in enumerate(_FAULTS)}


class Record(NamedTuple):
    """One request. Times are of ``time.perf_counter()``, the clock that workers read too.

    Attributes:
        connection: its number, from 1, since the server started.
        accepted_s: when that connection was accepted.
        start_s: when the first byte was sent; where none was, the same as ``end_s``.
        end_s: when the last byte that was to be sent was handed to the kernel, or the client had left.
        delay_s: planned between arrival and start.
        status: ``UNANSWERED`` if not all of the answer was sent, for whatever reason, or if what was sent has
            no status.
        country: empty where the request was not for a country.
        attempt: how many requests of this round were for the same country before.
        fault: what was done to it, a kind of ``bench.model.faults``, whether or not the client stayed;
            empty where nothing was, as where the client left before it began.
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


Writer: TypeAlias = Callable[[int, float, float, float, float, float, int, str, int, str], None]
"""Takes down the fields of a record."""


class Log:
    """The records of one round, in the order in which answers ended."""

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
        """Keep a record."""
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
