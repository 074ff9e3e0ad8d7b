"""The notebook of the docs, executed by a real kernel beside stored runs."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import nbformat
import pytest
from nbclient import NotebookClient

from bench.storage.run_folder import save_run
from tests.builders import case, failed, run_of, trials

ROOT: Final = Path(__file__).parents[2]
NOTEBOOK: Final = ROOT / "docs" / "notebook.ipynb"
LOOP, THREADS, GONE = case("sequential", workers=1), case(), case("asyncio_gather", "aiohttp", 5)
TIMES_S: Final = (0.031, 0.024, 0.025, 0.023, 0.027, 0.022, 0.026)


def store_runs(project: Path) -> None:
    """Store two runs of the same cases, of which the second is slower, and before them a comparison."""
    runs = project / "results" / "runs"
    shutil.copytree(ROOT / "tests" / "fixtures" / "contract" / "runs" / "slower", runs / "comparison")
    for name, factor in (("before", 1.0), ("after", 1.5)):
        measured = {
            LOOP: trials(LOOP, [3 * value for value in TIMES_S]),
            THREADS: trials(THREADS, [factor * value for value in TIMES_S]),
            GONE: [failed(GONE, block, "error", "it raised") for block in range(7)],
        }
        (runs / name).mkdir()
        save_run(runs / name, run_of(measured, name), "")
    for age, name in enumerate(("after", "before", "comparison")):
        os.utime(runs / name / "run.json", (1e9 - age, 1e9 - age))


def read_notebook() -> Any:
    """Read the notebook as it is stored."""
    return nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]


def execute(folder: Path) -> Mapping[str, Mapping[str, Any]]:
    """Execute the notebook in a folder, and return what the last line of each cell is shown as, by its id."""
    notebook = read_notebook()
    client = NotebookClient(
        notebook, kernel_name="python3", timeout=60, resources={"metadata": {"path": str(folder)}}
    )
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    client.execute(env={**os.environ, "PYTHONPATH": path, "IPYTHONDIR": str(folder / "ipython")})
    outputs = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            assert output.output_type == "execute_result", (cell.id, output)
            outputs[cell.id] = output.data
    return outputs


@pytest.mark.e2e
@pytest.mark.long
def test_every_cell_of_the_notebook_shows_what_it_is_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))  # else in the home folder
    store_runs(tmp_path)
    (tmp_path / "docs").mkdir()
    shown = execute(tmp_path / "docs")
    assert "threadpool_map with requests and 3 workers was fastest" in shown["load"]["text/html"]
    assert shown["load"]["text/plain"].startswith("<RunResults after-2026")
    assert "Interval(estimate=0.0375" in shown["values"]["text/plain"]
    assert f"('{THREADS.id}', ['{LOOP.id}'])" in shown["ranking"]["text/plain"]
    assert shown["cases"]["text/html"].count("threadpool_map") == 1
    assert "75%" in shown["trials"]["text/html"]
    chart = shown["chart"]
    assert THREADS.id in chart.get("text/html", "") or "pip install altair" in chart["text/plain"]
    assert "+50%" in shown["compare"]["text/html"]
    assert "No verdicts" in shown["compare"]["text/html"]
    assert "slower is slower than main" in shown["verdicts"]["text/html"]


def test_the_notebook_is_stored_without_outputs() -> None:
    cells = [cell for cell in read_notebook().cells if cell.cell_type == "code"]
    assert cells
    assert all(cell.outputs == [] and cell.execution_count is None for cell in cells)
