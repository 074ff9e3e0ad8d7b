"""Name cases and series in tables and in sentences."""

from typing import Protocol

from bench.model.cases import Case
from bench.model.text import plural, printable
from bench.model.work import Work
from bench.report.number_format import format_rate


class Series(Protocol):
    """A case, or a series of cases that differ in workers only."""

    @property
    def strategy(self) -> str:
        """Name of the strategy."""

    @property
    def client(self) -> str:
        """Name of the client."""

    @property
    def keep_alive(self) -> bool:
        """Whether connections are used for several requests."""

    @property
    def connections(self) -> int:
        """The most connections that the client may have open; 0: as many as there are workers."""

    @property
    def place(self) -> str:
        """Host and port of the scheduler of its cluster; empty without one."""

    @property
    def variant(self) -> str:
        """Label of the variant; empty outside of comparisons."""


def client_label(named: Series) -> str:
    """Name the client, with ``/close`` for a connection per request, a limit, a cluster and the variant."""
    limit = f"/{named.connections}conn" if named.connections else ""
    limit += f"/{named.place}" if named.place else ""
    return printable(f"{named.client}{'' if named.keep_alive else '/close'}{limit}{_variant(named)}")


def workers_label(case: Case) -> str:
    """Write the number of workers, or ``own`` if the strategy has a number of its own."""
    return "own" if case.has_own_workers else str(case.workers)


def describe_series(named: Series, workers: str = "") -> str:
    """Name a case or a series in a sentence; ``workers`` follows the client."""
    connection = "" if named.keep_alive else ", a connection per request"
    if named.connections:
        connection += f", at most {plural(named.connections, 'connection')}"
    if named.place:
        connection += f", on the cluster of {named.place}"
    return printable(f"{named.strategy} with {named.client}{_variant(named)}{workers}{connection}")


def describe_case(case: Case) -> str:
    """Name a case in a sentence."""
    if case.has_own_workers:
        return printable(f"{case.strategy}{_variant(case)}")
    workers = "" if case.strategy == "sequential" else f" and {plural(case.workers, 'worker')}"
    return describe_series(case, workers)


def describe_conditions(case: Case) -> str:
    """Name the profile of a case, and the CPU work and the number of downloads if the run has several."""
    if not case.countries.is_one_of_several:
        return describe_fetch_conditions(case)
    return f"{describe_fetch_conditions(case)}, {plural(case.countries.count, 'download')}"


def describe_fetch_conditions(case: Case) -> str:
    """Name the profile of a case, and the CPU work on each flag and the rate if the run has several."""
    work = f", {describe_work(case.work)}" if case.work.is_one_of_several else ""
    rate = f", {format_rate(case.rate)}" if case.has_other_rates else ""
    return printable(f"{case.profile.name}{work}{rate}")


def describe_work(work: Work) -> str:
    """Name the CPU work on each flag: ``json``, ``10 × json``; empty if there is none."""
    if work.times == 1:
        return work.kind
    return f"{work.times:,} × {work.kind}" if work.kind else ""


def _variant(named: Series) -> str:
    return f"@{named.variant}" if named.variant else ""
