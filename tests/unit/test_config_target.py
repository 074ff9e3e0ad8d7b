"""The key ``target``: addresses, manifests and files, and what cannot be combined with a target."""

import json
from pathlib import Path
from urllib.parse import quote

import pytest

from bench.config.target import MOST_FILES, parse_path, parse_rate, parse_url, read_manifest
from bench.model.cases import Experiment
from bench.model.target import file_codes
from tests.config_catalog import experiment_of, problems_of

SUM = "0123456789abcdef" * 4
URL = "http://127.0.0.1:9000/files"


def write(folder: Path, target: object, **keys: object) -> Path:
    """Write a config of a target, and its manifest of two files."""
    (folder / "sums.txt").write_text(f"{SUM}  ./a b.bin\n{SUM.upper()} *sub/ä?#%.txt\r\n")
    settings = {"strategies": ["sequential"], "clients": ["requests"], "target": target, **keys}
    file = folder / "c.yaml"
    file.write_text(json.dumps(settings))
    return file


def load(folder: Path, target: object, **keys: object) -> Experiment:
    return experiment_of(write(folder, target, **keys))


@pytest.mark.parametrize(
    "url",
    [
        URL,
        "https://example.org",
        "http://[::1]:9000/a/b",
        "http://localhost/%C3%A4",
        "http://example.org:80/files/",
    ],
)
def test_address_of_a_folder_is_accepted_without_its_last_slash(url: str) -> None:
    assert parse_url(url) == url.rstrip("/")


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("ftp://example.org/", "must be an address such as http"),
        ("example.org/files", "must be an address such as http"),
        ("http://example.org/a b", "must be an address such as http"),
        ("http://example.org/\u202e", "must be an address such as http"),
        ("http://" + 2_000 * "a", "must be an address such as http"),
        ("http://me:secret@example.org/", "must have no user or password"),
        ("http://token@example.org/", "must have no user or password"),
        (
            "http://me:sec ret@example.org/",
            "must be an address such as http://127.0.0.1:9000/files, not this",
        ),
        ("http://example.org/?key=secret", "must have no query and no fragment"),
        ("http://example.org/?", "must have no query and no fragment"),
        ("http://example.org/#x", "must have no query and no fragment"),
        ("http:///files", "must have a host"),
        ("http://example.org:0/", "must have a host"),
        ("http://example.org:99999/", "is no address"),
        ("http://[::1/", "is no address"),
        ("http://example.org/../x", "must have no '.', '..'"),
        ("http://example.org/a\\b", "must have no '.', '..'"),
    ],
)
def test_other_addresses_are_refused_without_showing_a_secret(url: str, problem: str) -> None:
    with pytest.raises(ValueError, match=r"^must|^is") as refused:
        parse_url(url)
    assert str(refused.value).startswith(problem)
    assert "secret" not in str(refused.value)
    assert "sec ret" not in str(refused.value)


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "../a",
        "a/../b",
        "a//b",
        "./../a",
        "",
        "./",
        "a/",
        "a\\b",
        "a\nb",
        "\u202ea",
        "a" * 2_000,
    ],
)
def test_path_that_leads_elsewhere_or_is_not_printable_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="must be a path"):
        parse_path(path)


def test_path_may_have_any_printable_name() -> None:
    for path in ("a.bin", "...", "a..b", "-rf", "$(id)", "ä/ü", "a?b#c%2f", "~", "C:x", "'\""):
        assert parse_path(path) == path
    assert parse_path("././a") == "a"


@pytest.mark.parametrize(("text", "rate"), [("50/s", 50.0), ("0.5/s", 0.5), ("1000000/s", 1e6)])
def test_rate_is_in_requests_per_second(text: str, rate: float) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize("text", ["50", "50/m", "0/s", "-1/s", "1e3/s", "inf/s", "0.0/s", "/s"])
def test_other_rates_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be requests per second"):
        parse_rate(text)


def test_manifest_gives_each_file_a_code_its_encoded_path_and_its_checksum(tmp_path: Path) -> None:
    experiment = load(tmp_path, {"url": f"{URL}/", "manifest": "sums.txt", "repeat": 3})
    target, (case,) = experiment.target, experiment.cases
    assert target is not None
    assert target.paths == {"AA": "a%20b.bin", "AB": f"sub/{quote('ä')}%3F%23%25.txt"}
    assert target.checksums == {"AA": SUM, "AB": SUM}
    assert target.address("AA") == f"{URL}/a%20b.bin"
    assert (case.id, case.countries.label) == ("sequential/requests/1/target", "2 files repeat 3")
    assert case.countries.fetches == ("AA", "AB") * 3
    assert case.profile.server == URL


def test_files_and_countries_have_no_checksums(tmp_path: Path) -> None:
    files = load(tmp_path, {"url": URL, "files": ["x", "y/z"]}).target
    assert files is not None
    assert (files.paths, files.checksums) == ({"AA": "x", "AB": "y/z"}, {})
    flags = load(tmp_path, URL, countries=["BR", "CN"]).target
    assert flags is not None
    assert flags.paths == {"BR": "flags/br/br.gif", "CN": "flags/cn/cn.gif"}


def test_codes_are_different_capital_letters_of_one_length() -> None:
    assert file_codes(3) == ("AA", "AB", "AC")
    assert file_codes(676)[-1] == "ZZ"
    most = file_codes(MOST_FILES)
    assert len({*most}) == MOST_FILES
    assert {len(code) for code in most} == {3}
    assert all(code.isalpha() and code.isupper() for code in most)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "has no files"),
        ("# only a comment\n\n", "has no files"),
        (f"{SUM}  a\nb\n", "has checksums for some files only"),
        (f"{SUM}  a\n{SUM}  ./a\n", "line 2 has the path of line 1"),
        (f"{SUM}  ../a\n", "line 1 must be a path below the address"),
        (f"{SUM}  /a\n", "line 1 must be a path below the address"),
        (f"\n\\{SUM}  a\\nb\n", "line 2 has a name with a line end or a backslash"),
        (f"{SUM[:32]}  a\n", "line 1 has a checksum that is not a SHA-256"),
        (f"{SUM}{SUM}  a\n", "line 1 has a checksum that is not a SHA-256"),
        ("".join(f"{number}\n" for number in range(MOST_FILES + 1)), "has more than 10,000 files"),
        (b"\xff\xfe", "is not UTF-8: byte 0"),
        (b"x" * (5 << 20), "has more than 4 MiB"),
    ],
)
def test_manifest_that_is_not_right_is_refused(tmp_path: Path, content: str | bytes, problem: str) -> None:
    file = tmp_path / "sums.txt"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match=r"^(line|has|is)") as refused:
        read_manifest(file)
    assert problem in str(refused.value)


def test_manifest_may_have_comments_a_mark_at_its_start_and_no_checksums(tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_bytes(b"\xef\xbb\xbf# files\r\n\r\na b\r\nc")
    assert [(each.path, each.sha256) for each in read_manifest(file)] == [("a b", ""), ("c", "")]


@pytest.mark.parametrize(
    ("target", "keys", "problem"),
    [
        ({"manifest": "sums.txt"}, {}, "target.url: is missing"),
        ({"url": URL, "manifest": "none.txt"}, {}, "target.manifest: no such file 'none.txt'"),
        (
            {"url": URL, "manifest": "sums.txt", "files": "a"},
            {},
            "target.files: cannot be combined with 'manifest'",
        ),
        ({"url": URL, "files": ["a", "./a"]}, {}, "target.files: has a path twice"),
        ({"url": URL, "repeat": 2}, {}, "target.repeat: needs 'manifest' or 'files'"),
        (
            {"url": URL, "files": ["a", "b"], "repeat": 1_000_000},
            {},
            "target.repeat: makes 2,000,000 fetches",
        ),
        ({"url": URL, "authority": "sums.txt"}, {}, "target.authority: is for https addresses"),
        ({"url": URL, "rates": "5/s"}, {}, "target.rates: unknown key; did you mean 'rate'?"),
        (URL, {"profile": "delay"}, "target: cannot be combined with a profile"),
        (URL, {"profiles": ["delay"]}, "target: cannot be combined with a profile"),
        (URL, {"flags_dir": "."}, "flags_dir: cannot be combined with 'target'"),
        ({"url": URL, "files": "a"}, {"countries": "all"}, "countries: cannot be combined with the files"),
        (URL, {"thresholds": {"*": ["efficiency > 50%"]}}, "efficiency needs planned delays"),
        (
            {"url": URL, "files": "a", "repeat": 100, "rate": "5/s"},
            {"rounds": 3},
            "target.rate: makes a trial of 400 fetches take 80 s at least, more than 'deadline'",
        ),
        ("https://localhost/", {"clients": ["urllib3"]}, "target: no usable client speaks TLS"),
        (
            {"url": URL, "rate": "5/s"},
            {"strategies": ["bare_sockets"]},
            "target.rate: cannot be kept by bare_sockets",
        ),
    ],
)
def test_keys_that_do_not_go_together_are_refused(
    tmp_path: Path, target: object, keys: dict[str, object], problem: str
) -> None:
    problems = problems_of(write(tmp_path, target, **keys))
    assert [each for each in problems if problem in each], problems


def test_config_without_a_target_has_none(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("strategies: sequential\n")
    experiment = experiment_of(file)
    assert experiment.target is None
    assert experiment.cases[0].profile.server == ""
