"""Serve one HTTP/2 connection: read the requests on its streams, and have each answered when it is due.

h2 handles frames and states; here is decided what is sent when. Its checks of outgoing frames are off,
since some faults consist of frames that it would refuse.
"""

import asyncio
import ssl
from collections.abc import Collection
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

from bench.server.connection_close import LingeringClose
from bench.server.http2.frame_splitter import FrameSplitter
from bench.server.http2.frames import LargeFieldEncoder
from bench.server.http2.pending_requests import PendingRequest, PendingRequests
from bench.server.http2.response_writer import refuse, respond
from bench.server.http2.send_queue import SendQueue
from bench.server.responses import status_response
from bench.server.served_round import ServedRound
from bench.server.state import ServerState

_CONFIG: Final = H2Configuration(
    client_side=False, validate_outbound_headers=False, normalize_outbound_headers=False
)
_MOST_STREAMS: Final = 10_000
_LARGEST_HEADERS: Final = 64 * 1024
"""Largest header list (SETTINGS_MAX_HEADER_LIST_SIZE); a larger one closes the whole connection."""


class Http2Protocol(asyncio.Protocol):
    """Reads requests, and sends their responses through a queue."""

    _transport: asyncio.Transport
    _queue: SendQueue

    def __init__(self, state: ServerState, accepted_s: float | None = None) -> None:
        self._state = state
        self._accepted_s = accepted_s
        self._loop = asyncio.get_running_loop()
        self._h2 = H2Connection(_CONFIG)
        self._h2.encoder = LargeFieldEncoder()
        self._splitter = FrameSplitter()
        self._requests = PendingRequests(state.slow_requests, self._splitter, self._refuse, self._close_slow)
        self._timer: asyncio.TimerHandle | None = None
        self._arrival_s = 0.0
        self._is_closing = False
        self._has_goaway = False
        self._is_http2 = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Register the connection, and send the settings."""
        self._transport = cast("asyncio.Transport", transport)
        # With no buffer allowed, pause_writing and resume_writing tell when the kernel has every byte.
        self._transport.set_write_buffer_limits(high=0)
        self._info = self._state.add_connection(self, self._accepted_s)
        self._queue = SendQueue(self._h2, self._transport, self._info, self._requests, self._flush_and_close)
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
            self._queue.flush()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  the reason changes nothing
        """Log the requests that can no longer be answered, and release everything."""
        self._abandon()
        self._state.remove_connection(self._info)
        self._is_closing = True
        # They hold methods of this object: a cycle that would wait for the garbage collector.
        del self._requests, self._queue

    def data_received(self, data: bytes) -> None:
        """Read frames, and start to answer the requests among them."""
        if self._is_closing:
            return
        self._arrival_s = perf_counter()
        if not self._is_http2:
            self._refuse_http1()
            return
        try:
            for part in self._splitter.split(data):
                for event in self._h2.receive_data(part):
                    self._handle(event)
        except ProtocolError as error:
            if self._h2.state_machine.state is not ConnectionState.CLOSED:
                self._h2.close_connection(error.error_code)
            self._flush_and_close()
            return
        address, *_ = self._transport.get_extra_info("peername") or ("",)
        self._requests.await_rest(str(address))
        self._queue.flush()
        self._send_due()

    def eof_received(self) -> bool:
        """Log the unanswered requests: a client that closes its side wants no more responses."""
        self._abandon()
        self._is_closing = True
        return False

    def has_pending(self, rounds: Collection[ServedRound]) -> bool:
        """Tell whether a request of one of these rounds waits for its response."""
        return self._queue.has_pending(rounds)

    def abort(self) -> None:
        """Log every waiting request as unanswered, and end the connection now."""
        self._abandon()
        self._is_closing = True
        self._transport.abort()

    def pause_writing(self) -> None:
        """Stop sending: the kernel takes no more bytes for now."""
        self._queue.pause()

    def resume_writing(self) -> None:
        """Continue sending: the kernel has taken everything."""
        self._queue.resume()
        self._send_due()

    def _handle(self, event: Event) -> None:
        match event:
            case RequestReceived(stream_id=int(stream)):
                self._requests.open(stream, event.headers or [])
            case DataReceived(stream_id=int(stream)):
                size_bytes = event.flow_controlled_length or 0
                self._h2.acknowledge_received_data(size_bytes, stream)
                self._requests.add_body(stream, size_bytes)
            case StreamEnded(stream_id=int(stream)):
                self._answer(stream)
            case StreamReset(stream_id=int(stream)):
                self._requests.close(stream)
                self._queue.cancel(stream, self._arrival_s)
            case WindowUpdated() | RemoteSettingsChanged():
                self._queue.retry_without_window(self._arrival_s)
            case ConnectionTerminated():
                # The client opens no more streams, but still waits for responses (RFC 9113, 6.8); h2 would
                # send nothing any more.
                self._h2.state_machine.state = ConnectionState.SERVER_OPEN
                self._has_goaway = True

    def _answer(self, stream: int) -> None:
        """Queue the response to a complete request."""
        request = self._requests.close(stream)
        if request is not None and not request.is_refused:
            target = self._state.find_target(request.target)
            self._queue.add(respond(stream, target, request.method, self._arrival_s))

    def _refuse(self, request: PendingRequest, status: HTTPStatus) -> None:
        served, _ = self._state.find_target(request.target)
        arrival_s = perf_counter() if status is HTTPStatus.REQUEST_TIMEOUT else self._arrival_s
        self._queue.add(refuse(request.stream, served, status, arrival_s))
        self._loop.call_soon(self._send_due)

    def _refuse_http1(self) -> None:
        """Answer a client that did not negotiate HTTP/2 in HTTP/1.1, and close the connection."""
        status = HTTPStatus.HTTP_VERSION_NOT_SUPPORTED
        self._transport.write(status_response(status).closing)
        response = refuse(0, self._state.public, status, self._arrival_s)
        response.begin(self._arrival_s)
        if self._transport.is_closing():  # the client has left, and did not get it
            response.log_unanswered(self._info, perf_counter())
        else:
            response.log_answered(self._info, perf_counter())
        self._close()

    def _send_due(self) -> None:
        """Send the parts that are due; close the connection after the last response if a GOAWAY came."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._is_closing:
            return
        wait_s = self._queue.send_due()
        if wait_s is not None:
            self._timer = self._loop.call_later(wait_s, self._send_due)
        elif self._has_goaway and not (self._is_closing or self._transport.is_closing() or self._is_busy()):
            self._close()

    def _is_busy(self) -> bool:
        """Tell whether a request has no response that is with the kernel in full."""
        return bool(len(self._requests) or len(self._queue))

    def _close_slow(self) -> None:
        """Close the connection of a client that has begun a frame and does not end it."""
        self._h2.close_connection(ErrorCodes.ENHANCE_YOUR_CALM)
        self._flush_and_close()

    def _flush_and_close(self) -> None:
        """Send the GOAWAY that is ready, and close the connection."""
        self._queue.flush()
        self._close()

    def _close(self) -> None:
        self._abandon()
        self._is_closing = True
        LingeringClose(self._transport, self.connection_lost, self._state.limits).start()

    def _abandon(self) -> None:
        """Log the requests that can no longer be answered."""
        if self._timer is not None:
            self._timer.cancel()
        self._queue.abandon()
        self._requests.clear()
