"""Check the points that a stored comparison adds to the history, and the runs that are refused."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from bench.errors import UsageError
from bench.model.cases import Case, Fixed
from bench.model.json_codec import to_json_value
from bench.model.results import Run
from bench.model.trial_outcome import Outcome
from bench.stats.history import history_points
from tests.builders import case, run_of, trials
from tests.comparisons import BASE, CANDIDATE, between_commits, comparison_run, new_comparison

OLD, NEW = "a" * 40, "b" * 40
FIRST, SECOND = case(), case("sequential")


def slower(of: Case, block: int) -> float:
    """Let the candidate take a tenth longer, but for a little noise."""
    return (1.1 if of.variant == CANDIDATE else 1.0) * (0.1 + 0.0001 * (block % 3))


RUN = between_commits(
    comparison_run(
        FIRST,
        SECOND,
        elapsed_s=slower,
        comparison=new_comparison(FIRST, SECOND, metrics=("elapsed", "memory")),
    ),
    OLD,
    NEW,
)


def test_each_metric_of_each_case_is_a_point() -> None:
    points = history_points(RUN)
    assert [(each.case, each.metric) for each in points] == [
        (each.id, metric) for each in (FIRST, SECOND) for metric in ("elapsed", "memory")
    ]
    elapsed, memory = points[:2]
    assert (elapsed.commit, elapsed.reference) == (NEW, OLD)
    assert elapsed.log_ratio == pytest.approx(math.log(1.1), abs=0.001)
    assert elapsed.verdict == "slower"
    assert elapsed.low is not None
    assert elapsed.high is not None
    assert elapsed.low <= elapsed.ratio <= elapsed.high
    assert (memory.log_ratio, memory.verdict) == (0, "equivalent")
    assert (elapsed.run, elapsed.time, elapsed.config) == (RUN.name, RUN.started, "contest")
    assert elapsed.fingerprint == "f" * 64
    assert elapsed.blocks >= 8


def settings_of(run: Run) -> set[str]:
    """Return the settings hashes of a run's points."""
    return {each.settings for each in history_points(run)}


def test_settings_hash_covers_all_settings_and_stays_stable() -> None:
    """The hash must not change when new settings are added."""
    assert settings_of(RUN) == {"95ea87acfd6c94a5"}
    for key, value in (("rounds", 1), ("flags", "0" * 64), ("pinning", True)):
        assert settings_of(replace(RUN, config={**RUN.config, key: value})) != settings_of(RUN)
    for change in (
        {"countries": replace(FIRST.countries, codes=(*FIRST.countries.codes, "ZA"))},
        {"profile": replace(FIRST.profile, latency=Fixed(0.007))},
        {"profile": replace(FIRST.profile, tls=True)},
        {"profile": replace(FIRST.profile, connect_latency_s=0.02)},
    ):
        cases = tuple(replace(each, **change) if each.plain_id == FIRST.id else each for each in RUN.cases)
        assert len(settings_of(replace(RUN, cases=cases))) == 2


def test_repeats_of_a_round_are_not_a_setting() -> None:
    """They depend on the machine."""
    comparison = to_json_value(new_comparison(FIRST, SECOND, metrics=("elapsed", "memory")))
    assert isinstance(comparison, dict)
    longer = tuple(
        replace(each, countries=replace(each.countries, repeat=3 * each.countries.repeat))
        if each.plain_id == FIRST.id
        else each
        for each in RUN.cases
    )
    again = replace(
        RUN, cases=longer, config={**RUN.config, "contest": {**comparison, "repeats": {FIRST.id: 3}}}
    )
    assert settings_of(again) == settings_of(RUN)


def without_fingerprint(run: Run) -> Run:
    """Remove the fingerprint of the machine."""
    return replace(run, environment={})


def without_variants(run: Run) -> Run:
    """Remove the facts about the variants."""
    return replace(run, config={**run.config, "variants": None})


def cut_short(run: Run) -> Run:
    """Leave out the later half of the trials, in pairs."""
    return replace(run, trials=run.trials[: len(run.trials) // 4 * 2])


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda run: between_commits(run, OLD, NEW, dirty=True), "its candidate has uncommitted changes"),
        (lambda run: between_commits(run, OLD, NEW, dirty=None), "its candidate has uncommitted changes"),
        (lambda run: between_commits(run, OLD, NEW, commit=None), "its candidate is not a commit"),
        (lambda run: between_commits(run, "", NEW), "its base is not a commit"),
        (lambda run: between_commits(run, OLD, NEW, python="3.13"), "its variants also differ in python"),
        (
            lambda run: between_commits(run, OLD, NEW, requirements=["httpx==0.27.2"]),
            "its variants also differ in requirements",
        ),
        (without_variants, "its base is not a commit"),
        (without_fingerprint, "its machine is not known"),
        (cut_short, "it was stopped early"),
        (lambda run: replace(run, status="partial"), "it was stopped early"),
    ],
)
def test_run_that_does_not_compare_two_commits_is_refused(
    change: Callable[[Run], Run], complaint: str
) -> None:
    with pytest.raises(UsageError) as caught:
        history_points(change(RUN))
    assert caught.value.what.startswith(f"{RUN.name} cannot be added to the history: {complaint}")
    assert caught.value.hint


def test_base_with_uncommitted_changes_is_refused() -> None:
    sides = RUN.config["variants"]
    assert isinstance(sides, dict)
    changed = {**sides, BASE: {**sides[BASE], "dirty": True}}
    with pytest.raises(UsageError, match="its base has uncommitted changes"):
        history_points(replace(RUN, config={**RUN.config, "variants": changed}))


def test_plain_run_is_refused() -> None:
    with pytest.raises(UsageError, match="it compares no two variants; measure a comparison with `ab`"):
        history_points(run_of({FIRST: trials(FIRST, [0.1] * 10)}))


def test_metrics_that_were_never_measured_are_left_out() -> None:
    """A run without any other metric is refused."""

    def fails(of: Case, _block: int) -> float | Outcome:
        return "error" if of.plain_id == FIRST.id else 0.1

    run = between_commits(comparison_run(FIRST, SECOND, elapsed_s=fails), OLD, NEW)
    assert {each.case for each in history_points(run)} == {SECOND.id}
    alone = between_commits(comparison_run(FIRST, elapsed_s=fails), OLD, NEW)
    with pytest.raises(UsageError, match="no block succeeded with both variants"):
        history_points(alone)
