"""Begin the schedule of an open loop, and say how the fetches of a call kept to it. Used by the trial."""

import math
import reprlib
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from bench.api import Fetch, Job
from bench.api.pacing import begin_open_schedule, due_s
from bench.model.open_loop import OpenLoop
from bench.model.trial_outcome import Invalid


def begin(job: Job, called_s: float) -> None:
    """Begin the schedule of a job; its first fetch is due at the call."""
    begin_open_schedule(job.schedule, called_s)


def check(fetches: Sequence[Fetch], job: Job, called_s: float) -> Invalid | None:
    """Return a problem if a fetch has no place in the schedule for itself; None if all have one."""
    free = {due_s(called_s, number, job.rate or 0.0) for number in range(len(job.countries))}
    for fetch in fetches:
        if fetch.scheduled_s not in free or fetch.start_s < fetch.scheduled_s:
            country = reprlib.repr(fetch.country)
            return Invalid(
                "error", f"download_many returned a Fetch of {country} that has no place in the schedule"
            )
        free.remove(fetch.scheduled_s)
    return None


def sum_up(fetches: Sequence[Fetch], job: Job, called_s: float) -> OpenLoop | None:
    """Return the figures of a call; None without fetches."""
    if not fetches:
        return None
    backlogs = [*_backlogs(fetches, job.workers)]
    late_s = sorted(fetch.start_s - fetch.scheduled_s for fetch in fetches)
    return OpenLoop(
        offered=job.rate or 0.0,
        reached=len(fetches) / (max(fetch.end_s for fetch in fetches) - called_s),
        backlog=max(backlogs),
        final_backlog=backlogs[-1],
        late_start_p99_s=late_s[math.ceil(0.99 * len(late_s)) - 1],
    )


def _backlogs(fetches: Sequence[Fetch], workers: int) -> Iterator[float]:
    """Yield the number of earlier fetches that had not begun when each one became due.

    A strategy may begin more fetches than it has workers and leave the waiting to its client.
    """
    starts_s = sorted(fetch.start_s for fetch in fetches)
    ends_s = sorted(fetch.end_s for fetch in fetches)
    for earlier, at_s in enumerate(sorted(fetch.scheduled_s for fetch in fetches)):
        begun = min(bisect_right(starts_s, at_s), bisect_right(ends_s, at_s) + workers)
        yield float(max(0, earlier - begun))
