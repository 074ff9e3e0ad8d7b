"""The pages of a results folder: all runs, the report of each, two laid over one another, and the history.

Nothing is written, and no address names a file: runs are looked up in the list of the folder. Pages are for
the browser of this machine only: a request with the name of another host, as DNS rebinding sends it, is
refused.
"""

import os
from functools import lru_cache
from pathlib import Path
from typing import Final
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from bench.app.history_filter import unknown_commit_notes
from bench.errors import BenchError, UnreadableResultError
from bench.report.html.history_page import render_history
from bench.report.html.page import render_page
from bench.report.html.runs_page import RunEntry, describe_run, render_runs
from bench.stats.history import PointOrder, history_tracks
from bench.storage.history import HISTORY, read_history
from bench.storage.pinned_reference import REFERENCE, load_reference
from bench.storage.run_folder import DOCUMENT, RUNS, load_run, stored_runs, unfinished_runs
from bench.system.git import commit_ranks

_HOSTS: Final = ["127.0.0.1", "localhost"]
_RUNS_A_PAGE: Final = 50
_KEPT_PAGES: Final = 16
_COMPARED: Final = 2
_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
"""For pages without a policy of their own, which have no scripts."""
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Frame-Options": "DENY",
}


def results_site(results: Path) -> Starlette:
    """Return the application for a folder such as ``results``."""
    site = _Site(results)
    return Starlette(
        routes=[
            Route("/", site.runs),
            Route("/runs/{key}", site.run),
            Route("/compare", site.compare),
            Route("/history", site.history),
            Route("/favicon.ico", lambda _: Response(status_code=204)),  # browsers ask for it unasked
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=_HOSTS)],
        exception_handlers={BenchError: _explain, HTTPException: _say},
    )


class _Site:
    def __init__(self, results: Path) -> None:
        self._runs = results / RUNS.name
        self._history = results / HISTORY.name
        self._reference = results / REFERENCE.relative_to(HISTORY.parent)

    def runs(self, request: Request) -> Response:
        """List the runs, the last changed first."""
        stored = stored_runs(self._runs)
        folders = sorted({*stored, *unfinished_runs(self._runs)}, key=_changed_s, reverse=True)
        pages = max(1, -(-len(folders) // _RUNS_A_PAGE))
        page = _page_number(request, pages)
        shown = folders[(page - 1) * _RUNS_A_PAGE : page * _RUNS_A_PAGE]
        entries = [
            _entry(folder, _stamp(folder)) if folder in stored else _unfinished(folder) for folder in shown
        ]
        has_history = self._history.exists()
        return _html(
            render_runs(entries, str(self._runs), page, pages, has_history=has_history), policy=_POLICY
        )

    def run(self, request: Request) -> Response:
        """Show the report of a run."""
        return _html(self._report((request.path_params["key"],)))

    def compare(self, request: Request) -> Response:
        """Lay two runs over one another."""
        keys = tuple(dict.fromkeys(request.query_params.getlist("run")))
        if len(keys) != _COMPARED:
            raise HTTPException(400, f"Tick two runs to compare; {len(keys)} were ticked.")
        return _html(self._report(keys))

    def history(self, _request: Request) -> Response:
        """Show the trends of the history."""
        points = read_history(self._history)
        if not points:
            raise HTTPException(404, "There is no history yet.")
        ranks = commit_ranks({point.commit for point in points})
        notes = unknown_commit_notes(points, ranks or {})
        order: PointOrder = "commits" if ranks else "measuring"
        tracks = history_tracks(points, ranks)
        return _html(render_history(tracks, load_reference(self._reference), order, notes, home="/"))

    def _report(self, keys: tuple[str, ...]) -> str:
        known = {_key(folder): folder for folder in stored_runs(self._runs)}
        if unknown := [key for key in keys if key not in known]:
            raise HTTPException(404, f"There is no run {unknown[0]!r}.")
        # the older one is the base of the ratios
        folders = sorted((known[key] for key in keys), key=_changed_s)
        return _rendered(tuple(folders), tuple(map(_stamp, folders)))


@lru_cache(_KEPT_PAGES)
def _rendered(folders: tuple[Path, ...], _stamps: tuple[object, ...]) -> str:
    return render_page([load_run(folder) for folder in folders], home="/")


@lru_cache(_RUNS_A_PAGE * _KEPT_PAGES)
def _entry(folder: Path, _stamp: object) -> RunEntry:
    try:
        return describe_run(_key(folder), folder.name, load_run(folder))
    except UnreadableResultError as error:
        return RunEntry("", folder.name, answer=str(error), is_damaged=True)


def _unfinished(folder: Path) -> RunEntry:
    return RunEntry("", folder.name, answer="Only its journal is stored: it still goes on, or was killed.")


def _key(folder: Path) -> str:
    """Return a name for addresses, also for a name that is no text."""
    return quote(os.fsencode(folder.name), safe="")


def _stamp(folder: Path) -> tuple[int, int]:
    found = (folder / DOCUMENT).stat()
    return found.st_mtime_ns, found.st_size


def _changed_s(folder: Path) -> float:
    document = folder / DOCUMENT
    return (document if document.exists() else folder).stat().st_mtime


def _page_number(request: Request, pages: int) -> int:
    text = request.query_params.get("page", "1")
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= pages):
        raise HTTPException(404, "There is no such page.")
    return int(text)


def _html(page: str, policy: str = "") -> Response:
    headers = {**_HEADERS, **({"Content-Security-Policy": policy} if policy else {})}
    return HTMLResponse(page, headers=headers)


def _explain(_request: Request, error: Exception) -> Response:
    """Answer with what a run or the history lacks."""
    return PlainTextResponse(f"{error}\n", status_code=422, headers=_HEADERS)


def _say(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  the handler of this class only
    headers = {**_HEADERS, **(error.headers or {})}
    return PlainTextResponse(f"{error.detail}\n", status_code=error.status_code, headers=headers)
