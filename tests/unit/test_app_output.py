"""Lines for the user on stderr."""

import pytest

from bench.app.output import print_note


def test_note_cannot_move_the_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    print_note("the trial of a\x1b[2Jb\rc may be long")
    assert capsys.readouterr().err == "the trial of a\ufffd[2Jb\ufffdc may be long\n"
