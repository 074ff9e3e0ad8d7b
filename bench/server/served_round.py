"""Plan and log the responses of one round; the writers of both HTTP versions build on it."""

from dataclasses import dataclass, field

from bench.model.cases import Fault, Profile
from bench.model.planned_delays import is_steady, plan_delay
from bench.server.fault_responses import DEFAULT_PACING, FaultPacing
from bench.server.request_log import ConnectionInfo, WriteRecord


class ServedRound:
    """One round on the server: its delays and faults, its attempts, and the function that logs a request.

    Attributes:
        profile: the profile of its trial.
    """

    def __init__(
        self,
        profile: Profile,
        seed: int,
        block: int,
        write: WriteRecord,
        fault_pacing: FaultPacing = DEFAULT_PACING,
    ) -> None:
        self.bandwidth = profile.bandwidth
        self.write = write
        self.fault_pacing = fault_pacing
        self.profile = profile
        self._seed = seed
        self._block = block
        self._attempts: dict[str, int] = {}
        self._steady_delay_s = plan_delay(profile, seed, block, "", 0).delay_s if is_steady(profile) else None

    def plan(self, country: str) -> tuple[int, float, Fault | None]:
        """Count a request for a country; return its attempt from 0, its delay in seconds and its fault.

        A plain tuple: creating a named one would take half a microsecond, 4 % of a response.
        """
        attempt = self._attempts.get(country, 0)
        self._attempts[country] = attempt + 1
        if self._steady_delay_s is not None:
            return attempt, self._steady_delay_s, None
        planned = plan_delay(self.profile, self._seed, self._block, country, attempt)
        return attempt, planned.delay_s, planned.fault


@dataclass(slots=True)
class PlannedResponse:
    """A response that waits or is being sent, with the figures that are logged at its end.

    Attributes:
        status: the status to log once all of it was sent.
        fault: the kind of its fault; empty if there is none.
        start_s: when its first byte was sent; 0 before.
    """

    served: ServedRound
    status: int
    arrival_s: float
    country: str
    attempt: int
    delay_s: float
    fault: str
    start_s: float = field(init=False, default=0.0)

    def log(self, connection: ConnectionInfo, start_s: float, end_s: float, status: int) -> None:
        """Log the request."""
        self.served.write(
            connection.number,
            connection.accepted_s,
            self.arrival_s,
            start_s,
            end_s,
            self.delay_s,
            status,
            self.country,
            self.attempt,
            self.fault,
        )
