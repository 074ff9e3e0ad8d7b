"""``profile-from``: the numbers of a measured file, and nothing else of it."""

import csv
import gzip
import io
import shlex
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from bench.app.select import load_experiment
from bench.config.measured import source_file
from bench.config.measured.figures import SERVERS
from bench.errors import UsageError
from bench.model.body_sizes import SampledSize
from bench.model.cases import Sampled
from tests.access_logs import ADDRESS, EXAMPLES, PATH, SECRETS, USER, Example
from tests.program import call
from tests.readme import console_blocks
from tests.runs import ROOT


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")


def columns(file: Path) -> dict[str, list[float]]:
    """Read the columns of a profile."""
    names, *rows = csv.reader(io.StringIO(file.read_text("ascii")))
    return {name: [float(row[place]) for row in rows] for place, name in enumerate(names)}


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
def test_figures_of_every_format_are_written_and_named(
    example: Example, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("access.log").write_text(example.content, "utf-8")
    assert call(monkeypatch, "profile-from", "access.log", *example.words) == 0
    found = columns(Path("access.profile.csv"))
    assert tuple(found["latency_ms"]) == example.times_ms
    assert tuple(sorted({*found.get("size_bytes", ())})) == example.sizes
    text = " ".join(capsys.readouterr().out.split())
    assert f"Latency is {example.figure}: " in text
    assert "latency, ms 5 " in text
    assert ("size, kB 3 " in text) == bool(example.sizes)


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
def test_printed_keys_are_those_of_a_config(
    example: Example, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its delays are the figures of the file."""
    Path("a b.log").write_text(example.content, "utf-8")
    assert call(monkeypatch, "profile-from", "a b.log", *example.words) == 0
    printed = capsys.readouterr().out
    profile = yaml.safe_load(printed[printed.index("profile:") :])["profile"]
    assert profile["latency"]["sample"] == {"file": "a b.profile.csv", "column": "latency_ms", "unit": "ms"}
    sizes = {"sample": {"file": "a b.profile.csv", "column": "size_bytes", "unit": "B"}}
    assert profile.get("sizes") == (sizes if example.sizes else None)
    config = {"strategies": "sequential", "clients": "requests", "profile": profile}
    Path("mine.yaml").write_text(yaml.safe_dump(config), "ascii")
    (case,) = load_experiment("mine.yaml").cases
    assert isinstance(case.profile.latency, Sampled)
    assert tuple(round(each * 1000, 6) for each in case.profile.latency.values_s) == example.times_ms
    served = case.profile.sizes  # of two columns, the shorter one repeats its values
    assert (
        {*served.values_bytes} == {*example.sizes} if isinstance(served, SampledSize) else not example.sizes
    )


def raised(monkeypatch: pytest.MonkeyPatch, *words: str) -> str:
    """Return the traceback that a command prints with --debug, if it fails."""
    try:
        call(monkeypatch, *words)
    except UsageError as error:
        return "".join(traceback.format_exception(error))
    return ""


WRONG: Sequence[Sequence[str]] = (
    ("--debug",),
    *(("--format", name) for name in ("har", "nginx", "apache", "envoy", "csv")),
    ("--column", "nothing"),
    ("--column", "path", "--unit", "s"),
    ("--column", "path", "--format", "csv"),
    ("--column", "request_time", "--unit", "m", "--size-column", "path"),
    ("--log-format", "$remote_addr $request_time"),
    ("--log-format", "%h %D"),
    ("--log-format", "[%START_TIME%] %DURATION%"),
)


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
def test_no_secret_of_a_file_is_in_any_output(
    words: Sequence[str],
    example: Example,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whether it can be read or not, and whether it is whole, damaged, or of other lines."""
    content = example.content.encode()
    damaged = content.replace(b"0", b"x").replace(b'"', b"'")
    first, *_ = content.splitlines(keepends=True)
    files = (
        content,
        content[: len(content) // 2],
        damaged,
        first,
        20 * first,
        content.swapcase(),
        b"\xff" + content,
    )
    tracebacks: list[str] = []
    for number, data in enumerate(files if words == ("--debug",) else files[:1]):
        (tmp_path / f"{number}.log").write_bytes(data)
        for more in ((), example.words):
            debug = ["--debug"] if words == ("--debug",) else []
            given = [*more, *words[len(debug) :]]
            command = [*debug, "profile-from", f"{number}.log", "--overwrite", *given]
            tracebacks.append(raised(monkeypatch, *command))
    captured = capsys.readouterr()
    written = [file.read_text("ascii") for file in tmp_path.glob("*.csv")]
    for text in (captured.out, captured.err, *written, *tracebacks):
        assert not [secret for secret in SECRETS if secret.lower() in text.lower()]


def test_compressed_file_and_stdin_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    content = EXAMPLES["nginx pairs"].content.encode()
    Path("access.log.1.gz").write_bytes(gzip.compress(content))
    assert call(monkeypatch, "profile-from", "access.log.1.gz") == 0
    expected = Path("access.log.profile.csv").read_bytes()
    for data in (content, gzip.compress(content)):
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BufferedReader(io.BytesIO(data))))
        assert call(monkeypatch, "profile-from", "-", "--overwrite") == 0
        assert Path("stdin.profile.csv").read_bytes() == expected


COMBINED = f'{ADDRESS} - {USER} [30/Nov/2026:03:00:00 +0000] "GET {PATH} HTTP/1.1" 200 1000 "-" "x"\n'
TIMED = f"{COMBINED[:-1]} rt=0.010\n"


@pytest.mark.parametrize(
    ("content", "words", "message"),
    [
        ("", [], "the file is empty"),
        (
            COMBINED,
            [],
            "the format 'combined' or 'common', which has no times; log them in nginx with log_format",
        ),
        (COMBINED, [], 'or in Apache with LogFormat "%h %l %u %t'),
        (COMBINED.replace(' "-" "x"', ""), ["--format", "apache"], "log them in Apache with LogFormat"),
        (
            COMBINED.replace('"x"', '"x" 0.123'),
            [],
            "have no known names; give its format string with --log-format",
        ),
        ("one two\n", [], "the format of the file is not known"),
        ('{"took": 3}\n', [], "the log is JSON without a key of a known time; name the key with --column"),
        ('{"duration": 3}\n', [], "the log is JSON without a key of a known time"),
        (
            '{"request_time": "0.1", "response_flags": "-"}\n',
            [],
            "the log has figures of nginx and Envoy; name its server",
        ),
        (
            '{"status": 200, "rt": 12.345}\n',
            [],
            "nothing else says whose or in which unit; name the time with --column, and its unit with --unit",
        ),
        ("D=12 T=3\n", [], "the log has times named 'D' and 'T', but nothing else says whose"),
        (2 * TIMED, ["--size-column", "none"], "no line has a field 'none'; see --size-column"),
        (2 * TIMED, ["--column", "D"], "'D' is no time of nginx with a known unit; add --unit"),
        (2 * TIMED, ["--unit", "s"], "--unit is that of --column"),
        (2 * TIMED, ["--column", "took", "--unit", "s"], "most lines have no field 'took'"),
        (TIMED, [], "the file has a single time; a profile takes 2"),
        (
            5 * TIMED + "x\n",
            [],
            "1 of 6 lines cannot be read as a log of nginx, more than a tenth; the first are number 6",
        ),
        (9 * TIMED.replace(" 200 ", " 503 "), [], "the file has no answer that counts, of 9 lines"),
        (
            9 * TIMED.replace("0.010", "-"),
            [],
            "less than half of 9 answers have a time: $upstream_header_time in 0",
        ),
        (9 * TIMED.replace("0.010", "10"), [], "9 of 9 lines cannot be read"),
        (
            "a,b\n1,2\n",
            ["--format", "csv"],
            "a CSV file has many columns; name that of the times with --column",
        ),
        ("a,b\n1,2\n", ["--format", "csv", "--column", "c"], "the file has no column 'c', among 2 columns"),
        ("a,a\n1,2\n", ["--column", "a"], "the file has more than one column 'a'"),
        ("a\n1\n2\n", ["--column", "a"], "2 of 2 rows cannot be read as CSV"),
        (
            "a\n1\n2\n",
            ["--column", "a", "--log-format", "%D", "--format", "csv"],
            "--log-format has no meaning for a CSV",
        ),
        (2 * TIMED, ["--log-format", "$status"], "the log format has no time of nginx, Apache or Envoy"),
        (2 * TIMED, ["--log-format", "$request_time $status %D"], "may be one of nginx and apache"),
        (2 * TIMED, ["--log-format", "$status", "--format", "nginx"], "has none of the times of nginx"),
        (2 * TIMED, ["--log-format", "$status$request_time"], "two variables with nothing between them"),
        ('{"log": {}}', [], "no HAR file: it has no log.entries"),
        ('{"log": {"entries": [', [], "the file is no complete JSON document"),
        ('{"log": {"entries": []}}', [], "the file has no answer that counts, of 0 requests"),
        ('{"log": {"entries": []}}', ["--column", "a"], "have no meaning for a HAR file"),
        ("x" * 1_100_000, [], "line 1 is longer than 1 MiB"),
    ],
)
def test_file_without_usable_figures_is_refused_with_a_sentence(
    content: str,
    words: Sequence[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("file").write_text(content, "utf-8")
    assert call(monkeypatch, "profile-from", "file", *words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error[usage]: ")
    assert message in captured.err
    assert not list(Path.cwd().glob("*.csv"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["none.log"], "none.log cannot be read: No such file or directory"),
        (["."], ". cannot be read: Is a directory"),
        (["damaged.gz"], "damaged.gz cannot be read: the gzip data is damaged"),
        (
            ["access.log", "--out", "there.csv"],
            "there.csv exists; name another file with --out, or add --overwrite",
        ),
        (["access.log", "--out", "no/a.csv"], "there is no folder"),
        (["access.log", "--out", "access.log", "--overwrite"], "access.log is the file that is read"),
    ],
)
def test_file_that_cannot_be_read_or_written_is_named(
    words: Sequence[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    content = EXAMPLES["nginx pairs"].content
    Path("access.log").write_text(content, "utf-8")
    Path("damaged.gz").write_bytes(gzip.compress(content.encode())[:-30])
    Path("there.csv").write_text("mine")
    assert call(monkeypatch, "profile-from", *words) == 2
    assert message in capsys.readouterr().err
    assert Path("there.csv").read_text() == "mine"
    assert Path("access.log").read_text("utf-8") == content


def test_keys_are_for_a_config_beside_the_profile(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("configs").mkdir()
    Path("access.log").write_text(2 * TIMED, "utf-8")
    assert call(monkeypatch, "profile-from", "access.log", "--out", "configs/mine.csv") == 0
    captured = capsys.readouterr()
    assert '{file: "mine.csv", column: latency_ms, unit: ms}' in captured.out
    assert captured.err == "wrote configs/mine.csv; for a config beside it:\n"


@pytest.mark.parametrize(
    "name",
    [
        "plain.csv", "null", "~", "1e3", "📈.csv", "a \"b\" 'c'.csv", "a: b.csv", "a #b.csv", "-a.csv",
        "\\u0041", "a\tb\nc", "\x7f\x85\u2028\ufeff\U000f0000",
    ],
)  # fmt: skip
def test_printed_keys_name_any_file(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("access.log").write_text(2 * TIMED, "utf-8")
    assert call(monkeypatch, "profile-from", "access.log", "--out", f"./{name}") == 0
    printed = capsys.readouterr().out
    profile = yaml.safe_load(printed[printed.index("profile:") :])["profile"]
    assert profile["latency"]["sample"] == {"file": name, "column": "latency_ms", "unit": "ms"}
    assert columns(Path(name))["latency_ms"] == [10, 10]


@pytest.mark.parametrize("words", [("\udcff.log",), ("access.log", "--out", "\udcff.csv")])
def test_name_that_no_config_can_have_is_refused(
    words: Sequence[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("access.log", "\udcff.log"):
        Path(name).write_text(2 * TIMED, "utf-8")
    assert call(monkeypatch, "profile-from", *words) == 2
    assert "is not UTF-8, so no config can name it; name another file" in capsys.readouterr().err
    assert not [each for each in Path.cwd().iterdir() if each.suffix == ".csv"]


def test_link_to_a_missing_file_is_a_profile_that_exists(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("access.log").write_text(2 * TIMED, "utf-8")
    Path("link.csv").symlink_to("target.csv")
    words = ("profile-from", "access.log", "--out", "link.csv")
    assert call(monkeypatch, *words) == 2
    assert "link.csv exists; name another file" in capsys.readouterr().err
    assert call(monkeypatch, *words, "--overwrite") == 0
    assert columns(Path("target.csv"))["latency_ms"] == [10, 10]


def test_closed_stdin_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert call(monkeypatch, "profile-from", "-") == 2
    assert capsys.readouterr().err.startswith("error[usage]: stdin is closed; name a file")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (2 * TIMED + 9 * "\n", ()),
        (9 * "\n" + 2 * TIMED, ()),
        ("a\n1\n2\n" + 9 * "\n", ("--column", "a", "--unit", "s")),
    ],
)
def test_blank_lines_count_towards_the_most_that_are_read(
    content: str,
    words: Sequence[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(source_file, "MOST_READ", 10)
    Path("access.log").write_text(content, "utf-8")
    assert call(monkeypatch, "profile-from", "access.log", *words) == 2
    assert "the file has more than 10 lines; take a part of it" in capsys.readouterr().err
    Path("access.log").write_text(content[:-1] if content.endswith("\n\n") else content[1:], "utf-8")
    monkeypatch.setattr(source_file, "MOST_READ", 11)
    assert call(monkeypatch, "profile-from", "access.log", *words) == 0


def test_har_file_with_too_much_text_is_to_be_exported_without_content(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Decompressed, as that is what takes memory."""
    Path("a.har.gz").write_bytes(gzip.compress(b'{"log": {' + b" " * (64 << 20)))
    assert call(monkeypatch, "profile-from", "a.har.gz") == 2
    error = capsys.readouterr().err
    assert "the HAR file has more than 64 MiB of text; export it without content" in error


def test_profile_is_replaced_only_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("access.log").write_text(2 * TIMED, "utf-8")
    assert call(monkeypatch, "profile-from", "access.log") == 0
    assert call(monkeypatch, "profile-from", "access.log") == 2
    Path("access.log").write_text(2 * TIMED.replace("0.010", "0.020"), "utf-8")
    assert call(monkeypatch, "profile-from", "access.log", "--overwrite") == 0
    assert columns(Path("access.profile.csv"))["latency_ms"] == [20, 20]


def test_a_log_that_is_mostly_readable_says_how_much_does_not_count(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [TIMED.replace("010", f"{number:03}") for number in range(20)]
    Path("access.log").write_text("".join([*lines, "x\n", TIMED.replace(" 200 ", " 000 ")]), "utf-8")
    assert call(monkeypatch, "profile-from", "access.log") == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "22 lines; left out: 1 could not be read and 1 failed (no answer, or a status below 200" in text


def test_sizes_that_are_left_out_are_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("access.log").write_text(3 * TIMED.replace(" 1000 ", " 9 ") + 2 * TIMED, "utf-8")
    assert call(monkeypatch, "profile-from", "access.log") == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "there are 2 of 5; left out: 3 smaller than 1,000 B." in text
    assert " sizes: {" not in text
    assert list(columns(Path("access.profile.csv"))) == ["latency_ms"]


def test_commands_of_the_page_about_configs_do_what_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its files are examples of the formats, and the lines to add are those of the message."""
    page = (ROOT / "docs" / "config.md").read_text("utf-8")
    commands = dict(console_blocks(page))["A profile from what you have measured"]
    custom = [f'[30/Nov/2026:03:00:00 +0000] "GET {PATH} HTTP/1.1" 200 0.0{number}0\n' for number in range(9)]
    Path("custom.log").write_text("".join(custom), "utf-8")
    for name, example in (("access.log", "nginx pairs"), ("recorded.har", "HAR"), ("requests.csv", "CSV")):
        Path(name).write_text(EXAMPLES[example].content, "utf-8")
    assert len(commands) == 4
    for command in commands:
        python, dash_m, bench, *words = shlex.split(command)
        assert (python, dash_m, bench) == ("python", "-m", "bench")
        assert call(monkeypatch, *words) == 0
    for server in (SERVERS["nginx"], SERVERS["apache"]):
        assert server.advice in page
    for figure in (figure for server in SERVERS.values() for figure in (*server.times, *server.sizes)):
        assert f"`{figure.name}`" in page
