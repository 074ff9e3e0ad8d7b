"""Name strategies that used their job otherwise than planned, a line each, for remarks and warnings."""

from collections.abc import Iterable, Iterator
from typing import Final

from bench.model.cases import Experiment
from bench.model.results import Measurement, Run
from bench.model.text import join_and, printable

_KINDS: Final = {"sync": "a synchronous client", "async": "an asynchronous client"}


def workers_lines(run: Run) -> Iterator[str]:
    """Write a line for each strategy that made no use of the number of workers."""
    yield from unread_workers_lines(run)
    if (line := _own_workers_line(run)) is not None:
        yield line


def unread_workers_lines(run: Run) -> Iterator[str]:
    """Write a line for each strategy that never read ``job.workers`` although its cases have some.

    Its rows differ by the connections that its client may open, or by nothing.
    """
    reads: dict[str, set[bool]] = {}
    for trial in run.trials:
        if trial.outcome == "ok" and trial.job_use is not None:
            reads.setdefault(trial.case, set()).add(trial.job_use.workers)
    for strategy in dict.fromkeys(case.strategy for case in run.cases):
        cases = [case for case in run.cases if case.strategy == strategy and not case.is_limited_by_client]
        counts = sorted({case.workers for case in cases})
        if max(counts, default=1) > 1 and set().union(*(reads.get(case.id, ()) for case in cases)) == {False}:
            numbers = join_and(list(map(str, counts)))
            yield (
                f"{printable(strategy)} never read job.workers, so {numbers} workers at the most limited the "
                "connections of its client; read it, or declare WORKERS = False"
            )


def other_client_lines(experiment: Experiment, trials: Iterable[Measurement]) -> Iterator[str]:
    """Write a line for each strategy that opened another kind of client than the plan knew of.

    Its rows have the right names, since its client has both kinds, but clients may be left out. A variant
    of a comparison may well open another kind.
    """
    opened: dict[str, tuple[str, ...]] = {}
    for trial in trials:
        if trial.job_use is not None and trial.job_use.clients:
            opened[trial.case] = trial.job_use.clients
    if experiment.comparison is not None:
        return
    for name, strategy in experiment.strategies.items():
        found = {opened[case.id] for case in experiment.cases if case.strategy == name and case.id in opened}
        others = sorted({kind for kinds in found for kind in kinds if strategy.face not in kinds})
        for kind in others:
            yield (
                f"{printable(strategy.file.name)} opened {_KINDS.get(kind, kind)}, and its cases were "
                f"planned for {_KINDS[strategy.face or kind]}; so that no client is left out, "
                f'declare CLIENTS = "{kind}"'
            )


def _own_workers_line(run: Run) -> str | None:
    """Name the strategies that decide themselves how many downloads are in flight, or return None."""
    names = dict.fromkeys(printable(case.strategy) for case in run.cases if case.has_own_workers)
    if not names:
        return None
    has = "has" if len(names) == 1 else "have"
    return (
        f"{join_and(list(names))} {has} no parameter for workers, so how many downloads are in flight is up "
        "to the function; a parameter `workers` would get the number of each case"
    )
