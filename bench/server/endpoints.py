"""The listeners of a server, by what a profile needs of one; each is opened when it is first needed.

HTTP/2 has ports of its own that offer nothing else, so that no client falls back without a word.
"""

import asyncio
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.errors import EnvironmentFault
from bench.server.endpoint import Endpoint
from bench.server.http1.protocol import FlagProtocol
from bench.server.listening import bind_fault, listening
from bench.server.settings import base_url
from bench.server.site import Site
from bench.system.optional_dependencies import TLS, lacking

if TYPE_CHECKING:
    from bench.server.authority import Authority, Certificate
    from bench.server.tls import Handshakes


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

    def __init__(self, site: Site, host: str, stack: AsyncExitStack) -> None:
        self._site = site
        self._host = host
        self._stack = stack
        self._listeners: dict[Endpoint, Listener] = {}
        self._authority: Authority | None = None

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
        if lack := lacking(TLS):
            raise EnvironmentFault(f"TLS {lack.what}", hint=lack.hint)
        return await self._open_encrypted(endpoint, endpoint.certificate, port)

    async def _open_plain(self, endpoint: Endpoint, port: int) -> Listener:
        if not endpoint.is_listening:
            return Listener(base_url(self._host, self._occupy(port)))
        return Listener(base_url(self._host, await self._listen(port, lambda: FlagProtocol(self._site))))

    async def _open_encrypted(self, endpoint: Endpoint, certificate: "Certificate", port: int) -> Listener:
        from bench.server.authority import new_authority
        from bench.server.tls import Handshakes, TlsProtocol

        self._authority = self._authority or new_authority(self._host)
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
