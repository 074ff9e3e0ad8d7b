"""Test the packed log of a round."""

from bench.server.request_log import Record, RequestLog


def test_log_returns_the_records_that_were_added() -> None:
    log = RequestLog()
    records = [
        Record(1, 1.0, 1.25, 2.5, 3.75, 0.05, 200, "BR", 3),
        Record(70_000, 1e6, 1e6 + 1e-9, 2e6, 3e6, 0.0, 404, "", 100_000),
    ]
    for each in records:
        log.add(*each)
    assert list(log) == records
    assert len(log) == 2
