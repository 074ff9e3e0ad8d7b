"""Tests of the tables of ``show --scaling`` and ``show --against``, at 80 columns and as Markdown."""

import random
from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from bench.model.cases import Case, Fixed, Profile, Selection
from bench.model.results import Measurement, Run
from bench.report.baseline_table import baseline_table
from bench.report.markdown import tables_to_markdown
from bench.report.scaling_table import scaling_tables
from bench.report.table import Table
from bench.stats.scalability_law import UniversalLaw
from tests.builders import case, failed, run_of, trials
from tests.rendering import printed

THOUSAND = Selection("all limit 100 repeat 10", ("BR",) * 100, 10)
WORKERS = (1, 2, 5, 10, 20, 50, 100, 200)
THREADS = UniversalLaw(75.0, 0.035, 0.0001)
LOOP = UniversalLaw(60.0, 0.012, 0.000004)


def case_of(strategy: str, client: str, workers: int) -> Case:
    """Build a case of a thousand fetches at 10 ms."""
    return Case(strategy, client, workers, Profile("10ms", Fixed(0.010)), THOUSAND)


def measured(each: Case, law: UniversalLaw, blocks: int) -> list[Measurement]:
    """Build trials by a law, with drift that a block shares and noise of 1 %."""
    source = random.Random(each.id)
    ideal_s = max(0.010, 10 / each.workers)
    values = [
        1000 / law.throughput(each.workers) * (1 + block / 50) * source.lognormvariate(0, 0.01)
        for block in range(blocks)
    ]
    return [
        replace(trial, rounds=(replace(trial.rounds[0], ideal_s=ideal_s),)) for trial in trials(each, values)
    ]


def scale(blocks: int) -> Run:
    """Build a run of the shape of ``configs/scale.yaml``."""
    cases = {
        case_of(strategy, client, workers): law
        for strategy, client, law in (
            ("threadpool_map", "requests", THREADS),
            ("asyncio_gather", "aiohttp", LOOP),
        )
        for workers in WORKERS
    }
    return run_of({each: measured(each, law, blocks) for each, law in cases.items()}, "scale")


def remarks_of(table: Table) -> str:
    """Return the remarks of a table, a line each."""
    return "\n".join(each.text for each in table.remarks)


def scaling_of(run: Run) -> Table:
    """Return the only scaling table of a run."""
    (table,) = scaling_tables(run)
    return table


@pytest.mark.parametrize("blocks", [6, 10])
def test_scaling_matches_its_snapshot(blocks: int, snapshot: SnapshotAssertion) -> None:
    """Six blocks are enough for knees, and ten for crossovers as well."""
    assert printed([scaling_of(scale(blocks))], 80) == snapshot


def test_baseline_table_matches_its_snapshot(snapshot: SnapshotAssertion) -> None:
    """With cases that are faster, slower, tied, with too few blocks, and without any."""
    reference, quick, slow = (case_of("threadpool_map", "requests", workers) for workers in (20, 50, 5))
    twin = case_of("asyncio_gather", "aiohttp", 20)
    short = case_of("asyncio_gather", "httpx", 200)
    broken = case_of("processpool_map", "urllib3", 20)
    closing = replace(case_of("threadpool_as_completed", "requests", 200), keep_alive=False)
    run = run_of(
        {
            case_of("sequential", "requests", 1): measured(case_of("sequential", "requests", 1), THREADS, 10),
            slow: measured(slow, THREADS, 10),
            reference: measured(reference, THREADS, 10),
            quick: measured(quick, THREADS, 10),
            twin: measured(twin, THREADS, 10),
            short: measured(short, LOOP, 6),
            broken: [failed(broken, block, "timeout", "") for block in range(3)],
            closing: measured(closing, THREADS, 10),
        },
        "mine",
    )
    table = baseline_table(run, reference)
    assert printed([table], 80) == snapshot
    assert tables_to_markdown([table]) == snapshot


def test_markdown_has_the_series_as_a_column(snapshot: SnapshotAssertion) -> None:
    assert tables_to_markdown([scaling_of(scale(10))]) == snapshot


@pytest.mark.parametrize("blocks", [1, 5, 6, 10])
def test_no_row_is_wrapped_or_cut_at_80_columns(blocks: int) -> None:
    """With the longest names there are, a connection per request, and thousands of seconds."""
    long = {
        replace(case_of("threadpool_as_completed", "requests", workers), keep_alive=False): law
        for workers in WORKERS
        for law in (UniversalLaw(0.05, 0.3, 0.0001),)
    }
    run = run_of({each: measured(each, law, blocks) for each, law in long.items()}, "n" * 30)
    for table in (scaling_of(run), baseline_table(run, run.cases[0])):
        text = printed([table], 80)
        assert "…" not in text
        assert max(len(line) for line in text.splitlines()) <= 80
        for section in table.sections:
            for row in section.rows:
                words = " ".join(row.cells).split()
                assert [line for line in text.splitlines() if line.split() == words]


def test_only_cases_of_the_same_profile_are_compared() -> None:
    near, far = case("asyncio_gather", "aiohttp"), replace(case(), profile=Profile("far"))
    run = run_of(
        {each: trials(each, [0.04 + block / 1e4 for block in range(6)]) for each in (near, case(), far)}
    )
    table = baseline_table(run, near)
    assert [section.heading for section in table.sections] == ["asyncio_gather", "threadpool_map"]
    assert "profile 20ms" in table.title


def test_reference_without_a_timing_has_nothing_to_compare() -> None:
    run = run_of(
        {case(): [failed(case(), 0, "error", "no")], case(workers=5): trials(case(workers=5), [0.04])}
    )
    assert "there is nothing to compare" in remarks_of(baseline_table(run, case()))


def remarks_on(elapsed: dict[int, float], blocks: int = 10) -> str:
    """Return the remarks on one series with these times, which drift from block to block."""
    run = run_of(
        {
            case(workers=workers): trials(
                case(workers=workers), [value * (1 + block / 10 + block % 3 / 500) for block in range(blocks)]
            )
            for workers, value in elapsed.items()
        }
    )
    return remarks_of(scaling_of(run))


@pytest.mark.parametrize(
    ("elapsed", "blocks", "words"),
    [
        (
            {1: 4.0, 2: 2.0, 4: 1.0},
            10,
            "every step up to 4 workers gains 5% or more; a knee is not in reach.",
        ),
        ({1: 4.0, 2: 2.0, 4: 1.0}, 10, "no limit of the throughput is in sight"),
        (
            {1: 4.0, 2: 3.9, 4: 3.8},
            10,
            "the fewest that were timed; 2 are 1.03 times as fast (1.03 to 1.03), less than 5% faster.",
        ),
        ({1: 4.0, 2: 2.0, 4: 3.0}, 10, "4 are 0.667 times as fast (0.667 to 0.667), and so slower."),
        ({1: 4.0, 2: 3.9, 4: 1.8, 8: 0.9}, 10, "Further up, the steps to 4 and 8 gain 5% all the same."),
        ({1: 4.0, 2: 2.0, 4: 1.0}, 5, "no knee can be sought beyond 1 worker"),
        ({1: 4.0, 2: 2.0, 4: 1.0}, 5, "telling how much 2 gain takes 6 shared blocks, and there are 5."),
        ({1: 4.0, 2: 2.0, 4: 1.0}, 1, "telling how much 2 gain takes 6 shared blocks, and there is 1."),
        ({1: 4.0, 2: 2.0, 4: 1.0}, 5, "Intervals and knees take 6 blocks."),
        ({1: 4.0, 2: 2.0, 4: 1.0}, 6, "Of 6 blocks, the fewest for an interval, it reaches"),
        (
            {1: 4.0, 2: 2.4, 4: 1.6},
            10,
            "no peak, and approaches 2.58 fetches/s (2.08 to 3.40)",
        ),
        ({2: 1.0, 4: 20.0, 8: 400.0}, 10, "The Universal Scalability Law cannot be fitted"),
        ({1: 4.0, 2: 2.0}, 10, "there is nothing to fit"),
        (
            {1: 4.0, 2: 1.0, 4: 0.25},
            10,
            "Its greatest miss is 67% of a time, which three numbers of workers hardly test.",
        ),
    ],
)
def test_remarks_say_up_to_how_many_workers_speed_grows(
    elapsed: dict[int, float], blocks: int, words: str
) -> None:
    assert words in remarks_on(elapsed, blocks)


def test_remarks_without_a_series_do_not_mention_intervals() -> None:
    assert remarks_on({1: 4.0, 2: 2.0}, 6) == (
        "No strategy and client has timings for three numbers of workers: there is nothing to fit."
    )


def without(run: Run, case_id: str, blocks: int) -> Run:
    """Let the first trials of a case crash, up to this number."""
    lost = next(each for each in run.cases if each.id == case_id)
    kept = [trial for trial in run.trials if trial.case != case_id or trial.block >= blocks]
    return replace(run, trials=(*kept, *(failed(lost, block, "crash", "") for block in range(blocks))))


def test_crossover_is_shown_beside_places_with_too_few_blocks() -> None:
    run = without(scale(10), case_of("asyncio_gather", "aiohttp", 200).id, 5)
    text = remarks_of(scaling_of(run))
    assert "overtakes" in text
    assert "too few blocks for crossovers" not in text
    assert "1 of 8 places have too few blocks" in text
    assert "1 of 16 rows have no interval, which takes 6 blocks." in text
    assert "Intervals and knees take 6 blocks." not in text


def test_blocks_without_a_law_are_counted() -> None:
    run = run_of(
        {
            (each := case(workers=workers)): trials(
                each, [*[1000 / THREADS.throughput(workers)] * 6, float(workers**4)]
            )
            for workers in (2, 4, 8, 16)
        }
    )
    assert (
        "Universal Scalability Law over 6 blocks (in 1 more, time grows too fast for it): one worker does"
    ) in remarks_of(scaling_of(run))


def test_pairs_without_a_crossover_are_named_if_few_and_counted_if_many() -> None:
    def remarks(clients: tuple[str, ...]) -> str:
        run = run_of(
            {
                (each := case("asyncio_gather", client, workers)): trials(
                    each, [(1 + place) / workers * (1 + block / 100) for block in range(14)]
                )
                for place, client in enumerate(clients)
                for workers in (1, 2)
            }
        )
        return remarks_of(scaling_of(run))

    assert (
        "No crossover of asyncio_gather with httpx and asyncio_gather with aiohttp is shown: "
        "asyncio_gather with httpx is ahead with 1 and 2 workers."
    ) in remarks(("httpx", "aiohttp"))
    assert "No crossover is shown for any of the 6 pairs." in remarks(("a", "b", "c", "d"))


def test_number_of_workers_that_mostly_failed_is_named() -> None:
    """Its row is missing from the table."""
    run = scale(6)
    kept = [trial for trial in run.trials if "asyncio_gather/aiohttp/50" not in trial.case or trial.block > 3]
    crashes = [failed(case_of("asyncio_gather", "aiohttp", 50), block, "crash", "") for block in range(4)]
    text = remarks_of(scaling_of(replace(run, trials=(*kept, *crashes))))
    assert "Left out, as most trials failed: 50 workers." in text
    assert "no knee can be sought beyond 20 workers, as most trials with 50 failed; 100 are" in text
    assert "which may be less than 5% faster" not in text
