"""One connection: requests come in, answers go out in the same order, each when its weather allows.

HTTP/1.1 with keep-alive and pipelining (RFC 9112). Connections have TCP_NODELAY from the port that they
came in by; without it a sequential client would wait 40 ms a request.
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

from bench.server.http1.connection_close import Ending, end
from bench.server.http1.response_writer import METHODS, ResponseWriter, refuse, respond
from bench.server.open_trials import ServedRound
from bench.server.state import ServerState

_LARGEST_REQUEST: Final = 16 * 1024
_PIECE: Final = 1024
"""Bytes parsed at once where much has come at once; a request's size is known to this precision."""
_VERSIONS: Final = frozenset(("1.0", "1.1"))
_WAITING: Final[frozenset[Ending]] = frozenset(("refused", "cut"))
"""Endings in which the client is waited for until it closes its own side, if it has not."""
_MOST_WAITING: Final = 64
"""Pipelined requests after which no more are read until some are answered."""


class FlagProtocol(asyncio.Protocol):
    """Parses requests, keeps answers in order, and holds each back until it is due."""

    _transport: asyncio.Transport

    def __init__(self, site: ServerState, accepted_s: float | None = None) -> None:
        self._site = site
        self._accepted_s = accepted_s
        self._loop = asyncio.get_running_loop()
        self._parser: HttpRequestParser | None = HttpRequestParser(self)
        self._deliveries: deque[ResponseWriter] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._target = b""
        self._unparsed_bytes = 0
        self._has_body = False
        self._arrival_s = 0.0
        self._left_s: float | None = None
        self._is_blocked = False
        self._is_overrun = False
        self._is_behind = False
        self._is_closing = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take over a connection."""
        self._transport = cast("asyncio.Transport", transport)
        # With no buffer allowed, pause_writing and resume_writing tell when the kernel has every byte.
        self._transport.set_write_buffer_limits(high=0)
        self._entry = self._site.enter(self, self._accepted_s)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  the reason changes nothing
        """Log what can no longer be answered, and let go of everything."""
        self._site.leave(self._entry)
        self._abandon()
        # The parser holds methods of this object: a circle that would wait for the garbage collector.
        self._parser = None

    def data_received(self, data: bytes) -> None:
        """Parse what has come, and begin to answer."""
        self._arrival_s = perf_counter()
        if len(data) <= _PIECE:
            self._parse(data)
        else:
            for start in range(0, len(data), _PIECE):
                self._parse(data[start : start + _PIECE])
        if len(self._deliveries) > _MOST_WAITING and not self._is_overrun:
            self._is_overrun = True
            self._transport.pause_reading()
        if (self._unparsed_bytes or self._target) and not self._is_behind:
            self._fall_behind()

    def eof_received(self) -> bool:
        """Send what was asked for, to a client that may have closed its own side only.

        One that has left altogether looks the same until it is written to; and so it has if it never will be.
        """
        self._left_s = perf_counter()
        self._is_closing = True
        return bool(self._deliveries) and self._deliveries[0].next_s < inf

    def owes(self, rounds: Collection[ServedRound]) -> bool:
        """Tell whether a request of one of these rounds still waits for its answer."""
        return any(delivery.served in rounds for delivery in self._deliveries)

    def drop(self) -> None:
        """Log every request that waits as unanswered, and end the connection now."""
        self._abandon()
        self._transport.abort()

    def hurry(self) -> None:
        """Refuse a request that has begun and will not come to its end, as slow-loris clients do it."""
        self._is_behind = False
        self._arrival_s = perf_counter()
        self._hang_up(HTTPStatus.REQUEST_TIMEOUT)

    def pause_writing(self) -> None:
        """Learn that the kernel takes no more bytes for now."""
        self._is_blocked = True

    def resume_writing(self) -> None:
        """Learn that the kernel has taken everything."""
        self._is_blocked = False
        if self._deliveries and self._deliveries[0].is_sent:
            self._end_first()
        self._work()

    def on_url(self, part: bytes) -> None:
        """Take a piece of a request's target."""
        self._target += part

    def on_body(self, part: bytes) -> None:  # noqa: ARG002  nobody asked for it
        """Take note that a request has a body, and drop it."""
        self._has_body = True

    def on_message_complete(self) -> None:
        """Queue the answer to a request that is complete."""
        if self._unparsed_bytes > _LARGEST_REQUEST:
            self._refuse_size()
        parser, target = self._parser, self._target
        self._target = b""
        self._unparsed_bytes = 0
        self._has_body = False
        if self._is_behind:
            self._catch_up()
        if parser is None or self._is_closing:
            return
        visit, method = self._site.visit(target), parser.get_method()
        is_last = not parser.should_keep_alive()
        # Only HTTP/1.1 is kept without asking for it, so nobody else pays for this.
        if is_last and parser.get_http_version() not in _VERSIONS:
            self._enqueue(refuse(visit[0], HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, self._arrival_s))
        else:
            self._enqueue(respond(visit, method, self._arrival_s, is_last=is_last))

    def _parse(self, data: bytes) -> None:
        self._unparsed_bytes += len(data)
        while data and self._parser is not None and not self._is_closing:
            try:
                self._parser.feed_data(data)
            except HttpParserUpgrade as offer:
                # curl --http2 asks for another protocol; to go on with HTTP/1.1 is to decline.
                data = data[offer.args[0] :]
            except HttpParserCallbackError:
                raise
            except HttpParserError:
                self._hang_up(HTTPStatus.BAD_REQUEST)
            else:
                break
        if self._unparsed_bytes > _LARGEST_REQUEST:
            self._refuse_size()

    def _fall_behind(self) -> None:
        """Have the end of a request waited for, and not for ever."""
        if not (self._is_closing or self._is_overrun):
            self._is_behind = True
            address, *_ = self._transport.get_extra_info("peername") or ("",)
            self._site.laggards.begin(self, address)

    def _catch_up(self) -> None:
        self._is_behind = False
        self._site.laggards.end(self)

    def _refuse_size(self) -> None:
        if not self._has_body:
            self._hang_up(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif self._parser is not None and self._parser.get_method() not in METHODS:
            self._hang_up(HTTPStatus.METHOD_NOT_ALLOWED)
        else:
            self._hang_up(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)

    def _hang_up(self, status: HTTPStatus) -> None:
        """Refuse to read on, once what came before is answered."""
        if not self._is_closing:
            served, _ = self._site.visit(self._target)
            self._enqueue(refuse(served, status, self._arrival_s))

    def _enqueue(self, delivery: ResponseWriter) -> None:
        self._deliveries.append(delivery)
        if delivery.ending != "kept":
            self._is_closing = True
            if delivery.ending == "refused":
                self._transport.pause_reading()
        if len(self._deliveries) == 1:
            self._work()

    def _work(self) -> None:
        """Send what is due, in order, until there is something to wait for."""
        self._timer = None
        while self._deliveries and not self._is_blocked:
            delivery = self._deliveries[0]
            now_s = perf_counter()
            if delivery.next_s > now_s:
                self._wait(delivery.next_s - now_s)
                return
            if not self._transport.is_closing():
                self._transport.write(delivery.take(now_s))
            if self._transport.is_closing():
                return  # the client is gone, which connection_lost is about to say
            if delivery.is_sent and not self._is_blocked:
                self._end_first()

    def _wait(self, for_s: float) -> None:
        """Go on when the next slice is due; where none ever is, it is the client's to leave."""
        if for_s < inf:
            self._timer = self._loop.call_later(for_s, self._work)
        elif self._left_s is not None:
            self.drop()

    def _end_first(self) -> None:
        """Log the answer that the kernel now has in full, and make room for what follows."""
        if self._left_s is not None and self._was_reset():
            self.drop()
            return
        delivery = self._deliveries.popleft()
        delivery.ended(self._entry, perf_counter())
        if delivery.ending != "kept":
            has_left = self._left_s is not None and delivery.ending in _WAITING
            end(self._transport, "closed" if has_left else delivery.ending, self.connection_lost)
        elif self._left_s is not None and not self._deliveries:
            self._transport.close()
        elif self._is_overrun and not self._is_closing and len(self._deliveries) < _MOST_WAITING:
            self._is_overrun = False
            self._transport.resume_reading()
            if self._unparsed_bytes or self._target:
                self._fall_behind()

    def _abandon(self) -> None:
        """Log what can no longer be answered; a client that turned out to be gone left when it said so."""
        if self._timer is not None:
            self._timer.cancel()
        if self._is_behind:
            self._catch_up()
        left_s = self._left_s or perf_counter()
        for delivery in self._deliveries:
            delivery.abandoned(self._entry, left_s)
        self._deliveries.clear()

    def _was_reset(self) -> bool:
        """Tell whether the client's side refused what was written: on loopback it does so at once."""
        connection: socket.socket = self._transport.get_extra_info("socket")
        return connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0
