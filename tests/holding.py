"""Many honest clients that stay connected to a flag server, and slow-loris clients beside them, as a program.

``python -m tests.holding HONEST SLOW SECONDS`` prints what came of it as JSON. Honest clients ask once when
they have come, a tenth of them in the middle, and all in the end.
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
from bench.server.settings import ServerSettings
from bench.system.disturbance import cpu_s
from bench.system.limits import raise_limit
from tests.server_process import handle, hang_up, server_process

_REQUEST: Final = b"GET /flags/br/br.gif HTTP/1.1\r\nHost: localhost\r\n\r\n"
_AT_ONCE: Final = 500
_DRIP_S: Final = 2.0
_PER_ADDRESS: Final = 250
_PATIENCE_S: Final = 20.0
_UP: Final = 0x1
_SET_FLAGS: Final = 0x8914
"""SIOCSIFFLAGS of netdevice(7)."""


@dataclass(frozen=True)
class Held:
    """What came of it.

    Attributes:
        errors: of honest clients, by kind.
        answers: that honest clients got in full.
        most_connections: that the server held at one time, as its descriptors say.
        refused: slow clients that were told to hurry, by status.
        dropped: connections that the kernel refused since the queue was full.
        left_over: descriptors of the server after all clients had gone, beyond those before they came.
        waits: how often somebody was not let in.
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


class Crowd:
    """Honest clients, each with a connection of its own."""

    def __init__(self, host: str, port: int) -> None:
        self._address = host, port
        self._connections: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self.errors: Counter[str] = Counter()
        self.answers = 0

    async def come(self, number: int) -> None:
        """Connect, five hundred at a time, and ask once."""
        for start in range(0, number, _AT_ONCE):
            await asyncio.gather(*(self._come() for _ in range(min(_AT_ONCE, number - start))))

    async def ask(self, every: int = 1) -> None:
        """Have every so-manieth client ask."""
        asking = self._connections[::every]
        for start in range(0, len(asking), _AT_ONCE):
            await asyncio.gather(*(self._ask(*each) for each in asking[start : start + _AT_ONCE]))

    def leave(self) -> None:
        """Hang up."""
        for _, writer in self._connections:
            writer.close()

    async def _come(self) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                connection = await asyncio.open_connection(*self._address, limit=4096)
        except (OSError, TimeoutError) as error:
            self.errors[f"connecting: {type(error).__name__}"] += 1
            return
        self._connections.append(connection)
        await self._ask(*connection)

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_S):
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


async def be_slow(host: str, port: int, number: int, refused: Counter[str]) -> None:
    """Send a byte of a request every two seconds, and begin anew when refused; for ever."""
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
    """Send byte after byte until there is an answer, and return its first line."""
    for byte in _REQUEST * 10:
        writer.write(bytes([byte]))
        with suppress(TimeoutError):
            async with asyncio.timeout(_DRIP_S):
                return (await reader.read(64)).decode().partition("\r\n")[0]
    return "no answer"


async def hold(honest: int, slow: int, seconds: float) -> Held:
    """Hold connections at a server of one's own."""
    with server_process() as process:
        server = handle(process, reply_limit_s=_PATIENCE_S)
        server.start(ServerSettings(Profile("local")))
        address = urlsplit(server.base_url)
        host, port = str(address.hostname), int(address.port or 0)
        before, dropped = descriptors(process.pid), drops()
        refused: Counter[str] = Counter()
        loris = [asyncio.create_task(be_slow(host, port, number, refused)) for number in range(slow)]
        crowd = Crowd(host, port)
        await crowd.come(honest)
        began_s, used_s = monotonic(), cpu_s(process.pid)
        await asyncio.sleep(seconds / 2)
        most = descriptors(process.pid) - before
        await crowd.ask(every=10)
        await asyncio.sleep(max(0.0, began_s + seconds - monotonic()))
        busy = (cpu_s(process.pid) - used_s) / (monotonic() - began_s)
        await crowd.ask()
        crowd.leave()
        for each in loris:
            each.cancel()
        await asyncio.gather(*loris, return_exceptions=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_S):
                while descriptors(process.pid) > before:  # noqa: ASYNC110  another process tells nobody
                    await asyncio.sleep(0.05)
        held = Held(
            errors=dict(crowd.errors),
            answers=crowd.answers,
            most_connections=most,
            refused=dict(refused),
            dropped=drops() - dropped,
            left_over=descriptors(process.pid) - before,
            waits=server.waits(),
            server_busy=busy,
        )
        hang_up(process)
        return held


def descriptors(pid: int) -> int:
    """Count the open files of a process."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def drops() -> int:
    """Read what the kernel of this network says of full queues."""
    names, figures = (line.split() for line in Path("/proc/net/netstat").read_text("ascii").splitlines()[:2])
    counters = dict(zip(names, figures, strict=True))
    return int(counters["ListenOverflows"]) + int(counters["ListenDrops"])


def bring_up_loopback() -> None:
    """Make a new network usable: its loopback interface is down at first."""
    with socket(AF_INET, SOCK_DGRAM) as any_socket:
        ioctl(any_socket, _SET_FLAGS, struct.pack("16sH14x", b"lo", _UP))


def main(words: Sequence[str]) -> None:
    """Hold, and print what came of it."""
    honest, slow, seconds = int(words[0]), int(words[1]), float(words[2])
    raise_limit()
    if words[3:] == ["own-network"]:
        bring_up_loopback()
    held = asyncio.run(hold(honest, slow, seconds))
    sys.stdout.write(json.dumps(asdict(held)) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
