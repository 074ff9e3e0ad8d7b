"""Every kind of bad config there is: refused with the exact line that says why."""

from pathlib import Path

import pytest

from tests.bad_configs import BAD_CONFIGS, FILE, KINDS
from tests.program import call

MOST_LINES = 51
LONGEST_LINE = 400


@pytest.mark.parametrize("name", BAD_CONFIGS)
def test_a_bad_config_is_refused_in_so_many_words(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With exit code 2, place, path and near miss on stderr; every line is short and printable."""
    monkeypatch.chdir(tmp_path)
    bad = BAD_CONFIGS[name]
    bad.lay(tmp_path / FILE)
    assert call(monkeypatch, "check", FILE) == 2
    said = capsys.readouterr()
    lines = said.err.splitlines()
    assert lines[0] == f"{FILE}:{bad.told}"
    assert len(lines) == 1 + bad.more <= MOST_LINES
    assert all(line.startswith(FILE) and line.isprintable() for line in lines)
    assert max(map(len, lines)) <= LONGEST_LINE
    assert said.out == ""


def test_each_bad_config_has_a_name_of_its_own() -> None:
    """Else one of two would never be tried."""
    assert sum(map(len, KINDS.values())) == len(BAD_CONFIGS)
