"""Summarize the resources that a case uses, the phases of its time, and its limit. Called by `case_summary`.

All rounds of successful trials count, and never the warm-up. Times and counts are means, since only means of
parts add up to the mean of the whole; quantities held at one time, such as memory, are maxima.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from statistics import fmean, median
from typing import Final, Literal, TypeAlias, TypeVar

from bench.model.latency_histogram import LatencyPercentiles, merge_histograms
from bench.model.results import SUMMED_COUNTS, ClusterGap, Gap, Measurement, Phases, Round, ServerRound

T = TypeVar("T", Phases, Gap, ClusterGap)

Limit: TypeAlias = Literal["server", "client", "cores"]

_CLIENT_BOUND: Final = 0.5
"""Share of one core above which the client's own work, and no longer the waiting, sets the pace."""
_SERVER_BOUND: Final = 0.5
_ALL_CORES: Final = 0.9


@dataclass(frozen=True, slots=True)
class ResourceUsage:
    """Mean resources of a case; ``None`` if not measured.

    Attributes:
        cold_start_s: from asking for the process until its imports were done.
        imports_s: the part of it in which strategy and client were imported.
        phases: the phases of a round's time.
        ideal_s: planned ideal of the rounds with a gap; the parts of the gap fill it up to the elapsed time.
        gap: time of a round beyond its ideal, by cause.
        cluster: the same on a cluster, by its own causes.
        histograms: the encoded times of fetches, one of each trial.
        figures: figures of the probes, by name.
        cpu_share: processor time of the client ÷ elapsed; above 1 if several cores were at work.
        server: figures of the server log, by name; ``faults`` is the number of requests that met any.
        server_busy: processor time of the server ÷ elapsed.
        limit: the bottleneck, if it is not the strategy: ``server``, ``client``, or all ``cores``; ``None``
            without a log of the server, which may be the bottleneck.
    """

    cold_start_s: float | None
    imports_s: float | None
    phases: Phases | None
    ideal_s: float | None
    gap: Gap | None
    cluster: ClusterGap | None
    histograms: tuple[str, ...] = field(repr=False)
    figures: Mapping[str, float]
    cpu_share: float | None
    server: Mapping[str, float]
    server_busy: float | None
    limit: Limit | None

    @property
    def latency(self) -> LatencyPercentiles | None:
        """Percentiles of the times of fetches, computed only when asked for: that takes milliseconds."""
        return merge_histograms(self.histograms)


def summarize_usage(trials: Sequence[Measurement]) -> ResourceUsage:
    """Summarize the successful trials of a case."""
    rounds = [round_ for trial in trials for round_ in trial.rounds]
    figures = {**_means(round_.probes for round_ in rounds), **_lags(rounds), **_peaks(trials)}
    server = _means(
        _server_figures(round_.server, round_.calls) for round_ in rounds if round_.server is not None
    )
    cpu_share, server_busy = _cpu_share(rounds), _mean(round_.server_busy for round_ in rounds)
    return ResourceUsage(
        cold_start_s=_mean(trial.cold_start_s for trial in trials),
        imports_s=_mean(trial.imports_s for trial in trials),
        phases=_mean_of(Phases, [round_.phases for round_ in rounds]),
        ideal_s=_mean(round_.ideal_as_planned_s for round_ in rounds if round_.gap is not None),
        gap=_mean_of(Gap, [round_.gap for round_ in rounds]),
        cluster=_mean_of(ClusterGap, [round_.cluster for round_ in rounds]),
        histograms=tuple(trial.latency for trial in trials),
        figures=figures,
        cpu_share=cpu_share,
        server=server,
        server_busy=server_busy,
        limit=find_limit(cpu_share, server_busy, min((trial.cores for trial in trials), default=1))
        if server
        else None,
    )


def find_limit(cpu_share: float | None, server_busy: float | None, cores: int) -> Limit | None:
    """Return the bottleneck of a case, or None if it is the style of concurrency.

    Args:
        cpu_share: processor time of the client ÷ elapsed.
        server_busy: the server's share of its core.
        cores: number of processors that the client could use.
    """
    if server_busy is not None and server_busy > _SERVER_BOUND:
        return "server"
    if cpu_share is None or cpu_share <= _CLIENT_BOUND:
        return None
    return "cores" if cores > 1 and cpu_share >= _ALL_CORES * cores else "client"


def _cpu_share(rounds: Sequence[Round]) -> float | None:
    probed = [round_ for round_ in rounds if "cpu_user_s" in round_.probes]
    if not probed:
        return None
    used_s = fmean(round_.probes["cpu_user_s"] + round_.probes["cpu_system_s"] for round_ in probed)
    return used_s / fmean(round_.elapsed_s for round_ in probed)


def _lags(rounds: Sequence[Round]) -> Mapping[str, float]:
    """Return the median of each loop-lag figure; the figures of a round are quantiles already."""
    names = [name for round_ in rounds for name in round_.probes if name.startswith("loop_lag_")]
    return {
        name: median(round_.probes[name] for round_ in rounds if name in round_.probes)
        for name in dict.fromkeys(names)
    }


def _peaks(trials: Sequence[Measurement]) -> Mapping[str, float]:
    """Return the maximum of each figure that a probe takes of a whole trial."""
    names = dict.fromkeys(name for trial in trials for name in trial.probes)
    return {name: max(trial.probes[name] for trial in trials if name in trial.probes) for name in names}


def _means(figures: Iterable[Mapping[str, float]]) -> Mapping[str, float]:
    """Return the mean of each figure over the mappings that have it."""
    known = list(figures)
    names = dict.fromkeys(name for each in known for name in each)
    return {name: fmean(each[name] for each in known if name in each) for name in names}


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _mean_of(kind: type[T], values: Sequence[T | None]) -> T | None:
    means = _means(_numbers(value) for value in values if value is not None)
    return kind(**means) if means else None


def _numbers(value: Phases | Gap | ClusterGap | ServerRound) -> Mapping[str, float]:
    known = ((field.name, getattr(value, field.name)) for field in fields(value))
    return {name: _number(found) for name, found in known if found is not None}


def _server_figures(server: ServerRound, calls: int) -> Mapping[str, float]:
    """Return the figures of the server log; counts are those of one call of the round."""
    return {
        name: value / calls if name in SUMMED_COUNTS else value for name, value in _numbers(server).items()
    }


def _number(value: float | Mapping[str, int]) -> float:
    return float(sum(value.values()) if isinstance(value, Mapping) else value)
