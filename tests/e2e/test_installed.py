"""Build the wheel, install it, and use it from a folder with foreign packages of the same names."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.environments import make_environment
from tests.runs import config

pytestmark = [pytest.mark.e2e, pytest.mark.alone]

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel with the locked build backend."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", str(folder), str(ROOT)], check=True, timeout=100)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel where it sees this environment's libraries but not the checkout."""
    folder = tmp_path_factory.mktemp("installed")
    make_environment(folder)
    python = str(folder / "bin" / "python")
    command = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps"]
    subprocess.run([*command, str(wheel)], check=True, timeout=100)
    return folder / "bin" / "flagbench"


def test_wheel_contains_strategies_configs_and_licence_below_bench(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "bench/_bundled/strategies/threadpool_map.py",
        "bench/_bundled/strategies/clients/aiohttp.py",
        "bench/_bundled/configs/default.yaml",
        "bench/_bundled/configs/schema.json",
        "bench/py.typed",
    } <= names
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"bench", "flagbench"}
    assert any(name.endswith("licenses/LICENSE") for name in names)


@pytest.mark.long
def test_foreign_bench_and_strategies_folders_do_no_harm(installed: Path, tmp_path: Path) -> None:
    for name in ("bench", "strategies", "strategies/clients"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('foreign')", encoding="utf-8")
    for words in (["check", "ci"], ["run", "ci", "--blocks", "1", "--out", "out"]):
        result = subprocess.run(
            [installed, *words], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=100
        )
        assert result.returncode == 0, result.stderr
        assert "asyncio_gather" in result.stdout
    assert (tmp_path / "out" / "run.json").is_file()


@pytest.mark.long
def test_pytest_finds_the_plugin_of_the_wheel(installed: Path, tmp_path: Path) -> None:
    config(tmp_path, ["sequential"])
    python = installed.with_name("python")
    words = ["-m", "pytest", "--bench-config", "test.yaml", "-p", "no:cacheprovider"]
    result = subprocess.run(
        [python, *words], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=100
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "1 passed" in result.stdout
    assert list((tmp_path / "results" / "runs").glob("test-*/run.json"))
