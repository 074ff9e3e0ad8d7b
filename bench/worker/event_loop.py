"""Give asyncio another event loop, as the option of a strategy asks for it. Used by the trial."""

import sys
import warnings
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

UVLOOP: Final = "uvloop"


class UnusedOptionError(Exception):
    """A strategy did not do what its option says."""


class LoopCheck:
    """Checks that asyncio has made an event loop of uvloop."""

    def __init__(self) -> None:
        self.loops = 0

    def check(self) -> None:
        """Check that there was such a loop.

        Raises:
            UnusedOptionError: there was none.
        """
        if not self.loops:
            raise UnusedOptionError(
                "made no event loop of uvloop, as asyncio.run does without a loop_factory"
            )


def use_event_loop(option: str) -> LoopCheck | None:
    """Let ``asyncio.run`` make event loops of uvloop from now on, if that is the option.

    It asks its policy for them, which Python 3.14 deprecates and 3.16 removes.

    Raises:
        ImportError: uvloop is not installed.
    """
    if option != UVLOOP:
        return None
    import asyncio  # both are heavy, and most strategies need neither

    import uvloop

    seen = LoopCheck()

    def count_loop() -> "AbstractEventLoop":
        seen.loops += 1
        return uvloop.new_event_loop()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        policy = uvloop.EventLoopPolicy()
        policy.new_event_loop = count_loop
        asyncio.set_event_loop_policy(policy)
    asyncio.run(_open_what_uvloop_keeps())
    seen.loops = 0
    return seen


def open_what_gevent_keeps() -> None:
    """Let gevent, if the strategy uses it, start its event loop, which lasts as long as the process.

    Its descriptors are no leak of the strategy.
    """
    if (gevent := sys.modules.get("gevent")) is not None:
        gevent.sleep(0)
        gevent.get_hub().threadpool.apply(int)
        gevent.get_hub().threadpool.kill()


async def _open_what_uvloop_keeps() -> None:
    """Let uvloop start the threads and open the descriptors that it keeps for the life of a process.

    They are no leak of the strategy.
    """
    from asyncio import get_running_loop

    await get_running_loop().getaddrinfo("127.0.0.1", 0)
