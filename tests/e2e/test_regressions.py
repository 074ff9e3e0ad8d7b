"""What a gate promises, on real revisions and at full size: half an hour on an idle machine."""

import json
import subprocess
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from tests.repositories import Repository
from tests.revisions import config, environment, with_planted, words

pytestmark = [pytest.mark.e2e, pytest.mark.alone, pytest.mark.slow, pytest.mark.timeout(900)]

NAP_S = 0.0007
"""Of fetches that take some 22 ms; with what waking up twenty threads takes, about 5 %."""


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Return this project's own, with a branch on which downloads take about 5 % longer."""
    return with_planted(tmp_path_factory, NAP_S)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cache that the tests here share."""
    return tmp_path_factory.mktemp("cache")


def comparison_json(repository: Repository, cache: Path, *said: str | Path) -> Mapping[str, Any]:
    """Let two variants contend, and return what is said of them."""
    ended = subprocess.run(
        words("ab", *said, "--json", "--quiet"),
        cwd=repository.folder,
        env=environment(cache),
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert ended.returncode in {0, 1, 8}, ended.stderr
    document: dict[str, Any] = json.loads(ended.stdout)
    return document


def at_full_size(folder: Path, **changes: object) -> Path:
    """Write a config as a project would have it: busy blocks are refused, two metrics, five rounds."""
    return config(
        folder, **{"rounds": "auto", "metrics": ["elapsed", "p99"], "disturbed": "refuse", **changes}
    )


def test_planted_slow_down_of_five_per_cent_is_found_five_times_of_five(
    repository: Repository, cache: Path, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    found = []
    for seed in range(5):
        path = at_full_size(tmp_path)
        said = comparison_json(
            repository, cache, "main", "planted", path, "--seed", str(seed), "--out", tmp_path / str(seed)
        )
        elapsed = next(each for each in said["metrics"] if each["metric"] == "elapsed")
        found.append((elapsed["verdict"], elapsed["blocks"], round(elapsed["ratio"]["estimate"], 4)))
    tell(f"planted: {found}")
    assert [verdict for verdict, _, _ in found] == ["slower"] * 5


def test_identical_code_raises_no_alarm_in_fifteen_comparisons(
    repository: Repository, cache: Path, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    found = []
    for seed in range(15):
        path = at_full_size(tmp_path, clients=["urllib3", "requests"], rounds=3, budget="90s")
        options = ("--seed", str(seed), "--out", tmp_path / str(seed))
        said = comparison_json(repository, cache, "main", "main", path, *options)
        found.append([each["verdict"] for each in said["metrics"]])
    flat = [verdict for each in found for verdict in each]
    tell(f"identical: {Counter(flat)}")
    assert {"slower", "faster"} & set(flat) == set()
    assert flat.count("equivalent") >= 0.8 * len(flat)


@pytest.mark.parametrize(
    "sides",
    [("requirements=httpx==0.27.2", "requirements=httpx==0.28.1"), ("python=3.11", "python=3.13")],
    ids=["libraries", "interpreters"],
)
def test_versions_of_libraries_and_pythons_are_compared(
    repository: Repository,
    cache: Path,
    tmp_path: Path,
    tell: Callable[[str], None],
    sides: tuple[str, str],
) -> None:
    path = at_full_size(tmp_path, strategies=["asyncio_gather"], clients=["httpx"])
    said = comparison_json(repository, cache, *sides, path, "--out", tmp_path / "run")
    found = {each["metric"]: (each["verdict"], each["ratio"], each["blocks"]) for each in said["metrics"]}
    tell(f"{' : '.join(sides)}: {found}")
    assert found["elapsed"][0] != "inconclusive"
    built = json.loads((tmp_path / "run" / "run.json").read_text("utf-8"))["config"]["variants"].values()
    assert len({(each["python"], each["libraries"]["httpx"]) for each in built}) == len(sides)


def test_four_cases_fit_the_default_budget(
    repository: Repository, cache: Path, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    began_s = monotonic()
    comparison_json(repository, cache, "main", "planted", "gate", "--out", tmp_path / "run")
    took_s = monotonic() - began_s
    run = json.loads((tmp_path / "run" / "run.json").read_text("utf-8"))
    timed_s = sum(round_["elapsed_s"] for trial in run["trials"] for round_ in trial["rounds"])
    tell(f"four cases: {took_s:.0f} s, {timed_s / took_s:.0%} of it timed")
    assert took_s <= 300
    assert timed_s / took_s >= 0.7
