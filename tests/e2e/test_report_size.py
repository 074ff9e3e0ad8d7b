"""Make reports of runs of 100 cases, 50 blocks and 1,000 fetches: time, memory, size, and patience."""

import json
import random
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser

from bench.model.latency_histogram import encode_histogram
from bench.model.results import Run
from bench.model.round_spans import FetchSpan, RequestSpan, RoundSpans, keeps_spans, pack_spans
from bench.storage.run_json import run_to_json_text
from tests.browser import opened, started_browser
from tests.builders import case, round_of, run_of, trials
from tests.runs import ROOT

pytestmark = [pytest.mark.e2e, pytest.mark.alone, pytest.mark.slow]

CASES, BLOCKS, FETCHES = 100, 50, 1000
WORKERS: Final = (1, 2, 5, 10, 20)
COUNTRIES: Final = ("BR", "CN", "IN", "JP", "US", "FR", "DE", "NG", "MX", "ID")


def large_run(profiles: int) -> Run:
    """Build the run: 20 series with five numbers of workers each, or with one in each of five profiles."""
    dice = random.Random(1)
    measured = {}
    for place in range(CASES):
        each = case(f"strategy_{place // 5}", "requests", WORKERS[place % 5])
        name = f"{each.profile.name}, {place % profiles}" if profiles > 1 else each.profile.name
        each = replace(each, profile=replace(each.profile, name=name))
        middle_s = 1 + 3 * dice.random()
        measured[each] = [
            replace(
                trial,
                latency=encode_histogram([latencies(dice)]),
                spans=spans(dice, trial.rounds[0].elapsed_s, each.workers)
                if keeps_spans(trial.block)
                else "",
                rounds=tuple(round_of(trial.rounds[0].elapsed_s, each.workers, ok=FETCHES) for _ in range(2)),
            )
            for trial in trials(each, [middle_s * dice.lognormvariate(0, 0.03) for _ in range(BLOCKS)])
        ]
    return run_of(measured)


def latencies(dice: random.Random) -> Counter[str]:
    """Draw the latencies of a trial, in microseconds."""
    return Counter(str(int(dice.lognormvariate(9.7, 0.3))) for _ in range(FETCHES))


def spans(dice: random.Random, elapsed_s: float, workers: int) -> str:
    """Draw the spans of a round, as real runs have them: each worker downloads one flag after the other."""
    step_s = elapsed_s * workers / FETCHES
    fetches, requests = [], []
    for place in range(FETCHES):
        start_s = step_s * (place // workers) + dice.uniform(0, 0.1 * step_s)
        end_s = start_s + step_s * dice.uniform(0.8, 0.9)
        sent_s = end_s - step_s * dice.uniform(0.1, 0.2)
        arrival_s = start_s + step_s * dice.uniform(0.1, 0.2)
        country = COUNTRIES[place % len(COUNTRIES)]
        fetches.append(FetchSpan(country, "ok", start_s, sent_s, end_s))
        requests.append(RequestSpan(country, place % workers + 1, 200, "", arrival_s, sent_s, sent_s))
    return pack_spans(RoundSpans(elapsed_s, tuple(fetches), tuple(requests), FETCHES, FETCHES))


@pytest.fixture(scope="module", params=[1, 5], ids=["one profile", "five profiles"])
def page(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """Write the report as a user does, within 15 seconds and a gigabyte."""
    folder = tmp_path_factory.mktemp("large")
    (folder / "run.json").write_text(run_to_json_text(large_run(request.param)), encoding="utf-8")
    file = folder / "report.html"
    before = time.monotonic()
    result = subprocess.run(
        [sys.executable, "-m", "bench", "report", str(folder), "-o", str(file)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    took_s = time.monotonic() - before
    assert result.returncode == 0, result.stderr
    print(json.dumps({"took_s": took_s, "bytes": file.stat().st_size}))  # noqa: T201  for `pytest -s`
    assert took_s < 15
    # of the greatest child so far, in KiB
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 1e9 / 1024
    assert file.stat().st_size < 2_000_000
    return file


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with started_browser() as browser:
        yield browser


def test_report_of_a_large_run_answers_within_three_seconds(page: Path, browser: Browser) -> None:
    context = browser.new_context(offline=True)
    tab = context.new_page()
    before = time.monotonic()
    tab.goto(page.resolve().as_uri(), wait_until="commit")
    heading = tab.locator("#summary-1 thead th", has_text="workers")
    heading.locator("button").click()
    tab.wait_for_selector("#summary-1 th[aria-sort]")
    assert time.monotonic() - before < 3
    context.close()


def test_report_of_a_large_run_draws_all_charts(page: Path, browser: Browser) -> None:
    with opened(browser, page) as found:
        assert found.complaints == []
        points = found.page.locator("figure[id^='elapsed'] g.role-mark.points_marks > *")
        assert points.count() == CASES
        lines = found.page.locator("figure[id^='latency'] g.role-mark.lines_marks > *")
        assert 12 <= lines.count() <= 36
        assert 10 <= found.page.locator("figure[id^='requests']").count() <= 12
