"""Check the checksums of run.json: no byte can change unnoticed, and its place is named."""

import json
import random
import re
from pathlib import Path

import pytest

from bench.errors import UnreadableResultError
from bench.storage.run_folder import DOCUMENT, load_run
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


def test_document_with_checksums_is_json_with_one_more_key() -> None:
    document = {"one": [1, 2], "two": "\u202e"}
    read = json.loads(add_checksums(document))
    assert re.fullmatch(r"[0-9a-f]{8} [0-9a-f]{8}", read.pop("crc32"))
    assert read == document


def test_half_a_surrogate_pair_is_escaped() -> None:
    """A strategy may raise any text, and UTF-8 cannot hold this one."""
    text = add_checksums({"detail": "\ud800"})
    assert verify_checksums(text.encode())
    assert json.loads(text)["detail"] == "\ud800"


def test_damage_is_located_within_4096_bytes() -> None:
    content = bytearray(add_checksums({"numbers": list(range(9000))}).encode())
    content[20_000] ^= 1
    with pytest.raises(DamagedError, match="damaged at byte 16384, or up to byte 20480: the checksum"):
        verify_checksums(bytes(content))


def test_added_or_removed_byte_is_located() -> None:
    content = add_checksums({"numbers": list(range(9000))}).encode()
    for changed in (content[:9000] + content[9001:], content[:9000] + b" " + content[9000:]):
        with pytest.raises(DamagedError, match="damaged at byte 8192, or up to byte 12288"):
            verify_checksums(changed)


def test_damaged_checksums_are_reported() -> None:
    digit = CONTENT.rindex(b'"') - 1
    content = CONTENT[:digit] + (b"0" if CONTENT[digit : digit + 1] != b"0" else b"1") + CONTENT[digit + 1 :]
    with pytest.raises(UnreadableResultError, match=r"damaged at byte \d+: the checksums at its end"):
        run_from_bytes(content)


def test_equal_number_in_another_notation_is_refused() -> None:
    content = add_checksums({"seconds": 1e-05}).encode()
    assert verify_checksums(content)
    with pytest.raises(DamagedError, match="damaged at byte 0"):
        verify_checksums(content.replace(b"1e-05", b"1E-05"))


def test_shortened_run_is_refused() -> None:
    """At every length; the message says where it ends, or where that shows."""
    for length in range(len(CONTENT)):
        with pytest.raises(UnreadableResultError) as refused:
            run_from_bytes(CONTENT[:length])
        said = re.match(r"damaged at byte (\d+): ", str(refused.value))
        assert said is not None
        assert int(said[1]) <= length


def check_flips(number: int) -> None:
    """Check that each flipped bit is refused, and located within a piece."""
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


def test_flipped_bit_is_refused() -> None:
    check_flips(300)


@pytest.mark.slow
def test_each_of_5000_flipped_bits_is_refused() -> None:
    check_flips(5000)


def test_damaged_run_is_refused_with_its_path_and_left_as_it_is(tmp_path: Path) -> None:
    damaged = CONTENT.replace(b'"elapsed_s": 0.03', b'"elapsed_s": 0.02', 1)
    (tmp_path / DOCUMENT).write_bytes(damaged)
    with pytest.raises(UnreadableResultError, match=r"run\.json: damaged at byte \d+, or up to byte \d+"):
        load_run(tmp_path)
    assert (tmp_path / DOCUMENT).read_bytes() == damaged
