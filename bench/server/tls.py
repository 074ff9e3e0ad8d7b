"""Encrypt accepted connections: the protocol above sees a transport like any other.

The records are made here, over a plain transport. asyncio's own TLS hides when the kernel has every byte,
sends no FIN after its close_notify before the client has sent its own, and does not report failed
handshakes; the log and the faults need all three.
"""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from time import perf_counter
from typing import Any, Final, cast

_HANDSHAKE_S: Final = 10.0
"""Time-out of a handshake."""
_LARGEST_READ: Final = 1024 * 1024


class Handshakes:
    """The handshakes at one listener.

    Attributes:
        begun: connections that were accepted.
        failed: those of them that ended before they could carry a request.
    """

    def __init__(self) -> None:
        self.begun = 0
        self.failed = 0
        self._active: set[asyncio.BaseTransport] = set()

    def begin(self, connection: asyncio.BaseTransport) -> None:
        """Count a connection that has been accepted."""
        self.begun += 1
        self._active.add(connection)

    def succeed(self, connection: asyncio.BaseTransport) -> None:
        """Stop watching a connection that is established."""
        self._active.discard(connection)

    def fail(self, connection: asyncio.BaseTransport) -> None:
        """Count a connection that ends during its handshake, once."""
        if connection in self._active:
            self._active.discard(connection)
            self.failed += 1

    def abort(self) -> None:
        """End every connection during its handshake."""
        for connection in tuple(self._active):
            cast("asyncio.Transport", connection).abort()


class TlsTransport:
    """The sending side of an encrypted connection, with the methods of an ``asyncio.Transport``.

    Those that encryption does not concern are the plain transport's.
    """

    def __init__(self, below: asyncio.Transport, tls: ssl.SSLObject, outgoing: ssl.MemoryBIO) -> None:
        self._below = below
        self._tls = tls
        self._outgoing = outgoing
        self._protocol: asyncio.BaseProtocol | None = None
        self.has_sent_close_notify = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._below, name)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return information on the connection, its encryption included."""
        return self._tls if name == "ssl_object" else self._below.get_extra_info(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Pass further input to another protocol."""
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return the protocol that gets the input."""
        return cast("asyncio.BaseProtocol", self._protocol)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Encrypt and send; data after close_notify is dropped."""
        rest = memoryview(data)
        while rest and not self.has_sent_close_notify:
            rest = rest[self._tls.write(rest) :]
        self.flush()

    def flush(self) -> None:
        """Send the records that are ready, unless the connection is lost: asyncio would log each of them."""
        if self._outgoing.pending and not self._below.is_closing():
            self._below.write(self._outgoing.read())

    def write_eof(self) -> None:
        """Send close_notify and a FIN, but go on reading."""
        self._send_close_notify()
        self._below.write_eof()

    def close(self) -> None:
        """Send close_notify, and close the connection as soon as all is sent."""
        self._send_close_notify()
        self._below.close()

    def release_protocol(self) -> None:
        """Drop the protocol: a reference cycle would wait for the garbage collector."""
        self._protocol = None

    def _send_close_notify(self) -> None:
        """Send close_notify, so that the client can tell the end from a truncation."""
        if not (self.has_sent_close_notify or self._below.is_closing()):
            self.has_sent_close_notify = True
            with suppress(ssl.SSLError):  # OpenSSL would wait for the client's own, which may never come
                self._tls.unwrap()
            self.flush()


class TlsProtocol(asyncio.Protocol):
    """The receiving side: performs the handshake, and then passes decrypted data to the protocol above."""

    _below: asyncio.Transport
    _transport: TlsTransport
    _timer: asyncio.TimerHandle

    def __init__(
        self,
        context: ssl.SSLContext,
        make_protocol: Callable[[float], asyncio.Protocol],
        handshakes: Handshakes,
        latency_s: float = 0.0,
    ) -> None:
        """Create the protocol of a connection that has been accepted.

        ``make_protocol`` takes the time of acceptance, as ``time.perf_counter()`` has it. ``latency_s`` is
        the delay of the connection, and of each answer within the handshake; the time-out leaves it out.
        """
        self._make_protocol = make_protocol
        self._handshakes = handshakes
        self._latency_s = latency_s
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._accepted_s = perf_counter()
        self._is_established = False
        self._has_ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the client's hello."""
        self._below = cast("asyncio.Transport", transport)
        self._transport = TlsTransport(self._below, self._tls, self._outgoing)
        self._handshakes.begin(self._below)
        self._await_rest(self._latency_s + _HANDSHAKE_S)

    def data_received(self, data: bytes) -> None:
        """Continue the handshake, or pass decrypted data up; after close_notify the data is only counted."""
        if self._transport.has_sent_close_notify:
            self._protocol.data_received(data)
            return
        self._incoming.write(data)
        if not self._is_established:
            self._continue_handshake()
        if self._is_established:
            self._decrypt()

    def eof_received(self) -> bool:
        """Pass the end of the input up, with or without a close_notify."""
        if not self._is_established:
            return False
        self._end_input()
        return True

    def pause_writing(self) -> None:
        """Pass up that the kernel takes no more bytes for now."""
        if self._is_established:
            self._protocol.pause_writing()

    def resume_writing(self) -> None:
        """Pass up that the kernel takes bytes again."""
        if self._is_established:
            self._protocol.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count a failed handshake, or pass the end of the connection up."""
        self._timer.cancel()
        if self._is_established:
            self._protocol.connection_lost(exc)
        else:
            self._handshakes.fail(self._below)
        self._transport.release_protocol()

    @property
    def _protocol(self) -> asyncio.Protocol:
        return cast("asyncio.Protocol", self._transport.get_protocol())

    def _continue_handshake(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            answer = self._transport.flush
        except ssl.SSLError:
            answer = self._refuse
        else:
            answer = self._establish
        if self._latency_s and self._outgoing.pending:
            self._hold(answer)
        else:
            answer()

    def _hold(self, answer: Callable[[], None]) -> None:
        """Answer after the latency; what the client sends until then waits in the kernel."""
        loop = asyncio.get_running_loop()
        left_s = self._timer.when() - loop.time()
        self._timer.cancel()
        self._below.pause_reading()
        due_s = perf_counter() + self._latency_s
        self._timer = loop.call_later(self._latency_s, self._answer, answer, due_s, left_s)

    def _answer(self, answer: Callable[[], None], due_s: float, left_s: float) -> None:
        """Answer, but never early: timers may be, by the resolution of their clock."""
        early_s = due_s - perf_counter()
        if early_s > 0:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(early_s, self._answer, answer, due_s, left_s)
            return
        self._await_rest(left_s)
        self._below.resume_reading()
        answer()
        if self._is_established:  # the client may have sent more in the same piece
            self._decrypt()

    def _await_rest(self, for_s: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(for_s, self._below.abort)

    def _refuse(self) -> None:
        self._handshakes.fail(self._below)
        self._transport.flush()  # the alert that says why
        self._below.close()

    def _establish(self) -> None:
        self._transport.flush()
        self._timer.cancel()
        self._handshakes.succeed(self._below)
        self._is_established = True
        protocol = self._make_protocol(self._accepted_s)
        self._transport.set_protocol(protocol)
        protocol.connection_made(cast("asyncio.Transport", self._transport))

    def _decrypt(self) -> None:
        received, is_over = [], False
        try:
            while part := self._tls.read(_LARGEST_READ):
                received.append(part)
            is_over = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:  # forged or damaged: no later record can be trusted
            self._transport.abort()
            return
        self._transport.flush()  # the answer to a request for new keys
        if received:
            self._protocol.data_received(b"".join(received))
        if is_over:
            self._end_input()

    def _end_input(self) -> None:
        if not self._has_ended:
            self._has_ended = True
            if not self._protocol.eof_received():
                self._transport.close()
