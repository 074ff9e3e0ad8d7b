"""TLS on an accepted connection: the protocol above it sees a transport like any other.

The records are made here, over a plain transport, since asyncio's own TLS hides when the kernel has every
byte, sends no FIN after its close_notify before the client has sent its own, and tells nobody of a
handshake that failed. The log and the faults need all three.
"""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from time import perf_counter
from typing import Any, Final, cast

_HANDSHAKE_S: Final = 10.0
"""After so long without an end to its handshake a connection is given up."""
_PLENTY: Final = 1024 * 1024


class Handshakes:
    """The handshakes at one listener: how many there were, how many failed, and those under way.

    Attributes:
        begun: connections that were accepted.
        failed: those of them that ended before they could carry a request.
    """

    def __init__(self) -> None:
        self.begun = 0
        self.failed = 0
        self._under_way: set[asyncio.BaseTransport] = set()

    def begin(self, connection: asyncio.BaseTransport) -> None:
        """Count a connection that has been accepted."""
        self.begun += 1
        self._under_way.add(connection)

    def succeed(self, connection: asyncio.BaseTransport) -> None:
        """Leave a connection to the protocol that it carries."""
        self._under_way.discard(connection)

    def fail(self, connection: asyncio.BaseTransport) -> None:
        """Count a connection that never became one, once."""
        if connection in self._under_way:
            self._under_way.discard(connection)
            self.failed += 1

    def abort(self) -> None:
        """End every connection whose handshake is under way."""
        for connection in tuple(self._under_way):
            cast("asyncio.Transport", connection).abort()


class TlsTransport(asyncio.Transport):
    """The encrypting half: what is written goes out as records."""

    def __init__(self, below: asyncio.Transport, tls: ssl.SSLObject, outgoing: ssl.MemoryBIO) -> None:
        super().__init__()
        self._below = below
        self._tls = tls
        self._outgoing = outgoing
        self._protocol: asyncio.BaseProtocol | None = None
        self.has_said_goodbye = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return what is known of the connection, its encryption included."""
        return self._tls if name == "ssl_object" else self._below.get_extra_info(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Hand what arrives from now on to another protocol."""
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return the protocol that gets what arrives."""
        return cast("asyncio.BaseProtocol", self._protocol)

    def is_closing(self) -> bool:
        """Tell whether the connection is closed, or about to be."""
        return self._below.is_closing()

    def pause_reading(self) -> None:
        """Take in no more bytes for now."""
        self._below.pause_reading()

    def resume_reading(self) -> None:
        """Take in bytes again."""
        self._below.resume_reading()

    def is_reading(self) -> bool:
        """Tell whether bytes are taken in."""
        return self._below.is_reading()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Say how many bytes may wait for the kernel; they are counted encrypted."""
        self._below.set_write_buffer_limits(high, low)

    def get_write_buffer_size(self) -> int:
        """Return how many bytes wait for the kernel."""
        return self._below.get_write_buffer_size()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Encrypt and send; what comes after the goodbye is dropped."""
        rest = memoryview(data)
        while rest and not self.has_said_goodbye:
            rest = rest[self._tls.write(rest) :]
        self.flush()

    def flush(self) -> None:
        """Send the records that are ready; on a connection that is lost, asyncio would log each of them."""
        if self._outgoing.pending and not self._below.is_closing():
            self._below.write(self._outgoing.read())

    def can_write_eof(self) -> bool:
        """Tell that one direction can be closed without the other."""
        return True

    def write_eof(self) -> None:
        """Say goodbye and send a FIN, but go on reading."""
        self._say_goodbye()
        self._below.write_eof()

    def close(self) -> None:
        """Say goodbye, and close the connection as soon as all is sent."""
        self._say_goodbye()
        self._below.close()

    def abort(self) -> None:
        """Close the connection now, without a goodbye: a reset, if the socket lingers for no time."""
        self._below.abort()

    def forget(self) -> None:
        """Let go of the protocol: a circle would wait for the garbage collector."""
        self._protocol = None

    def _say_goodbye(self) -> None:
        """Send close_notify, without which a client cannot tell the end from a cut."""
        if not (self.has_said_goodbye or self.is_closing()):
            self.has_said_goodbye = True
            with suppress(ssl.SSLError):  # the client's own, which it would wait for, may never come
                self._tls.unwrap()
            self.flush()


class TlsProtocol(asyncio.Protocol):
    """The decrypting half: shakes hands, and then feeds the protocol above."""

    _below: asyncio.Transport
    _above: TlsTransport
    _timer: asyncio.TimerHandle

    def __init__(
        self, context: ssl.SSLContext, make_above: Callable[[float], asyncio.Protocol], handshakes: Handshakes
    ) -> None:
        self._make_above = make_above
        self._handshakes = handshakes
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._accepted_s = perf_counter()
        self._is_established = False
        self._has_ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the client's greeting."""
        self._below = cast("asyncio.Transport", transport)
        self._above = TlsTransport(self._below, self._tls, self._outgoing)
        self._handshakes.begin(self._below)
        self._timer = asyncio.get_running_loop().call_later(_HANDSHAKE_S, self._below.abort)

    def data_received(self, data: bytes) -> None:
        """Go on with the handshake, or hand up what has come; after the goodbye it is not even decrypted."""
        if self._above.has_said_goodbye:
            self._protocol.data_received(data)
            return
        self._incoming.write(data)
        if not self._is_established:
            self._shake_hands()
        if self._is_established:
            self._decrypt()

    def eof_received(self) -> bool:
        """Hand up the end of what comes, goodbye or not."""
        if not self._is_established:
            return False
        self._end_input()
        return True

    def pause_writing(self) -> None:
        """Hand up that the kernel takes no more bytes for now."""
        if self._is_established:
            self._protocol.pause_writing()

    def resume_writing(self) -> None:
        """Hand up that the kernel takes bytes again."""
        if self._is_established:
            self._protocol.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count a connection that never became one, or hand up that it has ended."""
        self._timer.cancel()
        if self._is_established:
            self._protocol.connection_lost(exc)
        else:
            self._handshakes.fail(self._below)
        self._above.forget()

    @property
    def _protocol(self) -> asyncio.Protocol:
        return cast("asyncio.Protocol", self._above.get_protocol())

    def _shake_hands(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._above.flush()
            return
        except ssl.SSLError:
            self._handshakes.fail(self._below)
            self._above.flush()  # the alert that says why
            self._below.close()
            return
        self._above.flush()
        self._timer.cancel()
        self._handshakes.succeed(self._below)
        self._is_established = True
        protocol = self._make_above(self._accepted_s)
        self._above.set_protocol(protocol)
        protocol.connection_made(self._above)

    def _decrypt(self) -> None:
        received, is_over = [], False
        try:
            while part := self._tls.read(_PLENTY):
                received.append(part)
            is_over = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:  # forged or damaged: nothing more can be believed
            self._above.abort()
            return
        self._above.flush()  # the answer to a request for new keys
        if received:
            self._protocol.data_received(b"".join(received))
        if is_over:
            self._end_input()

    def _end_input(self) -> None:
        if not self._has_ended:
            self._has_ended = True
            if not self._protocol.eof_received():
                self._above.close()
