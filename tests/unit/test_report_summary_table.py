"""Tests of the compact summary: what a first look at a run shows, in 24 lines of 80 columns."""

from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from bench.model.body_sizes import FixedSize, LogNormalSize, SampledSize
from bench.model.cases import Case, Fixed, LogNormal, Profile, Uniform
from bench.model.results import Gap, Run
from bench.report.summary_table import describe_profile, summary_tables
from bench.stats.retries import MOST_REPEATS
from bench.system.console_encoding import STAND_INS
from tests.builders import case, failed, round_of, run_of, trials
from tests.rendering import printed

SEQUENTIAL = case("sequential", workers=1)
LOOP = case("asyncio_gather", "aiohttp", workers=20)
POOL = case("threadpool_map", workers=20)
SMALL = case("threadpool_map", workers=5)
PROCESSES = case("processpool_map", workers=5)
HTTPX = case("asyncio_gather", "httpx", workers=20)


def values(scale: float) -> list[float]:
    """Return the values of ten blocks that drift."""
    return [scale * (1 + block / 100) for block in range(10)]


@pytest.fixture
def run() -> Run:
    """Build a run like that of the default config: six cases, of which two are practically equal."""
    wobbling = [value * (1.004 if block % 2 else 0.999) for block, value in enumerate(values(0.0247))]
    made = run_of(
        {
            SEQUENTIAL: trials(SEQUENTIAL, values(0.321), in_flight=1),
            SMALL: trials(SMALL, values(0.0712)),
            POOL: trials(POOL, wobbling),
            PROCESSES: [
                *trials(PROCESSES, values(0.093))[:9],
                failed(PROCESSES, 9, "crash", "killed by SIGSEGV"),
            ],
            HTTPX: trials(HTTPX, values(0.0405)),
            LOOP: trials(LOOP, values(0.0245)),
        }
    )
    environment = {"python": {"version": "3.11.7"}, "processor": {"cores": 2}}
    return replace(made, environment=environment)


def summary(run: Run, width: int) -> str:
    """Print the summary of a run."""
    return printed(summary_tables(run, width, "flagbench show last --full"), width)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_summary_matches_its_snapshot(run: Run, width: int, snapshot: SnapshotAssertion) -> None:
    """Read the snapshot when it changes: it is what a user sees first."""
    assert summary(run, width) == snapshot


@pytest.mark.parametrize(("width", "most_lines"), [(60, 30), (80, 24), (120, 24)])
def test_summary_is_short_and_cuts_nothing(run: Run, width: int, most_lines: int) -> None:
    lines = summary(run, width).splitlines()
    assert len(lines) <= most_lines
    assert max(map(len, lines)) <= width
    assert not any("…" in line for line in lines)


def test_cases_stand_from_the_fastest_to_those_without_a_figure(run: Run) -> None:
    broken = case("asyncio_gather", "requests", workers=3)
    both = replace(
        run,
        cases=(broken, *run.cases),
        trials=(failed(broken, 0, "timeout", "not done"), *run.trials),
    )
    lines = summary(both, 120).splitlines()
    first = next(place for place, line in enumerate(lines) if line.startswith("▸"))
    rows = [tuple(line.lstrip("▸=≈! ").split()[:3]) for line in lines[first : first + 7]]
    assert rows == [
        ("asyncio_gather", "aiohttp", "20"),
        ("threadpool_map", "requests", "20"),
        ("asyncio_gather", "httpx", "20"),
        ("threadpool_map", "requests", "5"),
        ("processpool_map", "requests", "5"),
        ("sequential", "requests", "1"),
        ("asyncio_gather", "requests", "3"),
    ]
    assert lines[first + 1].startswith("=")
    assert "timeout" in lines[first + 6]


def test_practically_equal_cases_are_named_with_their_distance(run: Run) -> None:
    text = " ".join(summary(run, 120).split())
    assert "asyncio_gather with aiohttp and 20 workers was fastest at 25.6 ms" in text
    assert "Practically equal, within 1.2% of it: threadpool_map with requests and 20 workers." in text


def test_a_late_server_holds_a_case_back_though_its_ideal_takes_that_into_account() -> None:
    """Each round took 100 ms, the ideal by the server's actual times, of which 80 ms were planned."""
    gap = Gap(0.0, 0.0, 0.0, 0.001, 0.019, 0.0)
    late = replace(round_of(0.1), ideal_s=0.1, planned_ideal_s=0.08, gap=gap)
    measured = [replace(trial, rounds=(late,)) for trial in trials(LOOP, values(0.1))]
    assert "late server" in summary(run_of({LOOP: measured}), 120)


def test_failed_trials_take_one_line(run: Run) -> None:
    (line,) = [line for line in summary(run, 120).splitlines() if line.startswith("! 1 trial")]
    assert any(row.split()[:2] == ["!", "processpool_map"] for row in summary(run, 120).splitlines())
    first = "processpool_map/requests/5/20ms, block 10: crash (killed by SIGSEGV)"
    assert line == f"! 1 trial of 1 case failed, first {first}"


def test_case_with_too_few_blocks_is_marked_and_named_but_is_no_failure(run: Run) -> None:
    first, *others = run.cases
    lost = [
        replace(failed(first, block, "invalid", "the clock jumped by +2 s"), attempt=MOST_REPEATS)
        for block in range(10)
    ]
    kept = [trial for trial in run.trials if trial.case in {each.id for each in others[:2]}]
    lines = summary(replace(run, cases=(first, *others[:2]), trials=(*lost, *kept)), 160).splitlines()
    assert any(line.split()[:2] == ["?", first.strategy] for line in lines)
    assert any("? too few blocks" in line for line in lines)
    assert (
        f"1 case has too few blocks: {first.id}, as trials were discarded; run again, or use more --blocks"
    ) in lines
    assert "10 trials discarded, mostly like this: the clock jumped by +2 s" in lines
    assert not any(line.startswith("!") for line in lines)


def test_disturbed_trials_take_one_line_with_the_commonest_reason(run: Run) -> None:
    first, second, third, *others = run.trials
    repeated = [
        replace(each, outcome="invalid", detail=f"others used {share}% of a core")
        for each, share in ((first, 31), (second, 44))
    ]
    kept = replace(third, detail="the server was late: by 3 ms at the 99th percentile")
    again = [replace(each, attempt=1) for each in (first, second)]
    disturbed = replace(run, trials=(*repeated, *again, kept, *others))
    (line,) = [line for line in summary(disturbed, 120).splitlines() if "disturbed" in line]
    assert line == (
        "2 trials discarded and 1 disturbed trial kept, mostly like this: others used 31% of a core"
    )


def test_many_cases_are_cut_to_the_fastest_and_counted() -> None:
    cases = [case("threadpool_map", workers=number) for number in range(1, 41)]
    run = run_of({each: trials(each, values(0.02 + each.workers / 1000)) for each in cases})
    lines = summary(run, 80).splitlines()
    assert sum(line.lstrip("▸=≈! ").startswith("threadpool_map") for line in lines) >= 12
    assert any(line.strip().startswith("… 28 more") for line in lines)


def test_each_profile_has_its_own_table_below_its_behaviour() -> None:
    far = replace(LOOP, profile=Profile("far", Fixed(0.3)))
    text = summary(run_of({LOOP: trials(LOOP, values(0.02)), far: trials(far, values(0.5))}), 80)
    assert "20ms: answers after 20 ms" in text
    assert "far: answers after 300 ms" in text
    assert text.count("was fastest") == 2


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        (Profile("p"), "answers at once"),
        (Profile("p", Fixed(0.05)), "answers after 50 ms"),
        (Profile("p", Uniform(0.01, 0.02)), "answers after 10–20 ms"),
        (Profile("p", Uniform(0.9, 1.5)), "answers after 900 ms–1.5 s"),
        (Profile("p", LogNormal(0.3, 0.9)), "answers after 300 ms in the median"),
        (
            Profile("p", Fixed(0.01), tls=True, http2=True, bandwidth=1 << 20),
            "answers after 10 ms, limited bandwidth, HTTP/2 over TLS",
        ),
        (
            Profile("p", Fixed(0.05), tls=True, connect_latency_s=0.02),
            "answers after 50 ms, connections after 20 ms, TLS",
        ),
        (
            Profile("p", bandwidth=1 << 20, sizes=FixedSize(100 << 10)),
            "answers at once, bodies of 100KiB, limited bandwidth",
        ),
        (
            Profile("p", sizes=LogNormalSize(102_400, 1 << 20)),
            "answers at once, bodies of 100KiB in the median",
        ),
        (
            Profile("p", sizes=SampledSize((1_000, 12_345))),
            "answers at once, bodies of 6.67kB in the median, as measured",
        ),
    ],
)
def test_behaviour_of_the_server_is_described_in_words(profile: Profile, words: str) -> None:
    assert describe_profile(profile) == words


def test_every_sign_of_a_summary_has_an_ascii_stand_in(run: Run) -> None:
    signs = {sign for sign in summary(run, 120) if not sign.isascii()}
    assert signs <= STAND_INS.keys()


def test_run_without_a_figure_says_so() -> None:
    assert "No case yielded a timing." in summary(run_of({LOOP: [failed(LOOP, 0, "error", "no")]}), 80)


def test_partial_run_says_so(run: Run) -> None:
    assert "10 blocks, partial" in summary(replace(run, status="partial"), 80)


def test_odd_names_stay_in_their_cells() -> None:
    odd = Case("\x1b[31mred", "a\nb", 1, Profile("p"), LOOP.countries)
    text = summary(run_of({odd: trials(odd, values(0.02))}), 80)
    assert "\x1b" not in text
    assert "a\nb" not in text
