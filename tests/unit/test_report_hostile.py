"""Tests with runs from anywhere: their texts are shown as they are, and neither obeyed nor rendered."""

import csv
import io
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import Final, TypeAlias

import pytest
from rich.console import Console

from bench.app.output import stdout_console
from bench.model.cases import Case, Experiment, Fixed, Profile, Selection
from bench.model.observer import Observer, Stop
from bench.model.results import Measurement, Run
from bench.model.text import printable
from bench.report.baseline_table import baseline_table
from bench.report.download_progress import DownloadProgress
from bench.report.export.csv import to_csv
from bench.report.export.json import to_json
from bench.report.export.markdown import to_markdown
from bench.report.html.fragment import tables_to_html
from bench.report.markdown import tables_to_markdown
from bench.report.progress import LiveProgress, PlainProgress, live_drawing
from bench.report.progress_state import RunProgress
from bench.report.results_table import run_tables
from bench.report.scaling_table import scaling_tables
from bench.report.summary_table import summary_tables
from bench.report.terminal import print_tables
from bench.storage.run_json import run_from_bytes, run_to_json
from bench.worker.events import Fetched, FutureObserved
from tests.builders import failed, trials
from tests.hostile_strings import HOSTILE
from tests.program import call
from tests.rendering import MARKDOWN, HtmlParts, html_parts, markdown_skeleton

Groups: TypeAlias = Sequence[Sequence[str]]

BENIGN = "benign"
WIDTHS = (60, 2_000)
BEGINNINGS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
OWN_ESCAPES: Final = re.compile(r"\r|\x1b\[(?:\?25[hl]|[012]K|1A)")
"""Escape sequences of the live line itself."""

GROUP: Final = 12
"""As many texts as a run has fields that are shown."""
_TEXTS: Final = tuple(HOSTILE.values())

each_run = pytest.mark.parametrize(
    "groups",
    [
        *(
            pytest.param([_TEXTS[start : start + GROUP]], id=f"{start} to {start + GROUP}")
            for start in range(0, len(_TEXTS), GROUP)
        ),
        pytest.param([(text,) for text in _TEXTS], id="each in every field", marks=pytest.mark.slow),
    ],
)
"""Each of the texts in one field or another, or each in every field, in runs of their own."""


def run_with(texts: Sequence[str]) -> Run:
    """Build a run with these texts in its fields, in turn, and some failed and disturbed trials."""
    each = cycle(texts)
    strategy, client, variant = next(each), next(each), next(each)
    profile = Profile(next(each), Fixed(0.02))
    label = next(each)
    invalid, kept = next(each), next(each)
    countries = Selection(label, (texts[0], "BR", "CN"))
    of_text = [Case(strategy, client, workers, profile, countries, variant=variant) for workers in (1, 5, 20)]
    base = Case("sequential", client, 1, profile, countries)
    cases = (*of_text, replace(of_text[0], keep_alive=False), base)
    outcome, probe = texts[0], texts[-1]
    measured: list[Measurement] = []
    for index, case in enumerate(cases[:-1]):
        good = trials(case, [0.02 + index / 100 + block / 1e4 for block in range(7)])
        counted = replace(good[1].rounds[0], fetches={"ok": 3, outcome: 1}, probes={probe: 1.0})
        measured += [
            failed(case, 0, "invalid", invalid),
            replace(good[0], attempt=1),
            replace(good[1], rounds=(counted,), probes={probe: 1.0}),
            replace(good[2], detail=kept),
            *good[3:],
            failed(case, 7, "error", next(each)),
        ]
    crashed = next(each)
    measured += [failed(base, block, "crash", crashed) for block in range(3)]
    return Run(
        name=next(each),
        status="partial",
        started=next(each),
        config={
            "name": texts[0],
            "blocks": 8,
            "stopping": {"least_blocks": 6, "precision": 0.03, "budget_s": None},
            "sha256": next(each),
            "source": {next(each): [next(each), {"name": next(each)}]},
            next(each): next(each),
        },
        environment={"fingerprint": next(each), "python": {next(each): next(each)}},
        cases=cases,
        trials=tuple(measured),
    )


@cache
def benign() -> Run:
    """Build the run with which the others are compared."""
    return run_with([BENIGN])


def short_run(name: str) -> Run:
    """Build a run of this name in which nothing was measured."""
    return replace(benign(), name=name, cases=benign().cases[:1], trials=())


def is_shown(text: str) -> bool:
    """Tell whether a text has no control character but line feeds."""
    return all(sign.isprintable() or sign == "\n" for sign in text)


@each_run
def test_tables_show_hostile_texts(
    groups: Groups, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for texts in groups:
        run = run_with(texts)
        tables = [*run_tables(run), baseline_table(run, run.cases[0]), *scaling_tables(run)]
        for width in WIDTHS:
            monkeypatch.setenv("COLUMNS", str(width))
            print_tables(tables, stdout_console())
            said = capsys.readouterr().out
            assert is_shown(said), texts
        if len(texts[0]) < 100:
            assert f"{printable(texts[0])}: 3 flags (" in said


def pipes(markdown: str) -> list[int]:
    """Count the borders of cells in each line, which a renderer would add or leave out as it needs them."""
    return [line.replace("\\\\", "").replace("\\|", "").count("|") for line in markdown.splitlines()]


def markdown_of(run: Run) -> str:
    """Write all tables of a run as Markdown."""
    tables = (baseline_table(run, run.cases[0]), *scaling_tables(run))
    return f"{to_markdown(run)}\n{tables_to_markdown(tables)}"


@cache
def plain_markdown() -> str:
    """Write the Markdown of the run with which the others are compared."""
    return markdown_of(benign())


@each_run
def test_markdown_renders_hostile_texts_as_text(groups: Groups) -> None:
    """Headings, tables and lists are those of any other run: no link, no image, no HTML, no further cell."""
    for texts in groups:
        written, expected = markdown_of(run_with(texts)), plain_markdown()
        assert is_shown(written), texts
        assert markdown_skeleton(written) == markdown_skeleton(expected), texts
        assert pipes(written) == pipes(expected), texts
        shown = "".join(inner.content for token in MARKDOWN.parse(written) for inner in token.children or ())
        assert [text for text in texts if text == text.strip() and printable(text) not in shown] == []


def html_of(run: Run) -> str:
    """Write all tables of a run as HTML."""
    summary = summary_tables(run, 80, "show last --full")
    return tables_to_html([*summary, *run_tables(run), baseline_table(run, run.cases[0])])


@cache
def plain_html() -> HtmlParts:
    """Read the HTML of the run with which the others are compared."""
    return html_parts(html_of(benign()))


@each_run
def test_html_has_hostile_texts_as_text(groups: Groups) -> None:
    """Elements and attributes are those of any other run."""
    for texts in groups:
        written = html_of(run_with(texts))
        assert is_shown(written), texts
        found = html_parts(written)
        assert found.tags == plain_html().tags, texts
        assert [text for text in texts if len(text) < 100 and printable(text).strip() not in found.text] == []


def cells_of(run: Run) -> list[list[str]]:
    """Read a run's CSV as another program does."""
    return list(csv.reader(io.StringIO(to_csv(run))))


@cache
def plain_cells() -> list[list[str]]:
    """Read the CSV of the run with which the others are compared."""
    return cells_of(benign())


@each_run
def test_csv_has_the_same_cells_and_no_formula(groups: Groups) -> None:
    for texts in groups:
        rows, expected = cells_of(run_with(texts)), plain_cells()
        assert [len(row) for row in rows] == [len(row) for row in expected], texts
        for row, plain in zip(rows, expected, strict=True):
            for cell, other in zip(row, plain, strict=True):
                assert cell.isprintable(), texts
                if BENIGN in other:
                    assert not cell.startswith(tuple(BEGINNINGS)), texts
                else:
                    assert cell == other, texts


@each_run
def test_json_keeps_hostile_texts(groups: Groups) -> None:
    for texts in groups:
        run = run_with(texts)
        written = to_json(run)
        assert written.isascii(), texts
        assert is_shown(written), texts
        assert run_from_bytes(written.encode()) == run, texts


@each_run
def test_progress_shows_hostile_texts(groups: Groups) -> None:
    """In plain lines and on a terminal, where none of them is an escape sequence."""
    for texts in groups:
        run = run_with(texts)
        experiment = Experiment(texts[0], run.cases, {}, 8, None, 60, 10, 1)
        plain = io.StringIO()
        console = Console(file=plain, width=200)
        _observed(PlainProgress(console, RunProgress(lambda: 0.0)), experiment, run.trials)
        assert is_shown(plain.getvalue()), texts
        lively = io.StringIO()
        console = Console(
            file=lively, width=200, force_terminal=True, color_system=None, legacy_windows=False
        )
        with live_drawing(console) as live:
            _observed(LiveProgress(live, RunProgress(lambda: 0.0)), experiment, run.trials)
        assert is_shown(OWN_ESCAPES.sub("", lively.getvalue())), texts


def _observed(progress: Observer, experiment: Experiment, measured: Iterable[Measurement]) -> None:
    """Call every method of an observer."""
    progress.run_started(experiment, (), {})
    for trial in measured:
        progress.trial_started(experiment.cases[0].id, trial.block)
        progress.trial_ended(trial)
    progress.case_stopped(experiment.cases[0].id, Stop("given up", 3))
    progress.block_ended(0)


@pytest.mark.parametrize("verbose", [True, False])
def test_download_shows_hostile_countries_and_outcomes(*, verbose: bool) -> None:
    for text in HOSTILE.values():
        stream = io.StringIO()
        console = Console(file=stream, width=200)
        with DownloadProgress(console, console, 3, verbose=verbose) as progress:
            progress.announce(text, [text], 5)
            for event in (Fetched(text, text, text), Fetched(text, "ok", text), FutureObserved(text, text)):
                progress.show(event)
            progress.print_counts(None)
        assert is_shown(stream.getvalue())


def test_error_that_quotes_hostile_text_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    good = run_to_json(short_run(BENIGN))
    for number, text in enumerate(HOSTILE.values()):
        damage = ({f"a{text}": 1}, {"trials": text}, {"schema": text})[number % 3]
        (tmp_path / "run.json").write_text(json.dumps(good | damage), encoding="ascii")
        assert call(monkeypatch, "show", str(tmp_path)) == 5
        said = capsys.readouterr()
        assert said.err.startswith("error[results]: ")
        assert said.err.endswith("\n")
        assert said.err[:-1].isprintable()
        assert said.out == ""


def test_list_shows_runs_with_hostile_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    for number, text in enumerate(HOSTILE.values()):
        folder = tmp_path / f"results/runs/{number:03}"
        folder.mkdir(parents=True)
        (folder / "run.json").write_text(to_json(short_run(text)), encoding="ascii")
    (folder / "run.json").write_text(json.dumps({"schema": 2, "\x1b[2J": 1}), encoding="ascii")
    assert call(monkeypatch, "list", "runs") == 0
    said = capsys.readouterr().out
    assert is_shown(said)
    assert said.count("partial") == len(HOSTILE) - 1
    assert "unreadable" in said
