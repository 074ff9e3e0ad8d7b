"""Variants, metrics and thresholds of a config."""

import re
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.config.thresholds import BOUND_EDITOR, parse_threshold, unmatched_patterns
from bench.model.comparison import DEFAULT_METRICS, Bound, ComparisonSettings, Metric, Variant
from tests.builders import case
from tests.config_catalog import experiment_of, problems_of

DOCS = Path(__file__).parents[2] / "docs"
POOL = "clients: requests\nstrategies: [threadpool_map, sequential]\n"


def _settings(folder: Path, text: str) -> ComparisonSettings:
    file = folder / "c.yaml"
    file.write_text(text + POOL)
    return experiment_of(file).comparison_settings


def _problems(folder: Path, text: str) -> list[str]:
    file = folder / "c.yaml"
    file.write_text(text)
    return problems_of(file)


def test_defaults_of_a_comparison(tmp_path: Path) -> None:
    settings = _settings(tmp_path, "")
    assert settings == ComparisonSettings()
    assert settings.metrics == DEFAULT_METRICS
    assert settings.margin("threadpool_map/requests/20/local") == 0.05


def test_variants_as_mappings_and_as_text_are_equal(tmp_path: Path) -> None:
    long = "variants:\n- {rev: main, python: 3.10}\n- {requirements: [httpx==0.27.2, aiohttp==3.11]}\n"
    short = "variants:\n- rev=main,python=3.10\n- requirements=httpx==0.27.2,requirements=aiohttp==3.11\n"
    expected = (
        Variant(rev="main", python="3.10"),
        Variant(requirements=("httpx==0.27.2", "aiohttp==3.11")),
    )
    assert _settings(tmp_path, long).variants == _settings(tmp_path, short).variants == expected


def test_empty_mapping_is_the_current_folder(tmp_path: Path) -> None:
    assert _settings(tmp_path, "variants: [main, {}]\n").variants == (Variant("main"), Variant())
    assert _settings(tmp_path, "variants: [main, main]\n").variants == (Variant("main"), Variant("main"))


def test_paths_of_variants_are_relative_to_the_config(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "python").touch()
    (tmp_path / "config").mkdir()
    monkeypatch.chdir("/")
    written = "variants: [path=../here, {path: .., python: ../here/python}]\n"
    variants = _settings(tmp_path / "config", written).variants
    assert variants is not None
    base, candidate = variants
    assert base == Variant(path=tmp_path / "here")
    assert candidate.path == tmp_path
    assert Path(candidate.python).samefile(tmp_path / "here" / "python")
    assert base.label == "here"


@pytest.mark.parametrize(
    ("written", "metrics"),
    [("cpu", ("cpu",)), ("[memory, elapsed]", ("elapsed", "memory")), ("[p99]", ("p99",))],
)
def test_metrics_are_put_into_one_order(tmp_path: Path, written: str, metrics: tuple[Metric, ...]) -> None:
    assert _settings(tmp_path, f"metrics: {written}\n").metrics == metrics


def test_margin_is_that_of_the_last_matching_pattern(tmp_path: Path) -> None:
    settings = _settings(tmp_path, "thresholds: {'*/requests/*': 2%, threadpool_*: [errors == 0, 0.1]}\n")
    assert settings.margin("threadpool_map/requests/20/local") == 0.1
    assert settings.margin("sequential/requests/1/local") == 0.02
    assert settings.margin("sequential/httpx/1/local") == 0.05


def test_bounds_are_read_in_the_unit_of_their_figure(tmp_path: Path) -> None:
    settings = _settings(
        tmp_path,
        "thresholds:\n  't*': [p99 < 80ms, elapsed<=1.5s, cpu  >  0.2m]\n"
        "  sequential/*: [memory < 80MiB, efficiency >= 70%, errors == 0]\n",
    )
    assert settings.bounds == (
        Bound("t*", "p99", "<", 0.08),
        Bound("t*", "elapsed", "<=", 1.5),
        Bound("t*", "cpu", ">", 12.0),
        Bound("sequential/*", "memory", "<", 80 * 2**20),
        Bound("sequential/*", "efficiency", ">=", 0.7),
        Bound("sequential/*", "errors", "==", 0),
    )
    assert settings.margins == ComparisonSettings().margins


def test_pattern_may_match_a_client_that_is_not_installed(tmp_path: Path) -> None:
    written = "clients: [requests, pycurl]\nstrategies: threadpool_map\nthresholds: {{'*/{}/*': 3%}}\n"
    assert _problems(tmp_path, written.format("pycurl")) == []
    assert _problems(tmp_path, written.format("httpx")) == [
        "c.yaml:3:14 thresholds.'*/httpx/*': matches no case"
    ]


def test_problems_of_several_keys_are_reported_at_once(tmp_path: Path) -> None:
    rest = (
        "variants: [main]\nmetrics: latncy\nthresholds: {t*: p98 < 80ms}\nblocks: 0\n"
        "strategies: threadpool_map\n"
    )
    assert [line.split()[0] for line in _problems(tmp_path, rest)] == [
        "c.yaml:1:11",
        "c.yaml:2:10",
        "c.yaml:3:18",
        "c.yaml:4:9",
    ]
    unfit = "blocks: 0\nthresholds:\n  zz: 5%\n  t*: 5%\n  yy: 5%\nstrategies: threadpool_map\n"
    assert [line.split()[0] for line in _problems(tmp_path, unfit)] == [
        "c.yaml:1:9",
        "c.yaml:3:3",
        "c.yaml:5:3",
    ]
    assert [
        line.split()[0] for line in _problems(tmp_path, "thresholds: {zz: 5%}\nstrategies: treadpool\n")
    ] == ["c.yaml:2:13"]


def test_patterns_are_not_checked_against_too_many_cases(tmp_path: Path) -> None:
    workers = ", ".join(map(str, range(1, 195)))
    profiles = ", ".join(f"{{latency: {i}ms}}" for i in range(60))
    text = (
        f"countries: all\nclients: requests\nworkers: [{workers}]\nprofiles: [{profiles}]\n"
        "thresholds: {zz: 5%}\nstrategies: threadpool_map\n"
    )
    assert _problems(tmp_path, text) == ["c.yaml:1:1: makes up to 11,640 cases; the limit is 10,000"]


def test_example_in_the_docs_is_valid(tmp_path: Path) -> None:
    _, _, section = (DOCS / "config.md").read_text("utf-8").partition("## Two variants against each other\n")
    example = section.split("```")[1].removeprefix("yaml\n")
    file = tmp_path / "c.yaml"
    file.write_text(example + "strategies: [processpool_map, asyncio_gather]\n")
    settings = experiment_of(file).comparison_settings
    assert settings.margin("processpool_map/requests/20/local") == 0.1
    assert [each.figure for each in settings.bounds] == ["errors", "p99", "efficiency"]


@given(st.text(max_size=30))
def test_pattern_is_reported_if_it_matches_no_case_as_in_a_shell(pattern: str) -> None:
    one = case()
    assert bool(unmatched_patterns([pattern], [one])) == (not fnmatchcase(one.id, pattern))


@given(
    st.sampled_from(["elapsed", "p99", "cpu", "memory", "efficiency", "errors"]),
    st.sampled_from(["<", "<=", ">", ">="]),
    st.sampled_from(["1ms", "1.5s", "2m", "10KiB", "0.5MB", "70%", "0.7", "1", "0", "many"]),
    st.sampled_from(["", " ", "   "]),
)
def test_bound_that_is_read_is_accepted_by_an_editor(
    figure: str, relation: str, value: str, space: str
) -> None:
    text = f"{figure}{space}{relation}{space}{value}"
    try:
        bound = parse_threshold(text)
    except ValueError:
        return
    assert isinstance(bound, Bound)
    assert (bound.figure, bound.relation) == (figure, relation)
    assert re.search(BOUND_EDITOR["pattern"], text)
