"""Handles of pycurl that download one file after the other, and an event loop that drives many at once."""

import errno
import os
from asyncio import Future, Handle, get_running_loop
from collections.abc import Mapping
from contextlib import suppress
from math import inf
from selectors import DefaultSelector
from typing import Any, Self

import pycurl

from bench.api import Answer, BodySink, ClientSettings, HeaderLines

_LARGEST_HEADER = 65_536
_ENDS = {pycurl.E_ABORTED_BY_CALLBACK, pycurl.E_GOT_NOTHING, pycurl.E_HTTP2, pycurl.E_RECV_ERROR}
"""Errors of a connection that has ended; over HTTP/2 also of one with bad frames, but nghttp2 names these."""
_OF_SYSTEM = {*_ENDS, pycurl.E_COULDNT_CONNECT, pycurl.E_SEND_ERROR, pycurl.E_SSL_CONNECT_ERROR}
"""Those that may come from the system; with others, its number is that of an address tried before."""


class Transfer:
    """An easy handle that is used for one download after the other, and what it receives."""

    def __init__(self, options: Mapping[int, Any], settings: ClientSettings) -> None:
        self.curl = pycurl.Curl()
        self._settings = settings
        self._head: list[bytes] = []
        self._body = BodySink(settings)
        self._requests = 0
        self.curl.setopt(pycurl.HEADERFUNCTION, self._head.append)
        self.curl.setopt(pycurl.WRITEFUNCTION, self._take)
        # before 7.45.7 a request may be repeated, and the server's log shows it
        if hasattr(pycurl, "PREREQFUNCTION"):
            self.curl.setopt(pycurl.PREREQFUNCTION, self._refuse_retry)
        for option, value in options.items():
            self.curl.setopt(option, value)

    def download(self, url: str) -> Answer:
        """Download in this thread."""
        self.begin(url)
        try:
            self.curl.perform()
            return self.answer()
        except pycurl.error as error:
            raise self.cause_of(error) from error
        finally:
            self.discard()

    def begin(self, url: str) -> None:
        """Forget the last download, and set the address of the next."""
        self._head.clear()
        self._body = BodySink(self._settings)
        self._requests = 0
        self.curl.setopt(pycurl.URL, url)

    def answer(self) -> Answer:
        """Return what a download has received.

        Raises:
            LineTooLong: a header is longer than 64 KiB, which libcurl accepts over HTTP/2.
            OSError: the file of the body cannot be closed.
        """
        if max(map(len, self._head), default=0) > _LARGEST_HEADER:
            from http.client import LineTooLong  # takes milliseconds, and is rarely needed

            raise LineTooLong("header line")
        return Answer(self.curl.getinfo(pycurl.RESPONSE_CODE), self._body.end(), HeaderLines(self._head))

    def cause_of(self, error: Exception) -> Exception:
        """Return the error of the system, or the end without an answer, that libcurl means; or its error."""
        if self._body.failure is not None:
            return self._body.failure
        code, message = error.args
        number = self.curl.getinfo(pycurl.OS_ERRNO) if code in _OF_SYSTEM else 0
        if code == pycurl.E_COULDNT_CONNECT:
            number = number or errno.EMFILE  # it could not even open a socket, and does not say why
        if number:
            return OSError(number, os.strerror(number))
        has_ended = (code in _ENDS and "nghttp2" not in message) or "unexpected eof" in message
        if has_ended and not self._head:
            from http.client import RemoteDisconnected

            return RemoteDisconnected("the server closed the connection without an answer")
        return error

    def discard(self) -> None:
        """Remove what has come of a body that was not returned."""
        self._body.discard()

    def close(self) -> None:
        """Free the handle, and its connections if it was not one of several."""
        self.curl.close()

    def _take(self, piece: bytes) -> int:
        return self._body.accept(piece)

    def _refuse_retry(self, *_: object) -> int:
        """Allow one request; libcurl would repeat it if a kept connection broke, and has no option for it."""
        self._requests += 1
        return int(pycurl.PREREQFUNC_OK if self._requests == 1 else pycurl.PREREQFUNC_ABORT)


class LoopMulti:
    """Any number of downloads at once in an event loop, over as many connections as allowed.

    libcurl tells which sockets it waits for, and when to call it at the latest. The sockets are in a selector
    that the loop watches as one file, which takes less than ``loop.add_reader`` for each request.
    """

    def __init__(self, connections: int) -> None:
        self._loop, self._sockets, self._multi = get_running_loop(), DefaultSelector(), pycurl.CurlMulti()
        self._timer: Handle | None = None
        self._wakes_s = inf
        self._ends: dict[Any, Future[None]] = {}
        for option, value in {
            pycurl.M_MAX_TOTAL_CONNECTIONS: connections,
            pycurl.M_MAXCONNECTS: connections,
            pycurl.M_SOCKETFUNCTION: self._watch_socket,
            pycurl.M_TIMERFUNCTION: self._set_timer,
        }.items():
            self._multi.setopt(option, value)

    def __enter__(self) -> Self:
        self._loop.add_reader(self._sockets.fileno(), self._act_on_sockets)
        return self

    def __exit__(self, *_: object) -> None:
        self._multi.close()
        self._loop.remove_reader(self._sockets.fileno())
        self._sockets.close()
        if self._timer is not None:
            self._timer.cancel()

    async def download(self, url: str, transfer: Transfer) -> Answer:
        """Download beside others; an end before that, such as by a time-out, closes the connection."""
        transfer.begin(url)
        end = self._ends[transfer.curl] = self._loop.create_future()
        self._multi.add_handle(transfer.curl)  # which sets the timer to now
        try:
            await end
            return transfer.answer()
        except pycurl.error as error:
            raise transfer.cause_of(error) from error
        finally:
            del self._ends[transfer.curl]
            self._multi.remove_handle(transfer.curl)
            transfer.discard()

    def _watch_socket(self, events: int, socket: int, *_: object) -> None:
        if events in {pycurl.POLL_NONE, pycurl.POLL_REMOVE}:
            with suppress(KeyError):
                self._sockets.unregister(socket)
            return
        try:
            self._sockets.register(socket, events)
        except KeyError:
            self._sockets.modify(socket, events)

    def _set_timer(self, milliseconds: int) -> None:
        """Have libcurl called in time; an early call costs less than to move the timer for each download."""
        due_s = self._loop.time() + milliseconds / 1000
        if milliseconds >= 0 and due_s < self._wakes_s:
            if self._timer is not None:
                self._timer.cancel()
            self._wakes_s, self._timer = due_s, self._loop.call_at(due_s, self._act_on_time)

    def _act_on_time(self) -> None:
        self._wakes_s, self._timer = inf, None
        self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        self._end_downloads()

    def _act_on_sockets(self) -> None:
        for key, events in self._sockets.select(0):
            self._multi.socket_action(key.fd, events)
        self._end_downloads()

    def _end_downloads(self) -> None:
        _, whole, failed = self._multi.info_read()
        for curl in whole:
            if not self._ends[curl].done():  # it may have been cancelled
                self._ends[curl].set_result(None)
        for curl, number, message in failed:
            if not self._ends[curl].done():
                self._ends[curl].set_exception(pycurl.error(number, message))
