"""The spans of a round: packed and unpacked, chosen in the worker and among trials."""

import json
import random
import zlib
from binascii import b2a_base64
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.api import Fetch
from bench.model.json_codec import MalformedError
from bench.model.round_spans import (
    FetchSpan,
    RequestSpan,
    RoundSpans,
    keeps_spans,
    pack_spans,
    unpack_spans,
)
from bench.stats.typical_trial import typical_trials
from bench.worker.protocol import MOST_SPANS
from bench.worker.typical_call import TypicalCall
from tests.builders import case, failed, run_of, trials

TIMES = st.integers(-1_000_000, 3_600_000_000).map(lambda microseconds: microseconds / 1_000_000)
NAMES = st.text(max_size=4)
FETCHES = st.lists(st.builds(FetchSpan, NAMES, NAMES, TIMES, TIMES, TIMES), max_size=9).map(tuple)
REQUESTS = st.lists(
    st.builds(RequestSpan, NAMES, st.integers(1, 9), st.just(200), NAMES, TIMES, TIMES, TIMES), max_size=9
).map(tuple)
POOL = case(workers=3)


def fetch(start_s: float, end_s: float, country: str = "BR") -> Fetch:
    return Fetch(country, start_s, end_s, 200, 10, "ok", answered_s=end_s - 0.001)


@given(st.builds(RoundSpans, TIMES, FETCHES, REQUESTS, st.integers(0, 10**6), st.integers(0, 10**6)))
def test_packed_spans_are_unpacked_to_the_microsecond(spans: RoundSpans) -> None:
    assert unpack_spans(pack_spans(spans)) == spans


@pytest.mark.parametrize("text", ["", "no base64!", "AAAA", pack_spans(RoundSpans(1.0, (), (), 0, 0))[:-8]])
def test_other_texts_are_no_spans(text: str) -> None:
    with pytest.raises(MalformedError, match="not the spans of a round"):
        unpack_spans(text)


@pytest.mark.parametrize(
    "damaged",
    [
        {"requests": [["BR"], [1], [200], [None], [0], [1], [2]]},
        {"requests": [["BR"], [1.5], [200], [""], [0], [1], [2]]},
        {"requests": [["BR"], [True], [200], [""], [0], [1], [2]]},
        {"fetches": [[7], ["ok"], [0], [1], [2]]},
        {"fetches": [["BR"], [["ok"]], [0], [1], [2]]},
        {"fetches": [["BR"], ["ok"], ["0"], [1], [2]]},
        {"fetches": [["BR"], ["ok"], [float("nan")], [1], [2]]},
        {"fetches": [["BR"], ["ok"], [10**400], [1], [2]]},
        {"fetches": [["BR"], ["ok"], [0], [1]]},
        {"fetches": {"BR": 1, "ok": 2}},
        {"elapsed_us": None},
        {"elapsed_us": float("inf")},
        {"all": ["1", "1"]},
        {"all": [1]},
    ],
)
def test_values_of_another_type_are_no_spans(damaged: dict[str, object]) -> None:
    """They pack and unpack well, and would only fail where they are drawn."""
    document = {"elapsed_us": 1, "all": [0, 0], "fetches": [[]] * 5, "requests": [[]] * 7} | damaged
    with pytest.raises(MalformedError, match="not the spans of a round"):
        unpack_spans(packed(json.dumps(document)))


def test_deeply_nested_text_is_no_spans() -> None:
    with pytest.raises(MalformedError, match="not the spans of a round"):
        unpack_spans(packed("[" * 500_000))


def packed(text: str) -> str:
    """Pack a text as spans are packed."""
    return b2a_base64(zlib.compress(text.encode()), newline=False).decode()


def test_packed_spans_of_two_thousand_fetches_take_a_few_bytes_each() -> None:
    """So they are smaller than the journal lines of the same trials."""
    noise = random.Random(1)
    starts = sorted(noise.uniform(0, 2) for _ in range(MOST_SPANS))
    fetches = tuple(FetchSpan("BR", "ok", at, at + noise.uniform(0.01, 0.02), at + 0.03) for at in starts)
    assert len(pack_spans(RoundSpans(2.0, fetches, (), MOST_SPANS, 0))) < 16 * MOST_SPANS


def test_blocks_with_spans_become_rarer() -> None:
    assert [block for block in range(100) if keeps_spans(block)] == [0, 1, 2, 4, 8, 16, 32, 64]


def test_the_call_nearest_to_the_median_is_kept_and_never_the_warm_up() -> None:
    warmed = TypicalCall()
    warmed.offer([fetch(0.0, 5.0)], 0.0, 5.0)
    assert warmed.spans is None
    typical = TypicalCall()
    typical.offer([fetch(0.0, 3.0)], 0.0, 3.0)
    for number, elapsed_s in enumerate((1.0, 9.0, 2.0, 8.0, 3.0), start=1):
        typical.offer([fetch(number + 0.1, number + elapsed_s)], number, number + elapsed_s)
    assert typical.spans is not None
    assert (typical.spans.call, typical.spans.called_s, typical.spans.all_fetches) == (5, 5, 1)
    assert (typical.spans.starts_s, typical.spans.ends_s) == ((5.1,), (8.0,))


def test_the_first_fetches_of_a_large_call_are_kept_in_the_order_of_their_starts() -> None:
    starts = list(range(MOST_SPANS + 500))
    random.Random(2).shuffle(starts)
    typical = TypicalCall()
    typical.offer([], 0.0, 1.0)
    typical.offer([fetch(start_s, start_s + 1) for start_s in starts], 0.0, 9999.0)
    assert typical.spans is not None
    assert typical.spans.starts_s == tuple(range(MOST_SPANS))
    assert typical.spans.all_fetches == MOST_SPANS + 500


def test_the_typical_trial_has_spans_and_the_time_nearest_to_the_median() -> None:
    """The median of these is 30 ms, in a block without spans; a failed trial is typical of nothing."""
    measured = trials(POOL, [0.010, 0.028, 0.050, 0.030, 0.033])
    measured = [replace(each, spans="x" if keeps_spans(each.block) else "") for each in measured]
    measured.append(replace(failed(POOL, 8, "error", "it raised"), spans="x"))
    other = case("sequential", workers=1)
    assert {name: trial.block for name, trial in typical_trials(run_of({POOL: measured})).items()} == {
        POOL.id: 1
    }
    assert typical_trials(run_of({other: trials(other, [0.1] * 6)})) == {}
