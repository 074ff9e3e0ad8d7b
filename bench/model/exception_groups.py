"""Look into groups of exceptions, such as those of ``asyncio.TaskGroup``. Used for messages and outcomes."""

from collections.abc import Iterator


def first_branch(error: BaseException) -> list[BaseException]:
    """Return an error and, for groups of exceptions, the first exception within each, outermost first."""
    branch = [error]
    while isinstance(branch[-1], BaseExceptionGroup):
        branch.append(branch[-1].exceptions[0])
    return branch


def iterate_leaves(error: BaseException) -> Iterator[BaseException]:
    """Yield the exceptions in a group that are no groups, however deep; or the error itself."""
    waiting = [error]
    while waiting:
        each = waiting.pop()
        if isinstance(each, BaseExceptionGroup):
            waiting.extend(reversed(each.exceptions))
        else:
            yield each
