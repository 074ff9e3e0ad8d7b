"""Run ``history`` from outside: pinning, recording, real merges, several recorders at once, and DuckDB."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.model.cases import Case
from bench.model.results import Run
from bench.storage.history import add_points
from bench.storage.run_folder import save_run
from tests.builders import case
from tests.comparisons import CANDIDATE, between_commits, comparison_run
from tests.histories import noisy, point

pytestmark = [pytest.mark.e2e]

ROOT = Path(__file__).parents[2]
HISTORY = Path("results/history.jsonl")
PROGRAM = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from bench.__main__ import main; main()"


def command(*words: str) -> list[str]:
    """Return the command that calls ``history``."""
    return [sys.executable, "-P", "-c", PROGRAM, "history", *words]


def history(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Call ``history`` in a folder of its own."""
    return subprocess.run(
        command(*words), cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )


def git(folder: Path, *words: str) -> str:
    """Call git with a name and address."""
    someone = ("-c", "user.name=someone", "-c", "user.email=someone@localhost", "-c", "core.hooksPath=")
    return subprocess.run(
        ["git", *someone, *words], cwd=folder, capture_output=True, text=True, check=True, timeout=60
    ).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Make a repository with this one's rules and a commit, which is pinned."""
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    for name in (".gitattributes", ".gitignore"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "code").write_text("fast")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message=first")
    return tmp_path


def slower(of: Case, block: int) -> float:
    """Let the candidate take a tenth longer, but for a little noise."""
    return (1.1 if of.variant == CANDIDATE else 1.0) * (0.1 + 0.0001 * (block % 3))


def stored(folder: Path, base: str, candidate: str, day: int, **changes: object) -> Run:
    """Store a comparison of two commits that was run on this day."""
    run = between_commits(comparison_run(case(), elapsed_s=slower), base, candidate, **changes)
    run = replace(run, name=f"ci-202602{day:02}-030405", started=f"2026-02-{day:02}T03:04:05+00:00")
    place = folder / "results" / "runs" / run.name
    place.mkdir(parents=True)
    save_run(place, run, "")
    return run


def committed(folder: Path, what: str) -> str:
    """Change the code and commit it."""
    (folder / "code").write_text(what)
    git(folder, "commit", "--quiet", "--all", f"--message={what}")
    return git(folder, "rev-parse", "HEAD")


def lines(folder: Path) -> list[str]:
    """Return the lines of the history."""
    return (folder / HISTORY).read_text("utf-8").splitlines()


@pytest.mark.long
def test_history_starts_with_a_pin_and_a_record(repository: Path) -> None:
    """A step out of order is refused with the step that comes first."""
    nothing = history(repository)
    assert nothing.returncode == 2
    assert (
        "there is no history in results/history.jsonl; begin it with `flagbench history pin" in nothing.stderr
    )

    first = git(repository, "rev-parse", "main")
    second = committed(repository, "slow")
    run = stored(repository, first, second, 1)
    early = history(repository, "record", "last")
    assert early.returncode == 2
    hint = f"pin the commit that the run was measured against: `flagbench history pin {first}`"
    assert f"no reference is pinned; {hint}" in early.stderr

    pinned = history(repository, "pin", "main~1", "--why", "the first")
    assert pinned.returncode == 0, pinned.stderr
    reference = json.loads((repository / "results/baselines/reference.json").read_bytes())
    assert (reference["rev"], reference["why"]) == (first, "the first")
    assert f"{first} is the reference since {reference['since']}" in pinned.stdout

    recorded = history(repository, "record", run.name)
    assert (recorded.returncode, recorded.stdout) == (
        0, f"1 point of {run.name} added to results/history.jsonl\n",
    )  # fmt: skip
    again = history(repository, "record", run.name)
    assert (again.returncode, again.stdout) == (0, f"{run.name} is already in results/history.jsonl\n")
    assert len(lines(repository)) == 1

    shown = history(repository)
    assert shown.returncode == 0, shown.stderr
    assert "\x1b" not in shown.stdout
    (row,) = [line for line in shown.stdout.splitlines() if line.startswith("  elapsed")]
    assert "+10%" in row
    assert max(map(len, shown.stdout.splitlines())) <= 80
    document = json.loads(history(repository, "--json").stdout)
    assert document["reference"]["rev"] == first
    ((kept,),) = (series["points"] for track in document["tracks"] for series in track["series"])
    assert (kept["commit"], kept["verdict"]) == (second, "slower")
    # both files are let through, what they were made from is not
    paths = set(git(repository, "status", "--porcelain", "--untracked-files=all").split()[1::2])
    assert paths == {"results/history.jsonl", "results/baselines/reference.json"}


@pytest.mark.long
def test_unsuitable_runs_are_refused(repository: Path) -> None:
    first = git(repository, "rev-parse", "main")
    second = committed(repository, "slow")
    assert history(repository, "pin", "main").returncode == 0
    refused = {
        stored(repository, second, first, 1, dirty=True).name: "has uncommitted changes",
        stored(repository, second, first, 2, commit=None).name: "is not a commit",
        stored(repository, first, second, 3).name: f"measured against {first}, and the reference is {second}",
        "unknown": "there is no run 'unknown'",
    }
    for name, complaint in refused.items():
        found = history(repository, "record", name)
        assert found.returncode == 2, found.stdout
        assert complaint in found.stderr
    unknown = history(repository, "pin", "nowhere")
    assert unknown.returncode == 2
    assert "there is no commit 'nowhere'" in unknown.stderr
    assert not (repository / HISTORY).exists()


@pytest.mark.long
def test_branches_that_both_recorded_merge_without_conflict(repository: Path) -> None:
    """Git takes the lines of both; a point that both recorded counts once."""
    first = git(repository, "rev-parse", "main")
    assert history(repository, "pin", "main").returncode == 0
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message=pin")
    seconds = {branch: [day, day + 1] for branch, day in (("left", 1), ("right", 3))}
    both = stored(repository, first, first, 9)
    for branch, days in seconds.items():
        git(repository, "switch", "--quiet", "--create", branch, "main")
        for day in days:
            run = stored(repository, first, f"{day}" * 40, day)
            assert history(repository, "record", run.name).returncode == 0
        assert history(repository, "record", both.name).returncode == 0
        git(repository, "add", "--all")
        git(repository, "commit", "--quiet", f"--message={branch}")
    git(repository, "merge", "--quiet", "--no-edit", "left")
    assert not any(line.startswith(("<", "=", ">")) for line in lines(repository))
    document = json.loads(history(repository, "--json").stdout)
    ((points,),) = ([series["points"] for series in track["series"]] for track in document["tracks"])
    assert [each["commit"] for each in points] == [str(day) * 40 for day in (1, 2, 3, 4)] + [first]
    assert "is already in" in history(repository, "record", both.name).stdout


@pytest.mark.long
def test_recorders_at_the_same_time_lose_no_point(repository: Path) -> None:
    first = git(repository, "rev-parse", "main")
    assert history(repository, "pin", "main").returncode == 0
    runs = [stored(repository, first, f"{day:040x}", day) for day in range(1, 7)]
    recorders = [
        subprocess.Popen(command("record", run.name), cwd=repository, stdout=subprocess.PIPE, text=True)
        for run in [*runs, *runs]
    ]
    said = [recorder.communicate(timeout=60)[0] for recorder in recorders]
    assert all(recorder.returncode == 0 for recorder in recorders)
    assert sum("added" in each for each in said) == len(runs)
    assert sorted(json.loads(line)["run"] for line in lines(repository)) == [run.name for run in runs]
    assert {each.name for each in (repository / "results").glob("*history*")} == {"history.jsonl"}


@pytest.mark.long
def test_damaged_line_is_reported_and_left(repository: Path) -> None:
    add_points([point(0), point(1)], repository / HISTORY)
    content = (repository / HISTORY).read_text("utf-8").replace('"blocks":14', '"blocks":"many"', 1)
    (repository / HISTORY).write_text(content, encoding="utf-8")
    for words in ([], ["--json"]):
        found = history(repository, *words)
        assert found.returncode == 5
        assert "results/history.jsonl:1: point.blocks: unexpected 'many'" in found.stderr
        assert not found.stdout
    assert (repository / HISTORY).read_text("utf-8") == content


def selected(folder: Path, *words: str) -> list[tuple[str, str, str]]:
    """Return the case, metric and run of each point that is shown."""
    found = history(folder, "--json", *words)
    assert found.returncode == 0, found.stderr
    return [
        (each["case"], each["metric"], each["run"])
        for track in json.loads(found.stdout)["tracks"]
        for series in track["series"]
        for each in series["points"]
    ]


@pytest.mark.long
def test_points_are_selected_by_case_metric_and_time(repository: Path) -> None:
    points = [
        point(number, case=name, metric=metric)
        for number in range(4)
        for name in ("asyncio_gather/httpx/3/5ms", "sequential/httpx/1/5ms")
        for metric in ("elapsed", "p99")
    ]
    add_points(points, repository / HISTORY)
    assert len(selected(repository)) == 16
    assert {each[0] for each in selected(repository, "--case", "asyncio_*")} == {"asyncio_gather/httpx/3/5ms"}
    assert {each[0] for each in selected(repository, "--case", "sequential")} == {"sequential/httpx/1/5ms"}
    assert {each[1] for each in selected(repository, "--metric", "p99")} == {"p99"}
    later = {points[8].run, points[12].run}
    assert {each[2] for each in selected(repository, "--since", "2026-01-04")} == later
    assert {each[2] for each in selected(repository, "--since", points[8].commit[:8])} == later
    for words, complaint in (
        (("--case", "none"), "no point of the history matches"),
        (("--since", "2027-01-01"), "no point of the history matches"),
        (("--since", "0000"), "'0000' matches several commits"),
        (("--since", "main"), "'main' is neither a day nor a measured commit, and no measured"),
        (("--since", "beef"), "'beef' is neither a day nor a measured commit"),
        (("--json", "pin", "main"), "`history pin` takes no options of `history`"),
    ):
        found = history(repository, *words)
        assert found.returncode == 2, found.stdout
        assert complaint in found.stderr


def backfill(folder: Path) -> list[str]:
    """Commit 28 versions, of which the first 14 were measured last and in reverse order."""
    made = [committed(folder, f"version {number}") for number in range(28)]
    levels = noisy([1.0] * 7 + [1.07] * 7 + [1.22] * 14, sigma=0.002)
    days = [*range(27, 13, -1), *range(14)]
    add_points(
        (
            replace(point(day, ratio), commit=commit)
            for commit, ratio, day in zip(made, levels, days, strict=True)
        ),
        folder / HISTORY,
    )
    return made


def shown_commits(folder: Path, *words: str) -> tuple[list[str], str]:
    """Return the commits in the order of their points, and the order that is named."""
    found = history(folder, "--json", *words)
    assert found.returncode == 0, found.stderr
    document = json.loads(found.stdout)
    ((points,),) = ([series["points"] for series in track["series"]] for track in document["tracks"])
    return [each["commit"] for each in points], document["order"]


@pytest.mark.long
def test_versions_measured_late_stand_in_the_order_of_their_commits(repository: Path) -> None:
    """So do the last step and `--since`; without git, the heading says that time orders them."""
    made = backfill(repository)
    assert shown_commits(repository) == (made, "commits")
    shown = history(repository).stdout
    assert "in order of commits" in shown
    (row,) = [line for line in shown.splitlines() if line.startswith("  elapsed")]
    assert f"+14% 2026-01-02 {made[14][:7]}" in row
    assert shown_commits(repository, "--since", made[10]) == (made[10:], "commits")
    git(repository, "tag", "v4", made[3])
    assert shown_commits(repository, "--since", "v4") == (made[3:], "commits")
    shutil.rmtree(repository / ".git")
    assert shown_commits(repository) == (made[14:] + made[13::-1], "measuring")
    shown = history(repository).stdout
    assert "in order of measuring" in shown
    since = history(repository, "--since", made[3][:8])
    assert (
        f"note: git does not know {made[3][:8]}: shown are the points that were measured since"
        in since.stderr
    )


@pytest.mark.long
def test_side_branches_and_lost_commits_are_told_from_descendants(repository: Path) -> None:
    fork = git(repository, "rev-parse", "main")
    first, second = committed(repository, "first"), committed(repository, "second")
    git(repository, "switch", "--quiet", "--create", "side", fork)
    side = committed(repository, "side")
    lost = "9" * 40
    measured = [second, lost, side, first]
    add_points(
        (replace(point(day), commit=commit) for day, commit in enumerate(measured)), repository / HISTORY
    )
    found = history(repository, "--json", "--since", first)
    points = json.loads(found.stdout)["tracks"][0]["series"][0]["points"]
    assert [each["commit"] for each in points] == [first, second]
    assert (
        f"note: 1 point left out: git does not know whether their commits descend from {first}"
        in found.stderr
    )
    everything = history(repository)
    assert "note: git does not know 1 measured commit; their points stand behind" in everything.stderr
    order, _ = shown_commits(repository)
    assert order.index(first) < order.index(second) == order.index(lost) - 1
    none = history(repository, "--since", "main~1")
    assert none.returncode == 0, none.stderr
    later = committed(repository, "not measured")
    none = history(repository, "--since", later)
    assert none.returncode == 2
    assert "no measured commit descends from it" in none.stderr


@pytest.mark.long
def test_shallow_clone_is_named_with_its_remedy(repository: Path, tmp_path: Path) -> None:
    made = backfill(repository)
    git(tmp_path, "clone", "--quiet", "--depth=3", f"file://{repository}", "clone")
    shutil.copytree(repository / "results", tmp_path / "clone" / "results", dirs_exist_ok=True)
    found = history(tmp_path / "clone")
    assert "note: git does not know 25 measured commits" in found.stderr
    assert "`git fetch --unshallow`" in found.stderr
    order, _ = shown_commits(tmp_path / "clone")
    assert [each for each in order if each in made[25:]] == made[25:]


def queries() -> Sequence[str]:
    """Return the DuckDB queries of docs/history.md."""
    return re.findall(r"```sql\n(.*?)```", (ROOT / "docs" / "history.md").read_text("utf-8"), re.DOTALL)


def test_duckdb_answers_the_documented_queries(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    duckdb: Any = pytest.importorskip("duckdb", reason="it comes with the extra `dev`")
    ratios = noisy([1.0] * 10 + [1.06] * 10)
    add_points([point(number, ratio) for number, ratio in enumerate(ratios)], repository / HISTORY)
    stored(repository, "a" * 40, "b" * 40, 1)
    monkeypatch.chdir(repository)
    newest, worst, trials = (duckdb.sql(query).fetchall() for query in queries())
    assert len(newest) == 1
    assert newest[0][:2] == (point(0).case, "elapsed")
    assert newest[0][2] == pytest.approx(100 * (ratios[-1] - 1), abs=0.06)
    assert worst[0][0].isoformat() == "2026-01-01"
    assert worst[0][3] == pytest.approx(100 * (sum(ratios) / len(ratios) - 1), abs=0.5)
    assert {row[1] for row in trials} == {f"{case().id}@main", f"{case().id}@worktree"}
    assert all(row[2] >= 8 for row in trials)
    assert max(row[3] for row in trials) == pytest.approx(0.11, abs=0.001)
