"""The progress displays: lines about retries, stops and verdicts, the time left, and what is drawn."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from bench.model.cases import Experiment, Stopping
from bench.model.observer import MetricState, Observer, Stop
from bench.report.number_format import MISSING
from bench.report.progress import (
    _BREAKING,
    LiveProgress,
    PlainProgress,
    comparison_line,
    live_drawing,
    show_progress,
    unmatched_case_lines,
)
from bench.report.progress_state import ComparisonProgress, ProgressState, RunProgress
from tests.builders import case, failed, trials
from tests.comparisons import BASE, CANDIDATE, experiment, new_comparison

SLOW = case("processpool_map", workers=5)
POOL = case("threadpool_as_completed", workers=20)
LOOP = case("asyncio_gather", "aiohttp", workers=20)
DISTURBED = failed(LOOP, 0, "invalid", "the server was late")


class Clock:
    """A clock that is set by hand."""

    now_s = 0.0

    def __call__(self) -> float:
        """Return the time that was set."""
        return self.now_s


def fixed(blocks: int, stopping: Stopping | None = None) -> Experiment:
    return Experiment("x", (LOOP,), {}, blocks, None, 60, 10, 1, stopping=stopping)


def test_a_repeated_trial_counts_once() -> None:
    progress = RunProgress(Clock())
    progress.start(fixed(2), (), {})
    progress.add(DISTURBED)
    progress.add(replace(DISTURBED, attempt=1))
    progress.add(replace(trials(LOOP, [0.02])[0], attempt=2))
    assert (progress.done, progress.trials) == (1, 2)


@pytest.mark.parametrize(("rate", "leader"), [(0.0, f"{LOOP.id} at 20 ms"), (50.0, "none in an open loop")])
def test_no_case_leads_in_an_open_loop(rate: float, leader: str) -> None:
    """Its schedule decides how long a round takes."""
    progress = RunProgress(Clock())
    progress.start(replace(fixed(2), cases=(replace(LOOP, rate=rate),)), (), {})
    progress.add(trials(LOOP, [0.02])[0])
    assert progress.leader() == leader


@pytest.mark.parametrize(
    ("budget_s", "left_s"), [(None, 620.0), (100.0, 90.0), (25.0, 30.0), (1.0, 30.0), (9999.0, 620.0)]
)
def test_the_budget_is_expected_to_end_a_run_but_not_before_its_least_blocks(
    budget_s: float | None, left_s: float
) -> None:
    """One trial took ten seconds: at most 62 more, three for certain."""
    clock = Clock()
    progress = RunProgress(clock)
    progress.start(fixed(63, stopping=Stopping(4, 0.03, budget_s)), (), {})
    clock.now_s = 10.0
    progress.add(trials(LOOP, [0.02])[0])
    assert progress.left_s() == pytest.approx(left_s)


def test_the_pace_of_a_resumed_run_is_that_of_its_new_trials() -> None:
    """Kept trials count as done and spent; the time until the run was resumed is not known."""
    clock = Clock()
    progress = RunProgress(clock)
    kept = [replace(trial, took_s=5.0) for trial in trials(LOOP, [0.02] * 8)]
    progress.start(fixed(20, stopping=Stopping(4, 0.03, 50.0)), kept, {})
    assert (progress.done, progress.left_s()) == (8, None)
    clock.now_s = 2.0
    progress.add(trials(LOOP, [0.02])[0])
    assert progress.left_s() == pytest.approx(50.0 - 40.0 - 2.0)


def plain(state: ProgressState) -> tuple[PlainProgress, io.StringIO]:
    stream = io.StringIO()
    return PlainProgress(Console(file=stream, width=200), state), stream


def test_a_run_has_lines_about_retries_stops_and_blocks() -> None:
    """A case that only ends with the run has none."""
    progress, stream = plain(RunProgress(Clock()))
    cases = (LOOP, POOL)
    progress.run_started(
        Experiment("x", cases, {}, 64, None, 60, 10, 1, stopping=Stopping(8, 0.03, None)), (), {}
    )
    progress.trial_ended(DISTURBED)
    progress.trial_ended(replace(DISTURBED, attempt=3))
    progress.block_ended(0)
    progress.case_stopped(LOOP.id, Stop("given up", 3))
    progress.case_stopped(POOL.id, Stop("precise", 11, 0.0213))
    progress.case_stopped(SLOW.id, Stop("blocks", 64, 0.05))
    assert stream.getvalue().splitlines() == [
        f"{LOOP.id}, block 1: invalid: the server was late; it is repeated",
        f"{LOOP.id}, block 1: invalid: the server was late",
        "block 1 of up to 64: 1 of up to 128 trials; leader: none yet",
        f"{LOOP.id}: given up after 3 blocks",
        f"{POOL.id}: precise enough after 11 blocks (±2.1%)",
    ]


def follow_comparison(progress: Observer) -> None:
    """Show a display a pair that is disturbed, one that crashes, and a verdict that stops the case."""
    of = experiment(LOOP, POOL)
    progress.run_started(of, (), {})
    progress.metrics_changed([MetricState(LOOP.id, "elapsed"), MetricState(POOL.id, "elapsed")], 0.0)
    progress.trial_started(LOOP.id, 0)
    for variant in (BASE, CANDIDATE):
        progress.trial_ended(replace(DISTURBED, case=f"{LOOP.id}@{variant}"))
    progress.trial_ended(failed(replace(POOL, variant=CANDIDATE), 0, "crash", "killed by SIGSEGV"))
    decided = MetricState(LOOP.id, "elapsed", "slower", 1.08, 1.06, 1.1, 14)
    undecided = MetricState(POOL.id, "elapsed", None, 1.01, None, None, 13)
    for _ in range(2):
        progress.metrics_changed([decided, undecided], 70.0)
    progress.case_stopped(LOOP.id, Stop("decided", 14))
    progress.case_stopped(POOL.id, Stop("disturbed", 14))
    progress.block_ended(13)
    progress.trial_started(POOL.id, 14)


FAILURES = [
    f"{LOOP.id}, block 1: invalid: the server was late; it is repeated",
    f"{POOL.id}@{CANDIDATE}, block 1: crash: killed by SIGSEGV",
]
GIVEN_UP = f"{POOL.id}: given up after 14 blocks: the machine kept disturbing it"


def test_a_comparison_has_lines_about_failures_verdicts_and_blocks() -> None:
    """The same disturbance of both trials of a pair, and the same verdict, has one line."""
    progress, stream = plain(ComparisonProgress(new_comparison(LOOP, POOL)))
    follow_comparison(progress)
    assert stream.getvalue().splitlines() == [
        *FAILURES,
        f"{LOOP.id}: elapsed slower: +8.0% (+6.0% to +10%) after 14 blocks",
        GIVEN_UP,
        "block 14: 1 metric undecided",
    ]


def test_a_terminal_shows_the_metrics_of_a_comparison_below_its_failures() -> None:
    stream = io.StringIO()
    console = Console(file=stream, width=200, force_terminal=True, color_system=None, legacy_windows=False)
    with live_drawing(console) as live:
        follow_comparison(LiveProgress(live, ComparisonProgress(new_comparison(LOOP, POOL, budget_s=280.0))))
        drawn = stream.getvalue()
    for line in (*FAILURES, GIVEN_UP):
        assert drawn.count(line) == 1
    *_, last = drawn.split("block 15 ")
    assert "1 of 2 metrics decided, 1 min 10 s of at most 4 min 40 s" in last.splitlines()[0]
    words = [line.split() for line in last.splitlines()]
    assert ["+8.0%", "+6.0%", "to", "+10%", "14", "slower"] in [each[-6:] for each in words]
    assert ["+1.0%", MISSING, "13", "disturbed"] in [each[-4:] for each in words]


def test_a_terminal_shows_the_trials_of_a_run() -> None:
    stream = io.StringIO()
    console = Console(file=stream, width=200, force_terminal=True, color_system=None, legacy_windows=False)
    with live_drawing(console) as live:
        progress = LiveProgress(live, RunProgress(Clock()))
        progress.run_started(fixed(2), (), {})
        progress.trial_ended(trials(LOOP, [0.02])[0])
        progress.trial_started(LOOP.id, 1)
        drawn = stream.getvalue()
    assert "block 2 of 2" in drawn
    assert "1 of 2 trials" in drawn
    assert f"now: {LOOP.id}" in drawn
    assert "asyncio_gather" in drawn
    assert "20 ms" in drawn


def test_what_is_drawn_already_is_not_drawn_again() -> None:
    """Some terminals flicker; a line that is printed above, or another width, does need a drawing."""
    stream = io.StringIO()
    console = Console(
        file=stream, width=90, height=24, force_terminal=True, color_system=None, legacy_windows=False
    )
    clock = Clock()
    with live_drawing(console) as live:
        progress = LiveProgress(live, RunProgress(clock))
        progress.run_started(fixed(2), (), {})
        progress.trial_started(LOOP.id, 0)
        once = len(stream.getvalue())
        progress.trial_started(LOOP.id, 0)
        assert len(stream.getvalue()) == once
        progress.trial_ended(DISTURBED)
        printed = len(stream.getvalue())
        assert printed > once
        progress.trial_started(LOOP.id, 0)
        assert len(stream.getvalue()) == printed
        console.width = 60
        progress.trial_started(LOOP.id, 0)
        assert len(stream.getvalue()) > printed


@pytest.mark.parametrize("breaks", [True, False])
def test_lines_that_a_narrower_terminal_has_broken_are_erased(
    monkeypatch: pytest.MonkeyPatch, *, breaks: bool
) -> None:
    """Each line of 80 cells takes two of 40, over which the cursor goes up; xterm cuts them off instead."""
    for name in _BREAKING:
        monkeypatch.delenv(name, raising=False)
    if breaks:
        monkeypatch.setenv("TMUX", "socket,1,0")
    stream = io.StringIO()
    console = Console(
        file=stream, width=80, height=24, force_terminal=True, color_system=None, legacy_windows=False
    )
    with live_drawing(console) as live:
        progress = LiveProgress(live, RunProgress(Clock()))
        progress.run_started(fixed(2), (), {})
        progress.trial_started(LOOP.id, 0)
        drawn = stream.getvalue().split("\x1b[2K")[-1].splitlines()
        console.width = 40
        before = len(stream.getvalue())
        progress.trial_started(LOOP.id, 0)
        ups = stream.getvalue()[before:].count("\x1b[1A")
    broken = sum(-(-max(1, len(line.rstrip())) // 40) for line in drawn)
    assert broken > len(drawn)
    assert ups == (broken if breaks else len(drawn)) - 1


@pytest.mark.parametrize("term", ["dumb", "xterm"])
@pytest.mark.parametrize("is_terminal", [True, False])
def test_table_is_drawn_on_terminals_only_that_can_move_their_cursor(
    monkeypatch: pytest.MonkeyPatch, term: str, *, is_terminal: bool
) -> None:
    """A colour that is asked for makes no terminal of a file; a terminal without a cursor gets lines."""
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("FORCE_COLOR", "1")
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: is_terminal)
    with show_progress(None, Console(file=stream, width=80, height=24)) as observer:
        assert isinstance(observer, LiveProgress) == (is_terminal and term != "dumb")


def test_a_comparison_is_described_before_it_starts() -> None:
    comparison = replace(new_comparison(LOOP), budget_s=280.0)
    assert comparison_line("x", comparison) == (
        f"x: {BASE} against {CANDIDATE}, 1 case × 1 metric; verdicts from block 8 on, "
        "alarms from block 14 on, for at most 4 min 40 s"
    )


def test_cases_that_are_not_compared_are_named_before_the_start() -> None:
    comparison = replace(
        new_comparison(LOOP),
        alone={"gone": BASE, "fresh": CANDIDATE},
        unknown_base="the base has no gate.yaml",
    )
    assert list(unmatched_case_lines(comparison)) == [
        f"warning: cases that only {BASE} has are not known: the base has no gate.yaml",
        f"vanished: gone exists only in {BASE} and is not compared",
        f"new: fresh exists only in {CANDIDATE} and is not compared",
    ]


def test_a_long_block_has_a_line_before_a_trial_after_ten_silent_seconds() -> None:
    clock, console = Clock(), Console(file=io.StringIO(), width=200)
    progress = PlainProgress(console, RunProgress(clock), clock)
    progress.run_started(fixed(2), (), {})
    printed = []
    for now_s in (0.0, 10.0, 10.1, 15.0, 20.3):
        clock.now_s = now_s
        progress.trial_started(LOOP.id, 0)
        printed.append(console.file.getvalue().count("block 1 of 2: 0 of 2 trials"))  # type: ignore[attr-defined]
    assert printed == [0, 0, 1, 1, 2]
