"""What ``gate`` makes of a contest, of both sides and of the command line; nothing is measured here."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bench.app.base_cases import base_cases
from bench.app.base_revision import gate_variants, is_from_merge_base
from bench.app.comparison_output import Outputs, present_comparison
from bench.app.comparison_plan import ComparisonRequest, matched_cases, refuse_same_variant
from bench.config import catalog
from bench.errors import IncomparableError, UsageError
from bench.model.cases import Case, Experiment
from bench.model.comparison import Bound, BuiltVariant, Variant
from bench.model.results import Run
from bench.model.trial_outcome import Outcome
from tests.builders import case
from tests.contests import BASE, CANDIDATE, contest, contested
from tests.repositories import Repository, small_repository

POOL, LOOP = case(), case("asyncio_gather", "httpx")
PINNED = '{"rev": "%s", "since": "2026-01-02", "why": ""}'
CHALLENGE = ComparisonRequest(Variant(rev=BASE), Variant(), None, None, None)


def equal(_: Case, block: int) -> float:
    """Yield the same on both sides."""
    return 0.1 + 0.0001 * (block % 3)


def slower(of: Case, block: int) -> float:
    """Yield a fifth more on the candidate's side."""
    return equal(of, block) * (1.2 if of.variant == CANDIDATE else 1.0)


def crashing(of: Case, block: int) -> float | Outcome:
    """Yield nothing on the candidate's side."""
    return "crash" if of.variant == CANDIDATE else equal(of, block)


def crashed(of: Case, block: int) -> float | Outcome:
    """Yield nothing on the base's side."""
    return "crash" if of.variant == BASE else equal(of, block)


def gated(elapsed_s: Callable[[Case, int], float | Outcome], bound_s: float = 1.0) -> Run:
    """Run a contest with a bound besides."""
    terms = replace(contest(POOL), bounds=(Bound("*", "elapsed", "<", bound_s),))
    return contested(POOL, elapsed_s=elapsed_s, terms=terms)


@pytest.mark.parametrize(
    ("run", "code", "counts"),
    [
        (gated(equal), 0, 'failures="0" errors="0" skipped="0"'),
        (gated(slower), 1, 'failures="1" errors="0" skipped="0"'),
        (gated(equal, 0.05), 1, 'failures="1" errors="0" skipped="0"'),
        (gated(crashing), 3, 'failures="0" errors="1" skipped="2"'),
        (gated(crashed), 8, 'failures="0" errors="0" skipped="3"'),
    ],
    ids=["equal", "slower", "bound", "crashing", "crashed"],
)
def test_codes_are_kept_apart(
    run: Run, code: int, counts: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And JUnit and the annotations say the same."""
    outputs = Outputs(junit=tmp_path / "gate.xml", github=True, allow_missing=False)
    assert present_comparison(run, tmp_path, outputs) == code
    told = capsys.readouterr()
    assert f"(exit code {code})" in told.err
    assert ("::error" in told.out) is (code in {1, 3})
    assert counts in (tmp_path / "gate.xml").read_text("utf-8")


def test_a_job_has_its_summary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After whatever other steps wrote there."""
    summary = tmp_path / "summary.md"
    summary.write_text("before\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    present_comparison(gated(slower), tmp_path, Outputs(github=True))
    assert summary.read_text("utf-8").startswith("before\n## flagbench: a regression\n")


def test_a_case_that_the_candidate_lacks_fails_unless_that_is_allowed(tmp_path: Path) -> None:
    """Whatever the others have come to."""
    terms = replace(contest(POOL), alone={"lost/x/1/y": BASE})
    run = contested(POOL, elapsed_s=equal, terms=terms)
    outputs = Outputs(junit=tmp_path / "gate.xml", allow_missing=False)
    assert present_comparison(run, tmp_path, outputs) == 1
    assert "worktree lacks this case" in (tmp_path / "gate.xml").read_text("utf-8")
    assert present_comparison(run, tmp_path, replace(outputs, allow_missing=True)) == 0
    assert "lacks" not in (tmp_path / "gate.xml").read_text("utf-8")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """Make a repository of one commit, and go there."""
    for variable in ("GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME"):
        monkeypatch.delenv(variable, raising=False)
    made = small_repository(tmp_path / "repository")
    monkeypatch.chdir(made.folder)
    return made


def test_a_gate_has_the_sides_of_its_config_with_another_base(repository: Repository) -> None:
    """Against what is pinned it is the commit that is measured, as a point of the history is of one."""
    here = repository.git("rev-parse", "HEAD")
    assert [is_from_merge_base(*each) for each in ((None, None), (None, "merge-base"), (None, "v1"))] == [
        True,
        True,
        False,
    ]
    own = (Variant(rev="old", requirements=("x",)), Variant(path=Path("other"), requirements=("x",)))
    assert gate_variants(own, None) == own
    assert gate_variants(None, None) == (Variant(rev=here), Variant())
    assert gate_variants(own, "merge-base") == (replace(own[0], rev=here), own[1])
    assert gate_variants(own, "v1") == (replace(own[0], rev="v1"), own[1])
    file = repository.folder / "results" / "baselines" / "reference.json"
    file.parent.mkdir(parents=True)
    file.write_text(PINNED % here, encoding="utf-8")
    head = Variant(rev="HEAD", requirements=("x",))
    assert gate_variants(own, "pinned") == (replace(head, rev=here), head)
    assert gate_variants(None, "pinned") == (Variant(rev=here), Variant(rev="HEAD"))


def asked(*cases: Case) -> Experiment:
    """Ask for these cases, with the strategies that ship."""
    shipped = catalog.find_strategies()
    return Experiment(
        "x", cases, {each.strategy: shipped[each.strategy] for each in cases}, 8, None, 60, 10, 1
    )


def side(tree: str = "1", *, lacks: str = "", **about: object) -> BuiltVariant:
    """Build a side with the strategies that ship, but one."""
    names = ("threadpool_map", "asyncio_gather")
    files = {name: Path(f"{name}.py") for name in names if name != lacks}
    return BuiltVariant("python", (), files, about={"tree": tree, "python": "3.11", "libraries": {}, **about})


def test_cases_of_one_side_are_not_measured_and_named() -> None:
    """As are those that the config had in the tree of the base."""
    gone = case("sequential", workers=1)
    sides = {BASE: side(), CANDIDATE: side(lacks="asyncio_gather")}
    of, terms = matched_cases(asked(POOL, LOOP), CHALLENGE, sides, (POOL, gone))
    assert [each.id for each in of.cases] == [f"{POOL.id}@main", f"{POOL.id}@worktree"]
    assert terms.alone == {LOOP.id: BASE, gone.id: BASE}
    with pytest.raises(UsageError, match="share no case"):
        matched_cases(asked(LOOP), CHALLENGE, sides, ())


def test_a_case_that_neither_side_has_is_an_error() -> None:
    """It would be gone without a word otherwise."""
    sides = dict.fromkeys((BASE, CANDIDATE), side(lacks="asyncio_gather"))
    with pytest.raises(UsageError, match="neither main nor worktree has the strategy asyncio_gather"):
        matched_cases(asked(POOL, LOOP), CHALLENGE, sides, ())


def test_what_is_the_same_is_not_measured() -> None:
    """What was asked for on top is something, whether or not a client imports it."""
    same = {BASE: side(), CANDIDATE: side()}
    with pytest.raises(IncomparableError, match="worktree is the same as main"):
        refuse_same_variant(same, CHALLENGE)
    refuse_same_variant(same, replace(CHALLENGE, candidate=Variant(requirements=("uvloop==0.21",))))
    for changed in (side("2"), side(python="3.13"), side(libraries={"x": "1"})):
        refuse_same_variant({BASE: side(), CANDIDATE: changed}, CHALLENGE)


def test_the_cases_that_a_config_had(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the tree of the base, with the strategies of that; of what cannot be read it is said."""
    monkeypatch.setenv("FLAGBENCH_CACHE", str(tmp_path / "cache"))
    config, said = "gate.yaml", list[str]()
    tree = tmp_path / "tree"
    (tree / "own").mkdir(parents=True)
    (tree / "own" / "mine.py").write_text("def download_many(job): return []\n", encoding="utf-8")
    base = BuiltVariant("python", (), {}, tree)
    (repository.folder / config).write_text("{strategies: [threadpool_map]}", encoding="utf-8")
    assert base_cases(config, base, said.append) == ()
    assert said == ["note: whether cases have vanished is not known, as the base has no gate.yaml there"]
    said.clear()
    (tree / config).write_text(
        "{strategies: [sequential, own/mine.py], clients: requests, profile: {latency: 5ms}}",
        encoding="utf-8",
    )
    assert [each.id for each in base_cases(config, base, said.append)] == [
        "sequential/requests/1/5ms",
        "mine/-/1/5ms",
    ]
    assert base_cases("ci", base, said.append) == ()  # it lies elsewhere
    link = repository.folder / "linked.yaml"
    link.symlink_to(tmp_path / "elsewhere.yaml")
    (tmp_path / "elsewhere.yaml").touch()
    (tree / link.name).write_text("{strategies: [own/mine.py], profile: {latency: 5ms}}", encoding="utf-8")
    assert [each.id for each in base_cases(link.name, base, said.append)] == ["mine/-/1/5ms"]
    assert said == []
    (tree / config).write_text("{strategies: [nothing]}", encoding="utf-8")
    assert base_cases(config, base, said.append) == ()
    (line,) = said
    assert line.startswith("note: whether cases have vanished is not known")
    assert "unknown strategy 'nothing'" in line
