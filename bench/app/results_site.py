"""The pages of a results folder: all runs, the report of each, two laid over one another, and the history.

Nothing is written, and no address names a file: runs are looked up in the list of the folder. Pages are for
the browser of this machine only: a request with the name of another host, as DNS rebinding sends it, is
refused.
"""

import os
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Final, NamedTuple
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from bench.app.history_filter import unknown_commit_notes
from bench.errors import BenchError
from bench.model.text import printable
from bench.report.html.history_page import render_history
from bench.report.html.page import render_page
from bench.report.html.runs_page import RunEntry, RunList, describe_run, render_runs
from bench.stats.history import Point, PointOrder, history_tracks
from bench.storage.history import HISTORY, read_history
from bench.storage.pinned_reference import REFERENCE, load_reference
from bench.storage.run_folder import DOCUMENT, RUNS, load_run, stored_runs, unfinished_runs
from bench.system.git import commit_ranks

_HOSTS: Final = ["127.0.0.1", "localhost"]
_RUNS_A_PAGE: Final = 50
_KEPT_PAGES: Final = 16
_COMPARED: Final = 2
_MOST_TICKED: Final = 50
_MOST_DIGITS: Final = 6
_RENDERING: Final = Lock()
"""Held while a report is made: several requests for the same wait for one."""
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
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=_HOSTS),
            Middleware(_OwnPagesOnly),
        ],
        exception_handlers={BenchError: _explain, HTTPException: _say},
    )


class _OwnPagesOnly:
    """Refuses requests that a page of another site makes, which would only take processor time."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; browsers say where it comes from, and other programs say nothing."""
        if Headers(scope=scope).get("sec-fetch-site", "none") in {"none", "same-origin"}:
            await self._app(scope, receive, send)
        else:
            await PlainTextResponse("Another site asks for this page.\n", 403)(scope, receive, send)


class _Site:
    def __init__(self, results: Path) -> None:
        self._runs = results / RUNS.name
        self._history = results / HISTORY.name
        self._reference = results / REFERENCE.relative_to(HISTORY.parent)

    def runs(self, request: Request) -> Response:
        """List the runs, the last changed first."""
        stored = [*stored_runs(self._runs), *unfinished_runs(self._runs)]
        stamps = {folder: stamp for folder in stored if (stamp := _stamp(folder)) is not None}
        folders = sorted(stamps, key=lambda folder: stamps[folder].changed_ns, reverse=True)
        pages = max(1, -(-len(folders) // _RUNS_A_PAGE))
        page = _page_number(request, pages)
        shown = folders[(page - 1) * _RUNS_A_PAGE : page * _RUNS_A_PAGE]
        entries = [_entry(folder, stamps[folder]) for folder in shown]
        ticked = set(request.query_params.getlist("run"))
        if len(ticked) > _MOST_TICKED:
            raise HTTPException(400, f"At most {_MOST_TICKED} runs can be ticked; {len(ticked)} were.")
        others = [folder for folder in folders if _key(folder) in ticked and folder not in shown]
        found = [_entry(folder, stamps[folder]) for folder in others]
        elsewhere = [entry for entry in found if entry.can_be_ticked]
        listed = RunList(entries, elsewhere, frozenset(ticked), str(self._runs), page, pages)
        return _html(render_runs(listed, has_history=self._history.exists()), policy=_POLICY)

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
        if not self._history.exists():
            raise HTTPException(404, "There is no history yet.")
        stamp = _file_stamp(self._reference)
        points = read_history(self._history)
        ranks = commit_ranks({point.commit for point in points}, str(self._history.parent)) or {}
        with _RENDERING:
            return _html(_rendered_history(points, tuple(sorted(ranks.items())), self._reference, stamp))

    def _report(self, keys: tuple[str, ...]) -> str:
        known = {_key(folder): folder for folder in stored_runs(self._runs)}
        if unknown := [key for key in keys if key not in known]:
            raise HTTPException(404, f"There is no run {unknown[0]!r}.")
        folders = tuple(known[key] for key in keys)
        with _RENDERING:
            return _rendered(folders, tuple(map(_stamp, folders)))


class _Stamp(NamedTuple):
    """When a file was changed, and its size: what was made from it holds as long as both are the same."""

    changed_ns: int
    size: int
    is_stored: bool


def _stamp(folder: Path) -> _Stamp | None:
    """Return the stamp of a run, stored or with a journal only; None if it has vanished meanwhile."""
    return _file_stamp(folder / DOCUMENT) or _file_stamp(folder, is_stored=False)


def _file_stamp(file: Path, *, is_stored: bool = True) -> _Stamp | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return _Stamp(found.st_mtime_ns, found.st_size, is_stored)


@lru_cache(_KEPT_PAGES)
def _rendered(folders: tuple[Path, ...], _stamps: tuple[_Stamp | None, ...]) -> str:
    """Render a report; of two runs, the one that was started first is the base of the ratios."""
    runs = sorted(map(load_run, folders), key=lambda run: (run.started, run.name))
    return render_page(runs, home="/")


@lru_cache(1)
def _rendered_history(
    points: tuple[Point, ...],
    ranks: tuple[tuple[str, int], ...],
    reference: Path,
    _stamp: _Stamp | None,
) -> str:
    """Render the history; new commits change the order of the same points."""
    order: PointOrder = "commits" if ranks else "measuring"
    tracks = history_tracks(points, dict(ranks) or None)
    notes = unknown_commit_notes(points, dict(ranks))
    return render_history(tracks, load_reference(reference), order, notes, home="/")


@lru_cache(_RUNS_A_PAGE * _KEPT_PAGES)
def _entry(folder: Path, stamp: _Stamp) -> RunEntry:
    if not stamp.is_stored:
        return _unfinished(folder)
    try:
        return describe_run(_key(folder), folder.name, load_run(folder))
    except (BenchError, OSError) as error:  # of this run alone: the others are listed all the same
        why = error.what if isinstance(error, BenchError) else str(error)
        return RunEntry("", printable(folder.name), answer=printable(why), is_damaged=True)


def _unfinished(folder: Path) -> RunEntry:
    return RunEntry(
        "", printable(folder.name), answer="Only its journal is stored: it still goes on, or was killed."
    )


def _key(folder: Path) -> str:
    """Return a name for addresses, also for a name that is no text."""
    return quote(os.fsencode(folder.name), safe="")


def _page_number(request: Request, pages: int) -> int:
    text = request.query_params.get("page", "1")
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS and 1 <= int(text) <= pages):
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
