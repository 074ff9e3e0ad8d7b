"""How the calls of an open loop kept to their schedule, as workers report and runs store it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OpenLoop:
    """A call in an open loop: the k-th fetch, from 0, is due ``k / offered`` seconds after the call.

    Of several calls, they are means.

    Attributes:
        offered: fetches that are due in a second.
        reached: fetches ÷ seconds from the call to the end of the last one.
        backlog: the most earlier fetches that were due and had not begun when another became due. Where a
            strategy begins more fetches than it has workers, those beyond wait in its client, and count.
        final_backlog: the same when the last one became due.
        late_start_p99_s: 99th percentile of the time from when a fetch was due until it began.
    """

    offered: float
    reached: float
    backlog: float
    final_backlog: float
    late_start_p99_s: float


def rate_text(rate: float) -> str:
    """Write a rate without its unit, with up to three decimals: ``200``, ``0.5``."""
    return f"{rate:.3f}".rstrip("0").rstrip(".")
