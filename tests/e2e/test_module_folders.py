"""What a strategy may import from its folder and its project, and what it cannot hide from its worker."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from bench.system.paths import strategy_path
from bench.worker.protocol import Report
from tests.repositories import git
from tests.runs import config, outcomes, run
from tests.stub_server import Stub, stub_server
from tests.trial import a_task, report_of

pytestmark = pytest.mark.e2e

FLAGS = {"BR": b"GIF89a of Brazil"}
DOWNLOAD = """
def download_many(job):
    with job.client() as download_one:
        return [download_one(country) for country in job.countries]
"""
FAILING = "raise RuntimeError('this file was imported')\n"


@pytest.fixture
def stub() -> Iterator[Stub]:
    """Serve a flag."""
    with stub_server(FLAGS) as stub:
        yield stub


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Write files below a folder."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def report(stub: Stub, folder: Path, strategy: str, client: str = "requests") -> Report:
    """Run a trial of a strategy of a repository."""
    write(folder / "repo" / ".git", {"HEAD": ""})
    file = folder / "repo" / strategy
    return report_of(
        a_task(
            folder,
            strategy_file=file,
            client=client,
            countries=tuple(FLAGS),
            base_url=f"{stub.base_url}/-/t1",
            reference=stub.save_flags(folder / "reference"),
            module_folders=strategy_path(file),
        )
    )


@pytest.mark.parametrize(
    "strategy",
    ["mine.py", "deep/mine.py", "services/downloader/mine.py", "services/downloader/src/flags/mine.py"],
)
def test_neighbours_the_project_and_the_repository_are_importable(
    strategy: str, stub: Stub, tmp_path: Path
) -> None:
    beside = Path(strategy).parent
    files = {strategy: f"import common_parts, downloading, whole\nfrom shared import x\n{DOWNLOAD}"}
    files |= {f"{beside}/common_parts.py": "", "whole.py": "", "src/shared/__init__.py": "x = 1"}
    project = "services/downloader" if "services" in strategy else "."
    files |= {f"{project}/pyproject.toml": "", f"{project}/src/downloading/__init__.py": ""}
    write(tmp_path / "repo", files)
    found = report(stub, tmp_path, strategy)
    assert (found.outcome, found.detail) == ("ok", "")


@pytest.mark.parametrize("client", ["requests", "aiohttp"])
def test_files_of_a_strategys_folders_hide_nothing_that_its_worker_needs(
    client: str, stub: Stub, tmp_path: Path
) -> None:
    names = ("random", "typing", "requests", "urllib3", "aiohttp", "yarl", "ssl", "json", "sitecustomize")
    files = {f"{place}{name}.py": FAILING for name in names for place in ("", "a/", "src/")}
    files |= {f"{name}/__init__.py": FAILING for name in ("bench", "strategies")}
    text = DOWNLOAD if client == "requests" else (
        "import asyncio\n"
        "async def load(job):\n"
        "    async with job.async_client() as download_one:\n"
        "        return [await download_one(country) for country in job.countries]\n"
        "def download_many(job):\n"
        "    return asyncio.run(load(job))\n"
    )  # fmt: skip
    write(tmp_path / "repo", {**files, "a/mine.py": f"import random, requests\n{text}"})
    found = report(stub, tmp_path, "a/mine.py", client)
    assert (found.outcome, found.detail) == ("ok", "")


def test_package_of_the_project_precedes_the_installed_one(stub: Stub, tmp_path: Path) -> None:
    """A fork of a library is measured as it is in its tree."""
    write(tmp_path / "repo", {"src/idna/__init__.py": FAILING, "mine.py": f"import idna\n{DOWNLOAD}"})
    found = report(stub, tmp_path, "mine.py", "urllib3")
    assert found.detail == "RuntimeError: this file was imported (mine.py:1)"


@pytest.mark.parametrize(
    ("files", "imports", "detail"),
    [
        (
            {"a/pyproject.toml": "", "a/src/x.py": ""},
            "import common_parts",
            "looked for beside mine.py and, seen from there, in .., ../src, ../..; move it there, or declare",
        ),
        (
            {"a/b/queue.py": "limit = 1"},
            "from queue import limit",
            "the one beside mine.py, queue: rename it",
        ),
        ({"strategies/parts.py": ""}, "import strategies.parts", "flagbench: rename your strategies"),
    ],
)
def test_failed_import_names_the_folders_searched_and_the_remedy(
    files: Mapping[str, str], imports: str, detail: str, stub: Stub, tmp_path: Path
) -> None:
    write(tmp_path / "repo", {**files, "a/b/mine.py": f"{imports}\n{DOWNLOAD}"})
    found = report(stub, tmp_path, "a/b/mine.py")
    assert found.outcome == "error"
    assert detail in found.detail


def test_own_mistake_is_not_explained_by_folders(stub: Stub, tmp_path: Path) -> None:
    write(tmp_path / "repo", {"mine.py": f"from bench.api import nothing\n{DOWNLOAD}"})
    assert report(stub, tmp_path, "mine.py").detail.endswith("(mine.py:1)")


@pytest.mark.long
def test_run_finds_the_neighbours_of_a_strategy(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "services/downloader/pyproject.toml": "",
            "services/downloader/src/mine.py": f"import common_parts, downloading\n{DOWNLOAD}",
            "services/downloader/src/common_parts.py": "",
            "services/downloader/src/downloading/__init__.py": "",
            "services/downloader/src/random.py": FAILING,
        },
    )
    git(tmp_path, "init", "--quiet")
    path = config(tmp_path / "services" / "downloader", ["src/mine.py"])
    ended = run(path)
    assert ended.returncode == 0, ended.stderr
    assert outcomes(path) == {"mine": ["ok", "ok"]}
