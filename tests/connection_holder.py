"""Hold many honest connections to a flag server beside slow-loris clients, as a program.

``python -m tests.connection_holder HONEST SLOW SECONDS`` prints the outcome as JSON. Honest clients send a
request when they have connected, a tenth of them in the middle, and all at the end.
"""

import asyncio
import json
import struct
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from fcntl import ioctl
from pathlib import Path
from socket import AF_INET, SOCK_DGRAM, socket
from time import monotonic
from typing import Final
from urllib.parse import urlsplit

from bench.model.cases import Profile
from bench.model.server_settings import ServerSettings
from bench.system.disturbance import cpu_s
from bench.system.limits import raise_limit
from tests.server_process import close_pipe, control, server_process

_REQUEST: Final = b"GET /flags/br/br.gif HTTP/1.1\r\nHost: localhost\r\n\r\n"
_BATCH: Final = 500
_DRIP_S: Final = 2.0
_PER_ADDRESS: Final = 250
_TIME_OUT_S: Final = 20.0
_UP: Final = 0x1
_SET_FLAGS: Final = 0x8914
"""SIOCSIFFLAGS of netdevice(7)."""


@dataclass(frozen=True)
class Held:
    """The outcome.

    Attributes:
        errors: of honest clients, by kind.
        answers: responses that honest clients got in full.
        most_connections: connections that the server held at one time, by its descriptors.
        refused: slow clients that were refused, by status.
        dropped: connections that the kernel refused because the backlog was full.
        left_over: descriptors of the server after all clients had gone, beyond those before they came.
        waits: how often clients had to wait for a descriptor.
        server_busy: processor time of the server while it held them, as a share of a core.
    """

    errors: dict[str, int]
    answers: int
    most_connections: int
    refused: dict[str, int]
    dropped: int
    left_over: int
    waits: int
    server_busy: float


class HonestClients:
    """Honest clients, each with its own connection."""

    def __init__(self, host: str, port: int) -> None:
        self._address = host, port
        self._connections: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self.errors: Counter[str] = Counter()
        self.answers = 0

    async def connect(self, number: int) -> None:
        """Connect, five hundred at a time, and send one request each."""
        for start in range(0, number, _BATCH):
            await asyncio.gather(*(self._connect_one() for _ in range(min(_BATCH, number - start))))

    async def request_flags(self, every: int = 1) -> None:
        """Send a request from every n-th client."""
        clients = self._connections[::every]
        for start in range(0, len(clients), _BATCH):
            await asyncio.gather(*(self._request_flag(*each) for each in clients[start : start + _BATCH]))

    def disconnect(self) -> None:
        """Close all connections."""
        for _, writer in self._connections:
            writer.close()

    async def _connect_one(self) -> None:
        try:
            async with asyncio.timeout(_TIME_OUT_S):
                connection = await asyncio.open_connection(*self._address, limit=4096)
        except (OSError, TimeoutError) as error:
            self.errors[f"connecting: {type(error).__name__}"] += 1
            return
        self._connections.append(connection)
        await self._request_flag(*connection)

    async def _request_flag(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_TIME_OUT_S):
                writer.write(_REQUEST)
                head = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
                size = next(int(line[15:]) for line in head if line.startswith(b"Content-Length:"))
                await reader.readexactly(size)
        except (OSError, EOFError, TimeoutError) as error:
            self.errors[f"asking: {type(error).__name__}"] += 1
            return
        if head[0] == b"HTTP/1.1 200 OK":
            self.answers += 1
        else:
            self.errors[head[0].decode()] += 1


async def send_slowly(host: str, port: int, number: int, refused: Counter[str]) -> None:
    """Send a byte of a request every two seconds, and start again when refused, for ever."""
    source = f"127.0.1.{1 + number // _PER_ADDRESS}"
    await asyncio.sleep(number % 100 * _DRIP_S / 100)
    while True:
        try:
            reader, writer = await asyncio.open_connection(host, port, local_addr=(source, 0))
            try:
                refused[await _drip(reader, writer)] += 1
            finally:
                writer.close()
        except OSError as error:
            refused[type(error).__name__] += 1


async def _drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
    """Send byte after byte until a response comes, and return its first line."""
    for byte in _REQUEST * 10:
        writer.write(bytes([byte]))
        with suppress(TimeoutError):
            async with asyncio.timeout(_DRIP_S):
                return (await reader.read(64)).decode().partition("\r\n")[0]
    return "no answer"


async def hold(honest: int, slow: int, seconds: float) -> Held:
    """Start a server, and hold connections to it."""
    with server_process() as process:
        server = control(process, reply_limit_s=_TIME_OUT_S)
        server.start(ServerSettings(Profile("local")))
        address = urlsplit(server.base_url)
        host, port = str(address.hostname), int(address.port or 0)
        before, dropped = count_descriptors(process.pid), count_drops()
        refused: Counter[str] = Counter()
        slow_clients = [
            asyncio.create_task(send_slowly(host, port, number, refused)) for number in range(slow)
        ]
        honest_clients = HonestClients(host, port)
        await honest_clients.connect(honest)
        began_s, used_s = monotonic(), cpu_s(process.pid)
        await asyncio.sleep(seconds / 2)
        most = count_descriptors(process.pid) - before
        await honest_clients.request_flags(every=10)
        await asyncio.sleep(max(0.0, began_s + seconds - monotonic()))
        busy = (cpu_s(process.pid) - used_s) / (monotonic() - began_s)
        await honest_clients.request_flags()
        honest_clients.disconnect()
        for each in slow_clients:
            each.cancel()
        await asyncio.gather(*slow_clients, return_exceptions=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(_TIME_OUT_S):
                while count_descriptors(process.pid) > before:  # noqa: ASYNC110  another process does not report it
                    await asyncio.sleep(0.05)
        held = Held(
            errors=dict(honest_clients.errors),
            answers=honest_clients.answers,
            most_connections=most,
            refused=dict(refused),
            dropped=count_drops() - dropped,
            left_over=count_descriptors(process.pid) - before,
            waits=server.count_waits(),
            server_busy=busy,
        )
        close_pipe(process)
        return held


def count_descriptors(pid: int) -> int:
    """Count the open files of a process."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def count_drops() -> int:
    """Return the connections that the kernel of this network dropped because of full queues."""
    names, figures = (line.split() for line in Path("/proc/net/netstat").read_text("ascii").splitlines()[:2])
    counters = dict(zip(names, figures, strict=True))
    return int(counters["ListenOverflows"]) + int(counters["ListenDrops"])


def bring_up_loopback() -> None:
    """Enable the loopback interface, which is down in a new network."""
    with socket(AF_INET, SOCK_DGRAM) as any_socket:
        ioctl(any_socket, _SET_FLAGS, struct.pack("16sH14x", b"lo", _UP))


def main(words: Sequence[str]) -> None:
    """Hold connections, and print the outcome."""
    honest, slow, seconds = int(words[0]), int(words[1]), float(words[2])
    raise_limit()
    if words[3:] == ["own-network"]:
        bring_up_loopback()
    held = asyncio.run(hold(honest, slow, seconds))
    sys.stdout.write(json.dumps(asdict(held)) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
