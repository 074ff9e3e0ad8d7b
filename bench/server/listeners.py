"""The open port of a server, and what becomes of its connections when it is closed."""

import asyncio
import errno
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bench.errors import SetupError
from bench.model.cases import Profile
from bench.server.accept_loop import Acceptor
from bench.server.http1.protocol import FlagProtocol
from bench.server.state import ServerState

if TYPE_CHECKING:
    from bench.server.certificates import Certificate
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from bench.server.settings import base_url
from bench.system.optional_dependencies import TLS, missing_extra

if TYPE_CHECKING:
    from bench.server.certificates import Certificate, CertificateAuthority
    from bench.server.tls import Handshakes


_BACKLOG: Final = 8192
"""Connections that may wait to be accepted: with 100, a burst of 200 left 97 waiting for a second."""
_SILENCE_S: Final = 60
"""After so long without a word, a client is asked whether it is still there."""
_ASK_AGAIN_S: Final = 15
_MOST_ASKED: Final = 4
_UNHEARD_S: Final = 120
"""A client that confirms nothing of what is sent for so long, or takes nothing, is given up."""


@asynccontextmanager
async def listening(
    site: ServerState, host: str, port: int, make_protocol: Callable[[], asyncio.Protocol] | None = None
) -> AsyncIterator[int]:
    """Serve a site on an address, yield the port, and end every connection at the end.

    Args:
        site: what is served.
        host: the address.
        port: 0 for any that is free.
        make_protocol: makes what a connection speaks; HTTP/1.1 if left out.

    Raises:
        EnvironmentFault: the port is in use or may not be used.
    """
    try:
        listener = _listener(host, port)
    except OSError as error:
        raise bind_fault(error, host, port) from error
    door = Acceptor(listener, make_protocol or (lambda: FlagProtocol(site)), site.keep_waiting)
    door.open()
    try:
        yield listener.getsockname()[1]
    finally:
        door.close()
        site.clear()


def bind_fault(error: OSError, host: str, port: int) -> SetupError:
    """Say why an address cannot be had, and what to do."""
    return SetupError(_why(error, host, port), hint="choose another port, or 0 for any")


def _listener(host: str, port: int) -> socket.socket:
    """Open a port whose connections end when the other side is gone without a word (tcp(7))."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    listener.settimeout(0)
    # Connections inherit all of it, so it costs them nothing. asyncio would not see that this is TCP.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if sys.platform == "linux":
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _SILENCE_S)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _ASK_AGAIN_S)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _MOST_ASKED)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNHEARD_S * 1000)
    return listener


def _why(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is in use"
    return f"port {port} of {host} cannot be used: {os.strerror(error.errno or 0)}"


_BAD_CERTIFICATES: "Final[dict[str, Certificate]]" = {
    "tls_expired": "expired",
    "tls_wrong_host": "wrong_host",
    "tls_unknown_authority": "unknown_authority",
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What a profile needs of a listener.

    Attributes:
        certificate: what it shows; ``None`` is not encrypted.
        http2: whether it speaks HTTP/2, and nothing else.
        is_listening: whether it takes connections at all; one that does not refuses them.
    """

    certificate: "Certificate | None" = None
    http2: bool = False
    is_listening: bool = True


def endpoint_of(profile: Profile) -> Endpoint:
    """Return what a profile needs of a listener."""
    kinds = {fault.kind for fault in profile.faults}
    bad = next((certificate for kind, certificate in _BAD_CERTIFICATES.items() if kind in kinds), None)
    certificate = (bad or "good") if profile.tls else None
    return Endpoint(certificate, profile.http2, "refused" not in kinds)


@dataclass(frozen=True, slots=True)
class Listener:
    """A listener that is open.

    Attributes:
        url: its address without a slash at its end.
        handshakes: ``None`` where there are none.
    """

    url: str
    handshakes: "Handshakes | None" = None


class Endpoints:
    """The listeners of one address, with certificates of one authority."""

    def __init__(self, site: ServerState, host: str, stack: AsyncExitStack) -> None:
        self._site = site
        self._host = host
        self._stack = stack
        self._listeners: dict[Endpoint, Listener] = {}
        self._authority: CertificateAuthority | None = None

    @property
    def authority(self) -> str:
        """The authority as PEM; empty as long as nothing is encrypted."""
        return "" if self._authority is None else self._authority.pem

    async def find(self, endpoint: Endpoint, port: int = 0) -> Listener:
        """Return a listener, opened on this port, or any that is free, if it is not yet.

        Raises:
            EnvironmentFault: the port is in use or may not be used, or a library is not installed.
        """
        listener = self._listeners.get(endpoint)
        if listener is None:
            listener = self._listeners[endpoint] = await self._open(endpoint, port)
        return listener

    async def _open(self, endpoint: Endpoint, port: int) -> Listener:
        if endpoint.certificate is None:
            return await self._open_plain(endpoint, port)
        if lack := missing_extra(TLS):
            raise SetupError(f"TLS {lack.what}", hint=lack.hint)
        return await self._open_encrypted(endpoint, endpoint.certificate, port)

    async def _open_plain(self, endpoint: Endpoint, port: int) -> Listener:
        if not endpoint.is_listening:
            return Listener(base_url(self._host, self._occupy(port)))
        return Listener(base_url(self._host, await self._listen(port, lambda: FlagProtocol(self._site))))

    async def _open_encrypted(self, endpoint: Endpoint, certificate: "Certificate", port: int) -> Listener:
        from bench.server.certificates import new_certificate_authority
        from bench.server.tls import Handshakes, TlsProtocol

        self._authority = self._authority or new_certificate_authority(self._host)
        if not endpoint.is_listening:
            return Listener(base_url(self._host, self._occupy(port), "https"))
        context = self._authority.context(certificate, "h2" if endpoint.http2 else "http/1.1")
        handshakes = Handshakes()
        self._stack.callback(handshakes.abort)
        speak = self._http2() if endpoint.http2 else self._http1
        bound_port = await self._listen(port, lambda: TlsProtocol(context, speak, handshakes))
        return Listener(base_url(self._host, bound_port, "https"), handshakes)

    def _http1(self, accepted_s: float) -> asyncio.Protocol:
        return FlagProtocol(self._site, accepted_s)

    def _http2(self) -> Callable[[float], asyncio.Protocol]:
        from bench.server.http2.protocol import Http2Protocol

        return lambda accepted_s: Http2Protocol(self._site, accepted_s)

    async def _listen(self, port: int, make_protocol: Callable[[], asyncio.Protocol]) -> int:
        return await self._stack.enter_async_context(listening(self._site, self._host, port, make_protocol))

    def _occupy(self, port: int) -> int:
        taken = self._stack.enter_context(_unattended(self._host, port))
        bound_port: int = taken.getsockname()[1]
        return bound_port


def _unattended(host: str, port: int) -> socket.socket:
    """Take a port at which nobody listens, so that connecting is refused and nobody else gets it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    try:
        taken.bind((host, port))
    except OSError as error:
        taken.close()
        raise bind_fault(error, host, port) from error
    return taken
