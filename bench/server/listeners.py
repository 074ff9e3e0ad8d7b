"""Open the server's listeners: plain, encrypted, or a port that refuses connections."""

import asyncio
import errno
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from bench.errors import SetupError
from bench.server.accept_loop import Acceptor
from bench.server.connect_latency import hold_connections
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
_KEEPALIVE_PROBES: Final = 4
"""Unanswered keep-alive probes until a connection is closed (TCP_KEEPCNT)."""
_UNACKNOWLEDGED_S: Final = 120
"""Time until a connection is closed if the client acknowledges or takes nothing (TCP_USER_TIMEOUT)."""


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

    def __init__(self, state: ServerState, host: str, stack: ExitStack, extra: Extra = TLS) -> None:
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

    def find_or_open(self, spec: ListenerSpec, port: int = 0) -> Listener:
        """Return the listener of a kind; open it if it is missing.

        A new one has this port, or any free one.

        Raises:
            SetupError: the port is in use or may not be used, or a library is not installed.
        """
        if spec not in self._listeners:
            self._listeners[spec] = self._open(spec, port)
        return self._listeners[spec]

    def _open(self, spec: ListenerSpec, port: int) -> Listener:
        if spec.certificate is not None:
            if missing := missing_extra(self._extra):
                raise SetupError(f"TLS {missing.what}", hint=missing.hint)
            return self._open_encrypted(spec, spec.certificate, port)
        if not spec.is_listening:
            return Listener(base_url(self._host, self._reserve_port(port)))
        make_protocol = hold_connections(lambda: FlagProtocol(self.state), spec.connect_latency_s)
        return Listener(base_url(self._host, self._listen(port, make_protocol)))

    def _open_encrypted(self, spec: ListenerSpec, certificate: CertificateKind, port: int) -> Listener:
        # optional libraries: a run without encryption does not need them
        from bench.server.certificates import new_certificate_authority
        from bench.server.tls import Handshakes, TlsProtocol

        self._authority = self._authority or new_certificate_authority(self._host)
        if not spec.is_listening:
            return Listener(base_url(self._host, self._reserve_port(port), "https"))
        context = self._authority.server_context(certificate, "h2" if spec.http2 else "http/1.1")
        protocol = self._http2_protocol() if spec.http2 else FlagProtocol
        handshakes = Handshakes()
        self._stack.callback(handshakes.abort)

        def make_protocol() -> asyncio.Protocol:
            return TlsProtocol(
                context,
                lambda accepted_s: protocol(self.state, accepted_s),
                handshakes,
                spec.connect_latency_s,
            )

        bound_port = self._listen(port, hold_connections(make_protocol, spec.connect_latency_s))
        return Listener(base_url(self._host, bound_port, "https"), handshakes)

    @staticmethod
    def _http2_protocol() -> Callable[[ServerState, float], asyncio.Protocol]:
        from bench.server.http2.protocol import Http2Protocol  # h2 is an optional library

        return Http2Protocol

    def _listen(self, port: int, make_protocol: Callable[[], asyncio.Protocol]) -> int:
        """Accept connections on a port, and abort all of them at the end; return the port."""
        limits = self.state.limits
        with _explain_bind_errors(self._host, port):
            listener = _open_socket(self._host, port, limits)
        acceptor = Acceptor(
            listener,
            make_protocol,
            self.state.trials.note_connection,
            self.state.count_wait,
            limits.highest_descriptor,
        )
        self._stack.callback(self.state.abort_connections)
        self._stack.callback(acceptor.close)
        acceptor.start()
        return _bound_port(listener)

    def _reserve_port(self, port: int) -> int:
        """Bind a port without listening, so that connecting is refused and no other process gets it."""
        reserved = self._stack.enter_context(socket.socket(_family(self._host), socket.SOCK_STREAM))
        with _explain_bind_errors(self._host, port):
            reserved.bind((self._host, port))
        return _bound_port(reserved)


@contextmanager
def _explain_bind_errors(host: str, port: int) -> Iterator[None]:
    """Convert an error of binding a port."""
    try:
        yield
    except OSError as error:
        in_use = error.errno == errno.EADDRINUSE
        reason = "is in use" if in_use else f"cannot be used: {os.strerror(error.errno or 0)}"
        raise SetupError(
            f"port {port} of {host} {reason}", hint="choose another port, or 0 for any"
        ) from error


def base_url(host: str, port: int, scheme: Literal["http", "https"] = "http") -> str:
    """Return a server's address without a slash at its end."""
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _bound_port(listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    return port


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
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _KEEPALIVE_PROBES)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNACKNOWLEDGED_S * 1000)
    return listener
