"""Where each case stands within its run: the figures of the table, and what they bear.

Cases are compared within a profile only; another profile is another question.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from bench.model import Case, Measurement, Round, Run, Witness
from bench.stats.intervals import Interval, block_value, median_interval
from bench.stats.paired import Comparison, compare, holm

SIGNIFICANCE = 0.05


@dataclass(frozen=True, slots=True)
class Range:
    """The least and the greatest that was seen over all timed rounds."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Standing:
    """One row: a case and what its trials yielded.

    Attributes:
        elapsed: median over blocks, in seconds; ``None`` where no trial succeeded.
        times_faster: baseline's elapsed ÷ this case's, paired by block; ``None`` for the baseline.
        efficiency: median over blocks of ideal ÷ elapsed, 0 to 1.
        in_flight: the most requests the server saw at one instant, per round.
        connections: connections the server saw opened, per round.
        verified: flags equal byte for byte to the server's, per round.
        not_found: fetches answered 404, per round.
        errors: fetches that ended in any other class but ``ok``, per round.
        failed: the trials that yielded no timing, in block order.
    """

    case: Case
    blocks: int
    elapsed: Interval | None
    times_faster: Comparison | None
    efficiency: float | None
    in_flight: Range | None
    connections: Range | None
    verified: Range | None
    not_found: Range | None
    errors: Range | None
    failed: tuple[Measurement, ...]


@dataclass(frozen=True, slots=True)
class Podium:
    """The cases of one profile, and who is fastest.

    Attributes:
        baseline: id of the sequential case that the others are compared with, if there is one.
        fastest: id of the case with the least median; ``None`` where every case failed.
        ties: ids of cases that cannot be told from the fastest at 95 % (Holm over all its rivals).
        conclusive: whether the number of blocks could have told any two cases apart.
    """

    profile: str
    rows: tuple[Standing, ...]
    baseline: str | None
    fastest: str | None
    ties: frozenset[str]
    conclusive: bool


def podiums(run: Run) -> tuple[Podium, ...]:
    """Work out the standings of a run, one podium a profile, in the order of the config."""
    return tuple(_podium(profile, run) for profile in dict.fromkeys(case.profile.name for case in run.cases))


def _podium(profile: str, run: Run) -> Podium:
    cases = [case for case in run.cases if case.profile.name == profile]
    trials: dict[str, list[Measurement]] = {case.id: [] for case in cases}
    for trial in sorted(run.trials, key=lambda trial: trial.block):
        if trial.case in trials:
            trials[trial.case].append(trial)
    samples = {case_id: _sample(measured) for case_id, measured in trials.items()}
    baseline = next((case.id for case in cases if case.strategy == "sequential" and samples[case.id]), None)
    rows = tuple(_standing(case, trials[case.id], samples, baseline) for case in cases)
    medians = {row.case.id: row.elapsed.estimate for row in rows if row.elapsed is not None}
    fastest = min(medians, key=lambda case_id: medians[case_id], default=None)
    if fastest is None:
        return Podium(profile, rows, baseline, None, frozenset(), conclusive=False)
    rivals = {
        case_id: comparison
        for case_id, sample in samples.items()
        if case_id != fastest and (comparison := _compare(samples[fastest], sample)) is not None
    }
    adjusted = dict(zip(rivals, holm([rival.p for rival in rivals.values()]), strict=True))
    ties = frozenset(case_id for case_id, p in adjusted.items() if p > SIGNIFICANCE)
    smallest = [2 / 2**rival.blocks * len(rivals) for rival in rivals.values()]
    return Podium(profile, rows, baseline, fastest, ties, all(p <= SIGNIFICANCE for p in smallest))


def _sample(measured: Sequence[Measurement]) -> dict[int, float]:
    """Return the block values of a case's successful trials, by block, in seconds."""
    return {
        trial.block: block_value([round_.elapsed_s for round_ in trial.rounds])
        for trial in measured
        if trial.outcome == "ok" and trial.rounds
    }


def _compare(first: Mapping[int, float], second: Mapping[int, float]) -> Comparison | None:
    shared = sorted(first.keys() & second.keys())
    if not shared:
        return None
    return compare([first[block] for block in shared], [second[block] for block in shared])


def _standing(
    case: Case,
    measured: Sequence[Measurement],
    samples: Mapping[str, Mapping[int, float]],
    baseline: str | None,
) -> Standing:
    good = [trial for trial in measured if trial.block in samples[case.id]]
    rounds = [round_ for trial in good for round_ in trial.rounds]
    failed = tuple(trial for trial in measured if trial.outcome != "ok")
    if not rounds:
        return Standing(case, 0, None, None, None, None, None, None, None, None, failed)
    compared = None
    if baseline is not None and baseline != case.id:
        compared = _compare(samples[case.id], samples[baseline])
    return Standing(
        case=case,
        blocks=len(good),
        elapsed=median_interval(list(samples[case.id].values())),
        times_faster=compared,
        efficiency=median(fmean(r.ideal_s / r.elapsed_s for r in trial.rounds) for trial in good),
        in_flight=_witnessed(rounds, lambda witness: witness.max_in_flight),
        connections=_witnessed(rounds, lambda witness: witness.connections),
        verified=_range([round_.verified for round_ in rounds]),
        not_found=_range([round_.fetches.get("not_found", 0) for round_ in rounds]),
        errors=_range([_errors(round_) for round_ in rounds]),
        failed=failed,
    )


def _errors(round_: Round) -> int:
    return sum(count for outcome, count in round_.fetches.items() if outcome not in {"ok", "not_found"})


def _witnessed(rounds: Sequence[Round], figure: Callable[[Witness], int]) -> Range | None:
    figures = [figure(round_.server) for round_ in rounds if round_.server is not None]
    return _range(figures) if figures else None


def _range(figures: Sequence[int]) -> Range:
    return Range(min(figures), max(figures))
