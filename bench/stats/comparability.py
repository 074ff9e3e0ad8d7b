"""Match the cases of two runs, and find reasons why their trials cannot be compared.

Used by `compare`, reports and notebooks.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

from bench.model.cases import Case
from bench.model.results import Run
from bench.stats.case_summary import block_sample
from bench.stats.intervals import Interval
from bench.stats.pairwise import Sample, compare_cases
from bench.stats.rank_sum import ratio_interval
from bench.stats.schedule import block_order


@dataclass(frozen=True, slots=True)
class SelectedCases:
    """The cases of a stored run, or of one of its variants.

    Attributes:
        variant: the label of the variant; empty for a run without variants.
    """

    run: Run
    variant: str

    @property
    def name(self) -> str:
        """The run and variant as the command line names them."""
        return f"{self.run.name}@{self.variant}" if self.variant else self.run.name

    @property
    def cases(self) -> tuple[Case, ...]:
        """The cases of the variant."""
        return tuple(case for case in self.run.cases if case.variant == self.variant)

    @property
    def digests(self) -> Mapping[str, str]:
        """Digests of the strategy files, by strategy."""
        kept = self.run.config.get("strategies")
        return {str(name): str(digest) for name, digest in kept.items()} if isinstance(kept, Mapping) else {}


@dataclass(frozen=True, slots=True)
class CaseMatching:
    """The cases of two runs, matched.

    Attributes:
        shared: cases of both runs: first, second.
        vanished: cases that only the first has.
        new: cases that only the second has.
        renamed: cases that both have by different names: first, second.
    """

    shared: tuple[tuple[Case, Case], ...]
    vanished: tuple[Case, ...]
    new: tuple[Case, ...]
    renamed: tuple[tuple[Case, Case], ...]


def match_cases(
    first: Sequence[Case], second: Sequence[Case], digests: tuple[Mapping[str, str], Mapping[str, str]]
) -> CaseMatching:
    """Match cases by their ids without variants, and the rest by the content of their strategy files.

    Args:
        first: cases of one run.
        second: cases of the other.
        digests: of the strategy files of each run, by strategy.
    """
    mine, theirs = ({case.plain_id: case for case in cases} for cases in (first, second))
    vanished = [case for name, case in mine.items() if name not in theirs]
    new = [case for name, case in theirs.items() if name not in mine]
    renamed = []
    for case in vanished.copy():
        found = next((other for other in new if _is_renamed(case, other, digests)), None)
        if found is not None:
            renamed.append((case, found))
            vanished.remove(case)
            new.remove(found)
    shared = tuple((case, theirs[name]) for name, case in mine.items() if name in theirs)
    return CaseMatching(shared, tuple(vanished), tuple(new), tuple(renamed))


def _is_renamed(case: Case, other: Case, digests: tuple[Mapping[str, str], Mapping[str, str]]) -> bool:
    """Say whether two cases differ only in the name of their strategy, with the same file."""
    mine, theirs = digests[0].get(case.strategy), digests[1].get(other.strategy)
    same = replace(other, strategy=case.strategy, variant=case.variant)
    return mine is not None and mine == theirs and same == case


def incomparable_reasons(first: Run, second: Run) -> Iterator[str]:
    """Yield the reasons against comparing the trials of two runs.

    Both may be the same run. Verdicts need trials of the same blocks of the same session: identical code
    moves more between two sessions than most changes do (docs/statistics.md).
    """
    mine, theirs = (run.environment.get("fingerprint") for run in (first, second))
    if not mine or mine != theirs:
        yield "they were measured on different machines"
    if _server_of(first) != _server_of(second):
        yield "they were measured against different servers, one of them not flagbench's own"
    if first.config.get("seed") != second.config.get("seed"):
        yield "they have different seeds, and so different delays and faults"
    elif first.config.get("sha256") != second.config.get("sha256"):
        yield "they have different configs"
    if _rates_of(first) != _rates_of(second):
        yield "they have open loops of different rates"
    if not is_same_session(first, second):
        yield "they are of different sessions"
    for run in dict.fromkeys((first.name, second.name)):
        each = first if run == first.name else second
        if each.status != "complete":
            yield f"{run} was stopped early"
        if has_fixed_order(each):
            yield f"the order within blocks of {run} is not that of its seed, so drift favours one variant"


def _rates_of(run: Run) -> set[float]:
    return {case.rate for case in run.cases}


def _server_of(run: Run) -> object:
    """Return the address of a run's target, or None for the flag server."""
    match run.config.get("target"):
        case {"url": url}:
            return url
    return None


def has_fixed_order(run: Run) -> bool:
    """Say whether the order of the variants in any block was not drawn from the run's seed."""
    seed = _order_seed(run)
    if not isinstance(seed, int) or isinstance(seed, bool):
        return True
    places = {(trial.case, trial.block): trial.position for trial in run.trials}
    for block in {trial.block for trial in run.trials}:
        for ids in _variants_by_case(run):
            present = [each for each in ids if (each, block) in places]
            drawn = [each for each in block_order(ids, seed, block) if each in present]
            if sorted(present, key=lambda each: places[each, block]) != drawn:
                return True
    return False


def _order_seed(run: Run) -> object:
    """Return the seed of the order within blocks: a comparison's own, else that of the run."""
    match run.config.get("contest"):
        case {"coins": coins}:
            return coins
    return run.config.get("seed")


def _variants_by_case(run: Run) -> Sequence[Sequence[str]]:
    """Return the ids of the variants of each case."""
    return [
        [case.id for case in run.cases if case.plain_id == plain]
        for plain in dict.fromkeys(case.plain_id for case in run.cases)
    ]


def is_same_session(first: Run, second: Run) -> bool:
    """Say whether both are the same run, so that their blocks are pairs."""
    return (first.started, first.name, first.trials) == (second.started, second.name, second.trials)


@dataclass(frozen=True, slots=True)
class DescribedCase:
    """Medians over blocks of one case in two runs, in seconds, and the numbers of these blocks.

    The medians are for one round of the config, however often a round was repeated to be long enough.

    Attributes:
        ratio: second ÷ first, with its 95 % interval: of shared blocks within one session, and else what the
            noise within both runs leaves possible. It does not know what the machine did differently between
            two sessions. The estimate is not the quotient of the medians, but a median of quotients.
    """

    case: str
    first_s: float
    second_s: float
    blocks: tuple[int, int]
    ratio: Interval

    @property
    def is_beyond_noise(self) -> bool | None:
        """Say whether the interval excludes that both take equally long; None if there is no interval."""
        low, high = self.ratio.low, self.ratio.high
        return None if low is None or high is None else not low <= 1 <= high


def describe_cases(first: Run, second: Run, shared: Sequence[tuple[Case, Case]]) -> Iterator[DescribedCase]:
    """Yield the medians of each case that has a successful block in both runs."""
    find_ratio = _paired_ratio if is_same_session(first, second) else _unpaired_ratio
    for mine, theirs in shared:
        one, other = _round_times(first, mine), _round_times(second, theirs)
        if one and other:
            yield DescribedCase(
                mine.plain_id,
                median(one.values()),
                median(other.values()),
                (len(one), len(other)),
                find_ratio(one, other),
            )


def _unpaired_ratio(first: Sample, second: Sample) -> Interval:
    return ratio_interval([*first.values()], [*second.values()])


def _paired_ratio(first: Sample, second: Sample) -> Interval:
    """Return the ratio over the blocks that both have; without any it has no bounds."""
    both = sorted(first.keys() & second.keys())
    if not both:
        return Interval(median(second.values()) / median(first.values()), None, None)
    return compare_cases([first[block] for block in both], [second[block] for block in both]).ratio


def _round_times(run: Run, case: Case) -> Sample:
    """Return the value of each successful block, in seconds for one round of the config."""
    repeats = _repeats(run, case)
    sample = block_sample([trial for trial in run.trials if trial.case == case.id])
    return {block: value / repeats for block, value in sample.items()}


def _repeats(run: Run, case: Case) -> int:
    """Return how many times the config's countries are fetched in each round."""
    match run.config.get("contest"):
        case {"repeats": Mapping() as repeats}:
            return int(repeats.get(case.plain_id, 1))
    return 1
