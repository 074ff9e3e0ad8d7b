"""One word for each way a fetch may end."""

import errno

import pytest

from bench.outcomes import outcome_of_error, outcome_of_status


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, "ok"),
        (204, "corrupt"),
        (302, "redirect"),
        (403, "error"),
        (404, "not_found"),
        (418, "server_error"),
        (429, "rate_limited"),
        (500, "server_error"),
        (503, "unavailable"),
        (0, "error"),
    ],
)
def test_a_status_has_a_class(status: int, outcome: str) -> None:
    """Teapots are server errors here, as in the chapter."""
    assert outcome_of_status(status) == outcome


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (TimeoutError(), "timeout"),
        (ConnectionRefusedError(), "refused"),
        (ConnectionResetError(), "reset"),
        (BrokenPipeError(), "reset"),
        (OSError(errno.EMFILE, "Too many open files"), "local_resource"),
        (OSError(errno.ENFILE, "Too many open files in system"), "local_resource"),
        (OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address"), "local_resource"),
        (OSError(errno.ENOBUFS, "No buffer space available"), "local_resource"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "local_resource"),
        (OSError(errno.ENOSPC, "No space left on device"), "local_resource"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "local_resource"),
        (OSError(errno.EIO, "Input/output error"), "local_resource"),
        (OSError(errno.EROFS, "Read-only file system"), "local_resource"),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "error"),
        (ValueError("no such thing"), "error"),
    ],
)
def test_an_error_has_a_class_however_it_is_wrapped(error: Exception, outcome: str) -> None:
    """Raised from, raised while, passed as an argument, kept as a reason, or in a group."""
    reasoned = RuntimeError("gave up")
    reasoned.reason = error  # type: ignore[attr-defined]
    wrapped = [
        error,
        raised_from(error),
        raised_while(error),
        RuntimeError("twice", RuntimeError(error)),
        reasoned,
        ExceptionGroup("all addresses failed", [error, ValueError("another")]),
    ]
    assert [outcome_of_error(each) for each in wrapped] == [outcome] * len(wrapped)


def test_a_library_of_its_own_mind_is_known_by_the_name_of_its_error() -> None:
    """The errors of urllib3 and httpx for time-outs have no ancestor in common."""

    class ReadTimeout(Exception):  # noqa: N818  as httpx calls it
        pass

    assert outcome_of_error(RuntimeError(ReadTimeout())) == "timeout"


def test_the_outermost_known_error_decides() -> None:
    """What a library says of a failure counts for more than what it found beneath."""
    error = TimeoutError()
    error.__cause__ = ConnectionResetError()
    assert outcome_of_error(RuntimeError(error)) == "timeout"


def test_a_circle_of_causes_comes_to_an_end() -> None:
    """Two errors that name each other are looked at once each."""
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert outcome_of_error(first) == "error"


def raised_from(error: Exception) -> Exception:
    """Return an error with the other as its cause."""
    wrapper = RuntimeError("wrapped")
    wrapper.__cause__ = error
    return wrapper


def raised_while(error: Exception) -> Exception:
    """Return an error with the other as its context."""
    wrapper = RuntimeError("while handling")
    wrapper.__context__ = error
    return wrapper
