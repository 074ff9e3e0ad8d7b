"""The table that fills while a run is measured, in a real terminal: its size, its order, what is left."""

import re
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.runs import config
from tests.terminals import Terminal, terminal

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.alone]

ROOT = Path(__file__).parents[2]
PROGRAM = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from bench.__main__ import main; main()"
STRATEGIES: list[Any] = [
    "sequential",
    "threadpool_map",
    "threadpool_as_completed",
    {"name": "asyncio_gather", "clients": ["aiohttp", "httpx"]},
]
HEAD = re.compile(r"block (\d+) of (\d+)")
TRIALS = re.compile(r"(\d+) of \d+ trials")


def command(*words: str) -> list[str]:
    return [sys.executable, "-P", "-c", PROGRAM, *words]


def heads(lines: list[str]) -> list[str]:
    """Return the lines that begin a drawing; there is never more than one."""
    return [line for line in lines if HEAD.match(line)]


def block(lines: list[str]) -> int:
    found = heads(lines)
    match = HEAD.match(found[0]) if found else None
    return int(match[1]) if match else 0


def trials(lines: list[str]) -> int:
    """Return how many trials have ended; a narrow terminal has that in a line of its own."""
    found = TRIALS.search(" ".join(" ".join(lines).split())) if heads(lines) else None
    return int(found[1]) if found else 0


def rows(lines: list[str]) -> list[str]:
    """Return the rows of cases below the head."""
    start = next((n for n, line in enumerate(lines) if HEAD.match(line)), len(lines))
    return [line for line in lines[start:] if line.split()[:1] and line.split()[0] in names()]


def names() -> set[str]:
    return {each if isinstance(each, str) else str(each["name"]) for each in STRATEGIES}


def ended(lines: list[str]) -> bool:
    return any(line.startswith("ended with") for line in lines)


def check_nothing_is_left(shown: Terminal) -> None:
    """Of the drawings, nothing is left when the run has ended: neither on the screen nor above it."""
    everything = shown.everything()
    assert not heads(everything)
    assert not any(line.startswith("now: ") for line in everything)
    assert any("ended with 0" in line for line in everything)
    assert sum(line.startswith("Every table:") for line in everything) == 1


@pytest.mark.parametrize(("width", "height"), [(80, 24), (200, 50)])
def test_table_of_a_run_fills_and_is_sorted(tmp_path: Path, width: int, height: int) -> None:
    file = config(tmp_path, STRATEGIES, workers=[5], blocks=7, profile={"latency": "10ms"})
    with terminal(command("run", str(file)), tmp_path, width, height) as shown:
        screen = shown.wait_for(lambda lines: block(lines) >= 3)
        assert len(screen) <= height
        assert max(map(len, screen)) <= width
        assert len(heads(screen)) == 1
        assert len(rows(screen)) == 5
        assert rows(screen)[-1].startswith("sequential")  # the slowest by far
        assert any("± " in line for line in shown.wait_for(lambda lines: block(lines) == 7))
        shown.wait_for(ended)
        check_nothing_is_left(shown)


def test_terminal_that_changes_its_size_keeps_one_drawing(tmp_path: Path) -> None:
    file = config(tmp_path, STRATEGIES, workers=[5], blocks=12, profile={"latency": "10ms"})
    with terminal(command("run", str(file)), tmp_path, 200, 50) as shown:
        shown.wait_for(lambda lines: block(lines) >= 2)
        for width, height in ((80, 24), (50, 24), (200, 50)):
            before = trials(shown.screen())
            shown.resize(width, height)
            screen = shown.wait_for(lambda lines: trials(lines) > before + 1)  # noqa: B023  waited for at once
            assert len(heads(screen)) == 1, screen
            assert sum(line.startswith("now: ") for line in screen) == 1, screen
            assert max(map(len, screen)) <= width
        shown.wait_for(ended)
        everything = shown.everything()  # what has left a screen that became smaller cannot be erased
        end = next(number for number, line in enumerate(everything) if line.startswith("took "))
        assert not heads(everything[end:])


def test_failures_stay_above_the_table(tmp_path: Path) -> None:
    bad = tmp_path / "bad.py"
    bad.write_text('"""Fails."""\n\n\ndef download_many(job):\n    raise RuntimeError("it is broken")\n')
    file = config(tmp_path, ["threadpool_map", str(bad)], workers=[5], blocks=2)
    with terminal(command("run", str(file)), tmp_path, 80, 24) as shown:
        shown.wait_for(ended)
        everything = "".join(shown.everything())
        assert everything.count("it is broken") >= 2
        assert not heads(shown.everything())


def test_comparison_shows_intervals_against_margins(tmp_path: Path) -> None:
    file = config(
        tmp_path, ["threadpool_map"], workers=[5], profile={"latency": "10ms"}, clients=["requests", "httpx"]
    )
    words = ("ab", f"path={ROOT}", f"path={ROOT}", str(file), "--budget", "40s")
    with terminal(command(*words), tmp_path, 80, 24) as shown:
        screen = shown.wait_for(lambda lines: any("●" in line for line in lines))
        assert len(screen) <= 24
        assert any("margin" in line for line in screen)
        shown.wait_for(ended, 120)
        assert not any("now: " in line for line in shown.everything())
