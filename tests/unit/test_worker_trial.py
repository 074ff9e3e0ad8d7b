"""How many rounds a trial has, and where each takes place."""

from pathlib import Path
from typing import Any

import pytest

from bench.model.text import describe_error, one_line
from bench.worker.protocol import TimedRound
from bench.worker.round_control import wants_round
from bench.worker.trial import RoundTarget, round_target
from tests.trial import a_task

WARM_UP_S = 9.0


def rounds_wanted(elapsed_s: float, task: Any) -> int:
    """Count the timed rounds of a trial whose rounds all take the same."""
    rounds: list[TimedRound] = []
    while wants_round(task, rounds):
        rounds.append(TimedRound(elapsed_s if rounds else WARM_UP_S, {}, 0, ()))
    return len(rounds) - 1


@pytest.fixture
def usual() -> dict[str, Any]:
    """Return what every task here has."""
    return {
        "strategy_file": Path("mine.py"),
        "countries": ("BR",),
        "base_url": "http://server/-/t1",
        "reference": Path("flags"),
    }


@pytest.mark.parametrize(
    ("asked", "elapsed_s", "timed"),
    [
        (None, 0.01, 5),
        (None, 0.2, 3),
        (None, 0.25, 2),
        (None, 3.0, 1),
        (1, 0.1, 1),
        (1, 0.03, 4),
        (2, 0.06, 2),
        (1, 0.001, 20),
        (7, 3.0, 7),
        (30, 0.001, 30),
    ],
)
def test_times_as_many_rounds_as_asked_or_as_time_it_well(
    tmp_path: Path, usual: dict[str, Any], asked: int | None, elapsed_s: float, timed: int
) -> None:
    """Auto is one to five, until half a second is timed; the warm-up never counts.

    A number is at least so many, and up to twenty until a tenth of a second is timed.
    """
    assert rounds_wanted(elapsed_s, a_task(tmp_path, rounds=asked, **usual)) == timed


def test_each_round_has_an_address_and_a_folder_of_its_own(tmp_path: Path, usual: dict[str, Any]) -> None:
    """The server tells the rounds apart by their addresses."""
    task = a_task(tmp_path, **usual)
    assert round_target(task, 2) == RoundTarget("http://server/-/t1.2", task.folder / "2", 1)


def test_only_the_warm_up_of_a_paced_trial_is_short(tmp_path: Path, usual: dict[str, Any]) -> None:
    """It asks each country once, the timed rounds as often as they were told to."""
    task = a_task(tmp_path, paced=True, **usual, repeat=7)
    assert [round_target(task, number).repeat for number in range(3)] == [1, 7, 7]


def test_a_live_trial_is_one_round_where_it_was_asked(tmp_path: Path, usual: dict[str, Any]) -> None:
    """Nothing is warmed up, and nothing is added to the address."""
    task = a_task(tmp_path, live=True, **usual)
    assert rounds_wanted(0.01, task) == 0
    assert round_target(task, 0) == RoundTarget("http://server/-/t1", task.folder, 1)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain", "plain"),
        ("two\nlines\tand   more ", "two lines and more"),
        ("\x1b[2J\u202eevil\udc80", "�[2J�evil�"),
        ("x" * 1000, "x" * 299 + "…"),
    ],
)
def test_any_text_becomes_one_printable_line(text: str, line: str) -> None:
    """Terminal escapes, directions and surrogates do no harm in a table."""
    assert one_line(text) == line


def test_an_error_that_cannot_be_printed_is_named_all_the_same() -> None:
    """A strategy's own error may be broken, too."""

    class BrokenError(Exception):
        def __str__(self) -> str:
            raise ValueError

    assert describe_error(BrokenError(), Path("mine.py")).endswith("BrokenError: <exception str() failed>")


def test_a_syntax_error_is_named_by_what_it_says() -> None:
    """Not by the line of code that Python prints above it."""
    with pytest.raises(SyntaxError) as broken:
        compile("def (", "mine.py", "exec")
    assert describe_error(broken.value, Path("mine.py")).startswith("SyntaxError: ")
