"""A server on raw sockets with a fault for each country, byte for byte, that counts its requests."""

import gzip
import socket
import ssl
import struct
import threading
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Final, TypeAlias

FLAG: Final = b"GIF89a" + bytes(range(256)) * 48
"""The flag that is served without a fault; larger than a client reads together with the headers."""
_GIB: Final = 1 << 30
_ZEROS: Final = bytes(1 << 20)
_PAUSE_S: Final = 0.02


@dataclass
class Faulty:
    """The faults of the server, and its counts.

    Attributes:
        faults: the kind of ``bench.model.faults.KINDS`` that all fetches of a country meet, by country.
        hits: requests by country.
    """

    base_url: str
    faults: Mapping[str, str]
    connections: int = 0
    hits: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)
    closing: threading.Event = field(default_factory=threading.Event)

    def hit(self, path: str) -> str:
        """Count a request; return the kind of its fault, empty for none."""
        country = path.rpartition("/")[2].removesuffix(".gif").upper()
        with self.lock:
            self.hits[country] += 1
        return self.faults.get(country, "")

    def pause(self) -> bool:
        """Wait a moment; return False if the test is over."""
        return not self.closing.wait(_PAUSE_S)


ServeConnection: TypeAlias = Callable[[socket.socket, Faulty], None]
Script: TypeAlias = Callable[[socket.socket, Faulty, str], bool]
"""Answers a request for a path; returns whether the connection may serve another."""


@contextmanager
def fault_server(
    faults: Mapping[str, str],
    context: ssl.SSLContext | None = None,
    serve_connection: ServeConnection | None = None,
) -> Iterator[Faulty]:
    """Serve on a free loopback port: encrypted if a context is given, HTTP/1.1 by default."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        scheme, port = "https" if context else "http", listener.getsockname()[1]
        faulty = Faulty(f"{scheme}://127.0.0.1:{port}", faults)
        serve = _serving(faulty, context, serve_connection or serve_http1)
        thread = threading.Thread(target=_accept, args=(listener, faulty, serve))
        thread.start()
        try:
            yield faulty
        finally:
            faulty.closing.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _accept(listener: socket.socket, faulty: Faulty, serve: Callable[[socket.socket], None]) -> None:
    threads = []
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            break
        with faulty.lock:
            faulty.connections += 1
        connection.settimeout(5.0)
        threads.append(threading.Thread(target=serve, args=(connection,)))
        threads[-1].start()
    for thread in threads:
        thread.join()


def _serving(
    faulty: Faulty, context: ssl.SSLContext | None, serve_connection: ServeConnection
) -> Callable[[socket.socket], None]:
    def serve(plain: socket.socket) -> None:
        with plain, suppress(OSError):
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if context is None:
                serve_connection(plain, faulty)
                return
            with context.wrap_socket(plain, server_side=True) as connection:
                serve_connection(connection, faulty)

    return serve


def serve_http1(connection: socket.socket, faulty: Faulty) -> None:
    """Answer one request after the other until a fault or the client ends the connection."""
    while request := receive(connection, faulty, until=b"\r\n\r\n"):
        path = request.split()[1].decode()
        script = _SCRIPTS.get(faulty.hit(path), _flag)
        if not script(connection, faulty, path):
            return


def receive(connection: socket.socket, faulty: Faulty, until: bytes = b"") -> bytes:
    """Read up to and including some bytes; return nothing if the client has left or the test is over."""
    received = b""
    connection.settimeout(0.05)
    while not faulty.closing.is_set():
        try:
            piece = connection.recv(65536)
        except TimeoutError:
            continue
        received += piece
        if not piece or received.endswith(until):
            break
    connection.settimeout(5.0)
    return received if received.endswith(until) else b""


def reset(connection: socket.socket) -> bool:
    """Close a connection with a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    socket.close(connection.detach())  # an encrypted connection would send close_notify first
    return False


@cache
def bomb() -> bytes:
    """Return a gzip of 1 GiB of zeros."""
    packer, pieces = zlib.compressobj(9, wbits=-15), _GIB // len(_ZEROS)
    piece = packer.compress(_ZEROS) + packer.flush(zlib.Z_FULL_FLUSH)  # refers to no data before it
    checksum = 0
    for _ in range(pieces):
        checksum = zlib.crc32(_ZEROS, checksum)
    trailer = struct.pack("<II", checksum, _GIB)
    return gzip.compress(b"")[:10] + pieces * piece + packer.flush() + trailer


def _head(status: str, *headers: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode()


def _whole(status: str, body: bytes, *headers: str) -> bytes:
    return _head(status, f"Content-Length: {len(body)}", *headers) + body


def _flag(connection: socket.socket, *_: object) -> bool:
    connection.sendall(_whole("200 OK", FLAG))
    return True


def _once(answer: bytes, *, keeps: bool) -> Script:
    """Return a script that sends a response, and then keeps the connection or closes it."""

    def script(connection: socket.socket, *_: object) -> bool:
        connection.sendall(answer)
        return keeps

    return script


def _slicer(connection: socket.socket, faulty: Faulty, _: str) -> bool:
    answer = _whole("200 OK", FLAG)
    for start in range(0, len(answer), 4000):
        connection.sendall(answer[start : start + 4000])
        faulty.pause()
    return True


def _slow_close(connection: socket.socket, faulty: Faulty, _: str) -> bool:
    connection.sendall(_whole("200 OK", FLAG, "Connection: close"))
    faulty.pause()
    return False


def _reset_before_headers(connection: socket.socket, *_: object) -> bool:
    return reset(connection)


def _reset_mid_body(connection: socket.socket, faulty: Faulty, _: str) -> bool:
    connection.sendall(_whole("200 OK", FLAG)[: -len(FLAG) // 2])
    faulty.pause()
    return reset(connection)


def _close_before_headers(*_: object) -> bool:
    return False


def _stall(connection: socket.socket, faulty: Faulty, _: str) -> bool:
    connection.sendall(_whole("200 OK", FLAG)[: -len(FLAG) // 2])
    return _wait_until_client_leaves(connection, faulty)


def _drip(connection: socket.socket, faulty: Faulty, _: str) -> bool:
    connection.sendall(_head("200 OK", f"Content-Length: {len(FLAG)}"))
    return _byte_by_byte(FLAG, connection, faulty)


def _slow_headers(connection: socket.socket, faulty: Faulty, _: str) -> bool:
    return _byte_by_byte(_head("200 OK", f"X-Slow: {'z' * 2000}"), connection, faulty)


def _byte_by_byte(content: bytes, connection: socket.socket, faulty: Faulty) -> bool:
    for byte in content:
        if not faulty.pause():
            break
        connection.sendall(bytes([byte]))
    return False


def _wait_until_client_leaves(connection: socket.socket, faulty: Faulty) -> bool:
    receive(connection, faulty, until=b"never")
    return False


def _redirect_loop(connection: socket.socket, faulty: Faulty, path: str) -> bool:
    connection.sendall(_whole("302 Found", b"", f"Location: {faulty.base_url}{path}"))
    return True


def _oversized(connection: socket.socket, faulty: Faulty, _: str) -> bool:
    connection.sendall(_head("200 OK", f"Content-Length: {_GIB}"))
    for _mib in range(_GIB // len(_ZEROS)):
        connection.sendall(_ZEROS)
        if faulty.closing.is_set():
            break
    return False


def _gzip_bomb(connection: socket.socket, *_: object) -> bool:
    connection.sendall(_whole("200 OK", bomb(), "Content-Encoding: gzip"))
    return True


_LENGTH: Final = f"Content-Length: {len(FLAG)}"
_SCRIPTS: Final[Mapping[str, Script]] = MappingProxyType(
    {
        "status": _once(_whole("418 I'm a Teapot", b"tea"), keeps=True),
        "not_found": _once(_whole("404 Not Found", b"no flag"), keeps=True),
        "server_error": _once(_whole("500 Internal Server Error", b"oh"), keeps=True),
        "unavailable": _once(_whole("503 Service Unavailable", b"", "Retry-After: 30"), keeps=True),
        "rate_limited": _once(_whole("429 Too Many Requests", b"", "Retry-After: 30"), keeps=True),
        "slicer": _slicer,
        "slow_close": _slow_close,
        "reset_before_headers": _reset_before_headers,
        "reset_mid_body": _reset_mid_body,
        "close_before_headers": _close_before_headers,
        "short_body": _once(_whole("200 OK", FLAG)[:-100], keeps=False),
        "cut_chunk": _once(
            _head("200 OK", "Transfer-Encoding: chunked") + b"1000\r\n" + FLAG[:0x800], keeps=False
        ),
        "stall": _stall,
        "drip": _drip,
        "slow_headers": _slow_headers,
        "wrong_content": _once(_whole("200 OK", FLAG[::-1]), keeps=True),
        "no_content": _once(_head("204 No Content"), keeps=True),
        "empty_body": _once(_whole("200 OK", b""), keeps=True),
        "garbage_status_line": _once(b"GARBAGE no such protocol\r\n\r\n", keeps=False),
        "bad_length": _once(_head("200 OK", "Content-Length: banana") + FLAG, keeps=False),
        "negative_length": _once(_head("200 OK", "Content-Length: -5") + FLAG, keeps=False),
        "duplicate_length": _once(_head("200 OK", _LENGTH, "Content-Length: 7") + FLAG, keeps=False),
        "huge_header": _once(
            _whole("200 OK", FLAG, "Connection: close", f"X-Huge: {'z' * (256 << 10)}"), keeps=False
        ),
        "surplus_bytes": _once(_whole("200 OK", FLAG, "Connection: close") + b"surplus" * 20, keeps=False),
        "redirect_loop": _redirect_loop,
        "redirect_off_host": _once(
            _whole("302 Found", b"", "Location: http://192.0.2.1/flags/br/br.gif"), keeps=True
        ),
        "gzip_bomb": _gzip_bomb,
        "oversized": _oversized,
    }
)
HTTP1_KINDS: Final = frozenset(_SCRIPTS) - {"negative_length"}
