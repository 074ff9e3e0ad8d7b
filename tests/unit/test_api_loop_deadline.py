"""Fetches in an event loop end when they are overdue, as with ``asyncio.timeout``."""

import asyncio
from collections.abc import Awaitable
from time import perf_counter
from time import sleep as sleep_through

import pytest

from bench.api.loop_deadline import LoopDeadlines

TIMEOUT_S = 0.05
FOREVER_S = 60.0


async def sleep(seconds: str) -> str:
    await asyncio.sleep(float(seconds))
    return seconds


async def ended(call: Awaitable[str]) -> tuple[str, float]:
    """Return how a call ended, and after how long."""
    begun_s = perf_counter()
    try:
        what = await call
    except (TimeoutError, asyncio.CancelledError) as error:
        what = type(error).__name__
    return what, perf_counter() - begun_s


def test_overdue_fetches_end_in_time_and_the_others_do_not() -> None:
    """Each at its own deadline, although one timer serves all of them."""

    async def main() -> tuple[tuple[str, float], ...]:
        deadlines = LoopDeadlines(TIMEOUT_S)

        async def start(after_s: float, seconds: str) -> tuple[str, float]:
            await asyncio.sleep(after_s)
            return await ended(deadlines.limit(sleep, seconds))

        return await asyncio.gather(
            start(0.0, "0"), start(0.0, "60"), start(0.01, "0.02"), start(0.02, "60"), start(0.1, "60")
        )

    found = asyncio.run(main())
    assert [what for what, _ in found] == ["0", "TimeoutError", "0.02", "TimeoutError", "TimeoutError"]
    assert all(TIMEOUT_S - 0.001 <= elapsed_s < 1.0 for what, elapsed_s in found if what == "TimeoutError")


def test_a_task_can_fetch_again_after_a_timeout() -> None:
    async def main() -> list[str]:
        deadlines = LoopDeadlines(TIMEOUT_S)
        outcomes = [(await ended(deadlines.limit(sleep, each)))[0] for each in ("60", "0", "60", "0.01")]
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        await asyncio.sleep(2 * TIMEOUT_S)  # nothing is left that could cancel this task
        return outcomes

    assert asyncio.run(main()) == ["TimeoutError", "0", "TimeoutError", "0.01"]


def test_cancellation_from_outside_is_no_timeout() -> None:
    async def main() -> None:
        task = asyncio.create_task(LoopDeadlines(TIMEOUT_S).limit(sleep, "60"))
        await asyncio.sleep(TIMEOUT_S / 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()

    asyncio.run(main())


def test_cancellation_from_outside_wins_over_a_timeout_in_the_same_moment() -> None:
    async def main() -> None:
        task = asyncio.create_task(LoopDeadlines(TIMEOUT_S).limit(sleep, "60"))
        await asyncio.sleep(0)
        sleep_through(2 * TIMEOUT_S)  # noqa: ASYNC251  so that the timer is due
        asyncio.get_running_loop().call_soon(task.cancel)
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("how", "expected"), [("returns", "late"), ("raises", "ValueError"), ("waits on", "TimeoutError")]
)
def test_library_that_handles_the_cancellation_itself_has_its_way(how: str, expected: str) -> None:
    """It may return what it has, or raise its own error; ``Job`` judges by the time that it took."""

    async def get(_: str) -> str:
        try:
            await asyncio.sleep(FOREVER_S)
        except asyncio.CancelledError:
            if how == "raises":
                raise ValueError from None
            if how == "waits on":
                await asyncio.sleep(0.01)
                raise
        return "late"

    async def main() -> str:
        try:
            found = await LoopDeadlines(TIMEOUT_S).limit(get, "")
        except (TimeoutError, ValueError) as error:
            found = type(error).__name__
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        await asyncio.sleep(0)
        return found

    assert asyncio.run(main()) == expected


def test_closed_deadlines_cancel_nothing_any_more() -> None:
    async def main() -> str:
        deadlines = LoopDeadlines(TIMEOUT_S)
        task = asyncio.create_task(deadlines.limit(sleep, str(3 * TIMEOUT_S)))
        await asyncio.sleep(0)
        deadlines.close()
        return await task

    assert asyncio.run(main()) == str(3 * TIMEOUT_S)


def test_cost_of_a_limit_does_not_grow_with_the_fetches_in_progress() -> None:
    """A loop over all of them at each start or end would take minutes here."""

    async def main() -> int:
        deadlines = LoopDeadlines(FOREVER_S)
        release = asyncio.Event()

        async def get(_: str) -> int:
            await release.wait()
            return 1

        tasks = [asyncio.create_task(deadlines.limit(get, "")) for _ in range(20_000)]
        await asyncio.sleep(0)
        release.set()
        return sum(await asyncio.gather(*tasks))

    assert asyncio.run(main()) == 20_000
