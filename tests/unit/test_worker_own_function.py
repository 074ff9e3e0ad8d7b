"""Constants of the user's code are led to the flag server."""

import pytest

from bench.worker.own_function import replace_address


@pytest.mark.parametrize(
    ("original", "replaced"),
    [
        ("https://x.invalid/data/flags", "http://h/flags"),
        ("https://x.invalid/", "http://h/flags/"),
        ("https://x.invalid/data/{cc}/{cc}.gif", "http://h/flags/{cc}/{cc}.gif"),
        ("https://x.invalid/%s/%s.gif", "http://h/flags/%s/%s.gif"),
    ],
)
def test_address_keeps_its_last_slash_and_its_template(original: str, replaced: str) -> None:
    assert replace_address(original, "http://h/flags") == replaced
