"""``compare`` on stored runs: verdicts on variants of one run, and ratios of others."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bench.model.cases import Case
from bench.model.json_codec import to_json_value
from bench.model.results import Run
from bench.model.trial_outcome import Outcome
from bench.report.comparison_table import variant_lines
from bench.storage.run_json import run_to_json_text
from tests.builders import case, run_of, trials
from tests.comparisons import BASE, CANDIDATE, between_commits, comparison_run, new_comparison
from tests.program import call

POOL, LOOP, PLAIN = case(), case("asyncio_gather", "httpx"), case("sequential", workers=1)
Compare = Callable[..., int]


def store(name: str, run: Run) -> None:
    """Store a run in a folder below the current one."""
    Path(name).mkdir()
    Path(name, "run.json").write_text(run_to_json_text(run), encoding="ascii")


def measure(change: float, *, fails: str = "") -> Callable[[Case, int], float | Outcome]:
    """Return how long trials take: the candidate ``change`` times as long as the base; one may fail."""

    def elapsed_s(of: Case, block: int) -> float | Outcome:
        if of.variant == fails:
            return "crash"
        return (0.1 + 0.0001 * (block % 3)) * (change if of.variant == CANDIDATE else 1.0)

    return elapsed_s


def commits_run(change: float, fails: str = "") -> Run:
    """Build the run of a comparison of two commits."""
    run = comparison_run(POOL, elapsed_s=measure(change, fails=fails))
    return between_commits(run, "a" * 40, "b" * 40)


@pytest.fixture
def compare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Compare:
    """Return the command, in an empty folder; it returns its exit code."""
    monkeypatch.chdir(tmp_path)
    return lambda *words: call(monkeypatch, "compare", *words)


@pytest.mark.parametrize(
    ("run", "code", "overall"),
    [
        (commits_run(1.0), 0, "passed"),
        (commits_run(0.8), 0, "passed"),
        (commits_run(1.2), 1, "regression"),
        (commits_run(1.0, CANDIDATE), 3, "failed"),
        (commits_run(1.0, BASE), 8, "inconclusive"),
    ],
    ids=["equal", "faster", "slower", "candidate-fails", "base-fails"],
)
def test_stored_comparison_has_its_verdicts_and_exit_code(
    run: Run, code: int, overall: str, compare: Compare, capsys: pytest.CaptureFixture[str]
) -> None:
    store("run", run)
    assert compare("run", "--json") == code
    assert json.loads(capsys.readouterr().out)["ruling"] == overall


def test_interrupted_comparison_is_incomparable(compare: Compare, capsys: pytest.CaptureFixture[str]) -> None:
    run = commits_run(1.0)
    store("run", replace(run, status="partial", trials=run.trials[:6]))
    assert compare("run") == 9
    assert "was stopped early" in capsys.readouterr().err
    assert compare("run", "--descriptive") == 0
    assert "No verdicts: " in capsys.readouterr().out


def store_two() -> None:
    """Store runs of two sessions, machines and configs, with a case lost, one new and one renamed."""
    renamed, other = replace(PLAIN, strategy="one_by_one"), replace(LOOP, client="aiohttp")
    before = {POOL: trials(POOL, [0.10] * 8), LOOP: trials(LOOP, [0.2] * 8), PLAIN: trials(PLAIN, [0.3] * 8)}
    after = {
        POOL: trials(POOL, [0.11] * 8),
        other: trials(other, [0.2] * 8),
        renamed: trials(renamed, [0.3] * 8),
    }
    digests = {"threadpool_map": "1", "asyncio_gather": "2", "sequential": "3", "one_by_one": "3"}
    for number, measured in enumerate((before, after)):
        run = run_of(measured, f"run{number}")
        config = {**run.config, "strategies": digests, "sha256": str(number) * 64}
        started = f"2026-01-0{number + 1}T03:04:05+00:00"
        store(
            f"run{number}",
            replace(run, config=config, environment={"fingerprint": str(number)}, started=started),
        )


def test_all_reasons_against_a_comparison_are_printed(
    compare: Compare, capsys: pytest.CaptureFixture[str]
) -> None:
    store_two()
    assert compare("run0", "run1") == 9
    captured = capsys.readouterr()
    assert captured.out == ""
    for reason in ("on different machines", "different configs", "of different sessions"):
        assert reason in captured.err


def test_descriptive_prints_ratios_reasons_and_unmatched_cases(
    compare: Compare, capsys: pytest.CaptureFixture[str]
) -> None:
    """A vanished case fails."""
    store_two()
    assert compare("run0", "run1", "--descriptive") == 1
    text = " ".join(capsys.readouterr().out.split())
    assert "threadpool_map/requests/3/20ms 100 ms 110 ms +10%" in text
    assert "threadpool_map/requests/3/20ms +10% to +10% 8/8 beyond" in text
    assert "sequential/requests/1/20ms +0.00% to +0.00% 8/8 within" in text
    assert f"vanished: {LOOP.id}" in text
    assert "new: asyncio_gather/aiohttp/3/20ms" in text
    assert "renamed: sequential/requests/1/20ms is one_by_one/requests/1/20ms now" in text
    assert "No verdicts: they were measured on different machines" in text
    assert not {"slower", "equivalent", "inconclusive"} & set(text.split())
    assert compare("run0", "run1", "--descriptive", "--allow-missing", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert [each["case"] for each in document["cases"]] == [POOL.id, PLAIN.id]
    assert document["cases"][0]["ratio"]["low"] == pytest.approx(1.1)
    assert len(document["reasons"]) >= 3


def test_vanished_case_fails_unless_allowed(compare: Compare, capsys: pytest.CaptureFixture[str]) -> None:
    comparison = replace(new_comparison(POOL), alone={"lost/x/1/y": BASE, "came/x/1/y": CANDIDATE})
    run = comparison_run(POOL, elapsed_s=measure(1.0), comparison=comparison)
    store("run", between_commits(run, "a" * 40, "b" * 40))
    assert compare("run") == 1
    text = capsys.readouterr().out
    assert "vanished: lost/x/1/y; main alone has it" in text
    assert "new: came/x/1/y; worktree alone has it" in text
    assert compare("run", "--allow-missing") == 0


def test_variant_with_uncommitted_changes_is_marked(
    compare: Compare, capsys: pytest.CaptureFixture[str]
) -> None:
    run = comparison_run(POOL, elapsed_s=measure(1.0))
    store("run", between_commits(run, "a" * 40, "b" * 40, dirty=True))
    compare("run")
    text = " ".join(capsys.readouterr().out.split())
    assert "main is aaaaaaa; worktree is bbbbbbb with uncommitted changes" in text


def test_commit_of_a_variant_is_omitted_if_its_label_is_the_commit() -> None:
    run = commits_run(1.0)
    comparison = replace(new_comparison(POOL), base="a" * 10)
    sides = run.config["variants"]
    assert isinstance(sides, dict)
    config = {
        **run.config,
        "contest": to_json_value(comparison),
        "variants": {"a" * 10: sides[BASE], CANDIDATE: sides[CANDIDATE]},
    }
    cases = tuple(replace(each, variant="a" * 10) if each.variant == BASE else each for each in run.cases)
    assert list(variant_lines(replace(run, config=config, cases=cases))) == ["worktree is bbbbbbb"]
    assert list(variant_lines(run_of({POOL: trials(POOL, [0.1])}))) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("run@unknown",), "there is no run 'run@unknown'"),
        (("run", "run"), "has several variants"),
        (("run@main", "run@unknown"), "has no variant 'unknown'"),
        (("run@main", "run@main"), "is compared with itself"),
        (("run@main", "run@worktree", "--threshold", "5"), "--threshold"),
    ],
)
def test_invalid_run_variant_or_threshold_is_refused(
    words: tuple[str, ...], message: str, compare: Compare, capsys: pytest.CaptureFixture[str]
) -> None:
    store("run", commits_run(1.0))
    assert compare(*words) == 2
    assert message in capsys.readouterr().err
