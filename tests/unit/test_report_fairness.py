"""The fairness table of a run, and that of its libraries."""

from collections.abc import Mapping
from dataclasses import replace

from bench.model.cases import NO_CLIENT, Case, Profile
from bench.model.job_use import JobUse
from bench.model.results import Measurement, Run
from bench.model.worker_runtime import ImportedLibrary, WorkerRuntime
from bench.report.fairness import shorten_files
from bench.report.results_table import run_tables
from bench.report.summary_table import summary_tables
from bench.report.table import Table
from tests.builders import case, round_of, run_of, trials
from tests.rendering import printed

LOOP = case("asyncio_gather", "aiohttp", workers=20)
POOL = case("threadpool_map", "requests", workers=5)
OWN = case("chapter", NO_CLIENT, workers=3)
PACKAGES = "~/venv/lib/python3.13/site-packages"


def library(module: str, version: str, importer: str = "client", folder: str = PACKAGES) -> ImportedLibrary:
    file = f"{folder}/{module}/__init__.py"
    return ImportedLibrary(module, importer, module, version, file)  # type: ignore[arg-type]


def measured(of: Case, *libraries: ImportedLibrary, loop: str = "", **probes: float) -> list[Measurement]:
    """Build a trial of a case, with what its worker reported."""
    (trial,) = trials(of, [0.05])
    runtime = WorkerRuntime("CPython 3.13.0", has_gil=True, libraries=libraries)
    use = JobUse((), workers=True, event_loops=(loop,) if loop else ())
    return [replace(trial, runtime=runtime, job_use=use, rounds=(replace(round_of(0.05), probes=probes),))]


def tables(measured_cases: Mapping[Case, list[Measurement]], **config: object) -> dict[str, Table]:
    run = run_of(measured_cases)
    return {each.title: each for each in run_tables(replace(run, config={**run.config, **config}))}


def column(table: Table, heading: str) -> list[str]:
    place = [each.heading for each in table.columns].index(heading)
    return [row.cells[place] for row in table.rows]


def both() -> dict[Case, list[Measurement]]:
    return {
        LOOP: measured(
            LOOP,
            library("aiohttp", "3.14.5"),
            library("uvloop", "0.23.0", "strategy"),
            loop="uvloop.Loop",
            gc_collections=0.3,
            blocks_grown=30.0,
        ),
        POOL: measured(POOL, library("requests", "2.34.2")),
    }


def test_each_case_has_version_loop_connections_and_collections() -> None:
    """What was not measured is a dash."""
    table = tables(both())["fairness"]
    assert column(table, "version") == ["3.14.5", "2.34.2"]
    assert column(table, "loop") == ["uvloop", "–"]
    assert column(table, "keep alive") == ["yes", "yes"]
    assert column(table, "conns opened") == ["3", "3"]
    assert column(table, "fetches per conn") == ["1.00", "1.00"]
    assert column(table, "GC per 1,000") == ["100", "–"]
    assert column(table, "blocks per 1,000") == ["10,000", "–"]


def test_settings_that_all_clients_have_are_one_sentence() -> None:
    (remark,) = tables(both(), request_timeout_s=5.0, largest_bytes=1 << 23)["fairness"].remarks
    assert remark.text == (
        "Every client is opened with HTTP/1.1, no TLS, 5 s for a fetch, bodies up to 8 MiB and no more "
        "connections than workers; retries, redirects, cookies, decoding and proxies of the environment "
        "are off."
    )


def test_the_sentence_names_the_protocol_of_the_profile() -> None:
    far = replace(LOOP, profile=Profile("far", tls=True, http2=True))
    (remark,) = tables({far: measured(far)})["fairness"].remarks
    assert remark.text.startswith(
        "Every client is opened with HTTP/2, TLS with the certificate authority of the run only"
    )


def test_a_strategy_with_a_library_of_its_own_shows_that_library_and_no_settings() -> None:
    found = tables({OWN: measured(OWN, library("httpx", "0.28.1", "strategy"))})
    table = found["fairness"]
    assert column(table, "version") == ["0.28.1"]
    assert "keep alive" not in [each.heading for each in table.columns]
    assert table.remarks == ()
    assert column(found["libraries"], "by") == ["chapter"]


def test_a_client_of_the_standard_library_has_its_version() -> None:
    """A module that only the strategy imports is not its version."""
    plain = replace(LOOP, client="asyncio_streams")
    uvloop = library("uvloop", "0.23.0", "strategy")
    assert column(tables({plain: measured(plain, uvloop)})["fairness"], "version") == ["stdlib"]


def test_a_client_with_several_libraries_names_those_unless_one_is_called_like_it() -> None:
    several = (library("httpcore", "1.0.9"), library("httpx", "0.28.1"))
    httpx, mine = replace(LOOP, client="httpx"), replace(LOOP, client="mine.get")
    table = tables({httpx: measured(httpx, *several), mine: measured(mine, *several)})["fairness"]
    assert column(table, "version") == ["0.28.1", "httpcore 1.0.9, httpx 0.28.1"]


def test_libraries_name_their_place_and_who_imports_them() -> None:
    table = tables(both())["libraries"]
    assert [row.cells for row in table.rows] == [
        ("aiohttp", "3.14.5", "site-packages/aiohttp", "aiohttp"),
        ("requests", "2.34.2", "site-packages/requests", "requests"),
        ("uvloop", "0.23.0", "site-packages/uvloop", "aiohttp"),
    ]
    assert table.note == "CPython 3.13.0, GIL enabled, as the workers imported them"


def test_a_library_of_some_cases_of_a_client_names_their_strategies() -> None:
    plain = replace(LOOP, strategy="asyncio_queue")
    measured_cases = {**both(), plain: measured(plain, library("aiohttp", "3.14.5"))}
    rows = {row.cells[0]: row.cells[3] for row in tables(measured_cases)["libraries"].rows}
    assert rows == {"aiohttp": "aiohttp", "requests": "requests", "uvloop": "asyncio_gather"}


def test_a_fork_and_a_library_from_elsewhere_are_recognised() -> None:
    fork = ImportedLibrary(
        "urllib3", "client", "urllib3-future", "2.25.904", f"{PACKAGES}/urllib3/__init__.py"
    )
    local = ImportedLibrary("requests", "client", "", "", "~/work/requests/__init__.py")
    pool = replace(POOL, client="urllib3")
    table = tables({pool: measured(pool, fork), POOL: measured(POOL, local)})["libraries"]
    assert [row.cells[:3] for row in table.rows] == [
        ("requests", "–", "~/work/requests"),
        ("urllib3 (urllib3-future)", "2.25.904", "site-packages/urllib3"),
    ]


def test_python_and_gil_are_columns_if_they_differ() -> None:
    cases = both()
    other = WorkerRuntime("CPython 3.14.0", has_gil=False, libraries=())
    cases[POOL] = [replace(trial, runtime=other) for trial in cases[POOL]]
    table = tables(cases)["fairness"]
    assert column(table, "Python") == ["CPython 3.13.0", "CPython 3.14.0"]
    assert column(table, "GIL") == ["yes", "no"]
    assert "Python" not in [each.heading for each in tables(both())["fairness"].columns]


def test_files_are_shortened_as_long_as_they_stay_distinct() -> None:
    tag = "cpython-313-x86_64-linux-gnu"
    assert shorten_files(
        [f"{PACKAGES}/pycurl.{tag}.so", "/usr/lib/python3/dist-packages/h2/__init__.py", ""]
    ) == {
        f"{PACKAGES}/pycurl.{tag}.so": "site-packages/pycurl.so",
        "/usr/lib/python3/dist-packages/h2/__init__.py": "dist-packages/h2",
        "": "",
    }
    two = [f"{PACKAGES}/httpx/__init__.py", "~/old/site-packages/httpx/__init__.py"]
    assert [*shorten_files(two).values()] == [f"{PACKAGES}/httpx", "~/old/site-packages/httpx"]


def test_texts_of_a_worker_cannot_control_a_terminal() -> None:
    evil = ImportedLibrary("aio\x1b[2Jhttp", "client", "x\x1b", "1\x1b[31m", "/srv/\x1b]0;x\x07")
    run = run_of({LOOP: measured(LOOP, evil, loop="uv\x1bloop.Loop")})
    assert "\x1b" not in printed(run_tables(run), 80)


def test_the_tables_fit_80_columns_and_the_short_table_has_none_of_them() -> None:
    run: Run = run_of(both())
    text = printed(run_tables(run), 80)
    assert max(map(len, text.splitlines())) <= 80
    assert "fairness: " in text
    assert "fairness" not in printed(summary_tables(run, 80, ""), 80)
