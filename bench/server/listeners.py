"""Open the server's listeners: plain, encrypted, or a port that refuses connections."""

import asyncio
import errno
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from bench.errors import SetupError
from bench.server.accept_loop import Acceptor
from bench.server.connection_limits import ConnectionLimits
from bench.server.http1.protocol import FlagProtocol
from bench.server.resource_needs import CertificateKind, ListenerSpec
from bench.server.state import ServerState
from bench.system.optional_dependencies import TLS, Extra, missing_extra

if TYPE_CHECKING:
    from bench.server.certificates import CertificateAuthority
    from bench.server.tls import Handshakes

_BACKLOG: Final = 8192
"""Connections that may wait to be accepted: with 100, a burst of 200 left 97 waiting for a second."""
_PROBES: Final = 4
"""Unanswered keep-alive probes after which a connection is closed (TCP_KEEPCNT)."""
_UNACKNOWLEDGED_S: Final = 120
"""Time after which a connection is closed if the client acknowledges or takes nothing (TCP_USER_TIMEOUT)."""


@dataclass(frozen=True, slots=True)
class Listener:
    """An open listener.

    Attributes:
        url: its address without a slash at its end.
        handshakes: ``None`` without encryption, or if it refuses connections.
    """

    url: str
    handshakes: "Handshakes | None" = None


class Listeners:
    """The listeners of one address by kind, with certificates of one authority."""

    def __init__(self, state: ServerState, host: str, stack: AsyncExitStack, extra: Extra = TLS) -> None:
        """``stack`` closes the listeners; ``extra`` names the libraries that encryption needs."""
        self.state = state
        self._host = host
        self._stack = stack
        self._extra = extra
        self._listeners: dict[ListenerSpec, Listener] = {}
        self._authority: CertificateAuthority | None = None

    @property
    def authority(self) -> str:
        """The certificate authority as PEM; empty as long as nothing is encrypted."""
        return "" if self._authority is None else self._authority.pem

    async def find_or_open(self, spec: ListenerSpec, port: int = 0) -> Listener:
        """Return the listener of a kind; open it on this port, or on any free one, if it is missing.

        Raises:
            SetupError: the port is in use or may not be used, or a library is not installed.
        """
        listener = self._listeners.get(spec)
        if listener is None:
            listener = self._listeners[spec] = await self._open(spec, port)
        return listener

    async def _open(self, spec: ListenerSpec, port: int) -> Listener:
        if spec.certificate is not None:
            if missing := missing_extra(self._extra):
                raise SetupError(f"TLS {missing.what}", hint=missing.hint)
            return await self._open_encrypted(spec, spec.certificate, port)
        if not spec.is_listening:
            return Listener(base_url(self._host, self._reserve_port(port)))
        return Listener(base_url(self._host, await self._listen(port, lambda: FlagProtocol(self.state))))

    async def _open_encrypted(self, spec: ListenerSpec, certificate: CertificateKind, port: int) -> Listener:
        # optional libraries: a run without encryption does not need them
        from bench.server.certificates import new_certificate_authority
        from bench.server.tls import Handshakes, TlsProtocol

        self._authority = self._authority or new_certificate_authority(self._host)
        if not spec.is_listening:
            return Listener(base_url(self._host, self._reserve_port(port), "https"))
        context = self._authority.server_context(certificate, "h2" if spec.http2 else "http/1.1")
        handshakes = Handshakes()
        self._stack.callback(handshakes.abort)
        make_protocol = self._http2_protocol() if spec.http2 else self._http1_protocol
        bound_port = await self._listen(port, lambda: TlsProtocol(context, make_protocol, handshakes))
        return Listener(base_url(self._host, bound_port, "https"), handshakes)

    def _http1_protocol(self, accepted_s: float) -> asyncio.Protocol:
        return FlagProtocol(self.state, accepted_s)

    def _http2_protocol(self) -> Callable[[float], asyncio.Protocol]:
        from bench.server.http2.protocol import Http2Protocol  # h2 is an optional library

        return lambda accepted_s: Http2Protocol(self.state, accepted_s)

    async def _listen(self, port: int, make_protocol: Callable[[], asyncio.Protocol]) -> int:
        return await self._stack.enter_async_context(listening(self.state, self._host, port, make_protocol))

    def _reserve_port(self, port: int) -> int:
        """Bind a port without listening, so that connecting is refused and no other process gets it."""
        bound = self._stack.enter_context(socket.socket(_family(self._host), socket.SOCK_STREAM))
        try:
            bound.bind((self._host, port))
        except OSError as error:
            raise port_error(error, self._host, port) from error
        bound_port: int = bound.getsockname()[1]
        return bound_port


@asynccontextmanager
async def listening(
    state: ServerState, host: str, port: int, make_protocol: Callable[[], asyncio.Protocol] | None = None
) -> AsyncIterator[int]:
    """Listen on an address, yield the port, and abort every connection at the end.

    Args:
        state: the state of the connections.
        host: the IP address.
        port: 0 for any free port.
        make_protocol: creates a connection's protocol; HTTP/1.1 by default.

    Raises:
        SetupError: the port is in use or may not be used.
    """
    try:
        listener = _open_socket(host, port, state.limits)
    except OSError as error:
        raise port_error(error, host, port) from error
    acceptor = Acceptor(
        listener,
        make_protocol or (lambda: FlagProtocol(state)),
        state.count_wait,
        state.limits.highest_descriptor,
    )
    acceptor.start()
    try:
        yield listener.getsockname()[1]
    finally:
        acceptor.close()
        state.abort_connections()


def port_error(error: OSError, host: str, port: int) -> SetupError:
    """Describe why a port cannot be bound."""
    if error.errno == errno.EADDRINUSE:
        reason = "is in use"
    else:
        reason = f"cannot be used: {os.strerror(error.errno or 0)}"
    return SetupError(f"port {port} of {host} {reason}", hint="choose another port, or 0 for any")


def base_url(host: str, port: int, scheme: Literal["http", "https"] = "http") -> str:
    """Return a server's address without a slash at its end."""
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _open_socket(host: str, port: int, limits: ConnectionLimits) -> socket.socket:
    """Open a listening socket whose connections end if the client vanishes (tcp(7))."""
    listener = socket.create_server((host, port), family=_family(host), backlog=_BACKLOG)
    listener.settimeout(0)
    # Connections inherit all options, so it costs them nothing. asyncio would not see that this is TCP.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if sys.platform == "linux":
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, limits.idle_probe_s)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, limits.probe_interval_s)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _PROBES)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNACKNOWLEDGED_S * 1000)
    return listener
