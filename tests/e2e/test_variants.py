"""Building variants with real repositories, virtual environments and interpreters."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator
from importlib import metadata
from pathlib import Path

import pytest

from bench.config import catalog
from bench.errors import BenchError, SetupError, UsageError
from bench.model.cases import Strategy
from bench.model.comparison import BuiltVariant, Variant
from bench.runner.context import module_folders
from bench.system.optional_dependencies import install_command
from bench.system.paths import home
from bench.variants.build import build_variant
from bench.variants.interpreter import find_interpreter
from bench.variants.probe import FROM_TREE
from bench.variants.uv import run_uv
from bench.worker.protocol import PROTOCOL
from tests.package_index import need_index
from tests.repositories import commit_all, git

pytestmark = [pytest.mark.e2e]

ROOT = Path(__file__).parents[2]
CLIENTS = ("httpx",)
MINE = """
import project

def download_many(job):
    with job.client() as download_one:
        return [download_one(country) for country in job.countries]
"""
BUILDING = """
from bench.model.comparison import Variant
from bench.variants.build import build_variant
def ignore(line):
    pass
print(build_variant(Variant(requirements=("httpx==0.27.1",)), {"httpx": None}, {}, ignore, ignore).python)
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Share one cache between these tests."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Skip where no package can be installed."""
    need_index(tmp_path_factory.mktemp("target"))


@pytest.fixture
def repository(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the repository of a user's project, which is no copy of this one, and change to it."""
    folder = tmp_path / "project"
    (folder / "src" / "project").mkdir(parents=True)
    (folder / "src" / "project" / "__init__.py").write_text("NUMBER = 1\n", encoding="utf-8")
    (folder / "mine.py").write_text(MINE, encoding="utf-8")
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit_all(folder)
    monkeypatch.setenv("FLAGBENCH_CACHE", str(cache))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    monkeypatch.chdir(folder)
    return folder


def build(variant: Variant, clients: Collection[str] = CLIENTS, *own: Path) -> tuple[BuiltVariant, list[str]]:
    """Build a variant, and return it with the printed lines."""
    said: list[str] = []
    strategies: dict[str, Strategy] = dict(catalog.find_strategies())
    for file in own:
        strategies[file.stem] = catalog.read_strategy(file)
    return build_variant(variant, dict.fromkeys(clients), strategies, said.append, said.append), said


def run_in(variant: BuiltVariant, code: str) -> list[str]:
    """Run code as a worker of this variant would, and return the words that it prints."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join((*variant.import_path, *variant.module_folders)),
    }
    command = [variant.python, "-P", "-c", code]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.split()


def installed_pythons() -> Iterator[str]:
    """Yield the Python versions that can be measured here, other than the running one."""
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    for version in {"3.11", "3.12", "3.13"} - {running}:
        try:
            find_interpreter(version)
        except BenchError:
            continue
        yield version


@pytest.mark.long
@pytest.mark.usefixtures("index")
def test_variants_with_two_versions_of_a_library_import_their_own(repository: Path) -> None:
    old, said = build(Variant(requirements=("httpx==0.27.2",)))
    new, _ = build(Variant(requirements=("httpx==0.28.1",)))
    code = "import httpx; print(httpx.__version__, httpx.__file__)"
    (old_version, old_file), (new_version, new_file) = run_in(old, code), run_in(new, code)
    assert (old_version, new_version) == ("0.27.2", "0.28.1")
    assert len(old_file) == len(new_file)
    assert old.import_path == new.import_path
    assert len(old.python) == len(new.python)
    assert old.about["libraries"]["httpx"] == "0.27.2"
    assert old.about["requirements"] == ["httpx==0.27.2"]
    assert old.about["libraries"]["h11"] == new.about["libraries"]["h11"]
    assert "pytest" not in old.about["libraries"]
    assert "this flagbench's own worker" in "".join(said)
    told = json.dumps([old.about, new.about])
    assert not any(place in told for place in (str(repository), str(repository.parent), sys.prefix))


@pytest.mark.long
@pytest.mark.usefixtures("index")
def test_tree_of_this_project_is_measured_by_its_own_compiled_worker(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("bench", "strategies"):
        (repository / name).symlink_to(home() / name)
    git_free = repository.parent / "copy"
    subprocess.run(["cp", "-rL", str(repository), str(git_free)], check=True)
    (git_free / "strategies" / "sequential.py").unlink()
    monkeypatch.chdir(repository)
    variant, said = build(Variant(path=git_free))
    assert not [line for line in said if "own worker" in line]
    (folder,) = variant.import_path
    code = "import bench.worker.main as m, strategies.clients.httpx as c; print(m.__file__, c.__file__)"
    assert all(file.startswith(folder) for file in run_in(variant, code))
    assert "threadpool_map" in variant.strategies
    assert "sequential" not in variant.strategies
    assert all(file.is_relative_to(folder) for file in variant.strategies.values())
    assert list(Path(folder, "strategies", "__pycache__").glob("threadpool_map.*.pyc"))


@pytest.mark.long
@pytest.mark.usefixtures("index")
def test_own_strategy_and_its_project_come_from_each_tree(repository: Path, tmp_path: Path) -> None:
    (repository / "src" / "project" / "__init__.py").write_text("NUMBER = 2\n", encoding="utf-8")
    (repository / "new.py").write_text((repository / "mine.py").read_text(encoding="utf-8"), encoding="utf-8")
    elsewhere = tmp_path / "elsewhere.py"
    elsewhere.write_text((repository / "mine.py").read_text(encoding="utf-8"), encoding="utf-8")
    own = (repository / "mine.py", repository / "new.py", elsewhere)
    base, _ = build(Variant(rev="main"), CLIENTS, *own)
    work, _ = build(Variant(), CLIENTS, *own)
    assert (base.about["dirty"], work.about["dirty"]) == (False, True)
    assert base.about["tree"] != work.about["tree"]
    assert base.python == work.python
    assert "new" not in base.strategies
    assert work.strategies["new"].is_relative_to(work.module_folders[0])
    assert base.strategies["mine"].is_relative_to(base.module_folders[0])
    assert base.strategies["elsewhere"] == work.strategies["elsewhere"] == elsewhere
    assert base.strategies["threadpool_map"].is_relative_to(base.import_path[0])
    code = "import project; print(project.NUMBER)"
    assert (run_in(base, code), run_in(work, code)) == (["1"], ["2"])
    assert [len(path) for path in base.module_folders] == [len(path) for path in work.module_folders]


@pytest.mark.long
@pytest.mark.usefixtures("index", "repository")
def test_workers_run_under_the_requested_python() -> None:
    version = next(installed_pythons(), None)
    if version is None:
        pytest.skip("there is no Python from 3.11 to 3.13 but the running one")
    variant, _ = build(Variant(python=version))
    (ran,) = run_in(variant, "import platform, httpx; print(platform.python_version())")
    assert ran.startswith(f"{version}.")
    assert variant.about["python"] == ran
    assert variant.about["label"] == f"py{version}"


@pytest.mark.long
@pytest.mark.usefixtures("index")
def test_requirements_of_the_variant_are_installed_after_those_of_the_tree(repository: Path) -> None:
    (repository / "requirements.txt").write_text("-e ./library\nhttpx==0.27.2\n", encoding="utf-8")
    (repository / ".python-version").write_text("3.99\n", encoding="utf-8")
    library = repository / "library"
    library.mkdir()
    project = '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
    project += '[project]\nname = "library"\nversion = "1"\n[tool.setuptools]\npy-modules = ["library"]\n'
    (library / "pyproject.toml").write_text(project, encoding="utf-8")
    (library / "library.py").write_text("NUMBER = 1\n", encoding="utf-8")
    commit_all(repository)
    (repository / ".python-version").unlink()  # of the tree alone: it decides nothing
    base, _ = build(Variant(rev="main"))
    (library / "library.py").write_text("NUMBER = 2\n", encoding="utf-8")
    work, _ = build(Variant(requirements=("./library", "httpx==0.28.1")))
    code = "import library, httpx; print(library.NUMBER, httpx.__version__)"
    assert (run_in(base, code), run_in(work, code)) == (["1", "0.27.2"], ["2", "0.28.1"])
    again, said = build(Variant(rev="main"))
    assert again == base
    assert not [line for line in said if "making" in line]
    assert not list(Path(base.module_folders[0]).rglob("*.egg-info"))


def write_project(folder: Path, *dependencies: str, more: str = "") -> None:
    """Write the pyproject.toml of a project."""
    text = '[project]\nname = "downloader"\nversion = "1"\nrequires-python = ">=3.11"\n'
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text(
        f"{text}dependencies = {list(dependencies)}\n{more}", encoding="utf-8"
    )


def lock_for_uv(folder: Path, version: str) -> None:
    """Lock idna as uv does, in a workspace with a library."""
    more = '[tool.uv.workspace]\nmembers = ["lib"]\n[tool.uv.sources]\nlib = {workspace = true}\n'
    write_project(folder, f"idna=={version}", "lib", more=more)
    (folder / "lib").mkdir(exist_ok=True)
    library = '[project]\nname = "lib"\nversion = "1"\nrequires-python = ">=3.11"\n'
    built = '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
    (folder / "lib" / "pyproject.toml").write_text(library + built, encoding="utf-8")
    (folder / "lib" / "lib.py").touch()
    assert run_uv("lock", folder=folder).returncode == 0


def lock_as_pylock(folder: Path, version: str) -> None:
    """Lock idna in a pylock.toml."""
    (folder / "in.txt").write_text(f"idna=={version}\n", encoding="utf-8")
    assert run_uv("pip", "compile", "in.txt", "-o", "pylock.toml", folder=folder).returncode == 0


def write_setup_py(folder: Path, version: str) -> None:
    """Declare idna in a setup.py."""
    text = f'from setuptools import setup; setup(name="x", version="1", install_requires=["idna=={version}"])'
    (folder / "setup.py").write_text(text, encoding="utf-8")


@pytest.mark.long
@pytest.mark.usefixtures("index")
@pytest.mark.parametrize(
    "declare",
    [
        lambda folder, version: write_project(folder, f"idna=={version}"),
        lock_for_uv,
        lock_as_pylock,
        write_setup_py,
        lambda folder, version: (folder / "requirements-prod.txt").write_text(f"idna=={version}\n"),
    ],
    ids=["pyproject", "uv.lock", "pylock", "setup.py", "requirements-prod"],
)
@pytest.mark.parametrize("place", [".", "services/downloader"])
def test_each_side_gets_the_versions_that_its_own_files_declare(
    declare: Callable[[Path, str], object], place: str, repository: Path
) -> None:
    """Those of the project in a sub-folder count, rather than those of the repository."""
    folder = repository / place
    (folder / "src").mkdir(parents=True, exist_ok=True)
    own = folder / "src" / "own.py"
    own.write_text(MINE, encoding="utf-8")
    if place != ".":
        (repository / "requirements.txt").write_text("idna==3.4\n", encoding="utf-8")
    declare(folder, "3.7")
    commit_all(repository)
    declare(folder, "3.10")
    code = "from importlib.metadata import version; print(version('idna'))"
    base, work = (build(variant, (), own)[0] for variant in (Variant(rev="main"), Variant()))
    assert (run_in(base, code), run_in(work, code)) == (["3.7"], ["3.10"])
    assert base.about["dependencies"]["unread_locks"] == []


@pytest.mark.long
@pytest.mark.usefixtures("index")
def test_lock_that_does_not_meet_the_pyproject_is_refused(repository: Path) -> None:
    lock_for_uv(repository, "3.7")
    text = (repository / "pyproject.toml").read_text(encoding="utf-8")
    (repository / "pyproject.toml").write_text(text.replace("3.7", "3.10"), encoding="utf-8")
    with pytest.raises(SetupError, match=r"pyproject.toml requires idna==3\.10, and 3\.7 is installed"):
        build(Variant(), ())


def start_build(cache: Path) -> "subprocess.Popen[str]":
    """Start a process that builds a variant with this cache."""
    environment = {**os.environ, "FLAGBENCH_CACHE": str(cache), "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-c", BUILDING], env=environment, stdout=subprocess.PIPE, text=True
    )


def version_of_httpx(python: Path) -> str:
    """Return the version of httpx in an environment."""
    words = [str(python), "-I", "-c", "import httpx; print(httpx.__version__)"]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.long
@pytest.mark.usefixtures("index", "repository")
def test_two_processes_make_one_complete_environment(tmp_path: Path) -> None:
    both = [start_build(tmp_path / "shared") for _ in range(2)]
    said = [process.communicate(timeout=100)[0].strip() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    python = Path(said[0])
    assert said == [str(python)] * 2
    assert version_of_httpx(python) == "0.27.1"
    assert [entry.name for entry in python.parents[2].iterdir()] == [python.parents[1].name]


@pytest.mark.long
@pytest.mark.usefixtures("index", "repository")
def test_environment_of_a_killed_process_is_made_again(tmp_path: Path) -> None:
    envs = tmp_path / "shared" / "envs"
    killed = start_build(tmp_path / "shared")
    while killed.poll() is None and not list(envs.glob(".making-*/*/pyvenv.cfg")):
        time.sleep(0.001)
    killed.kill()
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    assert [entry.name[:8] for entry in envs.iterdir()] == [".making-"]
    again = start_build(tmp_path / "shared")
    python = Path(again.communicate(timeout=100)[0].strip())
    assert version_of_httpx(python) == "0.27.1"
    assert python.parents[1].name in [entry.name for entry in envs.iterdir()]


@pytest.mark.long
@pytest.mark.usefixtures("index")
def test_wrong_hashes_are_refused(repository: Path) -> None:
    (repository / "requirements.txt").write_text(f"idna==3.10 --hash=sha256:{'0' * 64}\n", encoding="utf-8")
    with pytest.raises(SetupError, match="cannot install the requirements of worktree") as fault:
        build(Variant())
    assert "hash" in fault.value.what.lower()


@pytest.mark.long
@pytest.mark.usefixtures("index", "repository")
def test_requirement_that_cannot_be_met_is_reported_in_the_words_of_uv(
    cache: Path,
) -> None:
    before = {entry.name for entry in (cache / "envs").glob("*")}
    for requirement, words in (
        ("httpx==99", "there is no version of httpx==99"),
        ("foo bar", "Failed to parse"),
    ):
        with pytest.raises(SetupError, match=words) as fault:
            build(Variant(requirements=(requirement,)))
        assert str(fault.value).isprintable()
    assert {entry.name for entry in (cache / "envs").glob("*")} == before


@pytest.mark.long
@pytest.mark.usefixtures("index")
def test_client_library_that_the_tree_lacks_comes_in_the_running_version(repository: Path) -> None:
    """Versions that the tree declares stay, even those that the running ones would exclude."""
    (repository / "requirements.txt").write_text("idna==3.7\nhttpcore==1.0.6\n", encoding="utf-8")
    variant, _ = build(Variant())
    assert variant.about["libraries"]["httpx"] == metadata.version("httpx")
    assert variant.about["libraries"]["httpcore"] == "1.0.6"
    assert variant.about["libraries"]["idna"] == "3.7"
    without, _ = build(Variant(), ())
    assert "httpx" not in without.about["libraries"]


@pytest.mark.long
@pytest.mark.usefixtures("index")
def test_bench_of_another_protocol_is_never_run(repository: Path) -> None:
    (repository / "bench" / "worker").mkdir(parents=True)
    (repository / "strategies").mkdir()
    for name in ("bench", "bench/worker", "strategies"):
        (repository / name / "__init__.py").write_text("raise SystemExit('foreign')\n", encoding="utf-8")
    protocol = repository / "bench" / "worker" / "protocol.py"
    protocol.write_text(f"PROTOCOL = {PROTOCOL + 1}\n", encoding="utf-8")
    (repository / "strategies" / "theirs.py").write_text("def download_many(job): ...\n", encoding="utf-8")
    variant, said = build(Variant())
    assert [line for line in said if "own worker" in line]
    (file,) = run_in(variant, "import bench.worker.protocol as p; print(p.__file__)")
    assert file.startswith(variant.import_path[0])
    assert not protocol.samefile(file)
    assert {name: file.parent.parent for name, file in variant.strategies.items()} == {
        "theirs": Path(variant.module_folders[0])
    }


@pytest.mark.long
@pytest.mark.usefixtures("index")
def test_tree_that_hides_a_required_library_is_refused(repository: Path) -> None:
    (repository / "src" / "idna").mkdir()
    (repository / "src" / "idna" / "__init__.py").touch()
    with pytest.raises(UsageError, match=r"has its own idna, which hides idna==3\.10"):
        build(Variant(requirements=("idna==3.10",)))
    variant, _ = build(Variant())
    assert variant.about["libraries"]["idna"] == FROM_TREE
    assert variant.about["libraries"]["httpx"] != FROM_TREE


@pytest.mark.long
@pytest.mark.usefixtures("index")
def test_strategy_outside_the_repository_imports_its_own_project(repository: Path, tmp_path: Path) -> None:
    (repository / "strategies").mkdir()
    (repository / "strategies" / "theirs.py").write_text("def download_many(job): ...\n", encoding="utf-8")
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / ".git").mkdir(parents=True)
    (elsewhere / "other.py").write_text(MINE, encoding="utf-8")
    variant, _ = build(Variant(), CLIENTS, elsewhere / "other.py", repository / "strategies" / "theirs.py")
    assert module_folders(variant, "other")[0] == str(elsewhere)
    assert {"threadpool_map", "other", "theirs"} <= variant.strategies.keys()
    assert variant.tree is not None
    assert variant.strategies["theirs"] == variant.tree / "strategies" / "theirs.py"
    assert variant.strategies["threadpool_map"].is_relative_to(variant.import_path[0])


@pytest.mark.long
@pytest.mark.usefixtures("repository")
def test_credentials_are_kept_out_of_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_INDEX_URL", "https://me:secret@127.0.0.1:9/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("UV_NO_CACHE", "1")
    with pytest.raises(SetupError, match="cannot install") as fault:
        build(Variant(requirements=("wheel==0.45.0",)))
    assert not any(word in str(fault.value) for word in ("secret", "127.0.0.1"))
    with pytest.raises(UsageError, match="has credentials") as refused:
        build(Variant(requirements=("x @ https://me:secret@host/x.whl",)))
    assert "secret" not in refused.value.what


@pytest.mark.usefixtures("repository")
def test_missing_uv_and_missing_git_are_environment_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    monkeypatch.setattr("bench.variants.uv.missing_extra", lambda _: "uv")
    monkeypatch.setenv("FLAGBENCH_CACHE", str(tmp_path / "another cache"))
    git_alone = tmp_path / "bin" / "git"
    git_alone.symlink_to(shutil.which("git") or "git")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(SetupError, match=r"uv, .* is not installed") as fault:
        build(Variant())
    assert fault.value.hint == install_command("variants")
    git_alone.unlink()
    with pytest.raises(SetupError, match="needs git"):
        build(Variant())
