"""Send the responses of one HTTP/2 connection, each when it is due, within the client's windows."""

import asyncio
from collections.abc import Callable, Collection
from heapq import heapify, heappop, heappush
from time import perf_counter
from typing import Final

from h2.connection import H2Connection
from h2.errors import ErrorCodes

from bench.server.http2.frames import Data, GoAway, Headers, Reset
from bench.server.http2.pending_requests import PendingRequests
from bench.server.http2.response_writer import ResponseWriter
from bench.server.request_log import ConnectionInfo
from bench.server.served_round import ServedRound

_TURN_BYTES: Final = 64 * 1024
"""Bytes that one stream may send before other streams that are due get their turn."""
_MOST_STALE: Final = 64
"""Entries of closed streams in the schedule, beyond as many as are open."""


class SendQueue:
    """The responses of a connection that are not sent in full.

    ``close`` ends the connection after a GOAWAY.
    """

    def __init__(
        self,
        h2: H2Connection,
        transport: asyncio.Transport,
        info: ConnectionInfo,
        requests: PendingRequests,
        close: Callable[[], None],
    ) -> None:
        self._h2 = h2
        self._transport = transport
        self._info = info
        self._requests = requests
        self._close = close
        self._responses: dict[int, ResponseWriter] = {}
        self._schedule: list[tuple[float, int]] = []
        self._without_window: set[int] = set()
        self._unflushed: list[ResponseWriter] = []
        self._is_write_blocked = False

    def __len__(self) -> int:
        """Return how many responses are not with the kernel."""
        return len(self._responses) + len(self._unflushed)

    def has_pending(self, rounds: Collection[ServedRound]) -> bool:
        """Tell whether a request of one of these rounds waits for its response."""
        return any(each.served in rounds for each in (*self._responses.values(), *self._unflushed))

    def add(self, response: ResponseWriter) -> None:
        """Add a response."""
        self._responses[response.stream] = response
        self._plan(response.due_s, response.stream)

    def cancel(self, stream: int, now_s: float) -> None:
        """Drop the response on a stream that the client has reset."""
        response = self._responses.pop(stream, None)
        if response is not None:
            response.log_unanswered(self._info, now_s)

    def retry_without_window(self, now_s: float) -> None:
        """Let every stream that waited for room in a window try again."""
        for stream in self._without_window & self._responses.keys():
            self._plan(now_s, stream)
        self._without_window.clear()

    def pause(self) -> None:
        """Stop sending: the kernel takes no more bytes for now."""
        self._is_write_blocked = True

    def resume(self) -> None:
        """Log the responses that the kernel now has in full."""
        self._is_write_blocked = False
        now_s = perf_counter()
        for response in self._unflushed:
            response.log_answered(self._info, now_s)
        self._unflushed.clear()

    def send_due(self) -> float | None:
        """Send the parts that are due; return the seconds until the next one, or None without one.

        After so many bytes as a stream may send in its turn, other connections get theirs: it returns 0.
        """
        left = _TURN_BYTES
        while self._schedule and not (self._is_write_blocked or self._transport.is_closing()):
            due_s, stream = self._schedule[0]
            now_s = perf_counter()
            if due_s > now_s:
                return due_s - now_s
            if left <= 0:
                return 0.0
            heappop(self._schedule)
            response = self._responses.get(stream)
            if response is not None:
                left -= self._take_turn(response, now_s)
        return None

    def flush(self) -> None:
        """Hand the frames that are ready to the transport."""
        data = self._h2.data_to_send()
        if data and not self._transport.is_closing():
            self._transport.write(data)

    def abandon(self) -> None:
        """Log every response that is not sent in full as unanswered, and forget all."""
        now_s = perf_counter()
        for response in (*self._responses.values(), *self._unflushed):
            response.log_unanswered(self._info, now_s)
        self._responses.clear()
        self._unflushed.clear()
        self._schedule.clear()

    def _plan(self, due_s: float, stream: int) -> None:
        """Schedule a stream, and drop the entries of streams that clients have reset."""
        if len(self._schedule) > 2 * len(self._responses) + _MOST_STALE:
            self._schedule = [each for each in self._schedule if each[1] in self._responses]
            heapify(self._schedule)
        heappush(self._schedule, (due_s, stream))

    def _take_turn(self, response: ResponseWriter, now_s: float) -> int:
        """Send the parts of one response that are due, no more than its turn allows; return their bytes."""
        if not response.has_begun:
            response.begin(now_s)
        left = _TURN_BYTES
        while (part := response.part) is not None and response.due_s <= now_s and left > 0:
            if isinstance(part, Reset | GoAway):
                self._break_off(response, part)
                break
            sent = self._send(response.stream, part)
            if isinstance(part, Data) and part.data and not sent:
                self._without_window.add(response.stream)
                self.flush()
                break
            response.advance(part, sent)
            left -= sent
            if response.is_ended:
                self._end(response)
                break
        else:
            self.flush()
            if response.part is not None:
                self._plan(max(response.due_s, now_s), response.stream)
        return _TURN_BYTES - left

    def _send(self, stream: int, part: Headers | Data) -> int:
        """Send headers, or a frame of data as large as windows and client allow; return the data's size."""
        if isinstance(part, Headers):
            self._h2.send_headers(stream, part.fields, end_stream=part.is_end)
            return 0
        data = part.data
        window = self._h2.local_flow_control_window(stream)
        size = max(0, min(len(data), window, self._h2.max_outbound_frame_size))
        if size or not data:
            self._h2.send_data(stream, bytes(data[:size]), end_stream=part.is_end and size == len(data))
        return size

    def _break_off(self, response: ResponseWriter, part: Reset | GoAway) -> None:
        """Reset the stream or close the connection, in a way that does not allow the client to retry.

        The code of the reset is not REFUSED_STREAM, and the GOAWAY says that every stream was seen.
        """
        match part:
            case Reset():
                del self._responses[response.stream]
                self._h2.reset_stream(response.stream, ErrorCodes.INTERNAL_ERROR)
                self.flush()
                response.log_unanswered(self._info, perf_counter())
            case GoAway():
                self._h2.close_connection(last_stream_id=self._h2.highest_inbound_stream_id)
                self._close()

    def _end(self, response: ResponseWriter) -> None:
        """Log a response as soon as the kernel has the end of it."""
        del self._responses[response.stream]
        if self._requests.close(response.stream) is not None:
            # The response came before the request's end: the client may skip the rest (RFC 9113, 8.1).
            self._h2.reset_stream(response.stream, ErrorCodes.NO_ERROR)
        self.flush()
        if self._transport.is_closing():  # the client has left, and did not get it
            response.log_unanswered(self._info, perf_counter())
        elif self._is_write_blocked:
            self._unflushed.append(response)
        else:
            response.log_answered(self._info, perf_counter())
