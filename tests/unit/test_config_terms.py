"""What a config says of a contest: variants, metrics, margins and bounds."""

import re
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.config.thresholds import BOUND, bound, idle, is_bound
from bench.model.comparison import DEFAULT_METRICS, Bound, ComparisonSettings, Metric, Variant
from tests.builders import case
from tests.config_catalog import experiment_of, problems_of

DOCS = Path(__file__).parents[2] / "docs"
POOL = "clients: requests\nstrategies: [threadpool_map, sequential]\n"


def _terms(folder: Path, text: str) -> ComparisonSettings:
    file = folder / "c.yaml"
    file.write_text(text + POOL)
    return experiment_of(file).terms


def _problems(folder: Path, text: str) -> list[str]:
    file = folder / "c.yaml"
    file.write_text(text)
    return problems_of(file)


def test_a_config_that_says_nothing_leaves_what_is_usual(tmp_path: Path) -> None:
    """No variants, elapsed and p99, 5 %, no bounds."""
    terms = _terms(tmp_path, "")
    assert terms == ComparisonSettings()
    assert terms.metrics == DEFAULT_METRICS
    assert terms.margin("threadpool_map/requests/20/local") == 0.05


def test_variants_are_written_long_or_short(tmp_path: Path) -> None:
    """What is written either way is the same variant."""
    long = "variants:\n- {rev: main, python: 3.10}\n- {requirements: [httpx==0.27.2, aiohttp==3.11]}\n"
    short = "variants:\n- rev=main,python=3.10\n- requirements=httpx==0.27.2,requirements=aiohttp==3.11\n"
    expected = (
        Variant(rev="main", python="3.10"),
        Variant(requirements=("httpx==0.27.2", "aiohttp==3.11")),
    )
    assert _terms(tmp_path, long).variants == _terms(tmp_path, short).variants == expected


def test_an_empty_mapping_is_the_current_folder(tmp_path: Path) -> None:
    """As where the command line names no candidate; and a variant may meet itself."""
    assert _terms(tmp_path, "variants: [main, {}]\n").variants == (Variant("main"), Variant())
    assert _terms(tmp_path, "variants: [main, main]\n").variants == (Variant("main"), Variant("main"))


def test_paths_of_variants_are_counted_from_the_configs_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trees and interpreters, written long or short, and named as what they are, however they are reached."""
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "python").touch()
    (tmp_path / "config").mkdir()
    monkeypatch.chdir("/")
    written = "variants: [path=../here, {path: .., python: ../here/python}]\n"
    variants = _terms(tmp_path / "config", written).variants
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
def test_metrics_are_one_or_some_in_one_order(
    tmp_path: Path, written: str, metrics: tuple[Metric, ...]
) -> None:
    """The same choice is the same setting, however it is written."""
    assert _terms(tmp_path, f"metrics: {written}\n").metrics == metrics


def test_the_last_pattern_that_fits_says_the_margin(tmp_path: Path) -> None:
    """In the file's order; 5 % where none has a share."""
    terms = _terms(tmp_path, "thresholds: {'*/requests/*': 2%, threadpool_*: [errors == 0, 0.1]}\n")
    assert terms.margin("threadpool_map/requests/20/local") == 0.1
    assert terms.margin("sequential/requests/1/local") == 0.02
    assert terms.margin("sequential/httpx/1/local") == 0.05


def test_bounds_have_the_unit_of_their_figure(tmp_path: Path) -> None:
    """Seconds, bytes, shares and counts; spaces are as one likes."""
    terms = _terms(
        tmp_path,
        "thresholds:\n  't*': [p99 < 80ms, elapsed<=1.5s, cpu  >  0.2m]\n"
        "  sequential/*: [memory < 80MiB, efficiency >= 70%, errors == 0]\n",
    )
    assert terms.bounds == (
        Bound("t*", "p99", "<", 0.08),
        Bound("t*", "elapsed", "<=", 1.5),
        Bound("t*", "cpu", ">", 12.0),
        Bound("sequential/*", "memory", "<", 80 * 2**20),
        Bound("sequential/*", "efficiency", ">=", 0.7),
        Bound("sequential/*", "errors", "==", 0),
    )
    assert terms.margins == ComparisonSettings().margins


def test_a_pattern_may_be_of_a_client_that_is_not_installed(tmp_path: Path) -> None:
    """The config is the same on another machine, and sound on both."""
    written = "clients: [requests, pycurl]\nstrategies: threadpool_map\nthresholds: {{'*/{}/*': 3%}}\n"
    assert _problems(tmp_path, written.format("pycurl")) == []
    assert _problems(tmp_path, written.format("httpx")) == [
        "c.yaml:3:14 thresholds.'*/httpx/*': fits no case"
    ]


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    """A fault of another key hides none of these, unless it leaves open which cases there are."""
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


def test_patterns_of_too_many_cases_are_left_to_that_fault(tmp_path: Path) -> None:
    """To multiply them would take long, and the config is refused anyway."""
    workers = ", ".join(map(str, range(1, 195)))
    profiles = ", ".join(f"{{latency: {i}ms}}" for i in range(60))
    text = (
        f"countries: all\nclients: requests\nworkers: [{workers}]\nprofiles: [{profiles}]\n"
        "thresholds: {zz: 5%}\nstrategies: threadpool_map\n"
    )
    assert _problems(tmp_path, text) == ["c.yaml:1:1: makes up to 11,640 cases, at most 10,000"]


def test_the_example_of_the_docs_is_sound(tmp_path: Path) -> None:
    """Whoever copies it needs strategies only."""
    _, _, section = (DOCS / "config.md").read_text("utf-8").partition("## Two variants against each other\n")
    example = section.split("```")[1].removeprefix("yaml\n")
    file = tmp_path / "c.yaml"
    file.write_text(example + "strategies: [processpool_map, asyncio_gather]\n")
    terms = experiment_of(file).terms
    assert terms.margin("processpool_map/requests/20/local") == 0.1
    assert [each.figure for each in terms.bounds] == ["errors", "p99", "efficiency"]


@given(st.text(max_size=30))
def test_a_pattern_is_idle_if_the_shell_would_say_so(pattern: str) -> None:
    """Whatever it is made of; no pattern makes the search fail."""
    one = case()
    assert bool(idle([pattern], [one])) == (not fnmatchcase(one.id, pattern))


@given(st.from_regex(re.compile(BOUND["pattern"]), fullmatch=True))
def test_what_an_editor_takes_for_a_bound_is_read_as_one(text: str) -> None:
    """The two say the same of each."""
    assert is_bound(text)
    read = bound(text)
    assert text.startswith(read.figure)
    assert read.value >= 0
