"""Data frames have the columns and figures of the exports, and the types of their columns."""

import csv
import io
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, get_args

import pandas as pd
import polars as pl
import pytest

from bench.errors import SetupError, UnreadableResultError, UsageError
from bench.model.results import Run
from bench.model.round_spans import FetchSpan, RequestSpan, RoundSpans, pack_spans
from bench.report.export import data_frame
from bench.report.export.csv import to_csv, to_trials_csv
from bench.report.export.data_frame import FRAMES, Backend, FrameKind, to_frame
from bench.stats.verdicts import run_verdicts
from bench.system.optional_dependencies import Extra, install_command
from tests.builders import case, failed, round_of, run_of, trials
from tests.comparisons import CANDIDATE, comparison_run

QUICK, GONE = case(), case("asyncio_gather", "aiohttp", 5)
TIMES_S: Final = (0.031, 0.024, 0.025, 0.023, 0.027, 0.022, 0.026)
PANDAS: Final = {"text": "string", "integer": "Int64", "number": "float64", "truth": "boolean"}
POLARS: Final = {"text": pl.String, "integer": pl.Int64, "number": pl.Float64, "truth": pl.Boolean}

each_backend = pytest.mark.parametrize("backend", get_args(Backend))


def some_run() -> Run:
    """Build a run of a case that succeeded but once, and of one that never did."""
    gone = [failed(GONE, block, "error", "it raised") for block in range(3)]
    return run_of({QUICK: [*trials(QUICK, TIMES_S), failed(QUICK, 7, "crash", "it fell")], GONE: gone})


def some_comparison() -> Run:
    """Build a comparison with a slower candidate in one case, and failed trials in the other."""

    def elapsed_s(of: Any, block: int) -> Any:
        if of.strategy == GONE.strategy:
            return "crash"
        return (0.03 if of.variant == CANDIDATE else 0.02) + block / 1e5

    return comparison_run(QUICK, GONE, elapsed_s=elapsed_s)


def values_of(frame: Any) -> dict[str, list[Any]]:
    """Return the values of each column as Python has them; None is a missing one."""
    if isinstance(frame, pl.DataFrame):
        return frame.to_dict(as_series=False)
    return {name: [None if pd.isna(value) else value for value in frame[name]] for name in frame.columns}


def types_of(frame: Any) -> dict[str, Any]:
    """Return the type of each column."""
    if isinstance(frame, pl.DataFrame):
        return dict(frame.schema)
    return {name: str(kind) for name, kind in frame.dtypes.items()}


def written(value: object) -> str:
    """Write a value as CSV does."""
    return "" if value is None else str(value)


def is_alike(cell: str, value: Any) -> bool:
    """Tell whether a cell of CSV has this value; a figure without decimals may be an integer there."""
    return cell == written(value) or (isinstance(value, float) and cell != "" and float(cell) == value)


@each_backend
@pytest.mark.parametrize(("kind", "write"), [("cases", to_csv), ("trials", to_trials_csv)])
@pytest.mark.parametrize("run", [some_run(), some_comparison()], ids=["run", "comparison"])
def test_frame_has_the_cells_of_the_csv(run: Run, kind: FrameKind, write: Any, backend: Backend) -> None:
    header, *rows = csv.reader(io.StringIO(write(run)))
    values = values_of(to_frame(run, kind, backend))
    assert [*values] == header
    for name, cells in zip(header, zip(*rows, strict=True), strict=True):
        assert len(values[name]) == len(cells)
        for cell, value in zip(cells, values[name], strict=True):
            assert is_alike(cell, value), (name, cell, value)


@each_backend
@pytest.mark.parametrize("kind", ["cases", "trials", "verdicts"])
def test_columns_keep_their_types_where_values_are_missing(kind: FrameKind, backend: Backend) -> None:
    """Integers are integers, and an unknown truth is not False."""
    types: Mapping[str, Any] = PANDAS if backend == "pandas" else POLARS
    expected = {name: types[column.kind] for name, column in FRAMES[kind].columns.items()}
    frame = to_frame(some_comparison(), kind, backend)
    assert types_of(frame) == expected
    missing = {name for name, values in values_of(frame).items() if None in values}
    assert missing
    nothing_measured = replace(some_comparison(), trials=())
    assert types_of(to_frame(nothing_measured, kind, backend)) == expected


@each_backend
def test_failed_trial_has_missing_counts_and_no_zeros(backend: Backend) -> None:
    last = {name: values[-1] for name, values in values_of(to_frame(some_run(), "trials", backend)).items()}
    assert (last["case"], last["outcome"], last["block"]) == (GONE.id, "error", 2)
    assert {last[name] for name in ("round", "elapsed_s", "fetches_ok", "server_requests", "calls")} == {None}


@each_backend
def test_large_counts_are_exact(backend: Backend) -> None:
    """A missing value beside them would make NumPy round them."""
    largest = 2**63 - 1
    (good,) = trials(QUICK, [0.02])
    run = run_of(
        {QUICK: [replace(good, rounds=(round_of(0.02, ok=largest),)), failed(QUICK, 1, "error", "x")]}
    )
    assert values_of(to_frame(run, "trials", backend))["fetches_ok"] == [3, largest, None]
    with pytest.raises(UnreadableResultError, match="a count does not fit into 64 bits"):
        to_frame(replace(run, trials=(replace(good, rounds=(round_of(0.02, ok=2**63),)),)), "trials", backend)


@each_backend
def test_verdicts_are_those_of_the_comparison(backend: Backend) -> None:
    run = some_comparison()
    values = values_of(to_frame(run, "verdicts", backend))
    metrics = run_verdicts(run).metrics
    assert values["case"] == [QUICK.id, GONE.id]
    assert values["verdict"] == ["slower", "inconclusive"]
    assert values["why"] == [each.why for each in metrics]
    assert metrics[0].ratio is not None
    assert values["ratio"] == [metrics[0].ratio.estimate, None]
    assert values["ratio_low"] == [metrics[0].ratio.low, None]
    assert values["ratio_high"] == [metrics[0].ratio.high, None]
    assert values["blocks"] == [metrics[0].blocks, 0]


FETCH: Final = FetchSpan("BR", "ok", 0.001, 0.020, 0.021)
REQUEST: Final = RequestSpan("CN", 7, 0, "stall", 0.003, 0.013, 0.014)


@each_backend
def test_fetches_and_requests_are_those_of_successful_trials(backend: Backend) -> None:
    packed = pack_spans(RoundSpans(0.05, (FETCH,), (REQUEST,), 1, 1))
    first, second, third = trials(QUICK, TIMES_S[:3])
    discarded = replace(first, outcome="invalid", spans=packed)
    measured = [discarded, replace(first, attempt=1, spans=packed), replace(second, spans=packed), third]
    run = run_of({QUICK: measured})
    about = {"case": [QUICK.id] * 2, "block": [0, 1]}
    fetches, requests = to_frame(run, "fetches", backend), to_frame(run, "requests", backend)
    tables: tuple[tuple[Any, FetchSpan | RequestSpan, FrameKind], ...]
    tables = ((fetches, FETCH, "fetches"), (requests, REQUEST, "requests"))
    for frame, span, kind in tables:
        assert values_of(frame) == {**about, **{name: [each] * 2 for name, each in span._asdict().items()}}
        types: Mapping[str, Any] = PANDAS if backend == "pandas" else POLARS
        assert types_of(frame) == {name: types[each.kind] for name, each in FRAMES[kind].columns.items()}


@pytest.mark.parametrize("kind", ["fetches", "requests"])
def test_run_without_stored_fetches_has_no_frame_of_them(kind: FrameKind) -> None:
    with pytest.raises(UsageError, match=r"has no requests to export.*; measure it again"):
        to_frame(some_run(), kind)


def test_damaged_fetches_are_named_with_their_place() -> None:
    (good,) = trials(QUICK, [0.02])
    with pytest.raises(UnreadableResultError, match=f"{QUICK.id}, block 1: not the spans of a round"):
        to_frame(run_of({QUICK: [replace(good, spans="AAAA")]}), "fetches")


def test_run_without_variants_has_no_frame_of_verdicts() -> None:
    with pytest.raises(UsageError, match="compares no two variants; measure a comparison with `ab`"):
        to_frame(some_run(), "verdicts")


def test_numbers_work_with_numpy() -> None:
    """Their missing values are NaN, not an object of pandas."""
    frame = to_frame(some_run(), "cases", "pandas")
    assert [math.isnan(value) for value in frame["median_elapsed_s"].to_numpy()] == [False, True]


@pytest.mark.parametrize(
    ("installed", "expected"),
    [
        (("pandas", "polars"), pd.DataFrame),
        (("pandas",), pd.DataFrame),
        (("polars",), pl.DataFrame),
    ],
)
def test_frame_is_of_the_library_that_is_installed(
    installed: tuple[str, ...], expected: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_frame, "find_spec", lambda name: name if name in installed else None)
    assert isinstance(to_frame(some_run(), "cases"), expected)


@pytest.mark.parametrize(
    ("backend", "message"),
    [
        (None, f"needs pandas or polars, which are not installed; {install_command('notebook', 'pandas')}"),
        ("pandas", f"needs pandas, which is not installed; {install_command('notebook', 'pandas')}"),
        ("polars", f"needs polars, which is not installed; {install_command('notebook', 'polars')}"),
    ],
)
def test_missing_library_is_named_with_its_remedy(
    backend: Backend | None, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_frame, "find_spec", lambda _: None)
    with pytest.raises(SetupError) as caught:
        to_frame(some_run(), "cases", backend)
    assert message in str(caught.value)


def test_missing_extra_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_frame, "NOTEBOOK", Extra("notebook", ("no_such_module",)))
    with pytest.raises(SetupError, match=f"needs no_such_module.*{re.escape(install_command('notebook'))}"):
        to_frame(some_run(), "cases")


def test_unknown_kind_and_backend_are_refused() -> None:
    kind: Any = "rounds"
    with pytest.raises(
        UsageError, match="no frame 'rounds'; choose from cases, trials, fetches, requests or"
    ):
        to_frame(some_run(), kind)
    backend: Any = "excel"
    with pytest.raises(UsageError, match="no backend 'excel'; choose from pandas or polars"):
        to_frame(some_run(), "cases", backend)
