"""Two runs beside each other, without any claim on what caused their difference."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from bench.model.cases import Case
from bench.model.results import Run
from bench.stats.standing import sample_of


@dataclass(frozen=True, slots=True)
class Described:
    """Medians over blocks of one case in two runs, in seconds, and how many blocks each has.

    Rounds that a contest repeated to be long enough count once.
    """

    case: str
    first_s: float
    second_s: float
    blocks: tuple[int, int]


def described(first: Run, second: Run, shared: Sequence[tuple[Case, Case]]) -> Iterator[Described]:
    """Describe each case that has a successful block in both runs."""
    for mine, theirs in shared:
        samples = [
            sample_of([trial for trial in run.trials if trial.case == case.id])
            for run, case in ((first, mine), (second, theirs))
        ]
        if all(samples):
            one, other = (list(sample.values()) for sample in samples)
            yield Described(
                mine.plain_id,
                median(one) / _repeats(first, mine),
                median(other) / _repeats(second, theirs),
                (len(one), len(other)),
            )


def _repeats(run: Run, of: Case) -> int:
    """Say how many times the countries of the config are asked in a round."""
    match run.config.get("contest"):
        case {"repeats": Mapping() as repeats}:
            return int(repeats.get(of.plain_id, 1))
    return 1
