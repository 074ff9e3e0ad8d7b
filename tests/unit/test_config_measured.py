"""Times and sizes in HAR files, access logs and CSV files."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.config.measured import answers
from bench.config.measured.answers import Measured, Sample
from bench.config.measured.csv_rows import read_csv
from bench.config.measured.figures import SERVERS, ServerName
from bench.config.measured.format_string import parse_format
from bench.config.measured.har import read_har
from bench.config.measured.line_fields import split_json, split_pairs
from bench.config.measured.log_lines import LogOptions, read_log
from bench.config.measured.profile_csv import profile_csv, profile_yaml
from bench.config.measured.source_file import FORMATS, FormatName, read_measured
from bench.errors import UsageError
from bench.model.body_sizes import LARGEST_BODY, SMALLEST_BODY
from tests.access_logs import EXAMPLES, har, har_entry

SOON_S: Final = 5.0


def latencies(lines: Sequence[str], **options: Any) -> tuple[str, list[float]]:
    """Return the time that is read from a log, and its values in milliseconds."""
    measured = read_log(iter(lines), LogOptions(**options))
    return measured.time.name, measured.latencies.ascending()


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("0.010", 10),
        ("0.010, 0.020 : 0.005", 35),
        ("-, 0.020", 20),
        ("0.010 : -", 10),
        ("0.000", 0),
        ("86400.000", 86_400_000),
    ],
)
def test_times_of_several_upstream_servers_are_added_up(text: str, milliseconds: float) -> None:
    line = f'uht="{text}" status=200'
    assert latencies([line, line], server="nginx") == ("$upstream_header_time", [milliseconds] * 2)


@pytest.mark.parametrize(
    "text",
    ["10", "0.01", "1e-3", "nan", "-0.010", "0.010,, x", "86400.001", "0.010ms", "\u0660.\u0660\u0660\u0660"],
)
def test_time_that_nginx_does_not_write_is_not_read(text: str) -> None:
    """It has three decimals, so another program's milliseconds are no seconds."""
    with pytest.raises(UsageError, match="1 of 1 line cannot be read"):
        latencies([f'rt="{text}"'], server="nginx")


@pytest.mark.parametrize(
    ("log_format", "line", "name", "milliseconds"),
    [
        ("%D %s", "12345 200", "%D", 12.345),
        ("%{us}T %>s", "12345 200", "%{us}T", 12.345),
        ("%{ms}T %>s", "12 200", "%{ms}T", 12),
        ("%T %>s", "3 200", "%T", 3_000),
        ("%{s}T %>s", "3 200", "%T", 3_000),
        ("%T/%D %>s", "0/900 200", "%D", 0.9),
        ("%!200,304D%%%<s", "", "%D", None),
        ("%>D %% %400,501{User-agent}i %^FB", "7 % - 5000", "%^FB", 5),
        ("[%START_TIME%] %DURATION% %RESPONSE_DURATION%", "[x] 7 5", "%RESPONSE_DURATION%", 5),
        ("%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME):5% a", "7 a", "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%", 7),
        ("${request_time}s $status", "0.007s 200", "$request_time", 7),
        ('{"t":$request_time,"p":"$uri"}', '{"t":0.007,"p":"/\\","}', "$request_time", 7),
    ],
)
def test_figures_of_format_strings_have_the_units_of_their_server(
    log_format: str, line: str, name: str, milliseconds: float | None
) -> None:
    if milliseconds is None:
        with pytest.raises(UsageError):
            latencies([line, line], log_format=log_format)
    else:
        assert latencies([line, line], log_format=log_format) == (name, [milliseconds] * 2)


def test_field_of_a_format_that_the_user_names_is_read_in_its_unit() -> None:
    lines = ['200 "1500" 5000', '200 "2500" 6000']
    log_format = '$status "$sent_http_x_time" $size'
    options = LogOptions("nginx", log_format, column="sent_http_x_time", unit="us", size_column="size")
    measured = read_log(iter(lines), options)
    assert measured.latencies.ascending() == [1.5, 2.5]
    assert measured.sizes.ascending() == [5000, 6000]


def test_line_that_can_be_read_in_two_ways_is_not_read() -> None:
    """A client chose the name of its browser so that a time seems to follow."""
    log_format = "$http_user_agent $request_time $status"
    split = parse_format(log_format, "nginx")
    assert split.read("curl 0.010 200") == {"$status": "200", "$request_time": "0.010"}
    assert split.read("x 0.001 200 0.010 200") is None
    assert split.read("curl 0.010") is None
    assert parse_format('"$http_user_agent" $request_time', "nginx").read('"a \\" 0.001" 0.010') == {
        "$request_time": "0.010"
    }


PIECES: Final = st.text(st.characters(codec="ascii", exclude_characters='$%"\\ \n{}'), min_size=1, max_size=8)
VALUES: Final = st.text("0123456789.abc/:", max_size=12)


@given(st.lists(st.tuples(PIECES, VALUES), min_size=1, max_size=6))
def test_values_between_quotes_are_found_again(parts: list[tuple[str, str]]) -> None:
    log_format = "".join(f'{piece} "${{upstream_header_time}}" ' for piece, _ in parts)
    line = "".join(f'{piece} "{value}" ' for piece, value in parts)
    found = parse_format(log_format, "nginx").read(line)
    assert found == {"$upstream_header_time": parts[0][1]}


@given(st.text(), st.sampled_from(list(SERVERS)), st.text())
def test_any_format_string_is_read_or_refused(text: str, server: ServerName, line: str) -> None:
    times = {"nginx": "$request_time", "apache": "%D", "envoy": "%DURATION%"}
    for log_format in (text, f"{text} {times[server]}"):
        try:
            split = parse_format(log_format, server)
        except UsageError:
            continue
        found = split.read(line)
        assert found is None or all(value in line for value in found.values())


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        ("rt=0.010 uht=-", {"rt": "0.010", "uht": "-"}),
        ('a "GET /?rt=9 rt=8" rt="0.010" "x uht=7"', {"rt": "0.010"}),
        ('a="b rt=9" rt=0.010', {"a": "", "rt": "0.010"}),
        ('a="b \\" rt=9" rt=0.010', {"a": "", "rt": "0.010"}),
        ("[rt=0.010|uht=0.020]", {"rt": "0.010", "uht": "0.020"}),
        ("x?rt=9 rt=0.010", {"rt": "0.010"}),
        ('1 [t] "G" 200 5 "-" rt=0.010', {"status": "200", "body_bytes_sent": "5", "rt": "0.010"}),
        ("rt=0.010 rt=0.020", None),
    ],
)
def test_pairs_are_found_outside_of_quotes_only(line: str, fields: Mapping[str, str] | None) -> None:
    assert split_pairs(line) == fields


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        (
            '{"a": 0.010, "b": "x", "c": null, "d": [1], "e": {"rt": 1}, "f": true}',
            {"a": "0.010", "b": "x", "c": ""},
        ),
        ("[1]", None),
        ("{", None),
        ("[" * 100_000, None),
    ],
)
def test_json_keeps_the_texts_of_numbers(line: str, fields: Mapping[str, str] | None) -> None:
    assert split_json(line) == fields


@pytest.mark.parametrize(
    ("line", "server", "name", "milliseconds"),
    [
        ('{"duration": 7}', "envoy", "%DURATION%", 7),
        ('{"duration": 7, "response_flags": "-"}', None, "%DURATION%", 7),
        ('{"D": 7000, "status": "200"}', "apache", "%D", 7),
        ('- - - [t] "G" 200 5 T=7 D=7001000', None, "%D", 7_001),
        ('- - - [t] "G" 200 5 rt=0.007', None, "$request_time", 7),
        ('{"request_time": "0.009", "uht": "0.007"}', None, "$upstream_header_time", 7),
        ('{"request_time": 0.01}', None, "$request_time", 10),
        ('{"request_time": 1.5}', None, "$request_time", 1_500),
        ('{"request_time": 2}', None, "$request_time", 2_000),
        ('{"upstream_response_time": 0.12}', None, "$upstream_response_time", 120),
        ('{"request_time": 0.007}', None, "$request_time", 7),
        ('{"request_time": "0.007", "upstream_response_time": ""}', None, "$request_time", 7),
        ("duration=7", "envoy", "%DURATION%", 7),
    ],
)
def test_names_of_times_say_whose_they_are_and_their_unit(
    line: str, server: ServerName | None, name: str, milliseconds: float
) -> None:
    """`duration` alone is in no known unit: other servers have it in seconds, or in nanoseconds."""
    assert latencies([line, line], server=server) == (name, [milliseconds] * 2)


@pytest.mark.parametrize(
    ("text", "unit", "milliseconds"),
    [
        ("1.5e-05", "s", 0.015),
        ("0.012300000000000000256", "s", 12.3),
        ("12.00000000000000000000000000000000000001", "ms", 12),
        ("1E+2", "ms", 100),
        (".5e1", "ms", 5),
    ],
)
def test_numbers_are_read_as_programs_write_them(text: str, unit: str, milliseconds: float) -> None:
    line = f'{{"took": {text.replace(".5e1", "5.0")}}}'
    assert latencies([line, line], column="took", unit=unit) == ("took", [milliseconds] * 2)
    rows = read_csv(iter(["took", text, text]), "took", unit, None)
    assert rows.latencies.ascending() == [milliseconds] * 2


@pytest.mark.parametrize("text", ["1e999", "1e9", "1e", "1e1000", f"0.{'0' * 41}"])
def test_number_beyond_the_bounds_is_not_read(text: str) -> None:
    with pytest.raises(UsageError, match="2 of 2 rows cannot be read"):
        read_csv(iter(["took", text, text]), "took", "s", None)


@pytest.mark.parametrize("value", ["0.01", "12", '"0.01"'])
def test_text_or_short_key_without_three_decimals_is_not_read(value: str) -> None:
    key = "request_time" if '"' in value else "rt"
    with pytest.raises(UsageError, match="1 of 1 line cannot be read"):
        latencies([f'{{"{key}": {value}}}'], server="nginx")


@pytest.mark.parametrize("status", ['"ok"', '"2xx"', '""', "200.5", "null", "200", "404"])
def test_status_of_an_unknown_server_may_be_another_text(status: str) -> None:
    lines = ['{"status": 200, "took": 3}'] * 2 + [f'{{"status": {status}, "took": 5}}']
    counts = status not in {"404", '""', "null"}
    assert latencies(lines, column="took", unit="ms") == ("took", [3, 3, 5] if counts else [3, 3])


@pytest.mark.parametrize(("served", "has_sizes"), [(5, True), (4, False), (1, False), (0, False)])
def test_sizes_are_in_a_profile_if_half_of_them_can_be_served(served: int, has_sizes: bool) -> None:  # noqa: FBT001  a parameter
    lines = [f"rt=0.100 body_bytes_sent={5_000 if number < served else 9}" for number in range(10)]
    measured = read_log(iter(lines), LogOptions("nginx"))
    assert (measured.size is not None) == has_sizes
    assert profile_csv(measured).startswith("latency_ms,size_bytes\n" if has_sizes else "latency_ms\n")
    assert ("sizes:" in profile_yaml(Path("a.csv"), measured)) == has_sizes


ENVOY_LINE: Final = (
    '[2016-04-15T20:17:00.310Z] "POST /api/v1/locations HTTP/2" 204 - 154 0 226 100 "192.0.2.28" '
    '"nsq2http" "cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2" "locations" "tcp://192.0.2.1:80"'
)
INGRESS_LINE: Final = (
    '192.0.2.7 - - [30/Nov/2026:03:00:00 +0000] "GET /a HTTP/2.0" 200 612 "-" "curl/8.5.0" 33 0.008 '
    "[default-web-80] [] 192.0.2.4:8080 612 0.007 200 0123456789abcdef"
)


@pytest.mark.parametrize(
    ("line", "name", "milliseconds"),
    [
        (ENVOY_LINE, "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%", 100),
        (INGRESS_LINE, "$upstream_response_time", 7),
    ],
)
def test_default_formats_are_those_of_the_documentation(line: str, name: str, milliseconds: float) -> None:
    assert latencies([line, line]) == (name, [milliseconds] * 2)


@pytest.mark.parametrize(
    ("known", "name"),
    [(10, "$upstream_header_time"), (5, "$upstream_header_time"), (4, "$request_time"), (0, "$request_time")],
)
def test_latency_is_the_time_nearest_to_the_first_byte_that_half_of_the_answers_have(
    known: int, name: str
) -> None:
    lines = [f"rt=0.100 uht={'0.010' if number < known else '-'}" for number in range(10)]
    measured = read_log(iter(lines), LogOptions("nginx"))
    assert measured.time.name == name
    assert measured.left_out == ({"have no such time": 5} if known == 5 else {})


def test_rare_time_is_used_if_it_is_named() -> None:
    lines = [f"rt=0.100 uht={'0.010' if number < 2 else '-'}" for number in range(10)]
    assert latencies(lines, column="uht", server="nginx") == ("$upstream_header_time", [10, 10])


@pytest.mark.parametrize(
    "entry",
    [
        har_entry(_fromCache="disk"),
        har_entry(_fetchType="Memory Cache"),
        har_entry(timings={"wait": 0}, response={"status": 200, "bodySize": 0}),
        har_entry(timings={"wait": 0}, response={"status": 200, "bodySize": -1, "content": {"size": 5_000}}),
        har_entry(request={"url": "data:image/gif;base64,AAAA"}),
    ],
)
def test_entries_of_a_har_file_that_no_server_answered_do_not_count(entry: Mapping[str, Any]) -> None:
    measured = read_har(har([har_entry(), entry, har_entry()]))
    assert measured.latencies.ascending() == [50, 50]
    assert measured.left_out == {"came from a cache, or not over HTTP": 1}


@pytest.mark.parametrize("value", [[], {}, 3, True, None, "Network Load"])
def test_way_of_fetching_that_is_no_cache_is_one_over_the_network(value: object) -> None:
    measured = read_har(har([har_entry(_fetchType=value)] * 2))
    assert measured.latencies.ascending() == [50, 50]


def test_har_file_without_sizes_of_bodies_has_those_of_their_content() -> None:
    response = {"status": 200, "bodySize": -1, "content": {"size": 7_000}}
    measured = read_har(har([har_entry(response=response)] * 3))
    assert measured.size is not None
    assert (measured.size.name, measured.sizes.ascending()) == ("response.content.size", [7_000] * 3)


@pytest.mark.parametrize("wait", [None, -1, "50", True, [], {}, float("nan"), float("inf")])
def test_wait_of_a_har_file_that_is_no_time_is_left_out(wait: object) -> None:
    measured = read_har(har([har_entry(), har_entry(), har_entry(timings={"wait": wait})]))
    assert measured.latencies.ascending() == [50, 50]
    assert measured.left_out == {"have no such time": 1}


@pytest.mark.parametrize("entry", [None, 3, [], {}, {"response": {"status": "200"}}, har_entry(request=None)])
def test_entry_of_a_har_file_that_is_none_cannot_be_read(entry: object) -> None:
    text = json.dumps({"log": {"entries": [har_entry()] * 10 + [entry]}})
    assert read_har(text).left_out == {"could not be read": 1}


def test_sample_keeps_values_evenly_and_the_extremes_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "_MOST_KEPT", 2_000)
    sample = Sample()
    for value in range(100_000):
        sample.add(value)
    kept = sample.ascending()
    assert (sample.count, sample.least, sample.most, len(kept)) == (100_000, 0, 99_999, 2_000)
    assert median(kept) == pytest.approx(50_000, rel=0.1)


def test_columns_of_a_profile_are_as_long_and_ascend_by_themselves() -> None:
    lines = [f"rt={1 - number / 2_000:.3f} body_bytes_sent={999 + number}" for number in range(1_500)]
    rows = profile_csv(read_log(iter(lines), LogOptions("nginx"))).splitlines()
    assert rows[0] == "latency_ms,size_bytes"
    times, sizes = zip(*(map(float, row.split(",")) for row in rows[1:]), strict=True)
    assert len(times) == 1_000
    assert list(times) == sorted(times)
    assert list(sizes) == sorted(sizes)
    assert median(times) == pytest.approx(625, abs=1)


def test_shorter_column_of_a_profile_repeats_its_values() -> None:
    lines = [
        f"rt=0.{5 - number}00 body_bytes_sent={size}" for number, size in enumerate([5_000, 3_000, 999, 1])
    ]
    rows = profile_csv(read_log(iter(lines), LogOptions("nginx"))).splitlines()
    assert rows == ["latency_ms,size_bytes", "200,3000", "300,3000", "400,5000", "500,5000"]


SCRAPS: Final = (
    b"\0", b"\xff", b"\n", b"\r", b'"', b"\\", b"{", b"}", b"[", b",", b"=", b" ", b"-", b"rt=", b"D=1 ",
    b"NaN", b"1e999", b"9" * 400, b"-1", b"0.001", b"null", b'{"log":{"entries":[', b"\x1f\x8b",
    b"\xef\xbb\xbf",
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Draw an example in which pieces are replaced, moved and removed."""
    content = draw(st.sampled_from([example.content.encode() for example in EXAMPLES.values()]))
    for _ in range(draw(st.integers(0, 5))):
        low, high = sorted((draw(st.integers(0, len(content))), draw(st.integers(0, len(content)))))
        scrap = draw(st.one_of(st.sampled_from(SCRAPS), st.binary(max_size=4), st.just(content[low:high])))
        content = content[:low] + scrap + content[draw(st.sampled_from((low, high))) :]
    return content


def options_of(words: Sequence[str]) -> Iterator[tuple[FormatName | None, LogOptions]]:
    """Yield each format with the options of an example."""
    given = dict(zip(words[::2], words[1::2], strict=True))
    options = LogOptions(
        log_format=given.get("--log-format"),
        column=given.get("--column"),
        unit=given.get("--unit"),
        size_column=given.get("--size-column"),
    )
    yield from ((form, options) for form in (None, *FORMATS))


@settings(deadline=None, max_examples=4 * settings().max_examples, suppress_health_check=list(HealthCheck))
@given(st.one_of(mutated(), st.binary(max_size=200)), st.sampled_from(list(EXAMPLES.values())), st.data())
def test_any_content_is_read_within_bounds_or_refused(
    tmp_path: Path, content: bytes, example: Any, data: st.DataObject
) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    form, options = data.draw(st.sampled_from(list(options_of(example.words))))
    try:
        measured: Measured | UsageError = read_measured(file, form, options)
    except UsageError as error:
        measured = error
    if isinstance(measured, UsageError):
        assert str(measured).isprintable() or options.log_format is not None
        return
    times, sizes = measured.latencies.ascending(), measured.sizes.ascending()
    assert len(times) == measured.latencies.count >= 2
    assert 0 <= times[0] <= times[-1] <= 86_400_000
    assert all(SMALLEST_BODY <= size <= LARGEST_BODY for size in sizes)
    assert set(profile_csv(measured)) <= set("latency_ms,size_bytes0123456789.\n")


@pytest.mark.long
@pytest.mark.parametrize(
    "piece", ['"', '\\"', "\\", '="', "a=", " ", " [", '] "" ', "-", "0.001, ", "{", "[", ",", "\t"]
)
@pytest.mark.parametrize("words", [(), ("--log-format", '$a "$b" $c [$d] "$e" $request_time $f "$g"')])
def test_long_line_of_any_repeated_piece_is_read_soon(
    tmp_path: Path, piece: str, words: Sequence[str]
) -> None:
    file = tmp_path / "file"
    for line in (
        piece * (100_000 // len(piece)),
        f'{{"rt": "{piece * 1000}',
        f"rt={piece * (100_000 // len(piece))}",
    ):
        file.write_text(f"{line}\n", "utf-8")
        for form, options in options_of(words):
            began_s = process_time()
            with pytest.raises(UsageError):
                read_measured(file, form, options)
            assert process_time() - began_s < SOON_S
