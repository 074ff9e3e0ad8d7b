"""One HTTP/2 connection: requests come in on streams of their own, and each is answered when it is due.

h2 knows the frames and the states; here is what is sent when. Its checks of what goes out are off, since
some faults are made of what it would refuse.
"""

import asyncio
import ssl
from collections.abc import Collection
from heapq import heapify, heappop, heappush
from http import HTTPStatus
from time import perf_counter
from typing import Final, cast

from h2.config import H2Configuration
from h2.connection import ConnectionState, H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RemoteSettingsChanged,
    RequestReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings

from bench.server.http2.frame_splitter import FrameCutter
from bench.server.http2.frames import Data, GoAway, Headers, Reset
from bench.server.http2.header_encoder import LargeFieldEncoder
from bench.server.http2.pending_requests import Inbox, Incoming
from bench.server.http2.response_writer import ResponseWriter, refuse, respond
from bench.server.lingering_close import Lingering
from bench.server.open_trials import ServedRound
from bench.server.responses import refusal
from bench.server.state import ServerState

_CONFIG: Final = H2Configuration(
    client_side=False, validate_outbound_headers=False, normalize_outbound_headers=False
)
_MOST_STREAMS: Final = 10_000
_LARGEST_HEADERS: Final = 64 * 1024
"""Size, as SETTINGS_MAX_HEADER_LIST_SIZE counts it, above which not the request ends but the connection."""
_TURN_BYTES: Final = 64 * 1024
"""What one stream may send before it is the turn of others that are due."""
_MOST_STALE: Final = 64


class Http2Protocol(asyncio.Protocol):
    """Reads requests, and sends what is due of their answers as far as the client's windows allow."""

    _transport: asyncio.Transport

    def __init__(self, site: ServerState, accepted_s: float | None = None) -> None:
        self._site = site
        self._accepted_s = accepted_s
        self._loop = asyncio.get_running_loop()
        self._h2 = H2Connection(_CONFIG)
        self._h2.encoder = LargeFieldEncoder()
        self._cutter = FrameCutter()
        self._inbox = Inbox(site.laggards, self._cutter, self._refuse, self._lose_patience)
        self._owed: dict[int, ResponseWriter] = {}
        self._due: list[tuple[float, int]] = []
        self._starved: set[int] = set()
        self._unflushed: list[ResponseWriter] = []
        self._timer: asyncio.TimerHandle | None = None
        self._arrival_s = 0.0
        self._is_blocked = False
        self._is_closing = False
        self._is_leaving = False
        self._is_http2 = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take over a connection, and say what is accepted on it."""
        self._transport = cast("asyncio.Transport", transport)
        # With no buffer allowed, pause_writing and resume_writing tell when the kernel has every byte.
        self._transport.set_write_buffer_limits(high=0)
        self._entry = self._site.enter(self, self._accepted_s)
        tls: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
        self._is_http2 = tls is None or tls.selected_alpn_protocol() == "h2"
        if self._is_http2:
            self._h2.local_settings = Settings(
                client=False,
                initial_values={
                    SettingCodes.MAX_CONCURRENT_STREAMS: _MOST_STREAMS,
                    SettingCodes.MAX_HEADER_LIST_SIZE: _LARGEST_HEADERS,
                },
            )
            self._h2.decoder.max_header_list_size = _LARGEST_HEADERS
            self._h2.initiate_connection()
            self._flush()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  the reason changes nothing
        """Log what can no longer be answered."""
        self._site.leave(self._entry)
        self._abandon()
        # It holds methods of this object: a circle that would wait for the garbage collector.
        del self._inbox

    def data_received(self, data: bytes) -> None:
        """Take in frames, and begin to answer."""
        if self._is_closing:
            return
        self._arrival_s = perf_counter()
        if not self._is_http2:
            self._decline()
            return
        try:
            for part in self._cutter.cut(data):
                for event in self._h2.receive_data(part):
                    self._heed(event)
        except ProtocolError as error:
            if self._h2.state_machine.state is not ConnectionState.CLOSED:
                self._h2.close_connection(error.error_code)
            self._give_up()
            return
        address, *_ = self._transport.get_extra_info("peername") or ("",)
        self._inbox.await_rest(str(address))
        self._flush()
        self._work()

    def eof_received(self) -> bool:
        """Take note that the client has left: it needs its own side for as long as it wants answers."""
        self._abandon()
        self._is_closing = True
        return False

    def owes(self, rounds: Collection[ServedRound]) -> bool:
        """Tell whether a request of one of these rounds still waits for its answer."""
        waiting = (*self._owed.values(), *self._unflushed)
        return any(delivery.served in rounds for delivery in waiting)

    def drop(self) -> None:
        """Log every request that waits as unanswered, and end the connection now."""
        self._abandon()
        self._is_closing = True
        self._transport.abort()

    def pause_writing(self) -> None:
        """Learn that the kernel takes no more bytes for now."""
        self._is_blocked = True

    def resume_writing(self) -> None:
        """Learn that the kernel has taken everything."""
        self._is_blocked = False
        now_s = perf_counter()
        for delivery in self._unflushed:
            delivery.ended(self._entry, now_s)
        self._unflushed.clear()
        self._work()

    def _heed(self, event: Event) -> None:
        match event:
            case RequestReceived(stream_id=int(stream)):
                self._inbox.open(stream, event.headers or [])
            case DataReceived(stream_id=int(stream)):
                size_bytes = event.flow_controlled_length or 0
                self._h2.acknowledge_received_data(size_bytes, stream)
                self._inbox.take_body(stream, size_bytes)
            case StreamEnded(stream_id=int(stream)):
                self._answer(stream)
            case StreamReset(stream_id=int(stream)):
                self._inbox.close(stream)
                delivery = self._owed.pop(stream, None)
                if delivery is not None:
                    delivery.abandoned(self._entry, self._arrival_s)
            case WindowUpdated() | RemoteSettingsChanged():
                self._feed()
            case ConnectionTerminated():
                # The client opens no more streams, but still waits for answers (RFC 9113, 6.8); h2 would
                # send nothing any more.
                self._h2.state_machine.state = ConnectionState.SERVER_OPEN
                self._is_leaving = True

    def _answer(self, stream: int) -> None:
        """Begin the answer to a request that is complete."""
        request = self._inbox.close(stream)
        if request is not None and not request.is_refused:
            visit = self._site.visit(request.target)
            self._owe(respond(stream, visit, request.method, self._arrival_s))

    def _refuse(self, request: Incoming, status: HTTPStatus) -> None:
        served, _ = self._site.visit(request.target)
        arrival_s = perf_counter() if status is HTTPStatus.REQUEST_TIMEOUT else self._arrival_s
        self._owe(refuse(request.stream, served, status, arrival_s))
        self._loop.call_soon(self._work)

    def _lose_patience(self) -> None:
        """Hang up on a client that has begun a frame and will not come to its end."""
        self._h2.close_connection(ErrorCodes.ENHANCE_YOUR_CALM)
        self._give_up()

    def _owe(self, delivery: ResponseWriter) -> None:
        self._owed[delivery.stream] = delivery
        self._await(delivery.due_s, delivery.stream)

    def _await(self, due_s: float, stream: int) -> None:
        """Remember when a stream is due, and forget those that clients gave up meanwhile."""
        if len(self._due) > 2 * len(self._owed) + _MOST_STALE:
            self._due = [each for each in self._due if each[1] in self._owed]
            heapify(self._due)
        heappush(self._due, (due_s, stream))

    def _feed(self) -> None:
        """Have every stream that waited for room in a window try again."""
        for stream in self._starved & self._owed.keys():
            self._await(self._arrival_s, stream)
        self._starved.clear()

    def _work(self) -> None:
        """Send what is due until there is something to wait for."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._due and not (self._is_blocked or self._is_closing or self._transport.is_closing()):
            due_s, stream = self._due[0]
            now_s = perf_counter()
            if due_s > now_s:
                self._timer = self._loop.call_later(due_s - now_s, self._work)
                return
            heappop(self._due)
            delivery = self._owed.get(stream)
            if delivery is not None:
                self._advance(delivery, now_s)
        if self._is_leaving and not (self._is_closing or self._transport.is_closing() or self._is_busy()):
            self._hang_up()

    def _is_busy(self) -> bool:
        """Tell whether there is a request whose answer is not with the kernel."""
        return bool(len(self._inbox) or self._owed or self._unflushed)

    def _advance(self, delivery: ResponseWriter, now_s: float) -> None:
        """Send what is due of one answer, but no more than its turn."""
        if not delivery.has_begun:
            delivery.begin(now_s)
        room = _TURN_BYTES
        while (part := delivery.part) is not None and delivery.due_s <= now_s and room > 0:
            if isinstance(part, Reset | GoAway):
                self._break_off(delivery, part)
                return
            sent = self._send(delivery.stream, part)
            if isinstance(part, Data) and part.data and not sent:
                self._starved.add(delivery.stream)
                self._flush()
                return
            delivery.sent(part, sent)
            if delivery.is_ended:
                self._finish(delivery)
                return
            room -= sent
        self._flush()
        if delivery.part is not None:
            self._await(max(delivery.due_s, now_s), delivery.stream)

    def _send(self, stream: int, part: Headers | Data) -> int:
        """Send headers, or a frame of data as large as windows and client allow; return how much of it."""
        if isinstance(part, Headers):
            self._h2.send_headers(stream, part.fields, end_stream=part.is_end)
            return 0
        data = part.data
        window = self._h2.local_flow_control_window(stream)
        size = max(0, min(len(data), window, self._h2.max_outbound_frame_size))
        if size or not data:
            self._h2.send_data(stream, data[:size], end_stream=part.is_end and size == len(data))
        return size

    def _break_off(self, delivery: ResponseWriter, how: Reset | GoAway) -> None:
        """End the stream, or all of them with the connection, in a way that nobody takes for leave to retry.

        The code of the one is not REFUSED_STREAM, and the other says that no stream was left unseen.
        """
        match how:
            case Reset():
                del self._owed[delivery.stream]
                self._h2.reset_stream(delivery.stream, ErrorCodes.INTERNAL_ERROR)
                self._flush()
                delivery.abandoned(self._entry, perf_counter())
            case GoAway():
                self._h2.close_connection(last_stream_id=self._h2.highest_inbound_stream_id)
                self._give_up()

    def _finish(self, delivery: ResponseWriter) -> None:
        """Log the answer as soon as the kernel has the end of it."""
        del self._owed[delivery.stream]
        if self._inbox.close(delivery.stream) is not None:
            # An answer before the request's end: the client may spare itself the rest (RFC 9113, 8.1).
            self._h2.reset_stream(delivery.stream, ErrorCodes.NO_ERROR)
        self._flush()
        if self._transport.is_closing():  # the client is gone, and did not get it
            delivery.abandoned(self._entry, perf_counter())
        elif self._is_blocked:
            self._unflushed.append(delivery)
        else:
            delivery.ended(self._entry, perf_counter())

    def _decline(self) -> None:
        """Answer a client that speaks HTTP/1.1, in its own words, and hang up."""
        answer = refusal(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED)
        self._transport.write(answer.closing[0].data)
        delivery = refuse(0, self._site.public, HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, self._arrival_s)
        delivery.begin(self._arrival_s)
        if self._transport.is_closing():  # the client is gone, and did not get it
            delivery.abandoned(self._entry, perf_counter())
        else:
            delivery.ended(self._entry, perf_counter())
        self._hang_up()

    def _give_up(self) -> None:
        """Leave what is owed undone, and hang up; the GOAWAY that says why is ready to be sent."""
        self._flush()
        self._hang_up()

    def _hang_up(self) -> None:
        self._abandon()
        self._is_closing = True
        Lingering(self._transport, self.connection_lost).begin()

    def _flush(self) -> None:
        data = self._h2.data_to_send()
        if data and not self._transport.is_closing():
            self._transport.write(data)

    def _abandon(self) -> None:
        """Log what can no longer be answered."""
        if self._timer is not None:
            self._timer.cancel()
        now_s = perf_counter()
        for delivery in (*self._owed.values(), *self._unflushed):
            delivery.abandoned(self._entry, now_s)
        self._inbox.clear()
        for forgotten in (self._owed, self._unflushed, self._due):
            forgotten.clear()
