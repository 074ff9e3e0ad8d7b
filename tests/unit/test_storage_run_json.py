"""Documents with checksums at their end: no byte can change, and the place is told."""

import json
import random
import re
from pathlib import Path

import pytest

from bench.errors import UnreadableResultError
from bench.storage.run_json import (
    DamagedError,
    add_checksums,
    run_from_bytes,
    run_to_json_text,
    verify_checksums,
)
from tests.builders import case, failed, run_of, trials

POOL = case()
LOOP = case("asyncio_gather", "aiohttp")
RUN = run_of({POOL: trials(POOL, [0.02, 0.03]), LOOP: [failed(LOOP, 0, "crash", "killed \u202e")]})
CONTENT = run_to_json_text(RUN).encode()


def test_a_sealed_document_is_json_with_one_key_more() -> None:
    """People and other tools read it as before."""
    document = {"one": [1, 2], "two": "\u202e"}
    read = json.loads(add_checksums(document))
    assert re.fullmatch(r"[0-9a-f]{8} [0-9a-f]{8}", read.pop("crc32"))
    assert read == document


def test_half_a_surrogate_pair_is_written_as_json_escapes_it() -> None:
    """A strategy may raise anything, and UTF-8 cannot hold that."""
    text = add_checksums({"detail": "\ud800"})
    assert verify_checksums(text.encode())
    assert json.loads(text)["detail"] == "\ud800"


def test_damage_is_told_within_4096_bytes() -> None:
    """Of a document of many pieces, whatever else is wrong with it afterwards."""
    content = bytearray(add_checksums({"numbers": list(range(9000))}).encode())
    content[20_000] ^= 1
    with pytest.raises(DamagedError, match="damaged at byte 16384, or up to byte 20480: the checksum"):
        verify_checksums(bytes(content))


def test_a_document_that_grew_or_shrank_is_damaged_where_it_did() -> None:
    """A piece more or less is as bad as another one."""
    content = add_checksums({"numbers": list(range(9000))}).encode()
    for changed in (content[:9000] + content[9001:], content[:9000] + b" " + content[9000:]):
        with pytest.raises(DamagedError, match="damaged at byte 8192, or up to byte 12288"):
            verify_checksums(changed)


def test_damaged_checksums_are_told_as_such() -> None:
    """The content may be right, and nobody knows."""
    digit = CONTENT.rindex(b'"') - 1
    content = CONTENT[:digit] + (b"0" if CONTENT[digit : digit + 1] != b"0" else b"1") + CONTENT[digit + 1 :]
    with pytest.raises(UnreadableResultError, match=r"damaged at byte \d+: the checksums at its end"):
        run_from_bytes(content)


def test_the_same_value_in_other_words_is_damage() -> None:
    """A capital letter in an exponent changes no number, and nobody has written it."""
    content = add_checksums({"seconds": 1e-05}).encode()
    assert verify_checksums(content)
    with pytest.raises(DamagedError, match="damaged at byte 0"):
        verify_checksums(content.replace(b"1e-05", b"1E-05"))


def test_no_shortened_run_is_accepted() -> None:
    """Every length; the message says where it ends, or where that shows."""
    for length in range(len(CONTENT)):
        with pytest.raises(UnreadableResultError) as refused:
            run_from_bytes(CONTENT[:length])
        said = re.match(r"damaged at byte (\d+): ", str(refused.value))
        assert said is not None
        assert int(said[1]) <= length


def check_flips(number: int) -> None:
    """Refuse each flipped bit with a place that is not behind it by more than a piece."""
    draw = random.Random(2)
    for _ in range(number):
        place = draw.randrange(len(CONTENT))
        damaged = bytearray(CONTENT)
        damaged[place] ^= 1 << draw.randrange(8)
        with pytest.raises(UnreadableResultError) as refused:
            run_from_bytes(bytes(damaged))
        said = re.match(r"damaged at byte (\d+)(?:, or up to byte (\d+))?: ", str(refused.value))
        assert said is not None, refused.value
        if said[2] is not None:
            assert int(said[1]) <= place < int(said[2])


def test_no_flipped_bit_of_a_run_is_accepted() -> None:
    """A few hundred of them."""
    check_flips(300)


@pytest.mark.slow
def test_none_of_5000_flipped_bits_of_a_run_is_accepted() -> None:
    """Drawn at random over the whole of it."""
    check_flips(5000)


def test_a_damaged_run_is_refused_with_its_path_and_stays_as_it_is(tmp_path: Path) -> None:
    """Wherever it is read."""
    from bench.storage.run_folder import DOCUMENT, load_run

    damaged = CONTENT.replace(b'"elapsed_s": 0.03', b'"elapsed_s": 0.02', 1)
    (tmp_path / DOCUMENT).write_bytes(damaged)
    with pytest.raises(UnreadableResultError, match=r"run\.json: damaged at byte \d+, or up to byte \d+"):
        load_run(tmp_path)
    assert (tmp_path / DOCUMENT).read_bytes() == damaged
