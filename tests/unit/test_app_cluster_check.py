"""What is told of the machines of a cluster before the first trial."""

import sys
from dataclasses import replace
from types import ModuleType

import pytest

import bench
from bench.api.cluster import describe_machine
from bench.app import cluster_check
from bench.app.cluster_check import check_clusters, find_differences
from bench.errors import SetupError
from bench.model.cases import Case, Experiment
from bench.model.scheduler import EMBEDDED, Scheduler
from tests.builders import case

ADDRESS = "tcp://127.0.0.1:9"
OURS = {"python": "3.11.7", "flagbench": "0.1.0", "dask": "2026.8.0", "urllib3": "2.5.0"}


def an_experiment(*cases: Case) -> Experiment:
    """Build an experiment of these cases."""
    schedulers = {each: Scheduler(each) for each in (EMBEDDED, ADDRESS)}
    return Experiment("x", cases, {}, 1, None, 60, 10, 7, schedulers=schedulers)


def lines(facts: object) -> list[str]:
    return list(find_differences("tcp://10.0.0.1:40001", {"threads": 1, "versions": facts}, OURS))


def test_machine_with_our_versions_has_no_differences() -> None:
    assert lines(OURS) == []
    assert lines({**OURS, "numpy": "2.0"}) == []


def test_each_other_version_and_each_missing_library_has_a_line() -> None:
    found = lines({**OURS, "python": "3.12.1", "urllib3": "", "dask": "2026.7.0"})
    assert found == [
        "tcp://10.0.0.1:40001 has python 3.12.1, and we have 3.11.7",
        "tcp://10.0.0.1:40001 has dask 2026.7.0, and we have 2026.8.0",
        "tcp://10.0.0.1:40001 has urllib3 (not installed), and we have 2.5.0",
    ]


def test_machine_that_cannot_say_what_it_has_is_different() -> None:
    """As if flagbench is not installed there; its error may have several lines."""
    facts = {"threads": 1, "error": "ModuleNotFoundError: No module named 'bench'\n  at \x1b[2Jline 1"}
    (line,) = find_differences("tcp://10.0.0.1:40001", facts, OURS)
    assert line.startswith(
        "tcp://10.0.0.1:40001 cannot say what it has: ModuleNotFoundError: No module named"
    )
    assert line.isprintable()


def test_library_that_we_have_not_and_the_machine_has_is_a_difference() -> None:
    found = list(find_differences("m", {"versions": {"msgpack": "1.0"}}, {"msgpack": ""}))
    assert found == ["m has msgpack 1.0, and we have (not installed)"]


def test_own_versions_are_those_of_the_installed_distributions() -> None:
    found = describe_machine(["urllib3", "no-such-library"])["versions"]
    assert found["flagbench"] == bench.__version__
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert found["urllib3"]
    assert found["no-such-library"] == ""


def test_experiment_without_another_cluster_looks_at_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither at a scheduler, nor at all the distributions that are installed, nor at dask."""
    monkeypatch.setattr(cluster_check, "packages_distributions", None)
    monkeypatch.setitem(sys.modules, "distributed", ModuleType("distributed"))
    assert check_clusters(an_experiment(case("threadpool_map"), case("dask"))) == {}


@pytest.mark.long
def test_scheduler_that_does_not_answer_is_named_with_a_hint() -> None:
    """Nobody listens at port 9 of this machine."""
    experiment = an_experiment(case("dask"), replace(case("dask"), scheduler=ADDRESS))
    with pytest.raises(SetupError, match=rf"^scheduler {ADDRESS}: ") as refused:
        check_clusters(experiment)
    assert "dask scheduler" in str(refused.value.hint)
