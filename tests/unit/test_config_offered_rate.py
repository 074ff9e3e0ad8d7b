"""The keys ``rate`` and ``rates``: an open loop, and what cannot have one."""

import json
from pathlib import Path

import pytest

from bench.config.offered_rate import describe_weak_schedules, parse_offered_rate
from bench.model.cases import Experiment
from tests.config_catalog import experiment_of, problems_of


def write(folder: Path, **keys: object) -> Path:
    """Write a config of one strategy and client that makes 400 fetches a round."""
    countries = {"codes": "pop20", "repeat": 20}
    settings = {"strategies": ["sequential"], "clients": ["requests"], "countries": countries, **keys}
    file = folder / "c.yaml"
    file.write_text(json.dumps(settings))
    return file


def load(folder: Path, **keys: object) -> Experiment:
    return experiment_of(write(folder, **keys))


@pytest.mark.parametrize(
    ("text", "rate"),
    [("50/s", 50.0), ("50", 50.0), ("0.5/s", 0.5), ("0.001", 0.001), ("999999.999/s", 999_999.999)],
)
def test_rate_is_fetches_per_second_with_its_unit_or_without(text: str, rate: float) -> None:
    assert parse_offered_rate(text) == rate


@pytest.mark.parametrize("text", ["0", "0.000/s", "-5", "5/m", "5 /s", "1e3", "1000000", "05/s", "/s", ""])
def test_other_texts_are_no_rates(text: str) -> None:
    with pytest.raises(ValueError, match=r"must be fetches per second, such as 50/s or 0\.5"):
        parse_offered_rate(text)


def test_one_rate_is_no_part_of_an_id(tmp_path: Path) -> None:
    (case,) = load(tmp_path, rate="50/s").cases
    assert (case.id, case.rate, case.has_other_rates) == ("sequential/requests/1/local", 50.0, False)


def test_each_rate_makes_a_case_with_an_id_of_its_own(tmp_path: Path) -> None:
    cases = load(tmp_path, rates=[200, "0.5/s"], deadline="20m").cases
    assert [(case.id, case.rate) for case in cases] == [
        ("sequential/requests/1/local/200rps", 200.0),
        ("sequential/requests/1/local/0.5rps", 0.5),
    ]
    assert {case.conditions for case in cases} == {"local/200rps", "local/0.5rps"}
    assert {case.without_rate.conditions for case in cases} == {"local"}


def test_rates_are_multiplied_with_numbers_of_downloads(tmp_path: Path) -> None:
    cases = load(tmp_path, rates=[50, 100], countries={"codes": "pop20", "repeat": [3, 5]}).cases
    assert [case.conditions for case in cases] == [
        f"local/{rate}rps/{count}fetches" for count in (60, 100) for rate in (50, 100)
    ]


def test_config_without_a_rate_has_none(tmp_path: Path) -> None:
    (case,) = load(tmp_path).cases
    assert (case.rate, case.has_other_rates) == (0.0, False)


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ({"rate": "50/s", "rates": [100, 200]}, "rates: cannot be combined with 'rate'; keep one of them"),
        ({"rates": []}, "rates: must not be empty"),
        ({"rates": [50]}, "rates: must be several; a single one is 'rate'"),
        (
            {"rate": "50/s", "precision": "5%"},
            (
                "precision: cannot be combined with an open loop, whose schedule decides how long a round "
                "takes; remove it"
            ),
        ),
        ({"rates": [50, "50/s"]}, "rates[1]: is a rate that was given before; remove it"),
        ({"rates": [50, 0]}, "rates[1]: must be fetches per second, such as 50/s or 0.5, not '0'"),
        (
            {"rate": "50/s", "strategies": ["bare_sockets"]},
            "rate: bare_sockets opens no client of flagbench, which would begin each fetch when it is due",
        ),
        (
            {"rates": [50, 100], "strategies": ["dask", "sequential"]},
            "rates: dask downloads on a cluster, whose machines share no schedule",
        ),
        (
            {"rate": "50/s", "target": {"url": "http://127.0.0.1:9/", "rate": "100/s"}},
            "rate: cannot be combined with 'target.rate', a limit that no open loop keeps",
        ),
        (
            {"rate": "5/s"},
            "rate: at 5/s 400 fetches of a trial take 80 s at least, more than 'deadline'",
        ),
        (
            {"rates": [100, 5], "rounds": 2},
            "rates[1]: at 5/s 800 fetches of a trial take 160 s at least, more than 'deadline'",
        ),
    ],
)
def test_what_cannot_have_an_open_loop_is_refused(
    tmp_path: Path, keys: dict[str, object], problem: str
) -> None:
    problems = problems_of(write(tmp_path, **keys))
    assert [each for each in problems if problem in each], problems


def test_problem_is_reported_at_its_line(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("strategies: bare_sockets\nclients: requests\nrate: 50/s\n")
    (problem,) = problems_of(file)
    assert ":3:1 rate: bare_sockets opens no client" in problem


def test_target_on_this_machine_may_be_asked_in_an_open_loop(tmp_path: Path) -> None:
    (case,) = load(tmp_path, target="http://127.0.0.1:9/", rate=50).cases
    assert (case.rate, case.profile.server) == (50.0, "http://127.0.0.1:9")


def test_schedule_shorter_than_a_second_is_named() -> None:
    """The last of 100 fetches is due after 0.99 s at 100/s."""
    assert not [*describe_weak_schedules([50.0, 99.0], 100, 1)]
    (found,) = describe_weak_schedules([50.0, 100.0, 200.0], 100, 1)
    assert found.startswith("At 200/s a round of 100 fetches has a schedule of 0.49 s, ")


def test_a_percentile_of_few_fetches_is_named() -> None:
    assert not [*describe_weak_schedules([10.0], 50, 2)]
    (found,) = describe_weak_schedules([10.0], 33, 3)
    assert found.startswith("A trial may have 99 fetches only: below 100, p99 is the longest of them")


def test_comparison_without_p99_tells_little(tmp_path: Path) -> None:
    said = "A comparison of an open loop without p99 among its metrics tells little."
    assert said in load(tmp_path, rate=50, metrics=["elapsed"]).notes
    assert said not in load(tmp_path, rate=50, metrics=["elapsed", "p99"]).notes
    assert said not in load(tmp_path, metrics=["elapsed"]).notes
