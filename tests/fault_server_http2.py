"""The faults of ``tests.fault_server`` over HTTP/2, one request at a time."""

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, TypeAlias

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, Event, RequestReceived, StreamReset
from h2.exceptions import ProtocolError

from tests.fault_server import FLAG, Faulty, bomb


class LeftError(Exception):
    """The client has left, or reset the stream."""


@dataclass
class Conversation:
    """A connection, and its requests that wait for a response."""

    connection: socket.socket
    faulty: Faulty
    state: H2Connection
    requests: list[RequestReceived] = field(default_factory=list)
    reset_streams: set[int] = field(default_factory=set)

    def send(self) -> None:
        """Send the frames that are ready."""
        if content := self.state.data_to_send():
            self.connection.sendall(content)

    def listen(self) -> None:
        """Read frames from the client, until the time-out of the socket."""
        if self.faulty.closing.is_set():
            raise LeftError
        try:
            received = self.connection.recv(65536)
        except TimeoutError:
            return
        if not received:
            raise LeftError
        for event in self.state.receive_data(received):
            self._note(event)
        self.send()

    def _note(self, event: Event) -> None:
        if isinstance(event, RequestReceived):
            self.requests.append(event)
        elif isinstance(event, StreamReset):
            self.reset_streams.add(event.stream_id)
        elif isinstance(event, DataReceived):
            raise LeftError

    def answer(self) -> None:
        """Answer all waiting requests, even while other responses are being sent."""
        while self.requests:
            _answer(self, self.requests.pop(0))

    def head(self, stream: int, status: int, *headers: tuple[str, str], ends: bool = False) -> None:
        """Send the headers of a response."""
        self.state.send_headers(stream, [(":status", str(status)), *headers], end_stream=ends)
        self.send()

    def body(self, stream: int, content: bytes, *, ends: bool = True) -> None:
        """Send a body as the windows of the client allow it."""
        left = memoryview(content)
        while left:
            size = min(self.state.local_flow_control_window(stream), 16384, len(left))
            if size:
                self.state.send_data(stream, bytes(left[:size]), end_stream=ends and size == len(left))
                self.send()
            self.wait(stream, 0.0005 if size else 0.02)
            left = left[size:]

    def wait(self, stream: int, seconds: float = 0.02) -> None:
        """Read frames for a moment; raise if the client has reset the stream."""
        self.connection.settimeout(seconds)
        self.listen()
        self.answer()
        if stream in self.reset_streams:
            raise LeftError


Script: TypeAlias = Callable[[Conversation, int, str], None]


def serve_http2(connection: socket.socket, faulty: Faulty) -> None:
    """Answer one request after the other until a fault or the client ends the connection."""
    settings = H2Configuration(client_side=False, header_encoding="utf-8", validate_outbound_headers=False)
    conversation = Conversation(connection, faulty, H2Connection(settings))
    conversation.state.initiate_connection()
    conversation.send()
    try:
        while True:
            connection.settimeout(0.05)
            conversation.listen()
            conversation.answer()
    except (LeftError, ProtocolError):
        return


def _answer(conversation: Conversation, request: RequestReceived) -> None:
    path = next(str(value) for name, value in request.headers or () if str(name) == ":path")
    script = _SCRIPTS.get(conversation.faulty.hit(path), _flag)
    try:
        script(conversation, request.stream_id, path)
    except LeftError:
        if request.stream_id not in conversation.reset_streams:
            raise


def _flag(conversation: Conversation, stream: int, _: str) -> None:
    conversation.head(stream, 200, ("content-length", str(len(FLAG))))
    conversation.body(stream, FLAG)


def _whole(status: int, content: bytes, *headers: tuple[str, str]) -> Script:
    def script(conversation: Conversation, stream: int, _: str) -> None:
        conversation.head(stream, status, *headers, ends=not content)
        conversation.body(stream, content)

    return script


def _slicer(conversation: Conversation, stream: int, _: str) -> None:
    conversation.head(stream, 200, ("content-length", str(len(FLAG))))
    for start in range(0, len(FLAG), 4000):
        conversation.body(stream, FLAG[start : start + 4000], ends=start + 4000 >= len(FLAG))
        conversation.wait(stream)


def _reset_before_headers(conversation: Conversation, stream: int, _: str) -> None:
    conversation.state.reset_stream(stream, 2)
    conversation.send()


def _reset_mid_body(conversation: Conversation, stream: int, _: str) -> None:
    conversation.head(stream, 200, ("content-length", str(len(FLAG))))
    conversation.body(stream, FLAG[:1000], ends=False)
    _reset_before_headers(conversation, stream, _)


def _goaway(conversation: Conversation, stream: int, _: str) -> None:
    conversation.state.close_connection(last_stream_id=max(0, stream - 2))
    conversation.send()
    raise LeftError


def _stall(conversation: Conversation, stream: int, _: str) -> None:
    conversation.head(stream, 200, ("content-length", str(len(FLAG))))
    conversation.body(stream, FLAG[:1000], ends=False)
    while True:
        conversation.wait(stream)


def _drip(conversation: Conversation, stream: int, _: str) -> None:
    conversation.head(stream, 200, ("content-length", str(len(FLAG))))
    for byte in FLAG:
        conversation.body(stream, bytes([byte]), ends=False)
        conversation.wait(stream)


def _slow_headers(conversation: Conversation, stream: int, _: str) -> None:
    while True:  # half a frame would block all other streams
        conversation.wait(stream)


def _redirect_loop(conversation: Conversation, stream: int, path: str) -> None:
    location = f"{conversation.faulty.base_url}{path}"
    conversation.head(stream, 302, ("location", location), ends=True)


def _gzip_bomb(conversation: Conversation, stream: int, _: str) -> None:
    conversation.head(stream, 200, ("content-encoding", "gzip"), ("content-length", str(len(bomb()))))
    conversation.body(stream, bomb())


_LENGTH: Final = ("content-length", str(len(FLAG)))
_SCRIPTS: Final[Mapping[str, Script]] = MappingProxyType(
    {
        "status": _whole(418, b"tea"),
        "not_found": _whole(404, b"no flag"),
        "server_error": _whole(500, b"oh"),
        "unavailable": _whole(503, b"", ("retry-after", "30")),
        "rate_limited": _whole(429, b"", ("retry-after", "30")),
        "slicer": _slicer,
        "reset_before_headers": _reset_before_headers,
        "reset_mid_body": _reset_mid_body,
        "goaway": _goaway,
        "short_body": _whole(200, FLAG[:-100], _LENGTH),
        "stall": _stall,
        "drip": _drip,
        "slow_headers": _slow_headers,
        "wrong_content": _whole(200, FLAG[::-1], _LENGTH),
        "no_content": _whole(204, b""),
        "empty_body": _whole(200, b""),
        "bad_length": _whole(200, FLAG, ("content-length", "banana")),
        "duplicate_length": _whole(200, FLAG, _LENGTH, ("content-length", "7")),
        "huge_header": _whole(200, FLAG, _LENGTH, ("x-huge", "z" * (70 << 10))),
        "surplus_bytes": _whole(200, FLAG + b"surplus", _LENGTH),
        "redirect_loop": _redirect_loop,
        "redirect_off_host": _whole(302, b"", ("location", "https://192.0.2.1/flags/br/br.gif")),
        "gzip_bomb": _gzip_bomb,
    }
)
HTTP2_KINDS: Final = frozenset(_SCRIPTS)
