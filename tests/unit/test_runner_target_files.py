"""The files of a target are downloaded once before a run, and compared with its manifest."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from time import perf_counter

import pytest

from bench.errors import SetupError
from bench.model.cases import Experiment, Profile, Selection, Unknown
from bench.model.flags import all_flags
from bench.model.target import Target
from bench.runner import target_files
from bench.runner.expected_round import compare_with_plan, expected_round
from bench.runner.run_document import config_record
from bench.runner.target_files import served_files
from bench.runner.time_breakdown import account_round, merge_calls
from bench.worker.protocol import TimedRound
from tests.builders import POP3, case

ANSWERS: Mapping[str, tuple[int, bytes, str]] = {
    "/f/a": (200, b"first", ""),
    "/f/b%20c": (200, b"second", ""),
    "/f/moved": (301, b"", ""),
    "/f/empty": (200, b"", ""),
    "/f/zipped": (200, b"x", "gzip"),
    "/f/large": (200, b"x" * 100, ""),
}


class Handler(BaseHTTPRequestHandler):
    """Answers by path, and leaves the last one out of HTTP."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Send the answer of a path."""
        status, body, encoding = ANSWERS.get(self.path, (404, b"", ""))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if encoding:
            self.send_header("Content-Encoding", encoding)
        if status // 100 == 3:
            self.send_header("Location", "/f/a")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@contextmanager
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.daemon_threads = True
        thread = Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{running.server_address[1]}/f"
        finally:
            running.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Serve the answers."""
    with server() as address:
        yield address


def experiment_of(target: Target) -> Experiment:
    """Build an experiment of one case with all files of a target."""
    files = replace(
        case(),
        profile=Profile("target", Unknown(), server=target.url),
        countries=Selection("files", tuple(target.paths)),
    )
    return Experiment("x", (files,), {}, 1, 1, 10.0, 5.0, 1, target=target)


def download(url: str, paths: dict[str, str], **changes: object) -> Mapping[str, bytes]:
    return served_files(experiment_of(replace(Target(url, paths, {}), **changes)))  # type: ignore[arg-type]


def test_files_are_downloaded_by_their_codes(url: str) -> None:
    sums = {"AA": hashlib.sha256(b"first").hexdigest(), "AB": hashlib.sha256(b"second").hexdigest()}
    files = download(url, {"AA": "a", "AB": "b%20c"}, checksums=sums)
    assert files == {"AA": b"first", "AB": b"second"}


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("missing", "is answered with status 404;"),
        ("moved", "is answered with status 301; redirects are not followed"),
        ("empty", "is empty"),
        ("zipped", "is sent with the encoding gzip"),
    ],
)
def test_answer_that_is_no_file_is_refused(url: str, path: str, problem: str) -> None:
    with pytest.raises(SetupError) as refused:
        download(url, {"AA": path})
    assert str(refused.value).startswith(f"{url}/{path} {problem}")


def test_file_that_is_not_that_of_the_manifest_is_refused(url: str) -> None:
    with pytest.raises(SetupError, match=f"has the SHA-256 a7937b64.*, and the manifest lists {64 * '0'}"):
        download(url, {"AA": "a"}, checksums={"AA": 64 * "0"})


def test_files_that_do_not_fit_into_memory_are_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(target_files, "_LARGEST_BYTES", 50)
    with pytest.raises(SetupError, match="has more than 0 MiB, which are kept in memory"):
        download(url, {"AA": "large"})
    monkeypatch.setattr(target_files, "_LARGEST_BYTES", 500)
    monkeypatch.setattr(target_files, "_MOST_BYTES", 150)
    with pytest.raises(SetupError, match="have more than 0 MiB; list fewer"):
        download(url, {"AA": "large", "AB": "large"})


def test_server_that_is_away_is_named() -> None:
    with pytest.raises(SetupError, match=r"http://127\.0\.0\.1:9/a cannot be .*refused; start the"):
        download("http://127.0.0.1:9", {"AA": "a"})


def test_first_downloads_keep_to_the_rate(url: str) -> None:
    began_s = perf_counter()
    download(url, {"AA": "a", "AB": "a", "AC": "a"}, rate=20.0)
    assert perf_counter() - began_s >= 3 / 20


def test_without_a_target_the_flags_are_served() -> None:
    assert served_files(Experiment("x", (), {}, 1, 1, 10.0, 5.0, 1)) == all_flags()


def test_record_of_a_target_has_no_content_and_tells_files_apart() -> None:
    sums = {"AA": 64 * "a"}
    known = experiment_of(Target("http://127.0.0.1:9", {"AA": "a"}, sums, 5.0))
    unknown = experiment_of(Target("http://127.0.0.1:9", {"AA": "a"}, {}))
    record, other = (config_record(each, {"AA": b"xyz"}) for each in (known, unknown))
    digests = [each["target"].pop("files_sha256") for each in (record, other)]
    shared = {"url": "http://127.0.0.1:9", "bytes": 3, "files": {"AA": "a"}}
    assert record["target"] == {**shared, "rate": 5.0, "compared_by": "content"}
    assert other["target"] == {**shared, "rate": None, "compared_by": "size"}
    assert len({*digests, config_record(unknown, {"AA": b"wxyz"})["target"]["files_sha256"]}) == 3
    assert "target" not in config_record(Experiment("x", (), {}, 1, 1, 10.0, 5.0, 1), {})


def test_round_of_a_target_has_no_ideal_and_only_its_outcomes_are_compared() -> None:
    experiment = experiment_of(Target("http://127.0.0.1:9", {code: code for code in POP3.codes}, {}))
    expected = expected_round(experiment.cases[0], experiment, 0, {})
    good = TimedRound(0.001, {"ok": 3}, 3, ())
    assert compare_with_plan(good, None, expected) is None
    measured = account_round(good, None, expected)
    assert (measured.ideal_s, measured.planned_ideal_s, measured.server) == (None, None, None)
    merged = merge_calls([measured, measured])
    assert (merged.ideal_s, merged.ideal_as_planned_s, merged.verified) == (None, None, 6)
    slow = TimedRound(0.001, {"ok": 1, "timeout": 2}, 1, (), waited_s=(5.0, 5.0))
    problem = compare_with_plan(slow, None, expected)
    assert problem is not None
    assert problem.detail == "fetches: 1 ok, 2 timeout instead of 3 ok; 2 timed out after 5.00 s"
