"""A small flag server on the standard library that counts its requests."""

import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class Stub:
    """The behaviour of the server, and its counts.

    Attributes:
        flags: content by country.
        statuses: status by country, where it is not 200.
        delay_s: from the arrival of a request to its response.
        drip_s: pause before each byte of a body; 0 sends it at once.
        requests_per_connection: the connection is closed instead of answering the next one.
        ignores_close: whether it keeps connections that the client wants closed, against RFC 9112.
        requests: requests by path.
        peak: the most requests that waited for their responses at one time.
        headers: the headers of the last request; their names are found in any case.
    """

    base_url: str
    flags: Mapping[str, bytes]
    statuses: dict[str, int] = field(default_factory=dict)
    delay_s: float = 0.0
    drip_s: float = 0.0
    requests_per_connection: int = 1_000_000
    ignores_close: bool = False
    connections: int = 0
    requests: Counter[str] = field(default_factory=Counter)
    waiting: int = 0
    peak: int = 0
    headers: Message = field(default_factory=Message)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def save_flags(self, folder: Path) -> Path:
        """Write the flags to a folder, as the harness does for a worker to compare with."""
        folder.mkdir()
        for country, content in self.flags.items():
            (folder / f"{country.lower()}.gif").write_bytes(content)
        return folder


@contextmanager
def stub_server(flags: Mapping[str, bytes]) -> Iterator[Stub]:
    """Serve flags below any prefix on a free port of the loopback."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.stub = Stub(f"http://127.0.0.1:{server.server_address[1]}", flags)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.stub
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    request_queue_size = 1024
    daemon_threads = True
    stub: Stub


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server
    asked = 0

    def setup(self) -> None:
        super().setup()
        with self.server.stub.lock:
            self.server.stub.connections += 1

    def do_GET(self) -> None:
        stub = self.server.stub
        self.asked += 1
        self.close_connection = self.close_connection and not stub.ignores_close
        with stub.lock:
            stub.requests[self.path] += 1
            stub.headers = self.headers
            stub.waiting += 1
            stub.peak = max(stub.peak, stub.waiting)
        time.sleep(stub.delay_s)
        if self.asked > stub.requests_per_connection:
            self.close_connection = True
            return
        country = self.path.rpartition("/")[2].removesuffix(".gif").upper()
        status = stub.statuses.get(country, 200 if country in stub.flags else 404)
        body = stub.flags[country] if status == HTTPStatus.OK else b"no flag"
        with stub.lock:
            stub.waiting -= 1
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if status == HTTPStatus.FOUND:
            self.send_header("Location", f"{stub.base_url}/elsewhere")
        self.end_headers()
        for part in _parts(body, stub.drip_s):
            self.wfile.write(part)
            self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Print nothing."""


def _parts(body: bytes, drip_s: float) -> Iterator[bytes]:
    """Yield a body at once, or byte by byte with a pause before each."""
    if not drip_s:
        yield body
        return
    for byte in body:
        time.sleep(drip_s)
        yield bytes([byte])
