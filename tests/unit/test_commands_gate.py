"""The base, cases, outputs and exit codes of ``gate``, without measuring."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import pytest

from bench.app import report_output
from bench.app.base_config import BaseConfig, changed_work_lines, find_base_config
from bench.app.comparison_output import Outputs, present_comparison
from bench.app.comparison_plan import ComparisonRequest, plan_comparison, refuse_same_variant
from bench.app.gate_base import gate_variants
from bench.config import catalog
from bench.errors import IncomparableError, UnreadableResultError, UnsavedRunError, UsageError
from bench.model.cases import Case, Experiment, Selection
from bench.model.comparison import Bound, BuiltVariant, Variant
from bench.model.results import Run
from bench.model.trial_outcome import Outcome
from tests.builders import case
from tests.comparisons import BASE, CANDIDATE, comparison_run, new_comparison
from tests.program import call
from tests.repositories import Repository, small_repository

POOL, LOOP = case(), case("asyncio_gather", "httpx")
PINNED = '{"rev": "%s", "since": "2026-01-02", "why": ""}'
REQUEST = ComparisonRequest(Variant(rev=BASE), Variant())


def equal(_: Case, block: int) -> float:
    """Return the same duration for both variants."""
    return 0.1 + 0.0001 * (block % 3)


def slower(of: Case, block: int) -> float:
    """Return a duration that is a fifth longer for the candidate."""
    return equal(of, block) * (1.2 if of.variant == CANDIDATE else 1.0)


def candidate_crashes(of: Case, block: int) -> float | Outcome:
    """Let the candidate crash."""
    return "crash" if of.variant == CANDIDATE else equal(of, block)


def base_crashes(of: Case, block: int) -> float | Outcome:
    """Let the base crash."""
    return "crash" if of.variant == BASE else equal(of, block)


def gate_run(elapsed_s: Callable[[Case, int], float | Outcome], bound_s: float = 1.0) -> Run:
    """Build the run of a gate with an absolute threshold."""
    comparison = replace(new_comparison(POOL), bounds=(Bound("*", "elapsed", "<", bound_s),))
    return comparison_run(POOL, elapsed_s=elapsed_s, comparison=comparison)


@pytest.mark.parametrize("error", [UnreadableResultError("it is damaged"), OSError(28, "no space")])
def test_report_that_fails_is_a_warning_after_all_other_outputs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, error: Exception
) -> None:
    def fail(_: object) -> str:
        raise error

    monkeypatch.setattr(report_output, "report_page", fail)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    outputs = Outputs(github=True, report=tmp_path / "page.html")
    assert present_comparison(gate_run(slower), tmp_path, outputs) == 1
    said = capsys.readouterr()
    assert "::error" in said.out
    assert (tmp_path / "summary.md").exists()
    *_, verdict, warning = said.err.splitlines()
    assert verdict.startswith("regression (exit code 1)")
    assert warning.startswith(f"warning: --report: {tmp_path / 'page.html'} was not written: ")
    assert not (tmp_path / "page.html").exists()


def test_bug_in_a_report_loses_no_other_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(report_output, "report_page", lambda _: 1 / 0)
    outputs = Outputs(github=True, junit=tmp_path / "gate.xml", report=tmp_path / "page.html")
    with pytest.raises(ZeroDivisionError):
        present_comparison(gate_run(slower), tmp_path, outputs)
    said = capsys.readouterr()
    assert "::error" in said.out
    assert (tmp_path / "gate.xml").exists()
    assert said.err.splitlines()[-1].startswith("regression (exit code 1)")


@pytest.mark.parametrize(
    ("run", "code", "counts"),
    [
        (gate_run(equal), 0, 'failures="0" errors="0" skipped="0"'),
        (gate_run(slower), 1, 'failures="1" errors="0" skipped="0"'),
        (gate_run(equal, 0.05), 1, 'failures="1" errors="0" skipped="0"'),
        (gate_run(candidate_crashes), 3, 'failures="0" errors="1" skipped="2"'),
        (gate_run(base_crashes), 8, 'failures="0" errors="0" skipped="3"'),
    ],
    ids=["equal", "slower", "threshold", "candidate-crashes", "base-crashes"],
)
def test_exit_code_junit_and_annotations_agree(
    run: Run, code: int, counts: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs = Outputs(junit=tmp_path / "gate.xml", github=True, allow_missing=False)
    assert present_comparison(run, tmp_path, outputs) == code
    captured = capsys.readouterr()
    assert f"(exit code {code})" in captured.err
    assert ("::error" in captured.out) is (code in {1, 3})
    assert counts in (tmp_path / "gate.xml").read_text("utf-8")


def test_job_summary_is_appended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    present_comparison(gate_run(slower), tmp_path, Outputs(github=True))
    assert summary.read_text("utf-8").startswith("before\n## flagbench: a regression\n")


def test_case_that_the_candidate_lacks_fails_unless_allowed(tmp_path: Path) -> None:
    comparison = replace(new_comparison(POOL), alone={"lost/x/1/y": BASE})
    run = comparison_run(POOL, elapsed_s=equal, comparison=comparison)
    outputs = Outputs(junit=tmp_path / "gate.xml", allow_missing=False)
    assert present_comparison(run, tmp_path, outputs) == 1
    assert "worktree lacks this case" in (tmp_path / "gate.xml").read_text("utf-8")
    assert present_comparison(run, tmp_path, replace(outputs, allow_missing=True)) == 0
    assert "lacks" not in (tmp_path / "gate.xml").read_text("utf-8")


@pytest.mark.parametrize(
    ("run", "code"), [(gate_run(equal), 0), (gate_run(slower), 1)], ids=["equal", "slower"]
)
def test_verdict_stands_if_its_files_cannot_be_written(
    run: Run, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A warning names each file: the disk is full, or a folder became a file meanwhile."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "/dev/full")
    outputs = Outputs(junit=tmp_path / "file" / "gate.xml", github=True)
    assert present_comparison(run, tmp_path, outputs) == code
    said = capsys.readouterr().err
    assert f"warning: --junit: {tmp_path}/file/gate.xml was not written: " in said
    full = "warning: GITHUB_STEP_SUMMARY: /dev/full was not written: No space left on device; free some space"
    assert full in said
    assert f"(exit code {code})" in said


@pytest.mark.parametrize(
    ("run", "code"), [(gate_run(equal), 4), (gate_run(slower), 1), (gate_run(candidate_crashes), 3)]
)
def test_run_that_cannot_be_saved_is_an_error_after_its_verdict(
    run: Run, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Success turns into 4: what was measured is lost."""
    outputs = Outputs(junit=tmp_path / "gate.xml")
    with pytest.raises(UnsavedRunError, match=r"cannot write .*/removed/table\.md: No such file") as caught:
        present_comparison(run, tmp_path / "removed", outputs)
    assert caught.value.exit_code == code
    captured = capsys.readouterr()
    assert POOL.strategy in captured.out
    assert "Every figure: once the results are stored" in captured.out
    assert "show" not in captured.out
    assert (tmp_path / "gate.xml").exists()


def test_verdict_stands_if_stdout_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        monkeypatch.setattr("sys.stdout", full)
        assert present_comparison(gate_run(slower), tmp_path, Outputs(github=True)) == 1
    assert "warning: stdout cannot be written: No space left on device" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--junit", "."), "--junit: . is not a file but a folder"),
        (("--junit", "gate.yaml/a.xml"), "--junit: gate.yaml/a.xml cannot be written: Not a directory"),
        (("--junit", "/proc/a/b.xml"), "--junit: /proc/a/b.xml cannot be written"),
        (("--junit", "/dev/null"), "--junit: /dev/null is not a file"),
        (("--junit", "out/run.json", "--out", "out"), "is a part of the run in"),
        (("--junit", "out", "--out", "out/run"), "is a part of the run in"),
        (("--github",), "GITHUB_STEP_SUMMARY: . cannot be written: Is a directory"),
        (("--out", "gate.yaml"), "--out: gate.yaml cannot be written: Not a directory"),
        (("--out", "/proc/a"), "--out: /proc/a cannot be written"),
        (("--out", "n" * 300), "File name too long; choose a shorter name"),
    ],
)
def test_impossible_output_is_refused_before_anything_is_built(
    words: tuple[str, ...],
    message: str,
    repository: Repository,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("bench.app.prepare_comparison.build_variant", Mock(side_effect=AssertionError))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", ".")
    (repository.folder / "gate.yaml").write_text(CONFIG, encoding="utf-8")
    before = set(repository.folder.rglob("*"))
    assert call(monkeypatch, "gate", "gate.yaml", *words) in {2, 4}
    assert message in capsys.readouterr().err
    assert set(repository.folder.rglob("*")) == before


def test_unwritable_folder_of_all_runs_is_refused_before_anything_is_built(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("bench.app.prepare_comparison.build_variant", Mock(side_effect=AssertionError))
    (repository.folder / "gate.yaml").write_text(CONFIG, encoding="utf-8")
    (repository.folder / "results").touch()
    for command in (("gate", "gate.yaml"), ("ab", "HEAD", "gate.yaml"), ("run", "gate.yaml")):
        assert call(monkeypatch, *command) == 2
        message = "the run: results/runs cannot be written: Not a directory; name another folder with --out"
        assert message in capsys.readouterr().err
    assert call(monkeypatch, "noise", "gate.yaml", "--blocks", "10", "--out", "new") == 2
    said = capsys.readouterr().err
    assert "the noise of this machine: results/noise/" in said
    assert "Not a directory; run the command in a writable folder" in said


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """Make a repository of one commit the current folder."""
    for variable in ("GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME"):
        monkeypatch.delenv(variable, raising=False)
    made = small_repository(tmp_path / "repository")
    monkeypatch.chdir(made.folder)
    return made


def test_gate_compares_the_variants_of_its_config_with_another_base(repository: Repository) -> None:
    """Against the pinned commit the candidate is a commit, too, as a point of the history requires."""
    here = repository.git("rev-parse", "HEAD")
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
    """Build an experiment of these cases, with the shipped strategies."""
    shipped = catalog.find_strategies()
    return Experiment(
        "x", cases, {each.strategy: shipped[each.strategy] for each in cases}, 8, None, 60, 10, 1
    )


def variant(tree: str = "1", *, lacks: str = "", **about: object) -> BuiltVariant:
    """Build a variant with two shipped strategies, or one of them."""
    names = ("threadpool_map", "asyncio_gather")
    files = {name: Path(f"{name}.py") for name in names if name != lacks}
    return BuiltVariant("python", (), files, about={"tree": tree, "python": "3.11", "libraries": {}, **about})


def test_cases_of_one_variant_are_listed_and_not_measured() -> None:
    """So are cases that the config had in the tree of the base."""
    gone = case("sequential", workers=1)
    variants = {BASE: variant(), CANDIDATE: variant(lacks="asyncio_gather")}
    of, comparison = plan_comparison(asked(POOL, LOOP), REQUEST, variants, BaseConfig((POOL, gone)))
    assert [each.id for each in of.cases] == [f"{POOL.id}@main", f"{POOL.id}@worktree"]
    assert comparison.alone == {LOOP.id: BASE, gone.id: BASE}
    with pytest.raises(UsageError, match="share no case"):
        plan_comparison(asked(LOOP), REQUEST, variants, BaseConfig())


def test_case_that_neither_variant_has_is_refused() -> None:
    variants = dict.fromkeys((BASE, CANDIDATE), variant(lacks="asyncio_gather"))
    with pytest.raises(UsageError, match="neither main nor worktree has the strategy asyncio_gather"):
        plan_comparison(asked(POOL, LOOP), REQUEST, variants, BaseConfig())


def test_equal_variants_are_refused() -> None:
    """Other requirements make a difference, whether or not a client imports them."""
    same = {BASE: variant(), CANDIDATE: variant()}
    with pytest.raises(IncomparableError, match="worktree is the same as main"):
        refuse_same_variant(same, REQUEST)
    refuse_same_variant(same, replace(REQUEST, candidate=Variant(requirements=("uvloop==0.21",))))
    for changed in (variant("2"), variant(python="3.13"), variant(libraries={"x": "1"})):
        refuse_same_variant({BASE: variant(), CANDIDATE: changed}, REQUEST)


def test_cases_of_one_id_are_matched_whatever_the_path_of_their_strategy() -> None:
    moved = {"asyncio_gather": Path("old/asyncio_gather.py")}
    variants = {BASE: variant(lacks="asyncio_gather"), CANDIDATE: variant()}
    of, comparison = plan_comparison(asked(LOOP), REQUEST, variants, BaseConfig((LOOP,), moved))
    assert comparison.alone == {}
    assert of.variants[BASE].strategies["asyncio_gather"] == Path("old/asyncio_gather.py")
    assert of.variants[CANDIDATE].strategies["asyncio_gather"] == Path("asyncio_gather.py")


@pytest.fixture
def base(repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BuiltVariant:
    """Return a base with a strategy in its tree, and a repository whose work tree has a config."""
    monkeypatch.setenv("FLAGBENCH_CACHE", str(tmp_path / "cache"))
    tree = tmp_path / "tree"
    (tree / "own").mkdir(parents=True)
    (tree / "own" / "mine.py").write_text("def download_many(job): return []\n", encoding="utf-8")
    (repository.folder / "gate.yaml").write_text(CONFIG, encoding="utf-8")
    return BuiltVariant("python", (), {}, tree)


CONFIG = """\
strategies:
  - threadpool_map
clients: requests
profile: {latency: 5ms}
"""


def test_cases_and_strategies_of_the_base_are_read_from_its_own_tree(base: BuiltVariant) -> None:
    assert base.tree is not None
    (base.tree / "gate.yaml").write_text(
        "{strategies: [sequential, own/mine.py], clients: requests, profile: {latency: 5ms}}",
        encoding="utf-8",
    )
    found = find_base_config("gate.yaml", base)
    assert [each.id for each in found.cases] == ["sequential/requests/1/5ms", "mine/-/20/5ms"]
    assert found.strategies["mine"] == base.tree / "own" / "mine.py"
    assert (found.note, found.problem) == (None, None)
    assert [each.id for each in find_base_config("gate.yaml", base, "mine").cases] == ["mine/-/20/5ms"]


def test_a_config_outside_of_the_repository_is_the_same_for_both(base: BuiltVariant) -> None:
    assert find_base_config("ci", base) == BaseConfig()


def test_a_linked_config_is_found_by_the_name_of_the_link(
    base: BuiltVariant, repository: Repository, tmp_path: Path
) -> None:
    link = repository.folder / "linked.yaml"
    link.symlink_to(tmp_path / "elsewhere.yaml")
    (tmp_path / "elsewhere.yaml").touch()
    assert base.tree is not None
    text = "{strategies: [own/mine.py], profile: {latency: 5ms}}"
    (base.tree / link.name).write_text(text, encoding="utf-8")
    assert [each.id for each in find_base_config(link.name, base).cases] == ["mine/-/20/5ms"]


def test_a_renamed_config_is_found_by_its_text(base: BuiltVariant) -> None:
    """A config that dropped a case under another name would pass unseen otherwise."""
    assert base.tree is not None
    (base.tree / "ci").mkdir()
    (base.tree / "ci" / "other.yaml").write_text("{strategies: [sequential]}", encoding="utf-8")
    former = CONFIG.replace("threadpool_map", "threadpool_map\n  - sequential")
    (base.tree / "ci" / "speed.yml").write_text(former, encoding="utf-8")
    found = find_base_config("gate.yaml", base)
    assert [each.strategy for each in found.cases] == ["threadpool_map", "sequential"]
    assert found.note == "gate.yaml is ci/speed.yml in the base"


def test_several_configs_that_may_be_the_renamed_one_are_a_problem(base: BuiltVariant) -> None:
    """The cases of the others would vanish unseen."""
    assert base.tree is not None
    for name in ("a.yaml", "b.yaml"):
        (base.tree / name).write_text(CONFIG, encoding="utf-8")
    found = find_base_config("gate.yaml", base)
    assert found.problem == "the base has no gate.yaml, and a.yaml and b.yaml are all like it"


def test_work_of_a_case_that_differs_from_the_base_is_named() -> None:
    """One id may stand for less work than before."""
    longer = replace(POOL, countries=Selection("five", ("BR", "CN", "IN", "JP", "US")))
    other = replace(LOOP, profile=replace(LOOP.profile, jitter_s=0.5))
    lines = changed_work_lines(BaseConfig((longer, other), metrics=("elapsed", "cpu")), asked(POOL, LOOP))
    assert list(lines) == [
        f"{POOL.id} has other countries than in the base's config: 3 fetches instead of 5",
        f"{LOOP.id} has another profile than in the base's config",
        "not compared, though the base's config does: cpu",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "the base has no gate.yaml"),
        ("{strategies: [nothing]}", "gate.yaml of the base is invalid: "),
    ],
)
def test_a_config_that_the_base_lacks_or_cannot_read_is_a_problem(
    base: BuiltVariant, text: str | None, problem: str
) -> None:
    assert base.tree is not None
    if text is not None:
        (base.tree / "gate.yaml").write_text(text, encoding="utf-8")
    found = find_base_config("gate.yaml", base)
    assert found.cases == ()
    assert found.problem is not None
    assert found.problem.startswith(problem)
    _, comparison = plan_comparison(asked(POOL), REQUEST, {BASE: variant(), CANDIDATE: variant()}, found)
    assert comparison.unknown_base == found.problem
