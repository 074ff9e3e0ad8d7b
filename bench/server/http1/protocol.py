"""Serve one HTTP/1.1 connection with keep-alive and pipelining (RFC 9112).

Responses go out in the order of the requests, each when it is due. Connections inherit TCP_NODELAY from
their listener; without it a sequential client would wait 40 ms for each response.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Collection
from http import HTTPStatus
from math import inf
from time import perf_counter
from typing import Final, cast

from httptools import HttpParserCallbackError, HttpParserError, HttpParserUpgrade, HttpRequestParser

from bench.server.connection_close import CloseMode, close_connection
from bench.server.http1.response_writer import METHODS, ResponseWriter, refuse, respond
from bench.server.served_round import ServedRound
from bench.server.state import ServerState

_LARGEST_REQUEST: Final = 16 * 1024
_PIECE: Final = 1024
"""Bytes parsed at a time when many come at once; a request's size is known to this precision."""
_VERSIONS: Final = frozenset(("1.0", "1.1"))
_WAITING_MODES: Final[frozenset[CloseMode]] = frozenset(("refused", "cut"))
"""Closes that wait for the client to close its side, unless it has."""
_MOST_PIPELINED: Final = 64
"""Waiting requests of a connection; above that, no more are read until some are answered."""


class FlagProtocol(asyncio.Protocol):
    """Parses requests, keeps their responses in order, and sends each when it is due."""

    _transport: asyncio.Transport

    def __init__(self, state: ServerState, accepted_s: float | None = None) -> None:
        self._state = state
        self._accepted_s = accepted_s
        self._loop = asyncio.get_running_loop()
        self._parser = HttpRequestParser(self)
        self._pending: deque[ResponseWriter] = deque()
        self._timer: asyncio.Handle | None = None
        self._target = b""
        self._unparsed_bytes = 0
        self._has_body = False
        self._arrival_s = 0.0
        self._left_s: float | None = None
        self._is_write_blocked = False
        self._is_read_paused = False
        self._is_slow = False
        self._is_closing = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Register the connection."""
        self._transport = cast("asyncio.Transport", transport)
        # With no buffer allowed, pause_writing and resume_writing tell when the kernel has every byte.
        self._transport.set_write_buffer_limits(high=0)
        self._info = self._state.add_connection(self, self._accepted_s)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  the reason changes nothing
        """Log the requests that can no longer be answered, and release everything."""
        self._abandon_pending()
        self._state.remove_connection(self._info)
        # The parser holds methods of this object: a cycle that would wait for the garbage collector.
        del self._parser

    def data_received(self, data: bytes) -> None:
        """Parse requests, and start to answer them."""
        self._arrival_s = perf_counter()
        if len(data) <= _PIECE:
            self._parse(data)
        else:
            for start in range(0, len(data), _PIECE):
                self._parse(data[start : start + _PIECE])
        if (self._unparsed_bytes or self._target) and not self._is_slow:
            self._await_rest()

    def eof_received(self) -> bool:
        """Keep the connection for responses that are due: the client may have closed its side only.

        A client that has left altogether looks the same until it is written to. One that waits for a
        response without an end is taken to have left.
        """
        self._left_s = perf_counter()
        self._is_closing = True
        return bool(self._pending) and self._pending[0].next_s < inf

    def has_pending(self, rounds: Collection[ServedRound]) -> bool:
        """Tell whether a request of one of these rounds waits for its response."""
        return any(response.served in rounds for response in self._pending)

    def abort(self) -> None:
        """Log every waiting request as unanswered, and end the connection now."""
        self._abandon_pending()
        self._transport.abort()

    def time_out(self) -> None:
        """Refuse a request that has begun and does not end, as slow-loris clients send it."""
        self._is_slow = False
        self._arrival_s = perf_counter()
        self._refuse(HTTPStatus.REQUEST_TIMEOUT)

    def pause_writing(self) -> None:
        """Stop sending: the kernel takes no more bytes for now."""
        self._is_write_blocked = True

    def resume_writing(self) -> None:
        """Continue sending: the kernel has taken everything."""
        self._is_write_blocked = False
        if self._pending and self._pending[0].is_sent:
            self._end_first()
        self._send_due()

    def on_url(self, part: bytes) -> None:
        """Add a piece of a request's target (called by the parser)."""
        self._target += part

    def on_body(self, part: bytes) -> None:  # noqa: ARG002  bodies are ignored
        """Note that a request has a body, and drop it (called by the parser)."""
        self._has_body = True

    def on_message_complete(self) -> None:
        """Queue the response to a complete request (called by the parser)."""
        if self._unparsed_bytes > _LARGEST_REQUEST:
            self._refuse_size()
        target = self._target
        self._target = b""
        self._unparsed_bytes = 0
        self._has_body = False
        if self._is_slow:
            self._end_slow()
        if self._is_closing:
            return
        parser, found = self._parser, self._state.find_target(target)
        if parser.should_keep_alive():
            self._enqueue(respond(found, parser.get_method(), self._arrival_s, "kept"))
        elif parser.get_http_version() in _VERSIONS:
            self._enqueue(respond(found, parser.get_method(), self._arrival_s, "closed"))
        else:  # only HTTP/1.1 is kept open without asking, so that no other request pays for this check
            served, _ = found
            self._enqueue(refuse(served, HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, self._arrival_s))

    def _parse(self, data: bytes) -> None:
        self._unparsed_bytes += len(data)
        while data and not self._is_closing:
            try:
                self._parser.feed_data(data)
            except HttpParserUpgrade as offer:
                # curl --http2 offers another protocol; continuing with HTTP/1.1 declines it.
                data = data[offer.args[0] :]
            except HttpParserCallbackError:
                raise
            except HttpParserError:
                self._refuse(HTTPStatus.BAD_REQUEST)
            else:
                break
        if self._unparsed_bytes > _LARGEST_REQUEST:
            self._refuse_size()

    def _await_rest(self) -> None:
        """Have the rest of a request timed out."""
        if not (self._is_closing or self._is_read_paused):
            self._is_slow = True
            address, *_ = self._transport.get_extra_info("peername") or ("",)
            self._state.slow_requests.add(self, address)

    def _end_slow(self) -> None:
        self._is_slow = False
        self._state.slow_requests.remove(self)

    def _refuse_size(self) -> None:
        if not self._has_body:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif self._parser.get_method() not in METHODS:
            self._refuse(HTTPStatus.METHOD_NOT_ALLOWED)
        else:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)

    def _refuse(self, status: HTTPStatus) -> None:
        """Refuse to read on once the earlier requests are answered."""
        if not self._is_closing:
            served, _ = self._state.find_target(self._target)
            self._enqueue(refuse(served, status, self._arrival_s))

    def _enqueue(self, response: ResponseWriter) -> None:
        self._pending.append(response)
        if response.close_mode != "kept":
            self._is_closing = True
            if response.close_mode == "refused":
                self._transport.pause_reading()
        if len(self._pending) == 1:
            self._send_due()
        elif len(self._pending) > _MOST_PIPELINED and not self._is_read_paused:
            self._is_read_paused = True
            self._transport.pause_reading()

    def _on_timer(self) -> None:
        self._timer = None
        if not self._transport.is_closing():
            self._send_due()

    def _send_due(self) -> None:
        """Send the slices that are due, in order."""
        pending, transport = self._pending, self._transport
        while pending and not self._is_write_blocked:
            response = pending[0]
            now_s = perf_counter()
            if response.next_s > now_s:
                self._wait(response.next_s - now_s)
                return
            transport.write(response.take_slice(now_s))
            if transport.is_closing():
                return  # the client has left; connection_lost follows
            if response.is_sent:
                if not self._is_write_blocked:
                    self._end_first()
            elif response.next_s <= now_s and not self._is_write_blocked:
                # more of a large body: other connections get their turn first
                self._timer = self._loop.call_soon(self._on_timer)
                return

    def _wait(self, for_s: float) -> None:
        """Continue when the next slice is due; if none ever is, wait until the client leaves."""
        if for_s < inf:
            self._timer = self._loop.call_later(for_s, self._on_timer)
        elif self._left_s is not None:
            self.abort()

    def _end_first(self) -> None:
        """Log the first response, now that the kernel has it, and close the connection or read on."""
        if self._left_s is not None and self._was_reset():
            self.abort()
            return
        response = self._pending.popleft()
        response.log(self._info, response.start_s, perf_counter(), response.status)
        if response.close_mode != "kept":
            has_left = self._left_s is not None and response.close_mode in _WAITING_MODES
            mode = "closed" if has_left else response.close_mode
            close_connection(self._transport, mode, self.connection_lost, self._state.limits)
        elif self._left_s is not None:
            if not self._pending:
                self._transport.close()
        elif self._is_read_paused and not self._is_closing and len(self._pending) < _MOST_PIPELINED:
            self._is_read_paused = False
            self._transport.resume_reading()
            if self._unparsed_bytes or self._target:
                self._await_rest()

    def _abandon_pending(self) -> None:
        """Log the requests that can no longer be answered, as of the time when the client left."""
        if self._timer is not None:
            self._timer.cancel()
        if self._is_slow:
            self._end_slow()
        left_s = self._left_s or perf_counter()
        for response in self._pending:
            response.log_unanswered(self._info, left_s)
        self._pending.clear()

    def _was_reset(self) -> bool:
        """Tell whether the client refused the bytes just written; on loopback it does so at once."""
        connection: socket.socket = self._transport.get_extra_info("socket")
        return connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0
