"""Check the journal: entries are read back, a torn end is recognised, all other damage is refused."""

import json
import random
import resource
import signal
from dataclasses import replace
from pathlib import Path
from zlib import crc32

import pytest

from bench.errors import SetupError, UnreadableResultError
from bench.model.results import MeasuredBlock, OtherProcesses, ProcessUse, Resumption
from bench.storage.journal import continued_journal, new_journal, read_journal
from tests.builders import HEADER, case, failed, trials

POOL = case()
MEASURED = [
    *trials(POOL, [0.02]),
    failed(POOL, 1, "crash", "killed by SIGSEGV \u202e"),
    failed(POOL, 2, "timeout", "not done after 2 s"),
]
OTHERS = OtherProcesses(4.5, (ProcessUse("web", 1.25),), 0.5)
AGAIN = Resumption("2026-01-02T04:00:00+00:00", 2, {"commit": "0" * 40, "dirty": False})


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Write a journal of three trials, the last of them after the run was resumed."""
    path = tmp_path / "journal.jsonl"
    with new_journal(path, HEADER) as journal:
        for trial in MEASURED[:2]:
            journal.append(trial)
        journal.append(OTHERS)
        journal.append(AGAIN)
        journal.append(MEASURED[2])
    return path


def flips(content: bytes, number: int) -> list[tuple[int, bytes]]:
    """Draw contents with one flipped bit, each with the place of its byte."""
    draw = random.Random(1)
    drawn = []
    for _ in range(number):
        place = draw.randrange(len(content))
        damaged = bytearray(content)
        damaged[place] ^= 1 << draw.randrange(8)
        drawn.append((place, bytes(damaged)))
    return drawn


def line_starts(content: bytes) -> list[int]:
    """Return the start of each line."""
    return [0, *(at + 1 for at in range(len(content) - 1) if content[at : at + 1] == b"\n")]


def test_entries_are_read_back_in_order(journal: Path) -> None:
    past = read_journal(journal)
    assert past.header == HEADER
    assert past.trials == tuple(MEASURED)
    assert past.resumed == (AGAIN,)
    assert past.others == (OTHERS,)
    assert (past.end, past.torn) == (journal.stat().st_size, 0)


def test_a_block_of_a_machine_is_one_line_that_is_there_or_not(journal: Path) -> None:
    whole = journal.stat().st_size
    with continued_journal(journal, read_journal(journal)) as again:
        again.append(MeasuredBlock(tuple(MEASURED)))
    content = journal.read_bytes()
    assert read_journal(journal).trials == (*MEASURED, *MEASURED)
    journal.write_bytes(content[: (whole + len(content)) // 2])
    past = read_journal(journal)
    assert (past.trials, past.end) == (tuple(MEASURED), whole)


def test_journal_is_continued_at_its_end(journal: Path) -> None:
    before = journal.read_bytes()
    with continued_journal(journal, read_journal(journal)) as again:
        again.append(MEASURED[0])
    assert journal.read_bytes().startswith(before)
    assert read_journal(journal).trials == (*MEASURED, MEASURED[0])


def test_every_line_is_json(journal: Path) -> None:
    lines = [json.loads(line) for line in journal.read_text("utf-8").splitlines()]
    assert [next(key for key in line if key != "crc32") for line in lines] == [
        "run",
        "trial",
        "trial",
        "others",
        "resumed",
        "trial",
    ]


def check_flips(journal: Path, number: int) -> None:
    """Check that each flipped bit is refused with the path and the offset of its line or end."""
    content = journal.read_bytes()
    starts = line_starts(content)
    for place, damaged in flips(content, number):
        journal.write_bytes(damaged)
        with pytest.raises(UnreadableResultError) as refused:
            read_journal(journal)
        start = max(at for at in starts if at <= place)
        at = place if place == len(content) - 1 else start
        assert str(refused.value).startswith(f"{journal}: damaged at byte {at}: ")


def test_flipped_bit_is_refused(journal: Path) -> None:
    check_flips(journal, 300)


@pytest.mark.slow
def test_each_of_5000_flipped_bits_is_refused(journal: Path) -> None:
    check_flips(journal, 5000)


def test_flipped_bit_in_the_frame_of_a_line_is_refused(journal: Path) -> None:
    content = journal.read_bytes()
    frame = content.index(b'"trial"')
    start = max(at for at in line_starts(content) if at <= frame)
    value = content.index(b": {", frame)
    end = content.index(b"}\n", value)
    for place in (*range(start, value + 2), end, end + 1, len(content) - 1):
        for bit in range(8):
            damaged = bytearray(content)
            damaged[place] ^= 1 << bit
            journal.write_bytes(damaged)
            with pytest.raises(UnreadableResultError, match=r"damaged at byte \d+"):
                read_journal(journal)


@pytest.mark.long
def test_journal_cut_at_any_byte_keeps_its_whole_lines(journal: Path) -> None:
    content = journal.read_bytes()
    starts = [*line_starts(content), len(content)]
    counted = [0, 0, 1, 2, 2, 2, 3]  # trials in so many whole lines
    for length in range(len(content)):
        journal.write_bytes(content[:length])
        whole = max(number for number, at in enumerate(starts) if at <= length)
        if whole == 0:
            with pytest.raises(UnreadableResultError, match="damaged at byte 0: not one whole line"):
                read_journal(journal)
            continue
        past = read_journal(journal)
        assert past.trials == tuple(MEASURED[: counted[whole]])
        assert (past.end, past.torn) == (starts[whole], length - starts[whole])


def test_torn_line_is_replaced_by_the_next(journal: Path) -> None:
    content = journal.read_bytes()
    journal.write_bytes(content[:-20])
    with continued_journal(journal, read_journal(journal)) as again:
        again.append(MEASURED[2])
    assert journal.read_bytes() == content


@pytest.mark.parametrize(
    ("order", "damaged"),
    [
        ([0, 2, 3, 4], 1),
        ([0, 1, 1, 2, 3, 4], 2),
        ([0, 2, 1, 3, 4], 1),
        ([1, 2, 3, 4], 0),
        ([0, 1, 2, 4], 3),
        ([0, 1, 2, 0, 3, 4], 3),
    ],
)
def test_lost_doubled_or_moved_line_is_refused(journal: Path, order: list[int], damaged: int) -> None:
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[number] for number in order))
    offset = sum(len(lines[number]) for number in order[:damaged])
    with pytest.raises(UnreadableResultError, match=f"damaged at byte {offset}: the checksum does not match"):
        read_journal(journal)


def test_line_of_another_run_is_refused(journal: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    with new_journal(other, replace(HEADER, started="2026-01-02T03:04:06+00:00")) as foreign:
        foreign.append(MEASURED[0])
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(lines[0] + other.read_bytes().splitlines(keepends=True)[1])
    with pytest.raises(UnreadableResultError, match=f"damaged at byte {len(lines[0])}"):
        read_journal(journal)


def test_journal_of_another_version_is_refused(journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = journal.read_bytes()
    monkeypatch.setattr("bench.storage.journal.SCHEMA", 4)
    with pytest.raises(UnreadableResultError, match=r"journal\.jsonl: .* schema 3, this flagbench reads 4"):
        read_journal(journal)
    assert journal.read_bytes() == before


def test_line_of_an_unknown_kind_is_of_another_version_and_no_damage(journal: Path) -> None:
    value = b"future: {}"
    checksum = crc32(value, read_journal(journal).checksum)
    with journal.open("ab") as file:
        file.write(b'{"crc32": "%08x", "future": {}}\n' % checksum)
    with pytest.raises(
        UnreadableResultError, match="of the kind 'future', which this flagbench does not know"
    ):
        read_journal(journal)


@pytest.mark.parametrize("content", [b"", b"\n", b'{"crc32": "00000000", "trial": {}}\n', b"\x00" * 4096])
def test_file_that_is_not_a_journal_is_refused(journal: Path, content: bytes) -> None:
    journal.write_bytes(content)
    with pytest.raises(UnreadableResultError, match="damaged at byte 0"):
        read_journal(journal)


def test_line_that_does_not_fit_on_the_disk_is_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with new_journal(path, HEADER) as journal:
        journal.append(MEASURED[0])
        content = path.read_bytes()
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(content) + 100, hard))
        try:
            with pytest.raises(SetupError, match=r"cannot write .*journal\.jsonl: File too large"):
                journal.append(MEASURED[1])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            signal.signal(signal.SIGXFSZ, before)
        assert path.read_bytes() == content
        journal.append(MEASURED[1])
    assert read_journal(path).trials == tuple(MEASURED[:2])


def test_trial_interrupted_by_a_signal_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "journal.jsonl"
    with new_journal(path, HEADER) as journal:
        with monkeypatch.context() as patched:
            patched.setattr("os.fsync", _interrupt)
            with pytest.raises(KeyboardInterrupt):
                journal.append(MEASURED[0])
        journal.append(MEASURED[1])
    assert read_journal(path).trials == (MEASURED[1],)


def _interrupt(_descriptor: int) -> None:
    raise KeyboardInterrupt
