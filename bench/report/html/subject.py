"""The subject of a report: the cases of a run, of both variants of a comparison, or of several runs.

Everything is worked out once, by the functions that the terminal uses; every chart takes it from here.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from bench.errors import UsageError
from bench.model.cases import Case
from bench.model.results import Measurement, Run
from bench.model.stored_comparison import read_comparison
from bench.model.text import plural, printable
from bench.report.case_label import client_label, describe_case, describe_conditions, describe_series
from bench.report.number_format import TimeUnit
from bench.report.run_ratios import RunRatios, ratios_between
from bench.report.summary_table import run_facts
from bench.stats.case_summary import CaseSummary
from bench.stats.comparability import SelectedCases
from bench.stats.offered_rates import OfferedRates, summarize_rates
from bench.stats.ranking import Ranking, rankings
from bench.stats.retries import is_final
from bench.stats.scaling import Scaling, series_key, summarize_scaling
from bench.stats.series_over_axis import AxisSummary, summarize_axes
from bench.stats.verdicts import Verdicts, run_verdicts

_LONGEST_SIDE: Final = 12
LINE_END: Final = "\n"
"""Separates the two lines of a label; no name has one, since names are printable."""


@dataclass(frozen=True, slots=True)
class ShownCase:
    """A case as charts show it.

    Attributes:
        label: strategy, and in a second line client and workers; no other case of its side has it.
        series: strategy and client, which have the same colour in all charts.
        side: the variant or the run that it belongs to; empty if there is only one.
        trials: its trials, discarded attempts included.
    """

    summary: CaseSummary
    label: str
    series: str
    side: str
    trials: tuple[Measurement, ...]

    @property
    def case(self) -> Case:
        """The case itself."""
        return self.summary.case

    @property
    def name(self) -> str:
        """Name the case in a sentence or a tooltip."""
        return describe_case(self.case)

    @property
    def good(self) -> tuple[Measurement, ...]:
        """The trials that count."""
        return tuple(each for each in self.trials if each.outcome == "ok" and each.rounds and is_final(each))


@dataclass(frozen=True, slots=True)
class Group:
    """The cases of one profile and number of fetches, the fastest first; those without a timing come last.

    Attributes:
        title: names both where there are several groups, else empty.
        unit: of all its times.
        fastest: labels of the fastest case of each run; empty in a comparison.
        groups: number of groups of the report.
    """

    title: str
    cases: tuple[ShownCase, ...]
    unit: TimeUnit
    fastest: frozenset[str]
    groups: int

    @property
    def conditions(self) -> str:
        """What its cases have in common."""
        return self.cases[0].case.conditions

    @property
    def timed(self) -> tuple[ShownCase, ...]:
        """The cases with a timing."""
        return tuple(each for each in self.cases if each.summary.figures is not None)

    @property
    def sides(self) -> int:
        """Count the sides that its cases have."""
        return len({each.side for each in self.cases})

    def share_of(self, most: int, *, least: int = 1) -> int:
        """Return its share of what the groups of a page may have together, such as marks."""
        return max(least, most // self.groups)

    @property
    def labels(self) -> list[str]:
        """The labels of the timed cases, in order."""
        return list(dict.fromkeys(each.label for each in self.timed))


@dataclass(frozen=True)
class Subject:
    """The subject of a report.

    Attributes:
        runs: the runs, the base of comparisons first.
        sides: names of the variants or runs that are shown over one another; a single empty name otherwise.
    """

    runs: tuple[Run, ...]
    sides: tuple[str, ...]

    @property
    def run(self) -> Run:
        """The first run."""
        return self.runs[0]

    @property
    def short_sides(self) -> Mapping[str, str]:
        """The names of the sides beside marks: their roles where a name would leave no room for the mark."""
        if max(map(len, self.sides)) <= _LONGEST_SIDE:
            return {side: side for side in self.sides}
        is_comparison = self.verdicts is not None
        roles = ("base", "candidate") if is_comparison else (f"run {n + 1}" for n in range(len(self.sides)))
        return dict(zip(self.sides, roles, strict=True))

    @property
    def roles(self) -> tuple[str, ...]:
        """The name behind each role, as ``base: main``; empty where names stand for themselves."""
        return tuple(f"{short}: {side}" for side, short in self.short_sides.items() if short != side)

    @property
    def facts(self) -> str:
        """The facts of the first run in one line: flags, server, blocks, Python and processors."""
        return run_facts(self.run)

    @property
    def run_names(self) -> tuple[str, ...]:
        """The names of the runs where there are several; a single empty name otherwise."""
        return self.sides if len(self.runs) > 1 else ("",)

    @cached_property
    def verdicts(self) -> Verdicts | None:
        """The verdicts of a comparison; None for other runs."""
        is_comparison = len(self.runs) == 1 and read_comparison(self.run) is not None
        return run_verdicts(self.run) if is_comparison else None

    @cached_property
    def ratios(self) -> tuple[RunRatios, ...]:
        """The ratios of each further run to the first; empty where there is only one."""
        first, *others = (SelectedCases(run, "") for run in self.runs)
        return tuple(
            replace(ratios_between(first, other), names=(self.sides[0], side))
            for other, side in zip(
                others, self.sides[1:], strict=False
            )  # a comparison is one run of two sides
        )

    @cached_property
    def rankings(self) -> tuple[tuple[Ranking, ...], ...]:
        """The rankings of each run."""
        return tuple(map(rankings, self.runs))

    @cached_property
    def scalings(self) -> tuple[tuple[Scaling, ...], ...]:
        """The scaling of each run, as ``rankings``; empty for comparisons: rounds differ in length."""
        return () if self.verdicts is not None else tuple(map(summarize_scaling, self.runs))

    @cached_property
    def axis_summaries(self) -> tuple[tuple[AxisSummary, ...], ...]:
        """The cases of each run along the axes that have several values; empty for comparisons."""
        return () if self.verdicts is not None else tuple(map(summarize_axes, self.rankings))

    @cached_property
    def offered_rates(self) -> tuple[tuple[OfferedRates, ...], ...]:
        """The cases of each run over its rates; empty for comparisons, as ``scalings``."""
        if self.verdicts is not None:
            return ()
        return tuple(map(summarize_rates, self.runs, self.rankings))

    @cached_property
    def series(self) -> tuple[str, ...]:
        """The names of all series, in the order of the configs; their colours follow this order."""
        cases = (case for run in self.runs for case in run.cases)
        return tuple(dict.fromkeys(map(series_name, cases)))

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The cases, as ``rankings`` divides them."""
        by_conditions: dict[str, list[ShownCase]] = {}
        for each in self._shown_cases():
            by_conditions.setdefault(each.case.conditions, []).append(each)
        several = len(by_conditions) > 1
        return tuple(
            _group(
                describe_conditions(cases[0].case) if several else "",
                cases,
                self.rankings,
                len(by_conditions),
            )
            for cases in by_conditions.values()
        )

    def _shown_cases(self) -> Iterator[ShownCase]:
        for place, (run, ranked) in enumerate(zip(self.runs, self.rankings, strict=True)):
            trials: dict[str, list[Measurement]] = {case.id: [] for case in run.cases}
            for trial in run.trials:
                trials[trial.case].append(trial)
            labels = _unique_labels(run.cases)
            for row in (row for ranking in ranked for row in ranking.rows):
                case = row.case
                side = printable(case.variant) if self.verdicts is not None else self.sides[place]
                yield ShownCase(row, labels[case.id], series_name(case), side, tuple(trials[case.id]))


def read_subject(runs: Sequence[Run]) -> Subject:
    """Return the subject of a report on these runs.

    Raises:
        UsageError: one of several runs is a comparison, whose rounds differ in length.
        UnreadableResultError: a stored comparison does not fit its cases.
    """
    comparison = read_comparison(runs[0]) if len(runs) == 1 else None
    if comparison is not None:
        return Subject(tuple(runs), (printable(comparison.base), printable(comparison.candidate)))
    if len(runs) == 1:
        return Subject(tuple(runs), ("",))
    for run in runs:
        if read_comparison(run) is not None:
            raise UsageError(
                f"{printable(run.name)} is a comparison, which cannot be laid over other runs",
                hint="make a report of each",
            )
    return Subject(tuple(runs), tuple(_number_equal(printable(run.name) for run in runs)))


def series_name(case: Case) -> str:
    """Name the series of a case, which is the same for all its variants."""
    key = series_key(case)
    return describe_series(key) if not key.variant else describe_series(_without_variant(case))


def _without_variant(case: Case) -> Case:
    return replace(case, variant="")


def _group(title: str, cases: Iterable[ShownCase], ranked: Iterable[Iterable[Ranking]], groups: int) -> Group:
    def elapsed_s(each: ShownCase) -> float:
        figures = each.summary.figures
        return float("inf") if figures is None else figures.elapsed.estimate

    ordered = tuple(sorted(cases, key=elapsed_s))
    shortest_s = min(map(elapsed_s, ordered), default=0.0)
    is_comparison = any(each.case.variant for each in ordered)
    winners = set() if is_comparison else {ranking.fastest for each in ranked for ranking in each}
    return Group(
        title,
        ordered,
        TimeUnit.for_shortest(0.0 if shortest_s == float("inf") else shortest_s),
        frozenset(each.label for each in ordered if each.case.id in winners),
        groups,
    )


def _unique_labels(cases: Sequence[Case]) -> dict[str, str]:
    """Return a label for each case by id; those of the same variant and conditions differ."""
    labels = {}
    seen: Counter[tuple[str, str, str]] = Counter()
    for case in cases:
        label = f"{printable(case.strategy)}{LINE_END}{_client_line(case)}"
        place = (label, case.variant, case.conditions)
        seen[place] += 1
        labels[case.id] = label if seen[place] == 1 else f"{label} ({seen[place]})"
    return labels


def _client_line(case: Case) -> str:
    client = client_label(_without_variant(case))
    has_one = case.strategy == "sequential" or case.has_own_workers
    return client if has_one else f"{client} · {plural(case.workers, 'worker')}"


def _number_equal(names: Iterable[str]) -> Iterator[str]:
    seen: Counter[str] = Counter()
    for name in names:
        seen[name] += 1
        yield name if seen[name] == 1 else f"{name} ({seen[name]})"
