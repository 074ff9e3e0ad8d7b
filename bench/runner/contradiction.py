"""Whether a worker's account agrees with what others saw: its clock may have been tampered with."""

from collections.abc import Iterator, Mapping
from math import fsum

from bench.runner.trial import Ending
from bench.server.testimony import Statement
from bench.worker.protocol import TimedRound


def contradiction(ending: Ending, seen: Mapping[int, Statement]) -> str:
    """Say what cannot be true of the rounds that a worker reported; nothing if nothing is.

    No round can be over before its last request came, nor can all of them take longer than the process
    lived. Where a fetch timed out, the server may read its request after the client has left.
    """
    rounds = ending.report.rounds if ending.report else ()
    return next(_contradictions(rounds, ending.ended_s - ending.started_s, seen), "")


def _contradictions(
    rounds: tuple[TimedRound, ...], lived_s: float, seen: Mapping[int, Statement]
) -> Iterator[str]:
    for number, timed in enumerate(rounds):
        said = seen.get(number)
        arriving_s = said.arriving_s if said and "timeout" not in timed.fetches else 0.0
        if timed.elapsed_s < arriving_s:
            yield (
                f"a round is said to have taken {timed.elapsed_s:.6f} s, "
                f"but its requests came within {arriving_s:.6f} s"
            )
    told_s = fsum(timed.elapsed_s for timed in rounds)
    if told_s > lived_s:
        yield f"its rounds are said to have taken {told_s:.6f} s, but its process lived {lived_s:.6f} s"
