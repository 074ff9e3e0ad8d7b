"""A signal ends a run at any point of the interpreter."""

import os
import signal
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.runner.processes.signals import Interrupted, handle_interrupts, handle_termination

ROOT = Path(__file__).parents[2]


class Thing:
    """An object whose end triggers a callback."""


def raise_signal_in_a_weakref_callback(number: signal.Signals) -> None:
    """Send a signal from a callback whose exceptions the interpreter ignores."""
    thing = Thing()
    kept = weakref.ref(thing, lambda _: os.kill(os.getpid(), number))
    del thing
    assert kept() is None


def interrupted_by(do: Callable[[], None]) -> Interrupted:
    """Call a function, sleep, and return the exception that ends the sleep early."""

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
def test_signal_raises_interrupted_with_its_number(number: signal.Signals) -> None:
    caught = interrupted_by(lambda: os.kill(os.getpid(), number))
    assert caught.number == number


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_lost_in_a_callback_is_raised_once_more(number: signal.Signals) -> None:
    caught = interrupted_by(lambda: raise_signal_in_a_weakref_callback(number))
    assert caught.number == number


def test_thread_that_raises_a_lost_signal_again_ends_before_its_handler_is_removed() -> None:
    """A later SIGUSR1 would end the process."""
    before = set(threading.enumerate())
    with handle_termination(), handle_interrupts() as signals:
        raise_signal_in_a_weakref_callback(signal.SIGTERM)
        signals.hold()
        assert set(threading.enumerate()) > before
    assert set(threading.enumerate()) == before


def test_lost_signal_is_not_raised_after_hold_but_sets_the_exit_code() -> None:
    with handle_termination(), handle_interrupts() as signals:
        raise_signal_in_a_weakref_callback(signal.SIGTERM)
        signals.hold()
        time.sleep(0.05)
    assert signals.exit_code == 143


def test_previous_handlers_are_restored() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)]
    with handle_termination(), handle_interrupts():
        pass
    assert before == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)]


def test_no_module_names_a_character_by_its_unicode_name() -> None:
    """The compiler imports a module for it; a signal meanwhile becomes a ``SyntaxError``, and is lost."""
    sources = [path for folder in ("bench", "strategies") for path in (ROOT / folder).rglob("*.py")]
    assert len(sources) > 200
    assert [path for path in sources if "\\N{" in path.read_text("utf-8")] == []
