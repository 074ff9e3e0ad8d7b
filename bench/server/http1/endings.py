"""What becomes of a connection once an answer has been sent on it, as far as it is to be."""

import asyncio
from collections.abc import Callable
from typing import Literal, TypeAlias

from bench.server.http1.resetting import Resetting
from bench.server.lingering import Lingering

Ending: TypeAlias = Literal["kept", "closed", "refused", "cut", "closed_late", "reset"]
"""How a connection goes on.

``kept``: further requests are answered. ``closed``: the client was told so, and sends no more. ``refused``:
it may be sending still, and nothing more is read until it was told to stop. ``cut``: it did not expect that,
and must see the stream end and no reset. ``closed_late``: like ``cut``, a moment later. ``reset``: it sees a
reset.
"""


def end(transport: asyncio.Transport, ending: Ending, ended: Callable[[Exception | None], None]) -> None:
    """End a connection whose answers are with the kernel; ``ended`` is told when it has come to that."""
    if ending == "closed":
        transport.close()
    elif ending == "reset":
        Resetting(transport, ended).begin()
    elif ending == "closed_late":
        Lingering(transport, ended).begin_late()
    else:
        Lingering(transport, ended).begin()
