"""A signal ends what is being done, wherever the interpreter is when it comes."""

import os
import signal
import time
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.runner.processes.signals import Interrupted, handle_interrupts, handle_termination

ROOT = Path(__file__).parents[2]


class Thing:
    """Something that a callback can be told the end of."""


def be_signalled_where_errors_are_ignored(number: signal.Signals) -> None:
    """Have a signal come while the interpreter tells a callback of the end of an object."""
    thing = Thing()
    kept = weakref.ref(thing, lambda _: os.kill(os.getpid(), number))
    del thing
    assert kept() is None


def interrupted_by(do: Callable[[], None]) -> Interrupted:
    """Do something, wait, and return what ended that long before its time."""

    def do_and_wait() -> None:
        do()
        time.sleep(30)

    began_s = time.monotonic()
    with pytest.raises(Interrupted) as caught, handle_termination(), handle_interrupts() as signals:
        do_and_wait()
    assert time.monotonic() - began_s < 20
    assert signals.exit_code == 128 + caught.value.number
    return caught.value


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_raised_where_it_comes(number: signal.Signals) -> None:
    """With its number."""
    caught = interrupted_by(lambda: os.kill(os.getpid(), number))
    assert caught.number == number


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_reached_nobody_is_raised_again(number: signal.Signals) -> None:
    """Errors of a callback are ignored; the second time it is raised in the open, and only once."""
    caught = interrupted_by(lambda: be_signalled_where_errors_are_ignored(number))
    assert caught.number == number
    time.sleep(0.05)


def test_a_signal_that_is_held_is_not_raised_again() -> None:
    """What is being written by then is written to its end; the signal is known all the same."""
    with handle_termination(), handle_interrupts() as signals:
        be_signalled_where_errors_are_ignored(signal.SIGTERM)
        signals.hold()
        time.sleep(0.05)
    assert signals.exit_code == 143


def test_afterwards_signals_are_what_they_were() -> None:
    """Whoever took them before takes them again."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)]
    with handle_termination(), handle_interrupts():
        pass
    assert before == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)]


def test_no_module_has_the_compiler_import_another() -> None:
    """For a sign's name it imports another; a signal meanwhile becomes a ``SyntaxError``, and is lost."""
    sources = [path for folder in ("bench", "strategies") for path in (ROOT / folder).rglob("*.py")]
    assert len(sources) > 200
    assert [path for path in sources if "\\N{" in path.read_text("utf-8")] == []
