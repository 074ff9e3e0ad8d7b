"""``compare`` on stored runs: verdicts within a session, and every reason against them otherwise."""

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
from tests.contests import BASE, CANDIDATE, between_commits, contest, contested
from tests.program import call

POOL, LOOP, PLAIN = case(), case("asyncio_gather", "httpx"), case("sequential", workers=1)
Compare = Callable[..., int]


def stored(name: str, run: Run) -> None:
    """Store a run in a folder below the current one."""
    Path(name).mkdir()
    Path(name, "run.json").write_text(run_to_json_text(run), encoding="ascii")


def yielding(change: float, *, fails: str = "") -> Callable[[Case, int], float | Outcome]:
    """Say what each side yields: the candidate so much more than the base, and one of them nothing."""

    def elapsed_s(of: Case, block: int) -> float | Outcome:
        if of.variant == fails:
            return "crash"
        return (0.1 + 0.0001 * (block % 3)) * (change if of.variant == CANDIDATE else 1.0)

    return elapsed_s


def judged(change: float, fails: str = "") -> Run:
    """Run a contest for which ``compare`` has all that it needs."""
    run = contested(POOL, elapsed_s=yielding(change, fails=fails))
    return between_commits(run, "a" * 40, "b" * 40)


@pytest.fixture
def compare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Compare:
    """Go where runs are stored; call the command, and return its exit code."""
    monkeypatch.chdir(tmp_path)
    return lambda *words: call(monkeypatch, "compare", *words)


@pytest.mark.parametrize(
    ("run", "code", "ruling"),
    [
        (judged(1.0), 0, "passed"),
        (judged(0.8), 0, "passed"),
        (judged(1.2), 1, "regression"),
        (judged(1.0, CANDIDATE), 3, "failed"),
        (judged(1.0, BASE), 8, "inconclusive"),
    ],
    ids=["equal", "faster", "slower", "candidate-fails", "base-fails"],
)
def test_a_contest_has_its_verdicts_again(
    run: Run, code: int, ruling: str, compare: Compare, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the exit code that they come to."""
    stored("run", run)
    assert compare("run", "--json") == code
    assert json.loads(capsys.readouterr().out)["ruling"] == ruling


def test_a_contest_that_ended_early_is_incomparable(
    compare: Compare, capsys: pytest.CaptureFixture[str]
) -> None:
    """With what to do instead."""
    run = judged(1.0)
    stored("run", replace(run, status="partial", trials=run.trials[:6]))
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
        stored(
            f"run{number}",
            replace(run, config=config, environment={"fingerprint": str(number)}, started=started),
        )


def test_runs_of_two_sessions_are_incomparable_for_every_reason(
    compare: Compare, capsys: pytest.CaptureFixture[str]
) -> None:
    """All of them at once."""
    store_two()
    assert compare("run0", "run1") == 9
    told = capsys.readouterr()
    assert told.out == ""
    for reason in ("on different machines", "different configs", "of different sessions"):
        assert reason in told.err


def test_what_cannot_be_judged_can_be_described(compare: Compare, capsys: pytest.CaptureFixture[str]) -> None:
    """Ratios without verdicts, why, and what became of the cases that only one has; a lost one fails."""
    store_two()
    assert compare("run0", "run1", "--descriptive") == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "threadpool_map/requests/3/20ms 100 ms 110 ms +10% 8/8" in said
    assert f"vanished: {LOOP.id}" in said
    assert "new: asyncio_gather/aiohttp/3/20ms" in said
    assert "renamed: sequential/requests/1/20ms is one_by_one/requests/1/20ms now" in said
    assert "No verdicts: they were measured on different machines" in said
    assert not {"slower", "equivalent", "inconclusive"} & set(said.split())
    assert compare("run0", "run1", "--descriptive", "--allow-missing", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert [each["case"] for each in document["cases"]] == [POOL.id, PLAIN.id]
    assert len(document["reasons"]) >= 3


def test_a_vanished_case_fails_unless_that_is_allowed(
    compare: Compare, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a contest whose other cases are equivalent."""
    terms = replace(contest(POOL), alone={"lost/x/1/y": BASE, "came/x/1/y": CANDIDATE})
    run = contested(POOL, elapsed_s=yielding(1.0), terms=terms)
    stored("run", between_commits(run, "a" * 40, "b" * 40))
    assert compare("run") == 1
    said = capsys.readouterr().out
    assert "vanished: lost/x/1/y; main alone has it" in said
    assert "new: came/x/1/y; worktree alone has it" in said
    assert compare("run", "--allow-missing") == 0


def test_a_side_that_is_as_in_no_commit_is_marked(
    compare: Compare, capsys: pytest.CaptureFixture[str]
) -> None:
    """By its table; the other one is named by its commit."""
    run = contested(POOL, elapsed_s=yielding(1.0))
    stored("run", between_commits(run, "a" * 40, "b" * 40, dirty=True))
    compare("run")
    said = " ".join(capsys.readouterr().out.split())
    assert "main is aaaaaaa; worktree is bbbbbbb with uncommitted changes" in said


def test_a_side_that_is_called_by_its_commit_is_not_told_of() -> None:
    """Nor is a run that is no contest."""
    run = judged(1.0)
    terms = replace(contest(POOL), base="a" * 10)
    sides = run.config["variants"]
    assert isinstance(sides, dict)
    config = {
        **run.config,
        "contest": to_json_value(terms),
        "variants": {"a" * 10: sides[BASE], CANDIDATE: sides[CANDIDATE]},
    }
    cases = tuple(replace(each, variant="a" * 10) if each.variant == BASE else each for each in run.cases)
    assert list(variant_lines(replace(run, config=config, cases=cases))) == ["worktree is bbbbbbb"]
    assert list(variant_lines(run_of({POOL: trials(POOL, [0.1])}))) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("run@nobody",), "there is no run 'run@nobody'"),
        (("run", "run"), "has several variants"),
        (("run@main", "run@nobody"), "has no variant 'nobody'"),
        (("run@main", "run@main"), "is compared with itself"),
        (("run@main", "run@worktree", "--threshold", "5"), "--threshold"),
    ],
)
def test_a_side_that_is_not_there_is_told(
    words: tuple[str, ...], message: str, compare: Compare, capsys: pytest.CaptureFixture[str]
) -> None:
    """With those that are."""
    stored("run", judged(1.0))
    assert compare(*words) == 2
    assert message in capsys.readouterr().err
