"""Hostile strategies are blamed for what they did, and the other cases lose nothing."""

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from bench.config.catalog import find_clients, find_strategies, read_strategy
from bench.config.compatibility import fits
from tests.runs import HOSTILE, ROOT, config, document, hostile, outcomes, run

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

MEMORY_BYTES: Final = 4 << 30
HEALTHY: Final = ("sequential", "threadpool_map", "asyncio_gather")


class Blame(NamedTuple):
    """How the trial of a hostile strategy ends, a part of what is said of it, and what it leaves behind."""

    outcome: str
    words: str = ""
    threads: int = 0
    descriptors: int = 0
    processes: int = 0


BLAMED: Final[Mapping[str, Blame]] = {
    # it dies
    "aborts": Blame("crash", "killed by SIGABRT, at File"),
    "becomes_another": Blame("crash", "left with exit status 0 before its report"),
    "closes_everything": Blame("crash", "before its report"),
    "exits_at_once": Blame("crash", "left with exit status 0 before its report"),
    "kills_itself": Blame("crash", "killed by SIGKILL"),
    "overflows_the_stack": Blame("crash", "killed by SIGSEGV, at File"),
    "segfaults": Blame("crash", "killed by SIGSEGV, at File"),
    # it hangs
    "blocks_signals": Blame("timeout", "not done after 2 s (`deadline`), before its first request"),
    "hangs": Blame("timeout", "not done after 2 s (`deadline`), before its first request, at File"),
    "hangs_in_c": Blame("timeout", "not done after 2 s (`deadline`), before its first request, at File"),
    "ignores_sigterm": Blame("timeout", "not done after 2 s (`deadline`), before its first request"),
    "stops_itself": Blame("timeout", "not done after 2 s (`deadline`), before its first request"),
    # it raises
    "closes_stderr": Blame("error", "ValueError: 3 countries unheard of"),
    "eats_memory": Blame("error", "MemoryError (eats_memory.py:11)"),
    "exits": Blame("error", "SystemExit: 3 are too many"),
    "interrupts": Blame("error", "KeyboardInterrupt (interrupts.py:10)"),
    "limits_itself": Blame("error", "OSError: [Errno 27] File too large"),
    "no_import": Blame("error", "ModuleNotFoundError: No module named 'no_such_library'"),
    "raises": Blame("error", "ValueError: no more"),
    "recurses": Blame("error", "RecursionError: maximum recursion depth exceeded"),
    "replaces_stderr": Blame("error", "ValueError: 3 countries unheard of"),
    "second_round": Blame("error", "RuntimeError: once is enough"),
    # it returns nonsense
    "backward_times": Blame("error", "a Fetch of 'BR' whose times are not in order within"),
    "nan_times": Blame("error", "start_s=nan"),
    "returns_a_novel": Blame("error", "fetches: 3 error instead of 3 ok (BR: error: alas alas"),
    "returns_millions": Blame("unexpected", "10,000,000 fetches for 3 countries"),
    "returns_names": Blame("error", "a list with 'BR' in it, which is not a Fetch"),
    "returns_none": Blame("error", "NoneType, not a list of Fetch"),
    "words_for_times": Blame("error", "a Fetch of 'BR' whose end_s is of type str"),
    # it lies
    "asks_twice": Blame("unexpected", "the server saw 6 requests for 3 fetches"),
    "cheats": Blame("error", "fetches: 3 not_found instead of 3 ok"),
    "few_fetches": Blame("missing", "1 fetch missing: BR"),
    "floods_its_report": Blame("error", "wrote into its report: a line of more than 16 MiB"),
    "forges_its_report": Blame("missing", "the server saw 0 requests for 3 fetches"),
    "more_fetches": Blame("unexpected", "2 unexpected fetches: BR, ZZ"),
    "overworks": Blame("unexpected", "downloads were in flight, 2 workers are allowed"),
    "slows_the_clock": Blame("error", "s, but its requests came within"),
    # its files are not what was asked
    "clears_everything": Blame("missing", "3 files missing: br.gif, cn.gif, in.gif"),
    "cut_short": Blame("corrupt", "cn.gif differs at byte 5"),
    "extra_file": Blame("unexpected", "1 unexpected file: x.tmp"),
    "few_files": Blame("missing", "2 files missing: br.gif, cn.gif"),
    "links_folder": Blame("missing", "3 files missing: br.gif, cn.gif, in.gif"),
    "litters": Blame("unexpected", "1 unexpected file: ../stray.txt"),
    "removes_folder": Blame("missing", "3 files missing: br.gif, cn.gif, in.gif"),
    "scatters": Blame("unexpected", "4 unexpected files: ../beside.txt, link.gif, notes, notes/a.txt"),
    "wrong_bytes": Blame("corrupt", "br.gif differs at byte 10"),
    # it leaves its folder
    "changes_the_reference": Blame("escape", "1 change outside its folder: reference/br.gif"),
    "links_out": Blame("escape", "1 link out of its folder: 0 -> "),
    "removes_the_workspace": Blame("escape", "changes outside its folder: "),
    "shares_a_file": Blame("escape", "1 link out of its folder: 0/br.gif is a hard link to an outside file"),
    "writes_beside": Blame("escape", "1 change outside its folder: note.txt"),
    # it leaves something behind, or changes what is its own
    "changes_habits": Blame("ok"),
    "changes_handlers": Blame("ok"),
    "changes_the_current_folder": Blame("ok"),
    "closes_stdout": Blame("ok"),
    "forks_fifty": Blame("ok", processes=50),
    "hangs_at_exit": Blame("ok"),
    "leaks_descriptors": Blame("ok", descriptors=7),
    "leaks_threads": Blame("ok", threads=3),
    "leaves_a_grandchild": Blame("ok", processes=1),
    "prints_much": Blame("ok"),
}
LONG: Final = frozenset({"blocks_signals", "hangs", "prints_much", "stops_itself"})
"""Kinds that take seconds, and are much like others that are left."""
OTHERS: Final = {
    "full_disk": "what the machine lacks is nobody's fault",
    "lacks_descriptors": "what the machine lacks is nobody's fault",
    "hoards_connections": "it is run where the server has few descriptors",
    "no_function": "it is refused before a run",
    "floods": "10 MB a round, for the worker alone",
    "fixed_cost": "healthy, but slow",
    "forgets_schedule": "it is run in an open loop, for the worker alone",
    "opens_for_each_flag": "healthy, but slow",
    "opens_for_each_task": "healthy, but slow",
    "opens_for_each_thread": "healthy, but slow",
    "own_pool": "healthy, but for a thread",
    "pool_by_method": "healthy",
    "half_the_workers": "healthy, but slow",
    "runs_itself": "healthy",
    "shows_modules": "healthy",
    "starts_program": "it shows what a program is given",
}
"""Strategies of the tests that are not in the table, and why."""


class Ran(NamedTuple):
    """A run of hostile strategies, by name, with healthy ones among them."""

    path: Path
    blamed: Mapping[str, Blame]


@pytest.fixture(
    scope="module",
    params=[pytest.param(LONG, id="short"), pytest.param((), id="all", marks=pytest.mark.slow)],
)
def ran(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Run hostile strategies once each, with healthy ones among them, in 4 GiB of memory each."""
    folder = tmp_path_factory.mktemp("hostile")
    blamed = {name: blame for name, blame in BLAMED.items() if name not in request.param}
    names = [*hostile(folder, *blamed), *HEALTHY]
    path = config(folder, names, blocks=1, deadline="2s", workers=2, clients=["urllib3", "aiohttp"])
    before = set(_sleepers())
    result = run(path, "--full", within=within_memory(MEMORY_BYTES))
    assert result.returncode == 3, result.stderr
    assert set(_sleepers()) <= before
    (folder / "table.txt").write_text(result.stdout, encoding="utf-8")
    return Ran(path, blamed)


def within_memory(limit_bytes: int) -> list[str]:
    """Return what must stand in front of a command to limit the address space of all its processes."""
    limit = f"resource.setrlimit(resource.RLIMIT_AS, ({limit_bytes}, {limit_bytes}))"
    return [sys.executable, "-c", f"import os, resource, sys; {limit}; os.execv(sys.argv[1], sys.argv[1:])"]


def trial_of(path: Path, name: str) -> dict[str, Any]:
    """Return the only trial of a strategy."""
    (trial,) = (each for each in document(path)["trials"] if each["case"].startswith(f"{name}/"))
    return dict(trial)


@pytest.mark.long
def test_each_hostile_strategy_has_its_outcome_and_detail(ran: Ran) -> None:
    trials = {name: trial_of(ran.path, name) for name in ran.blamed}
    assert {name: trial["outcome"] for name, trial in trials.items()} == {
        name: blame.outcome for name, blame in ran.blamed.items()
    }
    for name, trial in trials.items():
        blame = ran.blamed[name]
        if blame.outcome == "ok":
            assert trial["leak"] == {
                "threads": blame.threads,
                "descriptors": blame.descriptors,
                "processes": blame.processes,
            }, name
        else:
            assert blame.words in trial["detail"], name
            assert len(trial["detail"]) <= 500


@pytest.mark.long
def test_healthy_cases_beside_them_lose_nothing(ran: Ran) -> None:
    for name in HEALTHY:
        trial = trial_of(ran.path, name)
        assert trial["outcome"] == "ok", trial["detail"]
        assert trial["leak"] == {"threads": 0, "descriptors": 0, "processes": 0}
        assert all(each["fetches"] == {"ok": 3} and each["verified"] == 3 for each in trial["rounds"])


@pytest.mark.long
def test_each_hostile_strategy_is_named_below_the_table(ran: Ran) -> None:
    text = " ".join((ran.path.parent / "table.txt").read_text("utf-8").split())
    for name, blame in ran.blamed.items():
        case = trial_of(ran.path, name)["case"]
        if blame.outcome != "ok":
            assert f"! {case}: {blame.outcome} in 1 trial (block 1): " in text
    assert "leaks in 1 trial: 50 processes" in text
    assert "leaks in 1 trial: 3 threads" in text
    assert "leaks in 1 trial: 7 descriptors" in text


def _sleepers() -> list[int]:
    found = []
    for cmdline in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if b"4321" in cmdline.read_bytes():
                found.append(int(cmdline.parent.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


@pytest.mark.long
def test_crashing_or_escaping_case_is_given_up_and_others_keep_all_blocks(tmp_path: Path) -> None:
    names = ["kills_itself", "changes_the_reference", "forks_fifty"]
    path = config(tmp_path, [*hostile(tmp_path, *names), "sequential"], blocks=5)
    result = run(path, "--full")
    assert result.returncode == 3
    assert outcomes(path) == {
        "sequential": ["ok"] * 5,
        "kills_itself": ["crash"] * 3,
        "changes_the_reference": ["escape"],
        "forks_fifty": ["ok"] * 5,
    }
    text = " ".join(result.stdout.split())
    assert "kills_itself/urllib3/3/5ms: crash in 3 trials (block 1, 2, 3): killed by SIGKILL" in text
    assert "kills_itself/urllib3/3/5ms: given up after 3 crashes, 2 blocks left out" in text
    assert "changes_the_reference/urllib3/3/5ms: given up after 1 escape, 4 blocks left out" in text
    assert "forks_fifty/urllib3/3/5ms: leaks in 5 trials: 50 processes" in text


@pytest.mark.long
def test_hang_is_located_in_the_strategy_file(tmp_path: Path) -> None:
    """Not in the library that it waits in."""
    (tmp_path / "mine.py").write_text((HOSTILE / "hangs.py").read_text("utf-8"), encoding="utf-8")
    run(config(tmp_path, ["mine.py"], blocks=1, deadline="2s"))
    (trial,) = document(tmp_path / "test.yaml")["trials"]
    assert re.search(r'at File "mine\.py", line \d+ in download_many', trial["detail"])


@pytest.mark.long
def test_shipped_strategies_leak_nothing(tmp_path: Path) -> None:
    here = [name for name, strategy in find_strategies().items() if not strategy.unavailable]
    path = config(tmp_path, here, clients=["urllib3", "aiohttp"], blocks=1)
    assert run(path).returncode == 0
    check_nothing_is_left(path, len(here))


@pytest.mark.slow
def test_shipped_clients_leak_nothing(tmp_path: Path) -> None:
    strategies, clients, kept = find_strategies().values(), find_clients(), [True, False]
    here = [strategy for strategy in strategies if not strategy.unavailable]
    names = [strategy.name for strategy in here]
    path = config(tmp_path, names, clients=list(clients), keep_alive=kept, blocks=2)
    assert run(path).returncode == 0
    fitting = [(each, client) for each in here for client in clients.values() if fits(each, client)]
    check_nothing_is_left(path, 2 * len(kept) * len(fitting))


def check_nothing_is_left(path: Path, trials: int) -> None:
    """Check that so many trials all left nothing."""
    left = [trial["leak"] for trial in document(path)["trials"]]
    assert left == [{"threads": 0, "descriptors": 0, "processes": 0}] * trials


@pytest.mark.alone  # 100 MB are printed in two seconds, which others at work would make more
@pytest.mark.slow
def test_six_blocks_with_every_hostile_strategy_complete(tmp_path: Path) -> None:
    names = [*hostile(tmp_path, *BLAMED), *HEALTHY]
    path = config(tmp_path, names, blocks=6, deadline="2s", workers=2, clients=["urllib3", "aiohttp"])
    assert run(path, within=within_memory(MEMORY_BYTES), patience_s=280).returncode == 3
    blocks = {"crash": 3, "timeout": 3, "escape": 1}
    expected = {name: [blame.outcome] * blocks.get(blame.outcome, 6) for name, blame in BLAMED.items()}
    assert outcomes(path) == {**expected, **{name: ["ok"] * 6 for name in HEALTHY}}


def test_hostile_table_in_the_docs_matches_the_tests() -> None:
    text = (ROOT / "docs" / "hostile.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (.+) \| (.+) \|$", text, re.MULTILINE)
    summaries = {name: read_strategy(HOSTILE / f"{name}.py").summary for name in BLAMED}
    assert rows == [(name, summaries[name], _consequence(blame)) for name, blame in BLAMED.items()]


def _consequence(blame: Blame) -> str:
    """Write what becomes of a strategy as the docs do."""
    counts = {"thread": blame.threads, "descriptor": blame.descriptors, "process": blame.processes}
    plurals = {"process": "processes"}
    left = [
        f"{count} {noun if count == 1 else plurals.get(noun, noun + 's')}"
        for noun, count in counts.items()
        if count
    ]
    return f"`{blame.outcome}`, leaks {', '.join(left)}" if left else f"`{blame.outcome}`"


def test_every_test_strategy_is_in_the_table_or_excluded_with_a_reason() -> None:
    assert {file.stem for file in HOSTILE.glob("*.py")} == BLAMED.keys() | OTHERS.keys()
