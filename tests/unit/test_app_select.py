"""Settings of an experiment that the command line replaces."""

from bench.app.select import apply_overrides, option_words
from bench.model.cases import Experiment, Stopping
from tests.builders import case

POOL = case("threadpool_map")
LOOP = case("asyncio_gather", "aiohttp")
CASES = (POOL, LOOP)


def test_only_given_options_replace_settings() -> None:
    """A seed of zero is given."""
    experiment = Experiment("x", CASES, {}, 8, None, 60, 10, 7)
    assert apply_overrides(experiment) == experiment
    changed = apply_overrides(experiment, only="asyncio_*", blocks=3, seed=0)
    assert (changed.cases, changed.blocks, changed.seed) == ((LOOP,), 3, 0)


def test_given_blocks_replace_precision_and_budget() -> None:
    experiment = Experiment("x", CASES, {}, 64, None, 60, 10, 7, stopping=Stopping(8, 0.03, 60.0))
    assert apply_overrides(experiment, blocks=5).stopping is None
    assert apply_overrides(experiment, seed=3).stopping == Stopping(8, 0.03, 60.0)


def test_options_are_written_as_words_that_can_be_given_again() -> None:
    assert option_words(metrics="p99", threshold=None, seed=0) == ("--metrics", "p99", "--seed", "0")
    assert option_words(allow_missing=True, github=False) == ("--allow-missing",)
