"""The log of a round: packed, and whole."""

from bench.server.request_log import Log, Record


def test_a_log_returns_what_was_added() -> None:
    """Packing loses nothing, a request without a country included."""
    log = Log()
    records = [
        Record(1, 1.0, 1.25, 2.5, 3.75, 0.05, 200, "BR", 3),
        Record(70_000, 1e6, 1e6 + 1e-9, 2e6, 3e6, 0.0, 404, "", 100_000),
    ]
    for each in records:
        log.add(*each)
    assert list(log) == records
    assert len(log) == 2
