"""Tests of the tables of a run: at 80 and 160 columns, as Markdown and CSV, and the sentence below."""

import csv
import io
from dataclasses import replace
from itertools import product

import pytest
from syrupy.assertion import SnapshotAssertion

from bench.model.cases import Case, Experiment, Profile, Selection
from bench.model.observer import Stop
from bench.model.results import Leak, Measurement, Run
from bench.report.conclusion import conclusion
from bench.report.export.csv import to_csv
from bench.report.export.json import to_json
from bench.report.export.markdown import to_markdown
from bench.report.progress_state import RunProgress
from bench.report.results_table import run_tables
from bench.stats.ranking import rankings
from bench.storage.run_json import run_from_bytes
from tests.builders import NEAR, POP3, case, failed, round_of, run_of, trials
from tests.rendering import printed

SEQUENTIAL = case("sequential", workers=1)
POOL = case("threadpool_as_completed", workers=20)
LOOP = case("asyncio_gather", "aiohttp", workers=20)
SLOW = case("processpool_map", workers=5)
CLOSING = replace(POOL, keep_alive=False, workers=200)


def values(scale: float) -> list[float]:
    """Return the values of ten blocks that drift."""
    return [scale * (1 + block / 100) for block in range(10)]


@pytest.fixture
def run() -> Run:
    """Build a run with a fastest case, a tie, a crash, a case without a timing, and a range of figures."""
    tied = [value * (1.001 if block % 2 else 0.999) for block, value in enumerate(values(0.021))]
    pool = trials(POOL, values(0.0251), in_flight=18)
    pool[3] = replace(pool[3], rounds=(round_of(0.026, 20, ok=1, not_found=1, server_error=1),))
    return run_of(
        {
            SEQUENTIAL: trials(SEQUENTIAL, values(0.0612), in_flight=1),
            POOL: [*pool[:9], failed(POOL, 9, "crash", "killed by SIGSEGV")],
            CLOSING: trials(CLOSING, tied),
            SLOW: [failed(SLOW, block, "timeout", "not done after 5 s") for block in range(3)],
            LOOP: trials(LOOP, values(0.021)),
        }
    )


def printed_run(run: Run, width: int) -> str:
    """Print the tables of a run."""
    return printed(run_tables(run), width)


@pytest.mark.parametrize("width", [80, 160])
def test_tables_match_their_snapshot(run: Run, width: int, snapshot: SnapshotAssertion) -> None:
    """Read the snapshot when it changes: it is what a user sees."""
    assert printed_run(run, width) == snapshot


@pytest.mark.parametrize("width", [80, 160])
def test_no_row_is_wrapped_or_cut(run: Run, width: int) -> None:
    text = printed_run(run, width)
    assert "…" not in text
    assert max(len(line) for line in text.splitlines()) <= width


def test_markdown_and_csv_match_their_snapshots(run: Run, snapshot: SnapshotAssertion) -> None:
    assert to_markdown(run) == snapshot
    assert to_csv(run) == snapshot


def test_json_is_the_stored_document(run: Run) -> None:
    assert run_from_bytes(to_json(run).encode()) == run


def test_csv_escapes_formulas() -> None:
    odd = Case("=cmd()", "-x", 1, Profile("@home"), POP3)
    (row,) = csv.DictReader(io.StringIO(to_csv(run_of({odd: trials(odd, [0.1])}))))
    assert (row["strategy"], row["client"], row["profile"]) == ("'=cmd()", "'-x", "'@home")


def test_each_profile_has_its_own_table() -> None:
    far = replace(LOOP, profile=Profile("far"))
    text = printed_run(run_of({LOOP: trials(LOOP, values(0.02)), far: trials(far, values(0.5))}), 80)
    assert "profile 20ms" in text
    assert "profile far" in text
    assert text.count("was fastest") == 2


@pytest.mark.parametrize(
    ("measured", "words"),
    [
        ({LOOP: trials(LOOP, values(0.02)), POOL: trials(POOL, values(0.04))}, "ahead of every other case"),
        (
            {LOOP: trials(LOOP, [0.02]), POOL: trials(POOL, [0.04])},
            "too few blocks to tell 2 cases apart; it takes 6",
        ),
        (
            {LOOP: trials(LOOP, [0.02] * 3), POOL: trials(POOL, [0.04] * 3)},
            "too few blocks to tell 2 cases apart",
        ),
        ({LOOP: trials(LOOP, values(0.02))}, "nothing to compare it with"),
        ({LOOP: [failed(LOOP, 0, "error", "no")]}, "No case yielded a timing"),
    ],
)
def test_conclusion_says_how_certain_the_ranking_is(
    measured: dict[Case, list[Measurement]], words: str
) -> None:
    (ranking,) = rankings(run_of(measured))
    assert words in conclusion(ranking)


class Clock:
    """A clock that is set by hand."""

    now_s = 0.0

    def __call__(self) -> float:
        """Return the time that was set."""
        return self.now_s


def test_the_race_predicts_from_its_pace_and_names_the_leader() -> None:
    """Two of four trials took ten seconds: ten are left."""
    clock = Clock()
    race = RunProgress(clock)
    race.start(Experiment("x", (LOOP, POOL), {}, 2, None, 60, 10, 1), (), {})
    assert (race.left_s(), race.leader()) == (None, "none yet")
    clock.now_s = 10.0
    race.add(trials(POOL, [0.04])[0])
    race.add(trials(LOOP, [0.02])[0])
    assert race.left_s() == pytest.approx(10.0)
    assert race.leader() == f"{LOOP.id} at 20 ms"
    assert (race.done, race.trials) == (2, 4)


def test_a_failed_trial_counts_but_does_not_lead() -> None:
    """It has no value."""
    race = RunProgress(Clock())
    race.start(Experiment("x", (LOOP,), {}, 2, None, 60, 10, 1), (), {})
    race.add(failed(LOOP, 0, "crash", ""))
    assert (race.done, race.leader()) == (1, "none yet")


def test_cases_of_another_profile_do_not_lead() -> None:
    """The leader is that of the profile last seen."""
    quick = replace(LOOP, profile=Profile("quick"))
    race = RunProgress(Clock())
    race.start(Experiment("x", (LOOP, quick), {}, 1, None, 60, 10, 1), (), {})
    race.add(trials(quick, [0.001])[0])
    race.add(trials(LOOP, [0.02])[0])
    assert race.leader().startswith(LOOP.id)
    assert NEAR.name in race.leader()


def test_control_characters_of_a_stored_run_are_replaced() -> None:
    hostile = failed(POOL, 0, "error", "\x1b]0;owned\x07\nsecond line")
    text = printed_run(run_of({POOL: [hostile]}), 160)
    assert "\x1b" not in text
    assert "error in 1 trial (block 1): \N{REPLACEMENT CHARACTER}]0;owned" in text


@pytest.mark.long
def test_table_of_every_strategy_and_client_fits_into_80_and_160_columns() -> None:
    """With and without keep-alive, 1 to 200 workers, 1,000 fetches, errors, failures.

    Each of them beside the longest of the others: all pairs would be thousands of cases, and say no more.
    """
    from bench.config import catalog

    strategies, clients = catalog.find_strategies(), catalog.find_clients()
    longest_strategy, longest_client = max(strategies, key=len), max(clients, key=len)
    pairs = [(strategy, longest_client) for strategy in strategies]
    pairs += [(longest_strategy, client) for client in clients if client != longest_client]
    thousand = Selection("all limit 50 repeat 20", ("BR",) * 50, 20)
    measured: dict[Case, list[Measurement]] = {}
    for (strategy, client), (workers, keep_alive) in product(pairs, ((1, True), (200, False))):
        each = Case(strategy, client, workers, NEAR, thousand, keep_alive)
        rounds = [
            round_of(25.0 / workers, workers // 2, ok=942, not_found=13, server_error=45),
            round_of(25.1 / workers, workers, ok=955, server_error=45),
        ]
        good = [replace(trial, rounds=tuple(rounds)) for trial in trials(each, [25.0] * 9)]
        measured[each] = [*good, failed(each, 9, "crash", "killed by SIGSEGV")]
    run = run_of(measured)
    for width in (80, 160):
        text = printed_run(run, width)
        assert "…" not in text
        assert max(len(line) for line in text.splitlines()) <= width
        rows = [line for line in text.splitlines() if "/close 200" in line or "/close    " in line]
        assert rows


def test_case_given_up_is_named_below_the_table() -> None:
    text = printed_run(run_of({SLOW: [failed(SLOW, block, "timeout", "") for block in range(3)]}), 160)
    assert f"! {SLOW.id}: given up after 3 time-outs, 7 blocks left out" in text
    mixed = [failed(SLOW, 0, "crash", ""), *(failed(SLOW, block, "timeout", "") for block in (1, 2))]
    text = printed_run(run_of({SLOW: mixed}), 160)
    assert f"! {SLOW.id}: given up after 1 crash and 2 time-outs, 7 blocks left out" in text


def test_leaks_are_named_below_the_table() -> None:
    """As ranges over the trials that left something behind."""
    good = trials(SLOW, [0.02] * 8)
    leaking = [
        replace(good[0], leak=Leak(3, 1, 0)),
        replace(good[1], leak=Leak(3, 4, 1)),
        replace(good[2], leak=Leak()),
    ]
    run = run_of({SLOW: [*leaking, *good[3:]], LOOP: trials(LOOP, [0.03] * 8)})
    line = f"{SLOW.id}: leaks in 2 trials: 3 threads, 1–4 descriptors, 1 process"
    assert f"\n{line}\n" in printed_run(run, 160)
    assert f"- {line}" in to_markdown(run)
    assert printed_run(run, 160).count("leaks in") == 1


def test_the_race_expects_no_trials_of_a_case_given_up() -> None:
    """So that the last line of a run does not promise more."""
    race = RunProgress(Clock())
    race.start(Experiment("x", (LOOP, POOL), {}, 10, None, 60, 10, 1), (), {})
    race.stop(LOOP.id, Stop("given up", 3))
    assert race.trials == 13


def test_markdown_has_the_medians_by_workers(run: Run) -> None:
    assert "median by workers" not in to_markdown(run)
    more = replace(LOOP, workers=5)
    both = run_of({LOOP: trials(LOOP, values(0.02)), more: trials(more, values(0.04))})
    assert "**median by workers**: ms" in to_markdown(both)
    assert "| strategy | client | 5 | 20 |" in to_markdown(both)
    assert "| asyncio_gather | aiohttp | 41.8 | 20.9 |" in to_markdown(both)


def test_disturbed_trials_are_counted_by_reason_as_repeated_or_kept() -> None:
    """Reasons that differ in their figures alone are the same."""
    good = trials(SLOW, [0.02] * 8)
    late = [
        replace(good[0], attempt=attempt, outcome="invalid", rounds=(), detail=f"late: by {figure} ms")
        for attempt, figure in enumerate(("2.1", "3", "1e+03"))
    ]
    again = replace(good[0], attempt=3)
    kept = replace(good[1], detail="others used 50% of a core")
    text = printed_run(run_of({SLOW: [*late, again, kept, *good[2:]]}), 160)
    assert "\n3 trials repeated: late: by 2.1 ms\n" in text
    assert "\n1 trial kept although disturbed: others used 50% of a core\n" in text
    assert "!" not in text
