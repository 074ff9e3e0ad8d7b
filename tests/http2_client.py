"""A blocking HTTP/2 client on h2, which refuses everything that RFC 9113 forbids."""

import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated, DataReceived, Event, ResponseReceived, StreamEnded, StreamReset
from h2.settings import SettingCodes

from bench.server.http2.frames import LargeFieldEncoder
from tests.threaded_server import ThreadedServer


@dataclass
class Answered:
    """A response as far as it has come.

    Attributes:
        reset: the code with which the server reset the stream.
        pieces: arrival and size of each piece of the body.
        headers_s: arrival of the headers; 0 before.
    """

    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    is_ended: bool = False
    reset: int | None = None
    pieces: list[tuple[float, int]] = field(default_factory=list)
    headers_s: float = 0.0
    ended_s: float = 0.0

    @property
    def status(self) -> int:
        """The status; 0 without headers."""
        return int(self.headers.get(":status", 0))

    @property
    def is_over(self) -> bool:
        """Whether the stream has ended."""
        return self.is_ended or self.reset is not None


class Client:
    """A connection.

    Attributes:
        goaway: the GOAWAY that was received.
        is_closed: whether the server closed the connection.
    """

    def __init__(self, connection: ssl.SSLSocket, initial_window: int | None) -> None:
        self.socket = connection
        self.h2 = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self.h2.encoder = LargeFieldEncoder()
        if initial_window is not None:
            self.h2.local_settings[SettingCodes.INITIAL_WINDOW_SIZE] = initial_window
            self.h2.local_settings.acknowledge()
        self.answers: dict[int, Answered] = {}
        self.goaway: ConnectionTerminated | None = None
        self.is_closed = False
        self.takes_data = True
        self.events: list[Event] = []
        self.h2.initiate_connection()
        self.flush()

    def flush(self) -> None:
        """Send the frames that are ready."""
        self.socket.sendall(self.h2.data_to_send())

    def ask(self, path: str, method: str = "GET", **headers: str) -> int:
        """Send a request, and return its stream."""
        stream = self.h2.get_next_available_stream_id()
        fields = [(":method", method), (":scheme", "https"), (":authority", "flags"), (":path", path)]
        self.h2.send_headers(stream, [*fields, *headers.items()], end_stream=True)
        self.answers[stream] = Answered()
        self.flush()
        return stream

    def receive(self) -> bool:
        """Read once; return whether the connection is still open."""
        data = self.socket.recv(256 * 1024)
        now_s = perf_counter()
        self.is_closed = not data
        for event in self.h2.receive_data(data) if data else []:
            self.events.append(event)
            self._handle(event, now_s)
        if data:
            self.flush()
        return bool(data)

    def until(self, is_so: Callable[[], bool]) -> None:
        """Read until a condition holds, or the server closes the connection."""
        while not is_so() and self.receive():
            pass

    def get(self, path: str, method: str = "GET", **headers: str) -> Answered:
        """Send a request, and wait for the end of its response."""
        answered = self.answers[self.ask(path, method, **headers)]
        self.until(lambda: answered.is_over)
        return answered

    def _handle(self, event: Event, now_s: float) -> None:
        match event:
            case ResponseReceived(stream_id=int(stream)):
                self.answers[stream].headers = dict(event.headers or ())  # type: ignore[arg-type]
                self.answers[stream].headers_s = now_s
            case DataReceived(stream_id=int(stream)):
                answered = self.answers[stream]
                answered.body += event.data or b""
                answered.pieces.append((now_s, len(event.data or b"")))
                if self.takes_data:
                    self.h2.acknowledge_received_data(event.flow_controlled_length or 0, stream)
            case StreamEnded(stream_id=int(stream)):
                self.answers[stream].is_ended = True
                self.answers[stream].ended_s = now_s
            case StreamReset(stream_id=int(stream)):
                self.answers[stream].reset = int(event.error_code or 0)
            case ConnectionTerminated():
                self.goaway = event


@contextmanager
def client_of(server: ThreadedServer, initial_window: int | None = None) -> Iterator[Client]:
    """Connect to a server, and close the connection at the end."""
    with server.connect("h2") as connection:
        yield Client(connection, initial_window)


def flag_path(country: str) -> str:
    """Return the path of a flag."""
    return f"/flags/{country.lower()}/{country.lower()}.gif"


def by_country(server: ThreadedServer) -> Mapping[str, tuple[int, str]]:
    """Return the status and the fault that a server logged for each country."""
    return {record.country: (record.status, record.fault) for record in server.log}
