"""The witness: what the server did with each request, and what that says of a round.

A round may have 100,000 requests, so records are packed: 48 bytes each, and nothing for the garbage
collector to visit.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import ceil
from struct import Struct
from typing import Final, NamedTuple, TypeAlias

from bench.model import Witness

_PACKED: Final = Struct("=IddddH2sI")
UNANSWERED: Final = 0
"""The status of a request whose client left before the end of its answer."""


class Record(NamedTuple):
    """One request. Times are of ``time.perf_counter()``, the clock that workers read too.

    Attributes:
        connection: its number, from 1, since the server started.
        start_s: when the first byte was sent.
        end_s: when the last byte was handed to the kernel, or the client had left.
        delay_s: planned between arrival and start.
        status: ``UNANSWERED`` if the client left.
        country: empty where the request was not for a country.
        attempt: how many requests of this round were for the same country before.
    """

    connection: int
    arrival_s: float
    start_s: float
    end_s: float
    delay_s: float
    status: int
    country: str
    attempt: int


Writer: TypeAlias = Callable[[int, float, float, float, float, int, str, int], None]
"""Takes down the fields of a record."""


class Log:
    """The records of one round, in the order in which answers ended."""

    def __init__(self) -> None:
        self._packed = bytearray()

    def add(  # noqa: PLR0913, PLR0917  a record's fields; building it for every request would cost
        self,
        connection: int,
        arrival_s: float,
        start_s: float,
        end_s: float,
        delay_s: float,
        status: int,
        country: str,
        attempt: int,
        /,
    ) -> None:
        """Keep a record."""
        self._packed += _PACKED.pack(
            connection, arrival_s, start_s, end_s, delay_s, status, country.encode(), attempt
        )

    def __len__(self) -> int:
        return len(self._packed) // _PACKED.size

    def __iter__(self) -> Iterator[Record]:
        for connection, arrival_s, start_s, end_s, delay_s, status, country, attempt in _PACKED.iter_unpack(
            self._packed
        ):
            code = country.rstrip(b"\0").decode()
            yield Record(connection, arrival_s, start_s, end_s, delay_s, status, code, attempt)


def witness_of(records: Iterable[Record]) -> Witness:
    """Say what the server saw of a round; lateness is that of the answers that were begun."""
    arrivals_s, ends_s, late_s = array("d"), array("d"), array("d")
    connections = set()
    for record in records:
        connections.add(record.connection)
        arrivals_s.append(record.arrival_s)
        ends_s.append(record.end_s)
        if record.status != UNANSWERED:
            late_s.append(record.start_s - (record.arrival_s + record.delay_s))
    ordered_s = sorted(late_s)
    return Witness(
        requests=len(arrivals_s),
        connections=len(connections),
        max_in_flight=_max_overlap(sorted(arrivals_s), sorted(ends_s)),
        late_p50_s=_quantile(ordered_s, 0.50),
        late_p99_s=_quantile(ordered_s, 0.99),
    )


def _max_overlap(starts_s: Sequence[float], ends_s: Sequence[float]) -> int:
    """Sweep over sorted starts and ends; what starts as another ends does not overlap it."""
    most = ended = 0
    for begun, start_s in enumerate(starts_s, start=1):
        while ends_s[ended] <= start_s and ended < begun - 1:
            ended += 1
        most = max(most, begun - ended)
    return most


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of the values does not exceed (nearest rank)."""
    return ordered[ceil(share * len(ordered)) - 1] if ordered else 0.0
