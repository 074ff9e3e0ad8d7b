"""The document of a run, and the check before a run is resumed."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.errors import SetupError, UnreadableResultError, UsageError
from bench.model.cases import Experiment, Strategy
from bench.model.comparison import Bound, ClientEnvironment, ComparisonSettings
from bench.model.results import Measurement, Run, RunHeader
from bench.runner.run_document import check_resumable, config_record, run_document
from bench.stats.schedule import replay
from bench.storage.journal import JournalContents
from tests.builders import HEADER, NEAR, case, trials

POOL = case("threadpool_map")


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    """Build an experiment of one case in three blocks."""
    file = tmp_path / "threadpool_map.py"
    file.write_text("one", encoding="utf-8")
    strategy = Strategy("threadpool_map", file, "", "sync", takes_workers=True)
    return Experiment("x", (POOL,), {"threadpool_map": strategy}, 3, 1, 60, 10, 1)


def began(experiment: Experiment, **environment: object) -> RunHeader:
    """Build what a run of this experiment begins with."""
    described = {"fingerprint": "f", "pinning": {"server": (0,)}, "git": {"commit": "a"}, **environment}
    return RunHeader("2026-01-02T03:04:05+00:00", config_record(experiment, {}), described, ("run", "CONFIG"))


def past(*measured: Measurement) -> JournalContents:
    """Build what a journal holds."""
    return JournalContents(HEADER, measured, (), 0, 0, 0)


def document(experiment: Experiment, *measured: Measurement) -> Run:
    """Build the document of a run."""
    return run_document(experiment, past(*measured), name="x")


def test_run_is_not_resumed_with_other_libraries_of_a_client(experiment: Experiment) -> None:
    """One without a version may be another when its environment is made again."""
    before, now = (
        replace(experiment, environments={"niquests": ClientEnvironment("python", {"niquests": each}, ())})
        for each in ("3.20", "3.21")
    )
    check_resumable(began(before), began(before))
    with pytest.raises(UsageError, match="environments changed"):
        check_resumable(began(before), began(now))


def test_a_run_is_resumed_where_it_began_here_or_on_a_cluster(experiment: Experiment) -> None:
    """Facts of machines are compared one by one elsewhere: others may have taken their place."""
    here, there = began(experiment), began(experiment, machines={"M1": {}})
    with pytest.raises(UsageError, match="began on this machine; resume it without --on"):
        check_resumable(here, there)
    with pytest.raises(UsageError, match="began on machines of a cluster; resume it with --on"):
        check_resumable(there, here)
    check_resumable(there, began(experiment, machines={"M2": {}}, fingerprint="g"))
    with pytest.raises(SetupError, match="flagbench changed"):
        check_resumable(there, began(experiment, machines={}, flagbench="2"))


def test_a_run_with_the_same_config_on_the_same_machine_can_be_resumed(experiment: Experiment) -> None:
    """Tuples are lists once they are stored, and another commit is recorded rather than refused."""
    check_resumable(
        began(experiment, pinning={"server": [0]}), began(experiment, git={"commit": "b", "dirty": True})
    )


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"seed": 2}, "seed"),
        ({"blocks": 4, "deadline_s": 5.0}, "blocks, deadline_s"),
        ({"cases": (case(workers=4),)}, "cases"),
        ({"cases": (replace(POOL, profile=replace(NEAR, jitter_s=0.001)),)}, "cases"),
    ],
)
def test_another_config_is_refused_with_both_hashes_and_its_changes(
    experiment: Experiment, change: dict[str, object], named: str
) -> None:
    """A profile of the same name may be another."""
    before, now = began(experiment), began(replace(experiment, **change))  # type: ignore[arg-type]
    theirs, ours = (each.config["sha256"] for each in (before, now))
    words = f"config {str(theirs)[:12]} and cannot be resumed with {str(ours)[:12]}: {named} changed"
    with pytest.raises(UsageError, match=words):
        check_resumable(before, now)


def test_another_text_of_a_strategy_is_another_config(experiment: Experiment) -> None:
    """Two programs of one name would share a row."""
    before = began(experiment)
    experiment.strategies["threadpool_map"].file.write_text("two", encoding="utf-8")
    with pytest.raises(UsageError, match="strategies changed"):
        check_resumable(before, began(experiment))


def test_another_machine_is_refused(experiment: Experiment) -> None:
    with pytest.raises(SetupError, match="another environment: fingerprint, libraries changed"):
        check_resumable(began(experiment), began(experiment, fingerprint="g", libraries={}))


def test_a_run_is_complete_once_nothing_is_due(experiment: Experiment) -> None:
    whole = trials(POOL, [0.02, 0.02, 0.02])
    assert document(experiment, *whole[:2]).status == "partial"
    assert document(experiment, *whole).status == "complete"


def test_a_journal_with_trials_that_were_not_due_is_refused(experiment: Experiment) -> None:
    """Out of order, too many, or of another case."""
    first, second, third = trials(POOL, [0.02, 0.02, 0.02])
    for odd, number in (
        ([second], 0),
        ([first, first], 1),
        ([first, second, third, replace(third, block=3)], 3),
        ([replace(first, case="other")], 0),
        ([replace(first, position=1)], 0),
    ):
        with pytest.raises(UnreadableResultError, match=f"trial {number} of the journal .* does not match"):
            replay(experiment, odd)


def test_bounds_are_stored_for_several_rates_and_read_the_same_trials_in_another_way(
    experiment: Experiment,
) -> None:
    bound = Bound("*", "p99", "<", 0.1)
    rated = replace(experiment, cases=(replace(POOL, rate=50.0, has_other_rates=True),))
    with_bound = replace(rated, comparison_settings=ComparisonSettings(bounds=(bound,)))
    before, now = config_record(rated, {}), config_record(with_bound, {})
    assert "bounds" not in before
    assert now["bounds"] == [{"pattern": "*", "figure": "p99", "relation": "<", "value": 0.1}]
    assert before["sha256"] == now["sha256"] != config_record(experiment, {})["sha256"]
    assert "bounds" not in config_record(
        replace(experiment, comparison_settings=with_bound.comparison_settings), {}
    )
