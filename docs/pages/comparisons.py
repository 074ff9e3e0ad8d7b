"""Compare cases of a kept run as its page asks, and write what was found in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bench.app.case_patterns import select_case
from bench.model.cases import Case
from bench.model.results import Run
from bench.report.case_label import describe_case
from bench.report.number_format import MISSING, format_interval, format_ratio
from bench.stats.case_summary import block_sample
from bench.stats.pairwise import PairVerdict, Sample, compare_samples, judge_pairs
from bench.stats.ranking import run_margin
from docs.pages.page_config import Pair


@dataclass(frozen=True, slots=True)
class Compared:
    """Two cases of a run.

    Attributes:
        found: the verdict on the first against the second; its ratio is how many times as fast the first is.
    """

    first: Case
    second: Case
    found: PairVerdict

    @property
    def is_untold(self) -> bool:
        """Say whether there is no verdict, and the interval allows both to be the faster one."""
        low, high = self.found.ratio.low, self.found.ratio.high
        return self.found.verdict == "inconclusive" and (low is None or high is None or low <= 1 <= high)


def compare_pairs(run: Run, pairs: Mapping[str, Pair]) -> Mapping[str, Compared]:
    """Judge pairs of cases together, so that all verdicts of a run are 95 % sure.

    Raises:
        UsageError: a pattern matches no case, or several.
        ValueError: two cases share no block.
    """
    cases = {name: tuple(select_case(run.cases, each) for each in pair) for name, pair in pairs.items()}
    ratios = {}
    for name, (first, second) in cases.items():
        ratio = compare_samples(sample_of(run, first), sample_of(run, second), run_margin(run))
        if ratio is None:
            raise ValueError(f"{first.id} and {second.id} share no block")
        ratios[name] = ratio
    found = judge_pairs(ratios)
    return {name: Compared(first, second, found[name]) for name, (first, second) in cases.items()}


def sample_of(run: Run, case: Case) -> Sample:
    """Return the elapsed time of each block of a case, in seconds."""
    return block_sample([trial for trial in run.trials if trial.case == case.id])


def neighbours(order: Sequence[str]) -> Mapping[str, Pair]:
    """Return each two cases that follow each other, by the pattern of the first."""
    return dict(zip(order, pairwise(order), strict=False))


def describe_speed(compared: Compared) -> str:
    """Say how fast the first case is: "2.1 times as fast (2.0 to 2.2)"; the name of the second may follow."""
    found = compared.found
    if found.verdict == "equivalent":
        return f"practically as fast{_interval(compared)}"
    if compared.is_untold:
        estimate = format_ratio(found.ratio.estimate)
        return f"perhaps as fast{_interval(compared, ', not told apart', f'{estimate} times, ')}"
    doubt = ", not sure beside the other comparisons" if found.verdict == "inconclusive" else ""
    return f"{format_ratio(found.ratio.estimate)} times as fast{_interval(compared, doubt)}"


def _interval(compared: Compared, doubt: str = "", estimate: str = "") -> str:
    bounds = format_interval(compared.found.ratio, format_ratio, " to ")
    return "" if bounds == MISSING else f" ({estimate}{bounds}{doubt})"


def describe_comparison(compared: Compared) -> str:
    """Name both cases, and say how fast the first is."""
    first, second = describe_case(compared.first), describe_case(compared.second)
    if compared.is_untold:
        return f"{first} and {second} were not told apart{_interval(compared)}"
    return f"{first} against {second}: {describe_speed(compared)}"
