"""Define the data that runner and flag server exchange: the trial to serve, and its observed rounds."""

from dataclasses import dataclass

from bench.model.cases import Profile
from bench.model.results import ServerRound


@dataclass(frozen=True, slots=True)
class Opening:
    """A trial to be served with the delays and faults of its profile and block.

    Attributes:
        countries: the countries that each round requests, in order and ``repeat`` times over; the server's
            log is compared with them.
        request_timeout_s: seconds that a client waits for a response; ``None`` for any time.
        round_file: file with the number of the round that addresses with ``CURRENT_ROUND`` belong to; empty
            if the trial has no such addresses.
    """

    trial: str
    profile: Profile
    block: int
    countries: tuple[str, ...] = ()
    repeat: int = 1
    request_timeout_s: float | None = None
    round_file: str = ""


@dataclass(frozen=True, slots=True)
class ObservedRound:
    """A round in the server's log: the stored summary, and the sums that divide its time.

    Attributes:
        first_arrival_s: arrival of the first request by ``time.perf_counter()``, the clock of the workers.
        mean_start_s: mean start of the responses by the same clock.
        answered: requests that got their whole response.
        in_flight_s: time in flight, summed over the requests.
        set_up_s: time from accepting a connection to its first request, summed over the connections.
        cpu_s: processor time of the server from the round's first connection, or else its first request, to
            its last response.
        arriving_s: from the arrival of the first request to that of the last.
        service_s: shortest times from arrival to end, each with its planned delay, its lateness and its
            transfer, limited to what the time-out leaves after connecting, and summed over the requests.
        longest_service_s: the longest of them.
    """

    server_round: ServerRound
    first_arrival_s: float
    mean_start_s: float
    answered: int
    in_flight_s: float
    set_up_s: float
    cpu_s: float
    arriving_s: float = 0.0
    service_s: float = 0.0
    longest_service_s: float = 0.0
